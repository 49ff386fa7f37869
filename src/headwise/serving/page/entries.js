// One scored hypothesis: its score, its shaded text, and a table of what is to be checked.
import { element } from "./base.js";
import { drawText, markText } from "./drawing.js";
import { formatShare } from "./values.js";

const NO_VALUE = "–";
const CHOICES = 2; // alternatives that the table shows; the tooltip has all
const LEAST = 0.01; // the share of one that is worth a place there

// An entry for a hypothesis that could not be scored.
export function failedEntry(name, text, message) {
  const node = element("li", "result",
    element("div", "gutter", element("span", "which", name)),
    element("div", "texts", hypothesisNode(text), element("p", "error", message)));
  return { node, worth: null, mark: () => [], rank() {} };
}

function hypothesisNode(...children) {
  const node = element("p", "hypothesis", ...children);
  node.lang = "";
  node.dir = "auto";
  return node;
}

// An entry for a hypothesis whose tokens are still coming.
export function growingEntry(name) {
  const text = hypothesisNode();
  const node = element("li", "result streaming",
    element("div", "gutter", element("span", "which", name)), element("div", "texts", text));
  return { node, text };
}

// An entry for a scored hypothesis; `facts` are what goes for all hypotheses of its answer.
export function scoredEntry(name, { row, view }, facts) {
  const text = row.hypothesis;
  const { page, wordNodes, gapNodes } = drawText(text, view);
  const drawing = { ...view, wordNodes, gapNodes };
  const which = element("span", "which", name);
  const score = element("span", "score", row.score?.toFixed(2) ?? NO_VALUE);
  score.title = `${facts.signals[0]}, mean over all tokens`;
  const gutter = element("div", "gutter", score, which);
  if (view.flagged) gutter.append(element("span", "flag", "to check"));
  if (view.no_error) gutter.append(element("span", "no-error", `no error ${view.no_error}`));
  const below = element("div", "");
  const node = element("li", "result",
    gutter, element("div", "texts", hypothesisNode(page), below));
  node.tip = { text, cells: view.cells, signals: facts.signals };

  return {
    node,
    worth: view.worth,
    row,
    rank(place, count) {
      which.textContent = count > 1 ? `${place} of ${count} · ${name}` : name;
    },
    // Marks what lies below the threshold, and returns it in reading order.
    mark(threshold) {
      const { low, missing } = markText(drawing, threshold, facts.gap_threshold ?? threshold);
      const spans = inReadingOrder(low, missing, text);
      below.replaceChildren(spans.length
        ? spanTable(spans, node, view, facts)
        : element("p", "all-sound", "Nothing below the threshold."));
      return spans;
    },
  };
}

// Neighbouring words become one span; a gap has no text.
function inReadingOrder(low, missing, text) {
  const spans = [];
  for (const [start, end, level] of low) {
    const last = spans.at(-1);
    if (last && !text.slice(last.end, start).trim()) {
      last.end = end;
      last.level = Math.min(last.level, level);
    } else spans.push({ start, end, level });
  }
  for (const span of spans) span.label = text.slice(span.start, span.end);
  const gaps = missing.map(([place, level, where]) =>
    ({ start: place, end: place, level, label: `‸ ${where}` }));
  return [...spans, ...gaps].sort((a, b) => a.start - b.start || a.end - b.end);
}

function spanTable(spans, node, view, facts) {
  const heads = ["To check", facts.signals[0], "The language model’s choices"];
  const head = element("tr", "", ...heads.map((name) => {
    const cell = element("th", "", name);
    cell.scope = "col";
    return cell;
  }));
  const rows = spans.map((span) => {
    const button = element("button", "", element("bdi", "", span.label));
    button.type = "button";
    const index = view.cells.findIndex(([, end]) => end > span.start);
    button.addEventListener("click", () => {
      const cells = node.querySelectorAll(".cell[tabindex]");
      (cells[index] ?? [...cells].at(-1))?.focus();
    });
    return element("tr", "", element("td", "", button),
      element("td", "", span.level.toFixed(2)), element("td", "", ...choices(span, view)));
  });
  return element("table", "spans", element("thead", "", head), element("tbody", "", ...rows));
}

// What the model would rather have written in place of the worst token of a span.
function choices({ start, end, label }, { cells }) {
  const inside = cells.filter((cell) => cell[0] < end && cell[1] > start);
  if (!inside.length) return [];
  const worst = inside.reduce((a, b) => ((b[2] ?? 1) < (a[2] ?? 1) ? b : a));
  const shown = label.slice(worst[0] - start, worst[1] - start).trim();
  const others = (worst[3][0][2] ?? []).filter(([other, share]) => other !== shown && share >= LEAST)
    .slice(0, CHOICES);
  if (!others.length) return [];
  const place = shown === label ? [] : [element("span", "choice", `for ${shown}:`)]; // one of several
  return [...place, ...others.map(([other, share]) =>
    element("span", "choice", element("bdi", "", other), ` ${formatShare(share)}`))];
}
