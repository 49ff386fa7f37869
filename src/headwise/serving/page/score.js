// The tab "Score": hypotheses are scored while they are typed, and ranked.
import { afterPause, byId, element } from "./base.js";
import { failedEntry, scoredEntry } from "./entries.js";
import { offerExamples, PAIRS } from "./examples.js";
import { generate } from "./generation.js";
import * as rows from "./hypotheses.js";
import { clearNotice, plural, say, showNotice } from "./notices.js";
import { askJson, isStopped, latest, remember } from "./server.js";
import { shareJson, shareLink } from "./sharing.js";
import { currentTab } from "./tabs.js";
import { followTips } from "./tooltip.js";
import { limitText } from "./values.js";

const TYPING = 250; // milliseconds without a key
const SUGGESTED = { source_language: "English", target_language: "German" };
const EMPTY = "Type or paste a text, or let the model write one: words that deserve a second look "
  + "are marked as you type.";

const requests = latest();
const known = new Map(); // what was asked -> what was answered, and what went for all of it
let model = null;
let facts = null; // what goes for all that is shown: signals, scale, threshold
let chosen = null; // the reader's threshold
let signal = null; // the reader's
let entries = [];
let growing = null; // the entry of a text that is being generated

const results = byId("results");
const closeTip = followTips(byId("tip"), results, (node) => node.closest(".result").tip);
const source = () => byId("source").value;
const threshold = () => chosen ?? facts?.threshold ?? 0.5;

// Variables of the prompt, which some models take from each request

const variables = () => Object.fromEntries(
  [...byId("variables").querySelectorAll("input")].map((input) => [input.name, input.value]));

function offerVariables(names, values = variables()) {
  const box = byId("variables");
  if (names.join() === Object.keys(variables()).join()) return false;
  box.replaceChildren(...names.map((name) => {
    const input = element("input", "");
    Object.assign(input, { type: "text", name, value: values[name] ?? SUGGESTED[name] ?? "" });
    input.addEventListener("input", later);
    return element("label", "", `${name.replaceAll("_", " ")} `, input);
  }));
  box.hidden = !names.length;
  return names.length > 0;
}

// Asking

const question = (text) => JSON.stringify([source(), text, signal, variables()]);

const later = afterPause(refresh, TYPING);

async function refresh() {
  later.stop();
  const stop = requests.next();
  const texts = rows.hypotheses();
  const missing = [...new Set(texts)].filter((text) => text.trim() && !known.has(question(text)));
  if (model && missing.length) {
    results.ariaBusy = "true";
    try {
      // The source may be another one when the answer comes
      const questions = missing.map(question);
      const asked = { source: source().trim() ? source() : null, hypotheses: missing, signal };
      const answer = await askJson("v1/score/view", { ...asked, model, variables: variables() }, stop);
      if (offerVariables(answer.variables)) return refresh();
      questions.forEach((one, index) =>
        remember(known, one, { item: answer.data[index], facts: answer }));
      clearNotice();
    } catch (error) {
      if (isStopped(error)) return; // something newer is on its way
      showNotice(error.message, refresh);
    } finally {
      if (!stop.aborted) results.ariaBusy = "false";
    }
  }
  draw();
}

function takeFacts(answer) {
  if (facts === answer) return;
  facts = answer;
  const [main] = answer.signals;
  const options = [...answer.possible].sort().map((name) => new Option(name, name));
  byId("signal").replaceChildren(...options);
  byId("signal").value = main;
  byId("scale").textContent = `The shade is ${main}, ${answer.scale}.`;
}

// Showing

function draw() {
  const texts = rows.hypotheses();
  const before = new Map(entries.map((entry) => [entry.key, entry]));
  entries = texts.flatMap((text, index) => {
    const answer = known.get(question(text));
    if (!text.trim() || !answer) return [];
    const name = rows.hypothesisName(index, texts.length);
    takeFacts(answer.facts);
    const key = JSON.stringify([question(text), index, name]);
    const made = before.get(key) ?? (answer.item.error
      ? failedEntry(name, text, answer.item.error.message) : scoredEntry(name, answer.item, facts));
    return [Object.assign(made, { key })];
  });
  entries.sort((a, b) => (b.worth ?? -Number.MAX_VALUE) - (a.worth ?? -Number.MAX_VALUE));
  const nodes = [growing, ...entries.map(({ node }) => node)].filter(Boolean);
  if (nodes.length !== results.children.length || nodes.some((n, i) => n !== results.children[i])) {
    closeTip();
    results.replaceChildren(...nodes);
  }
  entries.forEach((entry, index) => entry.rank(index + 1, entries.length));
  byId("score-empty").hidden = nodes.length > 0;
  byId("score-empty").textContent = EMPTY;
  byId("legend").hidden = !facts || !entries.length;
  mark();
}

function mark() {
  byId("threshold").value = threshold();
  byId("limit").value = facts ? limitText(threshold(), facts.signals[0]) : threshold().toFixed(2);
  byId("reset").hidden = chosen === null;
  const found = entries.map((entry) => entry.mark(threshold()));
  if (entries.length) say(found.map((spans, index) => summary(spans, entries[index])).join(" "));
}

function summary(spans, { node }) {
  const name = node.querySelector(".which").textContent;
  const listed = spans.map(({ label, level }) => `${label} ${level.toFixed(2)}`).join(", ");
  const count = spans.length ? `${plural(spans.length, "place", "places")} to check: ${listed}.`
    : "Nothing to check.";
  return name ? `${name}: ${count}` : count;
}

// What the reader does

byId("source").addEventListener("input", later);
rows.onHypotheses(later);
byId("add").addEventListener("click", () => rows.addHypothesis().focus());
byId("threshold").addEventListener("input", (event) => {
  chosen = event.target.valueAsNumber;
  mark();
});
byId("reset").addEventListener("click", () => {
  chosen = null;
  mark();
  byId("threshold").focus();
});
byId("signal").addEventListener("change", (event) => {
  [signal, chosen] = [event.target.value, null];
  refresh();
});
byId("score-json").addEventListener("click", () => shareJson(
  entries.filter(({ row }) => row).map(({ row }) => row)));
byId("score-link").addEventListener("click", () => shareLink([
  ["tab", currentTab()], ["source", source()],
  ...rows.hypotheses().map((text) => ["hypothesis", text]),
  ["signal", signal], ["threshold", chosen],
  ...Object.entries(variables()),
]));
byId("generate").addEventListener("click", async () => {
  await generate({
    model,
    source: source(),
    variables: variables(),
    signal: facts?.signals[0] ?? signal,
    threshold: threshold(),
    show(node) {
      growing = node;
      draw();
    },
  });
  refresh();
});

function show(newSource, texts) {
  byId("source").value = newSource;
  rows.setHypotheses(texts);
  refresh();
}

export function restoreScore(state) {
  if (state.has("signal")) signal = state.get("signal");
  const limit = Number.parseFloat(state.get("threshold"));
  chosen = limit >= 0 && limit <= 1 ? limit : null;
  const values = Object.fromEntries(state);
  offerVariables(Object.keys(SUGGESTED).filter((name) => state.has(name)), values);
  show(state.get("source") ?? "", state.getAll("hypothesis"));
}

export function startScore(served) {
  model = served;
  offerExamples(byId("score-examples"), PAIRS, (...texts) => {
    chosen = null;
    show(...texts);
  });
}

export const showFirstExample = () => show(...PAIRS[0].slice(1));
