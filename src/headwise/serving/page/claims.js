// The tab "Claims": what a source says about claims, and the passages that decide.
import { afterPause, byId, element } from "./base.js";
import { CLAIMS, offerExamples } from "./examples.js";
import { clearNotice, plural, say, showNotice } from "./notices.js";
import { askJson, isStopped, latest, remember } from "./server.js";
import { shareJson, shareLink } from "./sharing.js";
import { currentTab } from "./tabs.js";

const TYPING = 400; // milliseconds without a key
const EMPTY = "Write what is known on one side and claims on the other: each is held against the "
  + "source, and the passages that decide are shown.";
const SAID = {
  supported: "Supported",
  contradicted: "Contradicted",
  not_enough_information: "Not enough information",
  uncertain: "Uncertain",
};
const KINDS = { supported: "backs", contradicted: "denies" };

const requests = latest();
const known = new Map();
let model = null;
let shown = []; // the answers in view, in the order of the claims

const source = () => byId("claims-source").value;
const claims = () => byId("claims-text").value.split("\n").map((one) => one.trim()).filter(Boolean);
const question = (claim) => JSON.stringify([source(), claim]);

const later = afterPause(refresh, TYPING);

async function refresh() {
  later.stop();
  const stop = requests.next();
  const missing = [...new Set(claims())].filter((claim) => !known.has(question(claim)));
  if (model && source().trim() && missing.length) {
    byId("claims-count").textContent = "Checking …";
    try {
      // The source may be another one when the answer comes
      const questions = missing.map(question);
      const asked = { model, source: source(), claims: missing };
      const { data } = await askJson("v1/check", asked, stop);
      questions.forEach((one, index) => remember(known, one, data[index]));
      clearNotice();
    } catch (error) {
      if (isStopped(error)) return;
      showNotice(error.message, refresh);
    }
  }
  draw();
}

function draw() {
  shown = claims().map((claim) => known.get(question(claim))).filter(Boolean);
  byId("verdicts").replaceChildren(...shown.map(claimNode));
  byId("claims-empty").textContent = EMPTY;
  byId("claims-empty").hidden = shown.length > 0;
  byId("evidence").hidden = !shown.length;
  const counts = Object.entries(SAID)
    .map(([verdict, name]) => [shown.filter((one) => one.verdict === verdict).length, name])
    .filter(([count]) => count).map(([count, name]) => `${count} ${name.toLowerCase()}`);
  byId("claims-count").textContent = counts.join(" · ");
  drawEvidence(null);
  if (shown.length) {
    const heard = shown.map((one) => `${one.claim}: ${SAID[one.verdict].toLowerCase()}.`);
    say(`${plural(shown.length, "claim", "claims")}. ${heard.join(" ")}`);
  }
}

function claimNode(one, index) {
  const verdict = element("b", one.verdict, SAID[one.verdict]);
  const claim = element("div", "claim", one.claim);
  claim.dir = "auto";
  const [first, ...others] = one.evidence.map(quoteNode);
  const texts = element("div", "texts",
    element("div", "verdict", element("span", "soft", `${index + 1}`), verdict,
      element("span", "soft", one.confidence.toFixed(2))),
    claim, element("ul", "quotes", first));
  if (others.length) {
    texts.append(element("details", "", element("summary", "",
      `${others.length} more`), element("ul", "quotes", ...others)));
  }
  const node = element("li", "", texts);
  node.tabIndex = 0;
  for (const name of ["pointerenter", "focusin"]) node.addEventListener(name, () => drawEvidence(index));
  for (const name of ["pointerleave", "focusout"]) node.addEventListener(name, () => drawEvidence(null));
  return node;
}

function quoteNode({ text, passages, label, confidence, abstain, similarity }) {
  const doubt = abstain ? ", not sure enough to count" : "";
  const facts = `${label} ${confidence.toFixed(2)}${doubt} · similarity ${similarity.toFixed(2).replace("-", "−")}`;
  const letters = [...text]; // code points, as places count them
  let place = 0;
  const nodes = passages.map(({ start, end }) => {
    const quote = letters.slice(place, place + end - start).join("");
    place += end - start + 1; // one space between passages
    return element("q", "", quote);
  });
  return element("li", "", ...nodes.flatMap((node, index) => (index ? [" … ", node] : [node])),
    element("span", "", facts));
}

// Offsets count code points, as Python does; JavaScript counts in halves of some of them.
function codeUnits(text) {
  const places = [];
  let unit = 0;
  for (const character of text) {
    places.push(unit);
    unit += character.length;
  }
  places.push(unit);
  return places;
}

// The source with the passages that decide together, which lead the evidence, underlined and
// numbered by claim; those of one claim stand out.
function drawEvidence(lit) {
  const text = source();
  const units = codeUnits(text);
  const marks = shown.flatMap(({ verdict, evidence: [first] }, index) => (KINDS[verdict]
    ? first.passages.map(({ start, end }) => (
      { start: units[start], end: units[end], kind: KINDS[verdict], index })) : []));
  const edges = [...new Set([0, text.length, ...marks.flatMap((one) => [one.start, one.end])])]
    .sort((a, b) => a - b);
  const pieces = edges.slice(1).map((end, place) => {
    const start = edges[place];
    const over = marks.filter((one) => one.start < end && one.end > start);
    const piece = text.slice(start, end);
    if (!over.length) return piece;
    const node = element("mark", over.some((one) => one.kind === "denies") ? "denies" : "backs", piece);
    for (const one of over.filter((mark) => mark.end === end)) {
      node.append(element("sup", shown[one.index].verdict, String(one.index + 1)));
    }
    if (over.some((one) => one.index === lit)) node.classList.add("lit");
    return node;
  });
  byId("evidence-text").replaceChildren(...pieces);
}

byId("claims-source").addEventListener("input", later);
byId("claims-text").addEventListener("input", later);
byId("claims-json").addEventListener("click", () => shareJson(shown));
byId("claims-link").addEventListener("click", () => shareLink([
  ["tab", currentTab()], ["source", source()], ["claims", byId("claims-text").value],
]));

function show(newSource, newClaims) {
  byId("claims-source").value = newSource;
  byId("claims-text").value = newClaims;
  refresh();
}

export const restoreClaims = (state) => show(state.get("source") ?? "", state.get("claims") ?? "");

export function startClaims(served) {
  model = served;
  offerExamples(byId("claims-examples"), CLAIMS, show);
  byId("claims").addEventListener("shown", () => {
    if (!source() && !claims().length) show(...CLAIMS[0].slice(1));
  });
}
