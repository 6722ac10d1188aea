// The page of the service: takes files, shows how far they are, and fills a table with results.
"use strict";

const API = "/api/v1";
const AT_A_TIME = 3; // uploads
const AGAIN_MS = 2000; // before what was lost is sent again
const SOON_MS = 300; // before the events are looked at again
const BUSY = [429, 502, 503, 504]; // statuses after which a request is sent again
const INSTRUMENT = /\.(d|raw)$/i; // a folder of this name is one run
const LITTER = /^(\..*|Thumbs\.db|__MACOSX)$/;

const byId = (id) => document.getElementById(id);
const table = byId("runs");
const rows = new Map(); // of uploads and runs, by their keys
const queue = []; // uploads that wait
let sending = 0;
let models = [];
let maxMb = Infinity;
let job = null; // its id, as a promise
let events = null;
let last = 0; // number of the newest event
let counts = { runs: 0, done: 0 };
let order = { value: (row) => row.place, direction: 1 };

function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content.filter((each) => each !== null && each !== undefined));
  return made;
}

const inWords = (family) => family.replace("_bearing", "-bearing").replaceAll("_", " ");
const shown = (value) => (value < 0.01 ? "<0.01" : value > 0.99 ? ">0.99" : value.toFixed(2));
const counted = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
const pause = (ms) => new Promise((go) => setTimeout(go, ms));
const several = () => models.length > 1;

function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

// What the server says

async function ask(path, options = {}) {
  for (;;) {
    let answer = null;
    try {
      answer = await fetch(API + path, { headers: { Accept: "application/json" }, ...options });
    } catch {
      lose();
      await pause(AGAIN_MS);
      continue;
    }
    find();
    if (answer.status === 401) location.replace("/");
    if (!BUSY.includes(answer.status)) return answer;
    await pause(1000 * (answer.headers.get("Retry-After") || 2));
  }
}

function lose() {
  byId("lost").hidden = false;
  byId("lost").textContent = "The server does not answer. Nothing is lost: this page goes on when it does.";
}

function find() {
  byId("lost").hidden = true;
}

async function start() {
  const said = await (await ask("/model")).json();
  models = said.models;
  maxMb = said.limits.max_mb;
  byId("models").textContent = models
    .map((each) => `${each.name} (recipe ${each.recipe}, ${counted(each.training_runs, "training run")}, SHA-256 ${each.sha256.slice(0, 12)}…)${each.caution ? `: ${each.caution}` : ""}`)
    .join("; ");
  byId("reading").textContent =
    (models.every((each) => each.calibrated) ? "Probability" : "Score (not calibrated)") +
    " of each family; bold: above its training prevalence, which is below its name. Unlike: distance from the" +
    " training runs; 1 is their own 95th percentile. Click a heading to sort.";
  makeHead();
  const known = new URLSearchParams(location.hash.slice(1)).get("job");
  if (known) await resume(known);
}

async function resume(id) {
  const answer = await ask(`/jobs/${encodeURIComponent(id)}`);
  if (!answer.ok) {
    refuse("This job", (await answer.json()).detail);
    return;
  }
  const said = await answer.json();
  job = Promise.resolve(id);
  makeDownloads(id);
  said.runs.forEach(update);
  leaveOut(said.left_out);
  counts = said.progress;
  tell();
  if (!said.done) listen(id);
}

function ownJob() {
  job ??= ask("/jobs", { method: "POST" }).then(async (answer) => {
    const { id } = await answer.json();
    history.replaceState(null, "", `#job=${id}`);
    makeDownloads(id);
    return id;
  });
  return job;
}

// Files come in

function filesOf(input) {
  return [...input.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

async function filesIn(entry, path = entry.name) {
  if (LITTER.test(entry.name)) return [];
  if (entry.isFile) return [{ path, file: await new Promise((done, fail) => entry.file(done, fail)) }];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) break;
    for (const each of some) found.push(...(await filesIn(each, `${path}/${each.name}`)));
  }
  return found;
}

// One upload for each file, and for each folder of an instrument.
function add(found) {
  const folders = new Map();
  for (const { path, file } of found) {
    const parts = path.split("/");
    if (parts.some((part) => LITTER.test(part))) continue;
    const at = parts.slice(0, -1).findIndex((part) => INSTRUMENT.test(part));
    if (at < 0) {
      enqueue(parts.at(-1), [{ name: parts.at(-1), file }]);
    } else {
      const folder = parts.slice(0, at + 1).join("/");
      if (!folders.has(folder)) folders.set(folder, []);
      folders.get(folder).push({ name: parts.slice(at).join("/"), file });
    }
  }
  for (const [folder, files] of folders) enqueue(folder.split("/").at(-1), files);
  tell();
}

function enqueue(name, files) {
  const size = files.reduce((sum, { file }) => sum + file.size, 0);
  if (size > maxMb * 2 ** 20) {
    refuse(name, `${(size / 2 ** 20).toFixed(0)} MiB; this server takes at most ${maxMb} MiB at a time`);
    return;
  }
  const upload = { name, files, size, key: newKey(), place: [Infinity, rows.size] };
  upload.body = element("tbody");
  rows.set(upload.key, upload);
  showWaiting(upload, "in the queue");
  table.append(upload.body);
  byId("results").hidden = false;
  queue.push(upload);
  pump();
}

async function pump() {
  while (sending < AT_A_TIME && queue.length) {
    sending += 1;
    send(queue.shift()).finally(() => {
      sending -= 1;
      tell();
      pump();
    });
  }
}

async function send(upload) {
  const id = await ownJob();
  for (;;) {
    const { status, text, after } = await post(`${API}/jobs/${id}/runs`, upload);
    if (status === 0) lose();
    else find();
    if (status === 202) {
      upload.body.remove();
      rows.delete(upload.key);
      JSON.parse(text).runs.forEach(update);
      listen(id);
      return;
    }
    if (status === 401) location.replace("/");
    if (status === 0 || BUSY.includes(status)) {
      showWaiting(upload, status === 0 ? "the server does not answer" : "the server is busy");
      await pause(after);
    } else {
      upload.body.remove();
      rows.delete(upload.key);
      refuse(upload.name, problem(text, status));
      return;
    }
  }
}

function problem(text, status) {
  try {
    return JSON.parse(text).detail;
  } catch {
    return `the server answers with status ${status}`;
  }
}

function post(path, upload) {
  const form = new FormData();
  for (const { name, file } of upload.files) form.append("file", file, name);
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Idempotency-Key", upload.key);
    request.upload.onprogress = (event) => showSending(upload, event.loaded / Math.max(event.total, 1));
    request.onloadend = () =>
      done({
        status: request.status,
        text: request.responseText,
        after: 1000 * Number(request.getResponseHeader("Retry-After")) || AGAIN_MS,
      });
    request.send(form);
  });
}

function refuse(name, why) {
  byId("notes").hidden = false;
  byId("refused").append(element("li", {}, element("strong", {}, name), `: ${why}`));
}

function leaveOut(names) {
  byId("left-out")?.remove();
  if (!names.length) return;
  byId("notes").hidden = false;
  const some = names.slice(0, 10).join(", ") + (names.length > 10 ? ` and ${names.length - 10} more` : "");
  byId("refused").append(element("li", { id: "left-out" }, `Not runs, left out: ${some}`));
}

// Events of the job

function listen(id) {
  if (events) return;
  events = new EventSource(`${API}/jobs/${encodeURIComponent(id)}?last=${last}`);
  events.onopen = find;
  events.addEventListener("run", (event) => {
    last = Number(event.lastEventId);
    update(JSON.parse(event.data));
  });
  events.addEventListener("progress", (event) => {
    counts = JSON.parse(event.data);
    tell();
  });
  events.addEventListener("done", (event) => {
    leaveOut(JSON.parse(event.data).left_out);
    stopListening();
    // what was sent while this event was on its way
    const unfinished = [...rows.values()].some((row) => row.run && !row.run.predictions);
    if (unfinished) setTimeout(() => listen(id), SOON_MS);
  });
  events.onerror = () => {
    lose();
    if (events?.readyState === EventSource.CLOSED) {
      stopListening();
      setTimeout(() => listen(id), AGAIN_MS);
    }
  };
}

function stopListening() {
  events?.close();
  events = null;
}

function tell() {
  const uploads = queue.length + sending;
  const done = [...rows.values()].filter((row) => row.run?.predictions);
  const n = (status) => done.filter((row) => row.run.predictions.some((each) => each.status === status)).length;
  const parts = [];
  if (uploads) parts.push(`${counted(uploads, "upload")} left`);
  if (counts.runs) parts.push(`${counts.done.toLocaleString("en")} of ${counted(counts.runs, "run")} done`);
  if (n("failed")) parts.push(`${n("failed")} failed`);
  if (n("doubtful")) parts.push(`${n("doubtful")} doubtful`);
  byId("state").textContent = parts.join(", ");
  const bar = byId("progress");
  bar.hidden = !(uploads || counts.done < counts.runs);
  bar.max = Math.max(counts.runs + uploads, 1);
  bar.value = counts.done;
}

// The table

function makeHead() {
  const button = (text, value, direction) => {
    const made = element("button", { type: "button" }, text);
    made.addEventListener("click", () => sortBy(made.closest("th"), value, direction));
    return made;
  };
  const names = element("tr");
  const below = element("tr");
  const span = several() ? { rowspan: "2" } : {};
  names.append(element("th", { scope: "col", ...span }, button("run", (row) => row.name, 1)));
  const column = (title, values) => {
    if (!several()) {
      const [value, note] = values[0];
      names.append(element("th", { scope: "col", class: "number" }, button(title, value, -1), ...note));
      return;
    }
    names.append(element("th", { scope: "colgroup", colspan: models.length, class: "number" }, title));
    values.forEach(([value, note], at) =>
      below.append(element("th", { scope: "col", class: "number model" }, button(models[at].name, value, -1), ...note)));
  };
  for (const family of allFamilies()) {
    column(inWords(family), models.map((model) => {
      const known = model.families.find((each) => each.name === family);
      const note = known ? [element("br"), element("span", { class: "muted" }, shown(known.prevalence))] : [];
      return [(row) => of(row, model)?.families[family]?.value ?? -1, note];
    }));
  }
  column("unlike", models.map((model) => [(row) => of(row, model)?.unlike ?? -1, []]));
  table.tHead.append(names, ...(several() ? [below] : []));
}

const allFamilies = () => [...new Set(models.flatMap((model) => model.families.map((each) => each.name)))];
const of = (row, model) => row.run?.predictions?.find((each) => each.model_sha256 === model.sha256 && each.model === model.name);
const width = () => 1 + (allFamilies().length + 1) * models.length;

function sortBy(heading, value, first) {
  const before = heading.getAttribute("aria-sort");
  const direction = before === null ? first : before === "descending" ? 1 : -1;
  for (const each of table.tHead.querySelectorAll("th")) each.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  order = { value, direction };
  sort();
}

let sortSoon = false;
function sortLater() {
  if (sortSoon) return;
  sortSoon = true;
  setTimeout(() => {
    sortSoon = false;
    sort();
    filter();
  }, 200);
}

function compare(one, other) {
  if (Array.isArray(one)) return one[0] - other[0] || one[1] - other[1] || 0;
  return typeof one === "number" ? one - other : String(one).localeCompare(String(other), undefined, { numeric: true });
}

function sort() {
  const sorted = [...rows.values()].sort((one, other) =>
    order.direction * compare(order.value(one), order.value(other)) || compare(one.place, other.place));
  const shownNow = [...table.tBodies];
  if (sorted.some((row, at) => row.body !== shownNow[at])) table.append(...sorted.map((row) => row.body));
}

function filter() {
  const wanted = byId("filter").value.toLowerCase();
  let n = 0;
  for (const row of rows.values()) {
    row.body.hidden = !row.body.rows[0].cells[0].textContent.toLowerCase().includes(wanted);
    n += !row.body.hidden;
  }
  byId("count").textContent = n === rows.size ? "" : `${n} of ${rows.size} runs`;
}

function update(run) {
  const [number, part] = run.place;
  if (part > 0) {
    // the first of an archive or folder: its own row goes
    for (const [key, row] of rows) {
      if (row.run && row.place[0] === number && row.place[1] === 0) {
        row.body.remove();
        rows.delete(key);
      }
    }
  }
  let row = rows.get(run.id);
  if (row?.run.predictions) return;
  if (!row) {
    row = { name: run.name, place: run.place, body: element("tbody") };
    rows.set(run.id, row);
    table.append(row.body);
    byId("results").hidden = false;
  }
  row.run = run;
  if (run.predictions) showDone(row);
  else showWaiting(row, run.state);
  sortLater();
}

function showWaiting(row, what) {
  row.body.replaceChildren(
    element("tr", {}, element("th", { scope: "row" }, row.name), element("td", { colspan: width() - 1, class: "wait" }, what)));
}

function showSending(row, share) {
  const bar = row.body.querySelector("progress");
  if (bar) {
    bar.value = share;
    return;
  }
  const made = element("progress", { max: 1, value: share, "aria-label": `upload of ${row.name}` });
  row.body.rows[0]?.cells[1]?.replaceChildren(made);
}

function showDone(row) {
  const { run } = row;
  const cells = [];
  const messages = [];
  for (const each of run.predictions) {
    const text = (each.status === "ok" ? "" : `${each.status}: `) + (each.message ?? "");
    if (text && !messages.includes(text)) messages.push(text);
  }
  for (const family of allFamilies()) {
    for (const model of models) cells.push(valueCell(of(row, model), model, family));
  }
  for (const model of models) {
    const unlike = of(row, model)?.unlike;
    cells.push(element("td", { class: "number" }, unlike === null || unlike === undefined ? "–" : unlike.toFixed(1)));
  }
  const pages = models.filter((model) => (of(row, model)?.status ?? "failed") !== "failed");
  const name = element("th", { scope: "row" }, pages.length && run.page ? pageLink(run, pages[0], run.name) : run.name);
  name.append(...messages.map((text) => element("div", { class: "message" }, text)));
  if (pages.length) {
    for (const model of pages) {
      const page = several() ? [`${model.name}: `, pageLink(run, model, "page"), " "] : [];
      name.append(element("div", { class: "message actions screen" }, ...page, evidenceButton(row, model)));
    }
  }
  row.body.replaceChildren(element("tr", {}, name, ...cells));
}

const pageLink = (run, model, text) =>
  element("a", { href: `${run.page}?model=${encodeURIComponent(model.name)}` }, text);

function valueCell(prediction, model, family) {
  const value = prediction?.families[family]?.value;
  if (value === null || value === undefined) return element("td", { class: "number" }, "–");
  const prevalence = model.families.find((each) => each.name === family).prevalence;
  const text = shown(value) + (prediction.status === "doubtful" ? "?" : "");
  const cell = element("td", { class: "number cell" }, value > prevalence ? element("strong", {}, text) : text);
  cell.style.setProperty("--shade", `${Math.round(50 * value)}%`);
  return cell;
}

function evidenceButton(row, model) {
  const label = `evidence in ${row.name} by ${model.name}`;
  const button = element("button", { type: "button", "aria-expanded": "false", "aria-label": label }, "evidence");
  button.addEventListener("click", async () => {
    const before = row.body.querySelector(`tr[data-model="${CSS.escape(model.name)}"]`);
    if (before) {
      before.remove();
      button.setAttribute("aria-expanded", "false");
      return;
    }
    button.setAttribute("aria-expanded", "true");
    const cell = element("td", { colspan: width() }, "looking for evidence …");
    row.body.append(element("tr", { class: "details", "data-model": model.name }, cell));
    const answer = await ask(`/runs/${row.run.id}/evidence?model=${encodeURIComponent(model.name)}`);
    const said = await answer.json();
    cell.replaceChildren(answer.ok ? evidenceTable(said.evidence, row, model) : said.detail);
  });
  return button;
}

function evidenceTable(peaks, row, model) {
  if (!peaks.length) return "None: no family has a number above its training prevalence.";
  const timed = peaks[0].basis === "elution";
  const windows = peaks.filter((peak) => peak.match === null || peak.match === 1);
  const matches = (peak) => peaks
    .filter((each) => each.family === peak.family && each.window === peak.window && each.compound)
    .map((each) => `${each.compound} (${each.cosine.toFixed(2)}, ${each.inchikey || "no InChIKey"})`)
    .join("; ") || "none";
  const heads = timed
    ? [["family"], ["apex (min)", 1], ["share of the evidence", 1], ["most important m/z"], ["matches (cosine, InChIKey)"]]
    : [["family"], ["m/z without which the score falls"], ["drop in log odds"]];
  const ranked = (peak, what) => Object.entries(peak)
    .filter(([key, value]) => key.startsWith(what) && value !== null).map(([, value]) => value);
  const number = (value, digits) => (value === null ? "–" : value.toFixed(digits));
  const lines = windows.map((peak) =>
    timed
      ? [inWords(peak.family), number(peak.apex_min, 2), number(peak.share, 2), ranked(peak, "ion_").join(" "), matches(peak)]
      : [inWords(peak.family), ranked(peak, "ion_").join(" ") || "no single ion",
        ranked(peak, "fall_").map((fall) => fall.toFixed(2)).join(" ")]);
  const kind = (at) => (heads[at][1] ? { class: "number" } : {});
  const made = element("table", { "aria-label": `evidence in ${row.name} by ${model.name}` },
    element("thead", {}, element("tr", {}, ...heads.map(([text], at) => element("th", { scope: "col", ...kind(at) }, text)))),
    element("tbody", {}, ...lines.map((line) => element("tr", {}, ...line.map((text, at) => element("td", kind(at), text))))));
  return element("div", { class: "wide" }, made);
}

function makeDownloads(id) {
  const place = byId("downloads");
  place.replaceChildren("Download ");
  models.forEach((model, at) => {
    const query = `model=${encodeURIComponent(model.name)}`;
    if (several()) place.append(`${at ? "; " : ""}${model.name}: `);
    for (const [format, text] of [["csv", "CSV"], ["parquet", "Parquet"], ["xlsx", "XLSX"]]) {
      place.append(element("a", { href: `${API}/jobs/${id}/table?format=${format}&${query}`, download: "" }, text), ", ");
    }
    place.append(element("a", { href: `${API}/jobs/${id}/pages?${query}`, download: "" }, "all pages (ZIP)"));
  });
}

// What people do

byId("files").addEventListener("change", (event) => {
  add(filesOf(event.target));
  event.target.value = "";
});
byId("folder").addEventListener("change", (event) => {
  add(filesOf(event.target));
  event.target.value = "";
});
byId("filter").addEventListener("input", filter);
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  byId("drop").classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) byId("drop").classList.remove("over");
});
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  byId("drop").classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) {
    add([...event.dataTransfer.files].map((file) => ({ path: file.name, file })));
    return;
  }
  for (const entry of entries) {
    try {
      add(await filesIn(entry));
    } catch (error) {
      refuse(entry.name, `cannot be read by the browser (${error.name})`);
    }
  }
});
window.addEventListener("beforeunload", (event) => {
  if (queue.length + sending) event.preventDefault();
});
start();
