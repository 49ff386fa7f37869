// Threshold, order and filter.
import { afterPause, byId } from "./base.js";
import { limitText } from "./values.js";

const sortedLevels = {}; // of all words or gaps, gathered when the threshold first moves
function countBelow(kind, limit) {
  if (!sortedLevels[kind]) {
    const place = { words: 2, gaps: 1 }[kind];
    const levels = items.flatMap((item) => (readRecord(item)[kind] ?? []).map((one) => one[place]));
    sortedLevels[kind] = Float64Array.from(levels.filter((level) => level !== null)).sort();
  }
  const levels = sortedLevels[kind];
  let [low, high] = [0, levels.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (levels[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function setThreshold(value) {
  threshold = value;
  document.querySelectorAll(".limit").forEach((output) => (output.value = limitText(threshold, main)));
  byId("check-count").textContent = countBelow("words", threshold).toLocaleString("en");
  if (byId("gap-count") && config.gapThreshold === null) {
    byId("gap-count").textContent = countBelow("gaps", threshold).toLocaleString("en");
    byId("gap-limit").value = (1 - threshold).toFixed(2);
  }
  near.forEach(mark); // the others follow when they come near
}
byId("threshold").addEventListener("input", (event) => setThreshold(event.target.valueAsNumber));

byId("order").addEventListener("change", (event) => {
  const level = (item) => Number(item.dataset.level ?? Infinity); // unscored ones come last
  const order = [...items];
  if (event.target.value === "worst") order.sort((a, b) => level(a) - level(b) || 0);
  list.replaceChildren(...order);
});

const fold = (text) => text.normalize("NFKC").toLocaleLowerCase();
let folded = null;
const flagged = byId("flagged");
function filter(query) {
  folded ??= items.map((item) => {
    const texts = item.querySelectorAll(".source, .hypothesis");
    return fold([...texts].map((node) => node.textContent).join("\n"));
  });
  let count = 0;
  items.forEach((item, index) => {
    item.hidden = !folded[index].includes(fold(query))
      || (flagged?.checked && !("flagged" in item.dataset));
    if (!item.hidden) count++;
  });
  byId("nothing").hidden = count > 0;
  byId("shown").textContent = query || flagged?.checked
    ? `${count.toLocaleString("en")} of ${items.length.toLocaleString("en")}` : "";
}
byId("filter").addEventListener(
  "input", afterPause(() => filter(byId("filter").value), 120));

flagged?.addEventListener("change", () => filter(byId("filter").value));

document.querySelectorAll(".limit").forEach((output) => (output.value = limitText(threshold, main)));
