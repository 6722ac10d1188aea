// The page of a run: reads times under the pointer, and draws the spectrum of a chosen scan.
const settings = JSON.parse(document.getElementById("settings").textContent);
const picture = document.getElementById("picture");
const svg = picture.querySelector("svg");
const NS = "http://www.w3.org/2000/svg";

function make(tag, attributes, parent, text) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  parent.appendChild(element);
  return element;
}

async function unpack() {
  const packed = Uint8Array.from(
    atob(document.getElementById("scans").textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = await new Response(stream).arrayBuffer();
  const { scans, ions } = settings;
  return {
    time: new Float32Array(bytes, 0, scans),
    start: new Uint32Array(bytes, 4 * scans, scans + 1),
    mz: new Float32Array(bytes, 4 * (2 * scans + 1), ions),
    intensity: new Float32Array(bytes, 4 * (2 * scans + 1 + ions), ions),
  };
}

function number(value) {
  return value === 0 ? "0" : value.toPrecision(4).replace(/\.?0+(e|$)/, "$1");
}

function begin(run) {
  const { left, right, top, bottom, first, last } = settings.axes;
  const [low, high] = settings.mz;
  const cursor = make("line", { id: "cursor", y1: top, y2: bottom, visibility: "hidden" }, svg);
  const mark = make("line", { id: "mark", y1: top, y2: bottom }, svg);
  let chosen = 0;

  function nearest(time) {
    let from = 0, to = run.time.length - 1;
    while (to - from > 1) {
      const middle = (from + to) >> 1;
      if (run.time[middle] <= time) from = middle; else to = middle;
    }
    return time - run.time[from] < run.time[to] - time ? from : to;
  }

  function place(line, scan) {
    const x = left + (run.time[scan] - first) / (last - first) * (right - left);
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
  }

  function at(event) {
    const point = new DOMPoint(event.clientX, event.clientY)
      .matrixTransform(svg.getScreenCTM().inverse());
    if (point.x < left || point.x > right || point.y < top || point.y > bottom) return null;
    return nearest(first + (point.x - left) / (right - left) * (last - first));
  }

  function tell(scan) {
    let total = 0, highest = -1;
    for (let ion = run.start[scan]; ion < run.start[scan + 1]; ion++) {
      total += run.intensity[ion];
      if (highest < 0 || run.intensity[ion] > run.intensity[highest]) highest = ion;
    }
    const base = highest < 0 ? "no ions"
      : `total ${number(total)}, base peak m/z ${run.mz[highest].toFixed(1)} with ` +
        number(run.intensity[highest]);
    document.getElementById("readout").textContent =
      `${run.time[scan].toFixed(3)} min, scan ${settings.first_scan + scan}: ${base}`;
  }

  function choose(scan) {
    chosen = Math.max(0, Math.min(run.time.length - 1, scan));
    place(mark, chosen);
    tell(chosen);
    draw(run, chosen, low, high);
  }

  picture.addEventListener("pointermove", (event) => {
    const scan = at(event);
    cursor.setAttribute("visibility", scan === null ? "hidden" : "visible");
    if (scan !== null) place(cursor, scan);
    tell(scan === null ? chosen : scan);
  });
  picture.addEventListener("pointerleave", () => {
    cursor.setAttribute("visibility", "hidden");
    tell(chosen);
  });
  picture.addEventListener("click", (event) => {
    const scan = at(event);
    if (scan !== null) choose(scan);
  });
  picture.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    choose(chosen + step * (event.shiftKey ? 10 : 1));
  });
  choose(settings.scan);
}

function ticks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((each) => each * power >= rough) * power;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(value);
  return found;
}

function draw(run, scan, low, high) {
  const { left, right, width } = settings.axes;
  const height = 190, top = 26, bottom = 150;
  const ions = [];
  for (let ion = run.start[scan]; ion < run.start[scan + 1]; ion++)
    if (run.mz[ion] >= low && run.mz[ion] <= high) ions.push(ion);
  const highest = Math.max(...ions.map((ion) => run.intensity[ion]), 0);
  const x = (mz) => left + (mz - low) / (high - low) * (right - left);
  const y = (share) => bottom - share * (bottom - top - 14);
  const text = { fill: "var(--ink)", "font-size": 9 };
  const holder = document.getElementById("spectrum");
  holder.replaceChildren();
  const plot = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, holder);
  const title = `spectrum at ${run.time[scan].toFixed(3)} min` + (highest > 0 ? "" : ": no ions");
  plot.setAttribute("aria-label", title);
  make("text", { ...text, x: left, y: 14, "font-size": 11 }, plot, title);
  for (const share of [0, 0.5, 1]) {
    const line = { x1: left, x2: right, y1: y(share), y2: y(share), stroke: "var(--grid)" };
    make("line", { ...line, "stroke-width": 0.6 }, plot);
    make("text", { ...text, x: left - 6, y: y(share) + 3, "text-anchor": "end" }, plot, 100 * share);
  }
  make("line", { x1: left, x2: right, y1: bottom, y2: bottom, stroke: "var(--muted)" }, plot);
  for (const mz of ticks(low, high, 10)) {
    const line = { x1: x(mz), x2: x(mz), y1: bottom, y2: bottom + 4, stroke: "var(--muted)" };
    make("line", line, plot);
    make("text", { ...text, x: x(mz), y: bottom + 15, "text-anchor": "middle" }, plot, mz);
  }
  make("text", { ...text, x: (left + right) / 2, y: height - 6, "font-size": 10,
    "text-anchor": "middle" }, plot, "m/z");
  make("text", { ...text, "font-size": 10, "text-anchor": "middle",
    transform: `translate(${left - 32} ${(top + bottom) / 2}) rotate(-90)` }, plot, "relative intensity (%)");
  if (highest <= 0) return;
  const sticks = ions.map((ion) => {
    const place = x(run.mz[ion]).toFixed(2);
    return `M${place} ${bottom}V${y(run.intensity[ion] / highest).toFixed(2)}`;
  });
  make("path", { d: sticks.join(""), stroke: "var(--ink)", "stroke-width": 1.2, fill: "none" }, plot);
  const labelled = [];
  ions.sort((one, other) => run.intensity[other] - run.intensity[one]);
  for (const ion of ions) {
    if (labelled.length === 12 || run.intensity[ion] < 0.01 * highest) break;
    if (labelled.some((place) => Math.abs(place - x(run.mz[ion])) < 20)) continue;
    labelled.push(x(run.mz[ion]));
    make("text", { ...text, x: x(run.mz[ion]), y: y(run.intensity[ion] / highest) - 3,
      "text-anchor": "middle" }, plot, Math.round(run.mz[ion]));
  }
}

unpack().then(begin).catch((error) => {
  document.getElementById("readout").textContent =
    `The spectra cannot be shown in this browser (${error.message}).`;
});
