// Files of rows: TSV, CSV and JSON Lines are read into rows with their lines, and written.

const SOURCES = ["source", "src", "original", "prompt", "question", "input"];
const HYPOTHESES = ["hypothesis", "mt", "translation", "target", "tgt", "output", "answer"];

// Rows of cells, each with the line that it begins in; quotation marks mean something in CSV alone.
function cellsOfTsv(text) {
  return text.split(/\r\n|\n|\r/).map((line, index) => ({ line: index + 1, cells: line.split("\t") }))
    .filter(({ cells }) => cells.length > 1 || cells[0].trim());
}

function cellsOfCsv(text) {
  const head = text.slice(0, text.search(/[\r\n]|$/));
  const separator = head.split(";").length > head.split(",").length ? ";" : ",";
  const rows = [];
  let [cells, cell, line, begin, quoted] = [[], "", 1, 1, false];
  const closeRow = () => {
    cells.push(cell);
    if (cells.length > 1 || cells[0].trim()) rows.push({ line: begin, cells });
    [cells, cell, begin] = [[], "", line];
  };
  for (let place = 0; place < text.length; place++) {
    const character = text[place];
    if (character === "\n") line++;
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[place + 1] === '"') {
        cell += '"';
        place++;
      } else quoted = false;
    } else if (character === '"' && cell === "") quoted = true;
    else if (character === separator) {
      cells.push(cell);
      cell = "";
    } else if (character === "\n") closeRow();
    else if (character !== "\r" || text[place + 1] !== "\n") cell += character;
  }
  if (cell || cells.length) closeRow();
  return rows;
}

function objectsOfLines(text) {
  const [rows, bad] = [[], []];
  text.split("\n").forEach((written, index) => {
    if (!written.trim()) return;
    const line = index + 1;
    try {
      const value = JSON.parse(written);
      if (value === null || typeof value !== "object" || Array.isArray(value)) {
        bad.push({ line, reason: "This line is no JSON object." });
      } else rows.push({ line, value });
    } catch (error) {
      bad.push({ line, reason: `This line is not JSON: ${error.message}` });
    }
  });
  return { rows, bad };
}

const isNamed = (names) => (name) => names.includes(name.trim().toLowerCase());

// A file by its name: its columns, whether its first line names them, and its rows.
export function readTable(name, text) {
  const kind = name.toLowerCase().match(/\.(tsv|csv|jsonl|ndjson|json)$/)?.[1] ?? "tsv";
  const clean = text.replace(/^\ufeff/, "");
  if (kind.includes("json")) {
    const { rows, bad } = objectsOfLines(clean);
    const columns = [...new Set(rows.slice(0, 100).flatMap(({ value }) => Object.keys(value)))];
    return { columns, header: null, rows, bad };
  }
  const cells = kind === "csv" ? cellsOfCsv(clean) : cellsOfTsv(clean);
  const first = cells[0]?.cells ?? [];
  const header = first.some(isNamed(HYPOTHESES)) || first.some(isNamed(SOURCES));
  return withHeader({ cells, header }, header);
}

// The same table with its first line as names, or as a row.
export function withHeader({ cells }, header) {
  const width = cells[0]?.cells.length ?? 0;
  const columns = header ? cells[0].cells : Array.from({ length: width }, (_, i) => `column ${i + 1}`);
  const [rows, bad] = [[], []];
  for (const { line, cells: row } of header ? cells.slice(1) : cells) {
    if (row.length !== width) {
      bad.push({ line, reason: `Cells: ${row.length}, where the first line has ${width}.` });
    } else rows.push({ line, value: Object.fromEntries(row.map((cell, i) => [columns[i], cell])) });
  }
  return { cells, header, columns, rows, bad };
}

// Which columns are meant, where the reader has not said it.
export function guessColumns(columns) {
  const hypothesis = columns.find(isNamed(HYPOTHESES)) ?? columns[1] ?? columns[0];
  const source = columns.find(isNamed(SOURCES)) ?? columns.find((one) => one !== hypothesis);
  return { source, hypothesis };
}

const ESCAPES = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };
const escapeCell = (text) => text.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character]);

// Rows as a table: what is no text stands in it as JSON, and what is undefined is empty.
export function writeTsv(columns, rows) {
  const cell = (value) => (value === null || value === undefined ? ""
    : escapeCell(typeof value === "string" ? value : JSON.stringify(value)));
  const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]))];
  return lines.map((line) => `${line.map(cell).join("\t")}\n`).join("");
}
