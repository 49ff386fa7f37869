// A scored text as shaded tokens within words, and the marks of its gaps; from the record of
// `drawing.py`, whose places count as JavaScript counts.
import { element } from "./base.js";
import { formatValue } from "./values.js";

// The curve keeps the many tokens without doubt quiet.
export function shade(node, level) {
  node.style.setProperty("--doubt", (1 - (level ?? 1)) ** 1.5);
}

function gapNode(omission) {
  const gap = element("span", "gap");
  gap.title = `Something seems to be missing here: ${formatValue(omission)}`;
  gap.ariaLabel = gap.title;
  gap.role = "img";
  return gap;
}

// Nodes to put into a paragraph, among them one for each word and each gap.
export function drawText(text, { words, cells, gaps = [] }) {
  const page = document.createDocumentFragment();
  let next = 0; // the cell that comes next
  const gapNodes = [];

  // Puts the characters from..to into a node, and the gaps among them; one at `to` only if asked.
  function fill(node, from, to, withLast) {
    while (gapNodes.length < gaps.length) {
      const [place, , , omission] = gaps[gapNodes.length];
      if (place > to || (place === to && !withLast)) break;
      fillCells(node, from, place);
      from = Math.max(from, place);
      const gap = gapNode(omission);
      gapNodes.push(gap);
      node.append(gap);
    }
    fillCells(node, from, to);
  }

  // A cell that two words share is cut in two.
  function fillCells(node, from, to) {
    while (from < to) {
      while (next < cells.length && cells[next][1] <= from) next++;
      const cell = cells[next];
      if (!cell || cell[0] >= to) {
        node.append(text.slice(from, to));
        return;
      }
      if (cell[0] > from) node.append(text.slice(from, cell[0]));
      const start = Math.max(from, cell[0]);
      from = Math.min(cell[1], to);
      node.append(cellNode(text.slice(start, from), start === cell[0]));
    }
  }

  function cellNode(shown, first) {
    const node = element("span", "cell shade", shown);
    node.dataset.cell = next;
    shade(node, cells[next][2]);
    if (first) {
      node.tabIndex = next === 0 ? 0 : -1; // one tab stop a text, arrow keys within
      node.setAttribute("role", "button");
    }
    return node;
  }

  let cursor = 0;
  const wordNodes = words.map(([start, end]) => {
    const node = element("span", "word");
    fill(page, cursor, start, true);
    fill(node, start, end, false);
    page.append(node);
    cursor = end;
    return node;
  });
  fill(page, cursor, text.length, true);
  return { page, wordNodes, gapNodes };
}

// Marks what lies below the thresholds of a text that is drawn, and tells which words and gaps do.
export function markText({ words, wordNodes, gaps = [], gapNodes }, threshold, gapThreshold) {
  const isLow = ([, , level]) => level !== null && level < threshold;
  const isMissing = ([, level]) => level < gapThreshold;
  words.forEach((word, index) => wordNodes[index].classList.toggle("check", isLow(word)));
  gaps.forEach((gap, index) => { gapNodes[index].hidden = !isMissing(gap); });
  return { low: words.filter(isLow), missing: gaps.filter(isMissing) };
}
