// The fields for hypotheses: one or more, each of which can be removed.
import { byId, element } from "./base.js";

const list = byId("hypotheses");
const MOST = 16;
let changed = () => {};

export const onHypotheses = (callback) => { changed = callback; };
export const fields = () => [...list.querySelectorAll("textarea")];
export const hypotheses = () => fields().map((field) => field.value);
export const hypothesisName = (index, count) => (count > 1 ? `Hypothesis ${index + 1}` : "");

function nameFields() {
  const all = fields();
  all.forEach((field, index) => {
    field.ariaLabel = `Hypothesis ${index + 1}`;
    const remove = field.nextElementSibling;
    remove.ariaLabel = `Remove hypothesis ${index + 1}`;
    remove.hidden = all.length === 1;
  });
  byId("hypotheses-label").textContent = all.length > 1 ? "Hypotheses" : "Hypothesis";
  byId("add").disabled = all.length >= MOST;
}

export function addHypothesis(text = "") {
  const field = document.createElement("textarea");
  field.rows = 1;
  field.dir = "auto";
  field.autocomplete = "off";
  field.placeholder = "The text to look at";
  field.value = text;
  field.addEventListener("input", () => changed());
  const remove = element("button", "remove", "×");
  remove.type = "button";
  const item = element("li", "", field, remove);
  remove.addEventListener("click", () => {
    const next = (item.nextElementSibling ?? item.previousElementSibling)?.querySelector("textarea");
    item.remove();
    nameFields();
    next?.focus();
    changed();
  });
  list.append(item);
  nameFields();
  return field;
}

export function setHypotheses(texts) {
  list.replaceChildren();
  (texts.length ? texts.slice(0, MOST) : [""]).forEach((text) => addHypothesis(text));
}
