// Requests to the server that the page came from: with a key where it asks for one, again where it
// is not ready yet, and with words where something is wrong.
import { byId } from "./base.js";
import { clearNotice, showNotice } from "./notices.js";

const KEPT = "headwise-key";
const WAIT = 2; // seconds, where the server does not say how long
const FAILED = ["failed", "model_failed"]; // for which nobody has to wait

export class ServerError extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

const pause = (seconds, signal) => new Promise((done, stop) => {
  const timer = setTimeout(done, 1000 * seconds);
  signal?.addEventListener("abort", () => {
    clearTimeout(timer);
    stop(signal.reason);
  }, { once: true });
});

// One form for all requests that wait for a key

let asking = null;
function askForKey() {
  asking ??= new Promise((done) => {
    const form = byId("key");
    const again = sessionStorage.getItem(KEPT) !== null;
    byId("key-why").textContent = again
      ? "The server does not know this key." : "This server asks for a key.";
    form.hidden = false;
    byId("key-text").focus();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(KEPT, byId("key-text").value);
      byId("key-text").value = "";
      form.hidden = true;
      asking = null;
      done();
    }, { once: true });
  });
  return asking;
}

// The answer to a request, a POST if it has a body; waits as long as the server asks for it.
export async function ask(path, { body, type = "application/json", signal } = {}) {
  const method = body === undefined ? "GET" : "POST";
  let waited = false;
  for (;;) {
    const key = sessionStorage.getItem(KEPT);
    const headers = body === undefined ? {} : { "Content-Type": type };
    if (key !== null) headers.Authorization = `Bearer ${key}`;
    let response;
    try {
      response = await fetch(path, { method, headers, body, signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ServerError("The server does not answer; it may have been stopped.", "unreachable");
    }
    if (response.ok) {
      if (waited) clearNotice();
      return response;
    }
    const { message = response.statusText, code } = await errorOf(response);
    if (response.status === 401) {
      await askForKey();
    } else if (response.status === 429 || (response.status === 503 && !FAILED.includes(code))) {
      waited = true;
      showNotice(`${message} This page tries again by itself.`);
      await pause(Number(response.headers.get("Retry-After")) || WAIT, signal);
    } else {
      throw new ServerError(message, code);
    }
  }
}

async function errorOf(response) {
  try {
    return (await response.json()).error ?? {};
  } catch {
    return {};
  }
}

export const askJson = async (path, value, signal) =>
  (await ask(path, { body: value && JSON.stringify(value), signal })).json();

// The lines of an answer, as they come.
export async function* linesOf(response) {
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    yield* lines;
  }
  if (rest) yield rest;
}

// What server-sent events hold, as objects.
export async function* eventsOf(response) {
  for await (const line of linesOf(response)) {
    const data = line.match(/^data: ?(.*)/)?.[1];
    if (data === undefined || data.startsWith("[DONE]")) continue;
    const event = JSON.parse(data);
    if (event.error) throw new ServerError(event.error.message, event.error.code);
    yield event;
  }
}

// Only the last of several requests counts: each stops the one before it.
export function latest() {
  let controller = null;
  return {
    next() {
      controller?.abort();
      controller = new AbortController();
      return controller.signal;
    },
    stop() {
      controller?.abort();
    },
  };
}

// Keeps an answer, and lets the oldest go where there are many.
export function remember(known, question, answer, most = 500) {
  known.set(question, answer);
  if (known.size > most) known.delete(known.keys().next().value);
}

export const isStopped = (error) => error?.name === "AbortError";
