// What the page says of itself: a notice that everyone sees, and words for who listens.
import { afterPause, byId } from "./base.js";

let retry = null;
byId("retry").addEventListener("click", () => {
  const again = retry;
  clearNotice();
  again?.();
});

export function showNotice(text, again = null) {
  retry = again;
  byId("notice-text").textContent = text;
  byId("retry").hidden = !again;
  byId("notice").hidden = false;
}

export function clearNotice() {
  byId("notice").hidden = true;
  retry = null;
}

// A screen reader hears a result once nobody types any more, and the same words only once.
const QUIET = 1000;
let words = "";
const speak = afterPause(() => {
  if (byId("said").textContent !== words) byId("said").textContent = words;
}, QUIET);
export function say(text) {
  words = text;
  speak();
}

export const plural = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
