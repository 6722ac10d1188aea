// The picture of a run: charts in place of the drawing, and the spectrum of a chosen scan.
const settings = JSON.parse(document.getElementById("settings").textContent);
const byId = (name) => document.getElementById(name);
const picture = byId("picture");

async function unpack() {
  const packed = Uint8Array.from(atob(byId("scans").textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = await new Response(stream).arrayBuffer();
  const { scans, ions, totals } = settings;
  let at = 0;
  const take = (type, length) => new type(bytes, (at += 4 * length) - 4 * length, length);
  const run = {
    time: take(Float32Array, scans), start: take(Uint32Array, scans + 1),
    mz: take(Float32Array, ions), intensity: take(Float32Array, ions),
  };
  run.most = run.intensity.reduce((most, each) => Math.max(most, each), 0) || 1;
  if (totals) return { ...run, total: take(Float32Array, scans), highest: take(Float32Array, scans) };
  run.total = new Float32Array(scans);
  run.highest = new Float32Array(scans);
  for (let scan = 0; scan < scans; scan++)
    for (let ion = run.start[scan]; ion < run.start[scan + 1]; ion++) {
      run.total[scan] += run.intensity[ion];
      run.highest[scan] = Math.max(run.highest[scan], run.intensity[ion]);
    }
  return run;
}

function number(value) {
  const rounded = Number(value.toPrecision(4));
  return rounded >= 1e6 ? rounded.toExponential().replace("e+", "e") : String(rounded);
}

function begin(run) {
  const [low, high] = settings.mz;
  let chosen = settings.scan, sum = run.total[chosen];
  picture.classList.add("live");
  const holders = { all: byId("charts"), current: byId("current"), ions: byId("extracted"),
    lanes: byId("lanes"), map: byId("map") };
  const charts = runCharts(run, settings, holders, {
    pointed: (scan) => tell(scan ?? chosen),
    chosen: choose,
    looked(view, whole) {
      byId("view").textContent = whole ? "whole run" : `${view[0].toFixed(2)} to ${view[1].toFixed(2)} min`;
    },
  });

  function tell(scan) {
    let highest = -1;
    for (let ion = run.start[scan]; ion < run.start[scan + 1]; ion++)
      if (highest < 0 || run.intensity[ion] > run.intensity[highest]) highest = ion;
    const base = highest < 0 ? "no ions"
      : `total ${number(run.total[scan])}, base peak m/z ${run.mz[highest].toFixed(1)} with ` +
        number(run.intensity[highest]);
    const numbered = settings.numbers ? settings.numbers[scan] : settings.first_scan + scan;
    byId("readout").textContent = `${run.time[scan].toFixed(3)} min, scan ${numbered}: ${base}`;
  }

  function show(width) {
    const ions = [];
    for (let ion = run.start[chosen]; ion < run.start[chosen + 1]; ion++)
      if (run.mz[ion] >= low && run.mz[ion] <= high) ions.push([run.mz[ion], run.intensity[ion]]);
    const title = `spectrum at ${run.time[chosen].toFixed(3)} min` + (ions.length ? "" : ": no ions");
    drawSpectrum(byId("spectrum"), width, { title, ions, low, high });
  }

  function choose(scan) {
    chosen = Math.max(0, Math.min(run.time.length - 1, scan));
    const [from, to] = charts.view(), time = run.time[chosen];
    if (time < from || time > to) charts.look(time - (to - from) / 2, time + (to - from) / 2);
    charts.place(chosen);
    tell(chosen);
    show(byId("spectrum").clientWidth);
  }

  // Shows where something elutes: its time, from when to when, and its ions.
  function goTo({ time, from, to, mz }) {
    const pad = Math.max(2 * (to - from), 0.1);
    if (mz) extract(mz.split(",").map(Number));
    choose(nearestScan(run, Number(time)));
    charts.look(from - pad, Number(to) + pad);
    picture.scrollIntoView({ block: "start" });
    picture.focus({ preventScroll: true });
  }

  function extract(mz) {
    byId("extracted").hidden = byId("drop").hidden = !mz.length;
    charts.extract(mz);
  }

  const log = byId("log");
  const doing = {
    in: () => charts.zoom(0.5), out: () => charts.zoom(2), whole: charts.whole,
    back: () => charts.shift(-0.5), on: () => charts.shift(0.5),
    log() { log.checked = !log.checked; charts.scale(log.checked); },
    drop() { extract([]); picture.focus(); },
  };
  const keys = { "+": "in", "=": "in", "-": "out", 0: "whole", Home: "whole", l: "log", PageUp: "back", PageDown: "on" };
  for (const button of byId("controls").querySelectorAll("button"))
    button.addEventListener("click", doing[button.dataset.do]);
  log.checked = settings.log;
  log.addEventListener("change", () => charts.scale(log.checked));
  picture.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target !== picture) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], action = doing[keys[event.key]];
    if (step) choose(chosen + step * (event.shiftKey ? 10 : 1));
    else if (action) action();
    else return;
    event.preventDefault();
  });
  for (const button of document.querySelectorAll("button[data-time]"))
    button.addEventListener("click", () => goTo(button.dataset));
  if (settings.extracted.length) extract(settings.extracted);
  charts.place(chosen);
  tell(chosen);
  keepDrawn(byId("spectrum"), show);
}

unpack().then(begin).catch((error) => {
  picture.classList.remove("live");
  byId("readout").textContent = `The charts cannot be shown in this browser (${error.message}).`;
});
