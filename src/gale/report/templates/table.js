// The table of runs: sorted by the column whose heading is clicked, filtered by the words typed.
const table = document.getElementById("runs");
const rows = [...table.tBodies[0].rows];
const headings = [...table.tHead.rows[0].cells];

function sortBy(column) {
  const numbers = rows.some((row) => row.cells[column].dataset.value !== undefined);
  const before = headings[column].getAttribute("aria-sort");
  // numbers begin with the largest, names with the first
  const direction = before === null ? (numbers ? -1 : 1) : before === "descending" ? 1 : -1;
  for (const heading of headings) heading.removeAttribute("aria-sort");
  headings[column].setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  const value = (row) => row.cells[column].dataset.value;
  const text = (row) => row.cells[column].textContent;
  rows.sort((one, other) => direction * (numbers
    ? value(one) - value(other)
    : text(one).localeCompare(text(other), undefined, { numeric: true })));
  table.tBodies[0].append(...rows);
}

function filter(words) {
  const wanted = words.toLowerCase();
  for (const row of rows) {
    const [cell] = row.cells;
    row.hidden = !`${cell.title} ${cell.textContent}`.toLowerCase().includes(wanted);
  }
  const shown = rows.filter((row) => !row.hidden).length;
  document.getElementById("count").textContent =
    shown === rows.length ? "" : `${shown} of ${rows.length} runs`;
}

headings.forEach((heading, column) =>
  heading.querySelector("button").addEventListener("click", () => sortBy(column)));
document.getElementById("filter").addEventListener("input", (event) => filter(event.target.value));
