// The tab "File": the rows of a file are scored piece by piece, shown, and downloaded.
import { byId, element } from "./base.js";
import { swapButtons } from "./focus.js";
import { plural, say, showNotice } from "./notices.js";
import { ask, isStopped, latest, linesOf } from "./server.js";
import { guessColumns, readTable, withHeader, writeTsv } from "./tables.js";

const LARGEST = 32 * 2 ** 20; // bytes: all of it is held in memory
const PIECE_ROWS = 64;
const PIECE_CHARACTERS = 200_000;
const SHOWN = 100; // rows that are added to the table at a time

const requests = latest();
let model = null;
let table = null; // the file
let name = "";
let results = []; // scored rows: { line, row }
let bad = []; // rows that were left out: { line, reason }
let shown = 0;

// Choosing a file

async function open(file) {
  if (!file) return;
  requests.stop();
  if (file.size > LARGEST) {
    showNotice(`${file.name} has ${Math.round(file.size / 2 ** 20)} MB; this page takes 32 MB. `
      + "The command `headwise score FILE` takes files of any size.");
    return;
  }
  name = file.name;
  table = readTable(name, await file.text());
  byId("file-setup").hidden = false;
  byId("file-name").textContent = name;
  byId("file-header-label").hidden = table.header === null;
  byId("file-header").checked = table.header === true;
  setUp();
  byId("file-start").focus();
}

function setUp() {
  const guess = guessColumns(table.columns);
  for (const [id, chosen] of [["file-source", guess.source], ["file-hypothesis", guess.hypothesis]]) {
    byId(id).replaceChildren(...table.columns.map((one) => new Option(one, one)));
    byId(id).value = chosen ?? "";
  }
  byId("file-rows").textContent = plural(table.rows.length, "row", "rows");
  byId("file-start").disabled = !table.rows.length;
  [results, bad] = [[], [...table.bad]];
  byId("file-done").hidden = true;
  byId("file-status").textContent = "";
  drawBad();
}

byId("file-input").addEventListener("change", (event) => {
  open(event.target.files[0]);
  event.target.value = ""; // the same file may be chosen again
});
byId("file-header").addEventListener("change", (event) => {
  table = withHeader(table, event.target.checked);
  setUp();
});
const drop = byId("drop");
for (const type of ["dragenter", "dragover"]) {
  byId("file").addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
byId("file").addEventListener("dragleave", (event) => {
  if (!byId("file").contains(event.relatedTarget)) drop.classList.remove("over");
});
byId("file").addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  open(event.dataTransfer.files[0]);
});

// Scoring it

function* pieces(rows) {
  let [piece, characters] = [[], 0];
  for (const row of rows) {
    const written = JSON.stringify(toScore(row.value));
    if (piece.length && (piece.length === PIECE_ROWS || characters + written.length > PIECE_CHARACTERS)) {
      yield piece;
      [piece, characters] = [[], 0];
    }
    piece.push({ line: row.line, written });
    characters += written.length;
  }
  if (piece.length) yield piece;
}

// A row with its texts under the names that the server knows; other columns are handed through.
function toScore(value) {
  const { [byId("file-source").value]: source, [byId("file-hypothesis").value]: hypothesis, ...others } = value;
  return { ...others, source, hypothesis };
}

async function start() {
  const stop = requests.next();
  [results, bad] = [[], [...table.bad]];
  byId("file-progress").hidden = false;
  byId("file-done").hidden = true;
  swapButtons(byId("file-cancel"), byId("file-start"));
  const total = table.rows.length;
  let done = 0;
  let failure = "";
  try {
    for (const piece of pieces(table.rows)) {
      const body = piece.map(({ written }) => `${written}\n`).join("");
      const query = model ? `?model=${encodeURIComponent(model)}` : "";
      const response = await ask(`v1/score${query}`, { body, type: "application/x-ndjson", signal: stop });
      let place = 0;
      for await (const written of linesOf(response)) {
        if (!written.trim()) continue;
        const row = JSON.parse(written);
        const { line } = piece[place++];
        if (row.error) bad.push({ line, reason: row.error.message });
        else results.push({ line, row });
        progress(++done, total);
      }
      if (place < piece.length) throw new Error("The answer ended before all rows were scored.");
    }
  } catch (error) {
    if (!isStopped(error)) showNotice(error.message, start);
    failure = isStopped(error) ? "Cancelled: " : "Interrupted: ";
  }
  if (stop.aborted && !failure) return;
  byId("file-progress").hidden = true;
  swapButtons(byId("file-start"), byId("file-cancel"));
  finish(failure, done, total);
}

const flagged = () => results.filter(({ row }) => row.flagged).length;

function progress(done, total) {
  byId("file-progress").value = done / total;
  byId("file-status").textContent = `${done.toLocaleString("en")} of ${total.toLocaleString("en")}, `
    + `${flagged().toLocaleString("en")} flagged`;
}

function finish(failure, done, total) {
  const of = done < total ? ` of ${total.toLocaleString("en")}` : "";
  const text = `${failure}${done.toLocaleString("en")}${of} rows read, ${flagged().toLocaleString("en")} `
    + `flagged${bad.length ? `, ${bad.length.toLocaleString("en")} left out` : ""}.`;
  byId("file-status").textContent = text;
  say(text);
  byId("file-done").hidden = !results.length;
  redraw();
  drawBad();
}

byId("file-start").addEventListener("click", start);
byId("file-cancel").addEventListener("click", () => requests.stop());

// Showing it

function ordered() {
  if (!byId("file-first").checked) return results;
  return [...results].sort((a, b) => Number(b.row.flagged) - Number(a.row.flagged) || a.line - b.line);
}

function redraw() {
  byId("file-table").replaceChildren();
  shown = 0;
  more();
}

function more() {
  const next = ordered().slice(shown, shown + SHOWN);
  byId("file-table").append(...next.map(rowNode));
  shown += next.length;
  byId("file-more").hidden = shown >= results.length;
}

function rowNode({ line, row }) {
  const source = element("p", "source", row.source ?? "");
  const text = element("p", "hypothesis");
  source.dir = text.dir = "auto";
  const units = [...row.hypothesis]; // offsets count code points
  const spans = row.spans ?? [];
  let cursor = 0;
  for (const { start, end } of spans) {
    text.append(units.slice(cursor, start).join(""),
      element("mark", "check", units.slice(start, end).join("")));
    cursor = end;
  }
  text.append(units.slice(cursor).join(""));
  const signal = Object.keys(row.signals ?? {})[0];
  const listed = spans.map((span) => `${span.text} ${span[signal]?.toFixed(2) ?? ""}`).join(", ");
  return element("tr", "", element("td", "", String(line)),
    element("td", row.flagged ? "flag" : "", row.score?.toFixed(2) ?? "–",
      ...(row.flagged ? [element("span", "hidden", " flagged")] : [])),
    element("td", "", source, text), element("td", "", listed));
}

function drawBad() {
  byId("file-bad").hidden = !bad.length;
  const rows = [...bad].sort((a, b) => a.line - b.line).slice(0, 10 * SHOWN).map(({ line, reason }) =>
    element("tr", "", element("td", "", String(line)), element("td", "", reason)));
  byId("file-bad-table").replaceChildren(...rows);
}

byId("file-first").addEventListener("change", redraw);
byId("file-more").addEventListener("click", more);

// Taking it home

function download(suffix, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = `${name.replace(/\.[^.]*$/, "")}.scored.${suffix}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

byId("file-jsonl").addEventListener("click", () => download("jsonl", "application/x-ndjson",
  results.map(({ row }) => `${JSON.stringify(row)}\n`).join("")));
byId("file-tsv").addEventListener("click", () => {
  const columns = [...new Set(results.flatMap(({ row }) => Object.keys(row)))];
  const rows = results.map(({ row }) => row);
  download("tsv", "text/tab-separated-values", writeTsv(columns, rows));
});

export const startFile = (served) => { model = served; };
