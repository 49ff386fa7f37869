// A hypothesis that the model writes: its words take their colour while they come.
import { byId, element } from "./base.js";
import { shade } from "./drawing.js";
import { growingEntry } from "./entries.js";
import { swapButtons } from "./focus.js";
import { addHypothesis, fields } from "./hypotheses.js";
import { say, showNotice } from "./notices.js";
import { ask, eventsOf, isStopped, latest } from "./server.js";

const MOST_TOKENS = 256;
const requests = latest();
byId("stop").addEventListener("click", () => requests.stop());

// The scale of all thresholds, as `Signal.confidence` has it.
function confidence(signal, value) {
  if (value === null || value === undefined) return null;
  const map = {
    logprob: Math.exp,
    entropy: (x) => Math.exp(-x),
    rank: (x) => 1 / x,
    error: (x) => 1 - x,
    omission: (x) => 1 - x,
  }[signal];
  return map ? map(value) : value;
}

// Returns when the text is complete or was stopped; it stands in a field of its own then.
// `show` is given its entry while it grows, and nothing afterwards.
export async function generate({ model, source, variables, signal, threshold, show }) {
  if (!source.trim()) {
    showNotice("There is nothing to go on from: write a source first.");
    byId("source").focus();
    return;
  }
  const stop = requests.next();
  const entry = growingEntry("The model writes");
  show(entry.node);
  swapButtons(byId("stop"), byId("generate"));
  let text = "";
  try {
    const body = JSON.stringify({
      model,
      messages: [{ role: "user", content: source }],
      stream: true,
      max_tokens: MOST_TOKENS,
      headwise: { signals: signal && [signal], variables },
    });
    const response = await ask("v1/chat/completions", { body, signal: stop });
    for await (const { choices: [choice] = [] } of eventsOf(response)) {
      const written = choice?.delta?.content ?? "";
      if (!written) continue;
      text += written;
      entry.text.append(cell(written, confidence(signal, choice.headwise[signal]), threshold));
    }
  } catch (error) {
    if (!isStopped(error)) showNotice(error.message);
  }
  show(null);
  swapButtons(byId("generate"), byId("stop"));
  if (!text.trim()) return;
  const field = fields().find((one) => !one.value.trim()) ?? addHypothesis();
  field.value = text.trim();
  say("The text is written.");
}

function cell(written, level, threshold) {
  const node = element("span", "piece shade", written);
  shade(node, level);
  if (level !== null && level < threshold) node.classList.add("check");
  return node;
}
