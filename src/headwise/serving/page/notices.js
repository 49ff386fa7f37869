// What the page says of itself: a notice that everyone sees, and words for who listens.
import { byId } from "./base.js";

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
let waiting = 0;
export function say(text) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (byId("said").textContent !== text) byId("said").textContent = text;
  }, QUIET);
}

export const plural = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
