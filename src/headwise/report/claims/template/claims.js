// The page is readable before its script runs. It adds verdicts, order and a filter to choose
// by, and lets the passages that decide a claim stand out in the source.
import { afterPause, byId } from "./base.js";

const items = [...document.querySelectorAll(".claim")];
const numberOf = (item) => item.id.slice(1);

// Passages of a claim

const marksOf = new Map();
for (const mark of document.querySelectorAll("mark[data-claims]")) {
  for (const claim of mark.dataset.claims.split(" ")) {
    if (!marksOf.has(claim)) marksOf.set(claim, []);
    marksOf.get(claim).push(mark);
  }
}
function light(item, lit) {
  (marksOf.get(numberOf(item)) ?? []).forEach((mark) => mark.classList.toggle("lit", lit));
}
for (const item of items) {
  for (const name of ["pointerenter", "focusin"]) item.addEventListener(name, () => light(item, true));
  for (const name of ["pointerleave", "focusout"]) item.addEventListener(name, () => light(item, false));
}

// A place moves the source alone where it stands beside the claims
document.querySelector("main").addEventListener("click", (event) => {
  const link = event.target.closest(".facts a");
  const place = link && byId(link.hash.slice(1));
  const panel = place?.closest(".about");
  if (!panel || getComputedStyle(panel).position !== "sticky") return;
  event.preventDefault();
  const above = place.getBoundingClientRect().top - panel.getBoundingClientRect().top;
  panel.scrollTop += above - panel.clientHeight / 3;
  history.replaceState(null, "", link.hash);
  document.querySelectorAll(".about .lit").forEach((one) => one.classList.remove("lit"));
  const item = link.closest(".claim");
  light(item, true);
});

// Verdict, order and filter

const groups = [...document.querySelectorAll(".group")];
const fold = (text) => text.normalize("NFKC").toLocaleLowerCase();
let folded = null;
function choose() {
  const verdict = byId("verdict").value;
  const query = fold(byId("filter").value);
  folded ??= items.map((item) => fold(item.querySelector(".text").textContent));
  let count = 0;
  items.forEach((item, index) => {
    item.hidden = (verdict && item.dataset.verdict !== verdict) || !folded[index].includes(query);
    if (!item.hidden) count++;
  });
  for (const group of groups) group.hidden = !group.querySelector(".claim:not([hidden])");
  byId("nothing").hidden = count > 0;
  byId("shown").textContent = count < items.length
    ? `${count.toLocaleString("en")} of ${items.length.toLocaleString("en")}` : "";
}
byId("verdict").addEventListener("change", choose);
byId("filter").addEventListener("input", afterPause(choose, 120));

byId("order").addEventListener("change", (event) => {
  const place = event.target.value === "doubtful"
    ? (item) => Number(item.dataset.level) : (item) => Number(numberOf(item));
  for (const list of document.querySelectorAll(".claims")) {
    list.replaceChildren(...[...list.children].sort((a, b) => place(a) - place(b)));
  }
});
