// Extracted ion chromatograms: a line for each of some m/z of a run, around a time.
// At most six, as there are colours. `run` is what picture.js unpacks; `from` to `to` are the times of a window, `apex` is in it.
function drawIons(holder, run, { mz, from, to, apex, left, right, width }) {
  const top = 34, bottom = 170, height = bottom + 40;
  const pad = Math.max(2 * (to - from), 0.1);
  const within = [...run.time.keys()].filter(
    (scan) => run.time[scan] >= from - pad && run.time[scan] <= to + pad);
  const lines = mz.map((wanted) => within.map((scan) => {
    let sum = 0;
    for (let ion = run.start[scan]; ion < run.start[scan + 1]; ion++)
      if (Math.round(run.mz[ion]) === wanted) sum += run.intensity[ion];
    return sum;
  }));
  const first = run.time[within[0]], last = run.time[within.at(-1)];
  const highest = Math.max(...lines.flat(), Number.MIN_VALUE);
  const x = (time) => left + (time - first) / Math.max(last - first, 1e-9) * (right - left);
  const y = (intensity) => bottom - intensity / highest * (bottom - top);
  const title = `m/z ${mz.join(", ")} around ${apex.toFixed(3)} min`;
  const text = { fill: "var(--ink)", "font-size": 9 };
  const plot = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
  make("text", { ...text, x: left, y: 12, "font-size": 11 }, plot, title);
  for (const share of [0, 0.5, 1]) {
    const at = y(share * highest);
    make("line", { x1: left, x2: right, y1: at, y2: at, stroke: share ? "var(--grid)" : "var(--muted)" }, plot);
    make("text", { ...text, x: left - 6, y: at + 3, "text-anchor": "end" }, plot, 100 * share);
  }
  for (const time of ticks(first, last, 8)) {
    make("line", { x1: x(time), x2: x(time), y1: bottom, y2: bottom + 4, stroke: "var(--muted)" }, plot);
    make("text", { ...text, x: x(time), y: bottom + 15, "text-anchor": "middle" }, plot,
      String(Number(time.toFixed(4))));
  }
  make("line", { x1: x(apex), x2: x(apex), y1: top, y2: bottom, stroke: "var(--muted)",
    "stroke-dasharray": "4 3" }, plot);
  lines.forEach((line, number) => {
    const stroke = `var(--ion${number})`;
    const points = line.map((value, at) => `${x(run.time[within[at]]).toFixed(2)},${y(value).toFixed(2)}`);
    make("polyline", { points: points.join(" "), stroke, "stroke-width": 1.3, fill: "none" }, plot);
    make("text", { ...text, x: left + 44 * number, y: 26, style: `fill: ${stroke}` }, plot, `m/z ${mz[number]}`);
  });
  const centred = { ...text, "font-size": 10, "text-anchor": "middle" };
  make("text", { ...centred, x: (left + right) / 2, y: height - 6 }, plot, "time (min)");
  const turned = `translate(${left - 32} ${(top + bottom) / 2}) rotate(-90)`;
  make("text", { ...centred, transform: turned }, plot, "relative intensity (%)");
  holder.replaceChildren(plot);
}
