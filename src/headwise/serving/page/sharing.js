// A link that restores what is seen, and its JSON. Texts stand behind the #, which no browser sends.
import { byId } from "./base.js";

const dialog = byId("share");
const field = byId("share-text");

function show(title, note, text) {
  byId("share-title").textContent = title;
  byId("share-note").textContent = note;
  byId("share-said").textContent = "";
  field.value = text;
  dialog.showModal();
  field.select();
}

// The link holds pairs of a name and a text; names may come more than once.
export function shareLink(pairs) {
  const kept = pairs.filter(([, value]) => value !== null && value !== "");
  history.replaceState(null, "", `#${new URLSearchParams(kept)}`);
  show("A link to this", "Texts and settings stand in the link itself, behind the #: whoever has "
    + "the link can read them, and they are not sent in it to any server.", location.href);
}

export function shareJson(value) {
  show("What is seen, as JSON", "As the API answers.", JSON.stringify(value, null, 2));
}

export const linkedState = () => new URLSearchParams(location.hash.slice(1));

byId("share-copy").addEventListener("click", async () => {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    byId("share-said").textContent = "Copied";
  } catch {
    // Pages that come without encryption may not reach the clipboard
    byId("share-said").textContent = "Selected: copy it with your keyboard";
    field.focus();
  }
});
byId("share-close").addEventListener("click", () => dialog.close());
