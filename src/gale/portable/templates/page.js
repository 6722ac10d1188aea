// The page: takes runs, computes their probabilities, and draws what speaks for them.

const [FAR, NEW] = [2, 0.5];
const LARGEST_FILE = 2 ** 30;
const WIDTH = 1150;
const [LEFT, RIGHT] = [230, 12];
const [LETTER_BITS, FIRST_LETTER] = [15, 0x1000];
const SVG = "http://www.w3.org/2000/svg";

const $ = (id) => document.getElementById(id);
const facts = JSON.parse($("facts").textContent);
const families = facts.families;
const columns = ["run", "status", "message", "unlike", ...families, ...families.map((name) => `${name}_spread`)];
const rows = [];
let session = null;

/** The bytes that a block of letters holds, unpacked; the block is removed, which frees its memory. */
async function content(id) {
  const block = $(id);
  const packed = fromLetters(block.textContent, Number(block.dataset.size));
  block.remove();
  return unpacked(packed, "gzip");
}

/** The bytes of letters, which have 15 bits each. */
function fromLetters(text, size) {
  const bytes = new Uint8Array(size);
  let [held, bits, at] = [0, 0, 0];
  for (let letter = 0; at < size; letter++) {
    held = (held << LETTER_BITS) | (text.charCodeAt(letter) - FIRST_LETTER);
    for (bits += LETTER_BITS; bits >= 8 && at < size; bits -= 8) bytes[at++] = held >> (bits - 8);
    held &= (1 << bits) - 1;
  }
  return bytes;
}

async function start() {
  const [code, binary, graph] = await Promise.all(["runtime", "wasm", "graph"].map(content));
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const ort = await import(url);
  URL.revokeObjectURL(url);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = binary;
  ort.env.logLevel = "error";
  // optimised, the graph of a large model opens a second later, and is no faster
  const settings = { executionProviders: ["wasm"], graphOptimizationLevel: "disabled" };
  const opened = await ort.InferenceSession.create(graph, settings);
  return { ort, opened };
}

async function predict(run) {
  const { ort, opened } = await session;
  const found = await opened.run({
    time_min: new ort.Tensor("float64", run.time_min, [run.time_min.length]),
    scan_of_ion: new ort.Tensor("int64", run.scan_of_ion, [run.scan_of_ion.length]),
    mz: new ort.Tensor("float64", run.mz, [run.mz.length]),
    intensity: new ort.Tensor("float64", run.intensity, [run.intensity.length]),
  });
  const n = families.length;
  const ofMembers = found.member_probability.data;
  const members = ofMembers.length / n;
  const spread = families.map((_, family) => {
    if (members < 2) return NaN;
    const each = Array.from({ length: members }, (_, m) => ofMembers[m * n + family]);
    const mean = each.reduce((sum, value) => sum + value, 0) / members;
    return Math.sqrt(each.reduce((sum, value) => sum + (value - mean) ** 2, 0) / members);
  });
  const evidence = found.evidence && {
    times: Array.from(found.event_time_min.data),
    scores: families.map((_, family) => Array.from(found.event_time_min.data, (_, at) => found.evidence.data[at * n + family])),
  };
  const [unlike, novelty] = [found.unlike, found.novelty].map((each) => each?.data[0] ?? NaN);
  return { probability: [...found.probability.data], spread, unlike, novelty, evidence };
}

async function take(file) {
  const none = families.map(() => NaN);
  const row = { run: file.name, status: "ok", message: "", unlike: NaN, probability: none, spread: none };
  try {
    if (file.size > LARGEST_FILE) throw new Unreadable("is larger than 1 GiB; use gale predict");
    const run = await readRun(file);
    const answer = await predict(run);
    if (Number.isNaN(answer.probability[0])) throw new Unreadable("has no ion in the range of m/z of the model");
    Object.assign(row, answer, { chromatogram: totals(run) });
    const said = [];
    if (row.unlike > FAR) said.push(`far from the training runs (distance ${row.unlike.toFixed(1)})`);
    if (row.novelty >= NEW) said.push("has strong spectra that no training run has, so its numbers are less sure");
    Object.assign(row, { status: row.unlike > FAR ? "doubtful" : "ok", message: said.join("; ") });
  } catch (error) {
    if (!(error instanceof Unreadable)) console.error(error);
    Object.assign(row, { status: "failed", message: error.message });
  }
  return row;
}

/** The total ion current of each scan. */
function totals(run) {
  const total = new Float64Array(run.time_min.length);
  run.intensity.forEach((value, at) => (total[Number(run.scan_of_ion[at])] += value));
  return { times: run.time_min, total };
}

async function takeAll(files) {
  for (const [at, file] of files.entries()) {
    $("state").textContent = `Predicting ${file.name} (${at + 1} of ${files.length})…`;
    rows.push(await take(file));
    showTable();
  }
  const failed = rows.filter((row) => row.status === "failed").length;
  $("state").textContent = `${rows.length} ${rows.length === 1 ? "run" : "runs"} predicted, ${failed} failed.`;
  show(rows.findLast((row) => row.chromatogram));
}

// --- the table ---

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const words = (name) => name.replaceAll("_", " ");
const shown = (value) => (Number.isNaN(value) ? "" : value < 0.01 ? "<0.01" : value > 0.99 ? ">0.99" : value.toFixed(2));

function showTable() {
  const head = ["Run", "Unlike", ...families.map(words)].map((name) => element("th", { textContent: name, scope: "col" }));
  const body = rows.map((row) => {
    const name = row.chromatogram
      ? element("button", { type: "button", textContent: row.run, onclick: () => show(row) })
      : element("span", { textContent: row.run });
    const message = row.status === "ok" ? row.message : `${row.status}: ${row.message}`;
    const first = element("th", { scope: "row" }, name, element("span", { className: "message", textContent: message }));
    const unlike = element("td", { textContent: Number.isNaN(row.unlike) ? "" : row.unlike.toFixed(1) });
    const cells = row.probability.map((value, at) => {
      const cell = element("td", { className: "family", textContent: shown(value) + (row.status === "doubtful" ? "?" : "") });
      cell.title = Number.isNaN(value) ? "" : `${value.toPrecision(5)} (training prevalence ${facts.prevalence[at].toFixed(2)})`;
      cell.style.setProperty("--shade", `${Math.round(70 * (value || 0))}%`);
      return cell;
    });
    return (row.line = element("tr", {}, first, unlike, ...cells));
  });
  $("table").replaceChildren(element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body));
  $("results").hidden = false;
}

function csv() {
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const cell = (value) => (typeof value === "string" ? quoted(value) : Number.isNaN(value) ? "" : String(Number(value.toPrecision(7))));
  const lines = rows.map((row) => [row.run, row.status, row.message, row.unlike, ...row.probability, ...row.spread]);
  return [columns, ...lines].map((line) => line.map(cell).join(",")).join("\n") + "\n";
}

// --- one run ---

function drawn(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function picture(height, label) {
  return drawn("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label });
}

function show(row) {
  $("run").hidden = !row;
  if (!row) return;
  rows.forEach((each) => each.line.classList.toggle("chosen", each === row));
  $("name").textContent = row.run;
  const { times, total } = row.chromatogram;
  const length = times.at(-1) - times[0] || 1;
  const x = (time) => LEFT + ((time - times[0]) / length) * (WIDTH - LEFT - RIGHT);
  $("chromatogram").replaceChildren(chromatogram(times, total, x));
  $("about").textContent = row.evidence
    ? `Each mark is one of the spectra that the network looks at; the taller it is, the more the spectrum speaks for the family. The tallest is ${Math.max(...row.evidence.scores.flat()).toPrecision(2)}: an uncalibrated score from 0 to 1.`
    : "This model has no elution network, so it cannot say when a family elutes.";
  $("evidence").replaceChildren(...(row.evidence ? [marks(row, x)] : []));
}

/** The highest value of each column of pixels, joined by a line. */
function chromatogram(times, total, x) {
  const height = 220;
  const svg = picture(height, "Total ion current over time");
  const top = total.reduce((most, value) => Math.max(most, value), 0) || 1;
  const y = (value) => height - 28 - (value / top) * (height - 40);
  const columns = new Map();
  times.forEach((time, at) => {
    const column = Math.round(x(time));
    columns.set(column, Math.max(columns.get(column) ?? 0, total[at]));
  });
  const points = [...columns].map(([column, value]) => `${column},${y(value).toFixed(1)}`).join(" ");
  svg.append(drawn("polyline", { points, class: "total" }), drawn("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(0), y2: y(0), class: "axis" }));
  const length = times.at(-1) - times[0];
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50].find((each) => length / each <= 12) ?? 100;
  for (let tick = Math.ceil(times[0] / step) * step; tick <= times.at(-1); tick += step) {
    svg.append(drawn("line", { x1: x(tick), x2: x(tick), y1: y(0), y2: y(0) + 5, class: "axis" }));
    svg.append(drawn("text", { x: x(tick), y: height - 6, "text-anchor": "middle" }, String(Number(tick.toFixed(1)))));
  }
  svg.append(drawn("text", { x: 0, y: height - 6 }, "Time (min)"), drawn("text", { x: 0, y: 16 }, `Total ion current, up to ${top.toPrecision(3)}`));
  return svg;
}

function marks({ evidence, probability }, x) {
  const order = families.map((_, at) => at).sort((a, b) => probability[b] - probability[a]);
  const line = 30;
  const top = Math.max(...evidence.scores.flat());
  const svg = picture(order.length * line, "Evidence for each family over time");
  order.forEach((family, at) => {
    const base = (at + 1) * line - 4;
    svg.append(drawn("text", { x: 0, y: base - 6, class: "family" }, `${words(families[family])} ${shown(probability[family])}`));
    svg.append(drawn("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: base, y2: base, class: "axis", "stroke-opacity": 0.4 }));
    evidence.times.forEach((time, event) => {
      const score = evidence.scores[family][event];
      const height = (score / top) * (line - 8);
      if (height < 0.5) return;
      const mark = drawn("rect", { x: x(time) - 2, y: base - height, width: 4, height, class: "spectrum" });
      mark.append(drawn("title", {}, `${time.toFixed(2)} min: ${score.toPrecision(2)}`));
      svg.append(mark);
    });
  });
  return svg;
}

// --- events ---

session = start();
session.then(
  () => {
    if (rows.length === 0) $("state").textContent = "Ready.";
  },
  (error) => {
    $("state").textContent = `This browser cannot run the model: ${error.message}`;
  },
);
let queue = Promise.resolve();
const add = (files) => {
  const taken = [...files];
  queue = queue.then(() => takeAll(taken));
};
$("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = "";
});
for (const name of ["dragover", "dragleave", "drop"])
  addEventListener(name, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", name === "dragover");
    if (name === "drop") add(event.dataTransfer.files);
  });
$("save").addEventListener("click", () => {
  const link = element("a", { href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })), download: "predictions.csv" });
  link.click();
  URL.revokeObjectURL(link.href);
});
