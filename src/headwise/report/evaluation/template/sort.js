// Headings become buttons that sort their table: best first, then the other way round.
// What is undefined stays at the end.

function valueOf(row, index) {
  const cell = row.cells[index];
  if (!cell.classList.contains("number")) return cell.textContent;
  const text = cell.dataset.value;
  if (text === undefined) return null;
  return Number(text.replace("inf", "Infinity"));
}

function sort(table, index, direction) {
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row, index), row]);
  rows.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "string" ? a.localeCompare(b) : a < b ? -1 : Number(a > b));
  });
  let above = null;
  for (const [, row] of rows) {
    // A signal's name is shown in the first of neighbouring rows only.
    row.classList.toggle("again", row.cells[0].textContent === above?.cells[0].textContent);
    above = row;
    table.tBodies[0].append(row);
  }
}

for (const heading of document.querySelectorAll("th[data-first]")) {
  const button = element("button", "", ...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => {
    const { first } = heading.dataset;
    const other = first === "ascending" ? "descending" : "ascending";
    const direction = heading.getAttribute("aria-sort") === first ? other : first;
    for (const cell of heading.parentNode.cells) cell.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction);
    sort(heading.closest("table"), heading.cellIndex, direction);
  });
}
