// The picture of a run: shows the time under the pointer, and the spectrum of a chosen scan.
const settings = JSON.parse(document.getElementById("settings").textContent);
const picture = document.getElementById("picture");
const svg = picture.querySelector("svg");
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
  const rounded = Number(value.toPrecision(4));
  return rounded >= 1e6 ? rounded.toExponential().replace("e+", "e") : String(rounded);
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
    const numbered = settings.numbers ? settings.numbers[scan] : settings.first_scan + scan;
    document.getElementById("readout").textContent =
      `${run.time[scan].toFixed(3)} min, scan ${numbered}: ${base}`;
  }

  function show(scan) {
    const ions = [];
    for (let ion = run.start[scan]; ion < run.start[scan + 1]; ion++)
      if (run.mz[ion] >= low && run.mz[ion] <= high) ions.push([run.mz[ion], run.intensity[ion]]);
    const title = `spectrum at ${run.time[scan].toFixed(3)} min` + (ions.length ? "" : ": no ions");
    drawSpectrum(document.getElementById("spectrum"),
      { title, ions, low, high, left, right, width: settings.axes.width });
  }

  function choose(scan) {
    chosen = Math.max(0, Math.min(run.time.length - 1, scan));
    place(mark, chosen);
    tell(chosen);
    show(chosen);
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
  for (const button of document.querySelectorAll("button[data-time]"))
    button.addEventListener("click", () => {
      const { time, mz, from, to } = button.dataset;
      choose(nearest(Number(time)));
      if (mz) drawIons(document.getElementById("extracted"), run, {
        mz: mz.split(",").map(Number), from: Number(from), to: Number(to), apex: Number(time),
        left, right, width: settings.axes.width,
      });
      picture.scrollIntoView({ block: "start" });
      picture.focus({ preventScroll: true });
    });
  choose(settings.scan);
}

unpack().then(begin).catch((error) => {
  document.getElementById("readout").textContent =
    `The spectra cannot be shown in this browser (${error.message}).`;
});
