// The page begins: which models are served, and what the link holds.
import { byId } from "./base.js";
import { restoreClaims, startClaims } from "./claims.js";
import { startFile } from "./file.js";
import { showNotice } from "./notices.js";
import { restoreScore, showFirstExample, startScore } from "./score.js";
import { ask, askJson } from "./server.js";
import { linkedState } from "./sharing.js";
import { showTab } from "./tabs.js";

const TABS = ["score", "claims", "file"];
let models = {}; // by what they do

// Which model does what, once all are loaded; `null` where none does.
async function served() {
  try {
    await ask("ready");
  } catch (error) {
    showNotice(error.message, start); // the others may be there
  }
  const { data } = await askJson("v1/models");
  const ofKind = (kind) => data.find((one) => one.headwise.kind === kind)?.id ?? null;
  return { quality: ofKind("language model"), entailment: ofKind("encoder") };
}

function withdraw(name, why) {
  const panel = byId(name);
  const text = document.createElement("p");
  text.className = "empty";
  text.textContent = why;
  panel.replaceChildren(text);
}

function restore() {
  const state = linkedState();
  const tab = state.get("tab");
  if (tab === "claims" && models.entailment) restoreClaims(state);
  if (tab === "score" && models.quality) restoreScore(state);
  if (TABS.includes(tab)) showTab(tab);
  return tab !== null;
}

async function start() {
  try {
    models = await served();
  } catch (error) {
    showNotice(error.message, start);
    return;
  }
  byId("models").textContent = `with ${Object.values(models).filter(Boolean).join(" and ")}`;
  if (models.quality) {
    startScore(models.quality);
    startFile(models.quality);
  } else {
    const why = "No language model is served here, so that nothing can be scored. Start the server "
      + "with headwise serve --model NAME.";
    withdraw("score", why);
    withdraw("file", why);
  }
  if (models.entailment) startClaims(models.entailment);
  else {
    withdraw("claims", "No encoder is served here, so that no claim can be checked. Start the "
      + "server with headwise serve --entailment NAME.");
  }
  const linked = restore();
  if (!linked) {
    if (models.quality) showFirstExample();
    else showTab("claims");
  }
  addEventListener("hashchange", restore);
}

document.documentElement.classList.add("live");
start();
