// The page is readable before these scripts run. They add shaded tokens, tooltips, order, filter
// and a threshold that moves. All files of this folder form one module, in the order sentences,
// tooltip, tools. Here: sentences are built, and marked, once they come near the window.

const config = JSON.parse(byId("config").textContent);
const [main] = config.signals;
const list = byId("sentences");
const items = [...list.children];
const drawn = new Map(); // item -> what draw() knows about it
const near = new Set(); // items near the window
let threshold = config.threshold;

// Words and gaps below the threshold

const isLow = (level) => level !== null && level < threshold;
const gapThreshold = () => config.gapThreshold ?? threshold;

function mark(item) {
  const { text, words, wordNodes, gaps, gapNodes } = drawn.get(item);
  const entries = [];
  words.forEach(([start, end, level], index) => {
    wordNodes[index].classList.toggle("check", isLow(level));
    if (!isLow(level)) return;
    const word = element("bdi", "", text.slice(start, end));
    entries.push(element("li", "", word, ` ${level.toFixed(2)}`));
  });
  item.querySelector(".to-check").replaceChildren(...entries);
  const missing = [];
  gaps.forEach(([, level, where, omission], index) => {
    const shown = level < gapThreshold();
    gapNodes[index].hidden = !shown;
    if (!shown) return;
    const place = element("bdi", "", where);
    missing.push(element("li", "", place, ` ${omission.toFixed(2)}`));
  });
  item.querySelector(".missing")?.replaceChildren(...missing);
}

// Drawing a sentence

const readRecord = (item) => JSON.parse(item.querySelector(".record").textContent);

function draw(item) {
  const paragraph = item.querySelector(".hypothesis");
  const text = paragraph.textContent;
  const { words, cells, gaps = [] } = readRecord(item);
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
      const gap = element("span", "gap");
      gap.title = `Something seems to be missing here: ${formatValue(omission)}`;
      gap.ariaLabel = gap.title;
      gap.role = "img";
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
    // The curve keeps the many tokens without doubt quiet.
    node.style.setProperty("--doubt", (1 - (cells[next][2] ?? 1)) ** 1.5);
    if (first) {
      node.tabIndex = next === 0 ? 0 : -1; // one tab stop a sentence, arrow keys within
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
  paragraph.replaceChildren(page);
  drawn.set(item, { text, words, cells, wordNodes, gaps, gapNodes });
}

function show(item) {
  if (!drawn.has(item)) draw(item);
  mark(item);
}

const watcher = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) near.delete(target);
      else {
        near.add(target);
        show(target);
      }
    }
  },
  { rootMargin: "600px" },
);
items.forEach((item) => watcher.observe(item));
addEventListener("beforeprint", () => items.forEach(show));
