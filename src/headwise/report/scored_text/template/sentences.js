// The page is readable before its scripts run. They add shaded tokens, tooltips, order, filter
// and a threshold that moves. Here: sentences are built, and marked, once they come near the window.
import { byId, element } from "./base.js";
import { drawText, markText } from "./drawing.js";
import { followTips } from "./tooltip.js";

const config = JSON.parse(byId("config").textContent);
const [main] = config.signals;
const list = byId("sentences");
const items = [...list.children];
const drawn = new Map(); // item -> what draw() knows about it
const near = new Set(); // items near the window
let threshold = config.threshold;

// Words and gaps below the threshold

function mark(item) {
  const sentence = drawn.get(item);
  const { low, missing } = markText(sentence, threshold, config.gapThreshold ?? threshold);
  const words = low.map(([start, end, level]) => {
    const word = element("bdi", "", sentence.text.slice(start, end));
    return element("li", "", word, ` ${level.toFixed(2)}`);
  });
  item.querySelector(".to-check").replaceChildren(...words);
  const places = missing.map(([, , where, omission]) =>
    element("li", "", element("bdi", "", where), ` ${omission.toFixed(2)}`));
  item.querySelector(".missing")?.replaceChildren(...places);
}

// Drawing a sentence

const readRecord = (item) => JSON.parse(item.querySelector(".record").textContent);

function draw(item) {
  const paragraph = item.querySelector(".hypothesis");
  const text = paragraph.textContent;
  const record = readRecord(item);
  const { page, wordNodes, gapNodes } = drawText(text, record);
  paragraph.replaceChildren(page);
  drawn.set(item, { text, ...record, wordNodes, gapNodes });
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
followTips(byId("tip"), list, (node) => ({
  ...drawn.get(node.closest(".sentence")), signals: config.signals,
}));
