// Learning curves: a chart for each part of the training, in place of the drawing.
const learning = JSON.parse(document.getElementById("learning").textContent);
const curves = document.getElementById("curves");
const logarithmic = document.getElementById("log"), since = document.getElementById("since");
const told = document.getElementById("told");
let charts = [];

// The fits of a part as lines over all epochs; a fit that ended early has none behind its end.
function aligned(fits) {
  const last = Math.max(...fits.map((fit) => fit.validation.length));
  const epochs = Array.from({ length: last }, (_, at) => at + 1);
  const padded = (losses) => epochs.map((_, at) => losses[at] ?? null);
  return [epochs, ...fits.flatMap((fit) => [fit.train, fit.validation].filter(Boolean).map(padded))];
}

function lines(fits) {
  const line = (fit, name, tint) => ({
    label: `${fit.name}, ${name}`, stroke: () => `${colour(tint)}b0`, width: 1, points: { show: false },
  });
  return fits.flatMap((fit) => [
    ...(fit.train ? [line(fit, "training loss", "ion0")] : []), line(fit, "validation log loss", "base"),
  ]);
}

function tell(chart, title) {
  const { idx } = chart.cursor;
  const at = chart.series.findIndex((series, number) => number && series._focus);
  if (idx === null || idx === undefined || at < 0) return;
  const loss = chart.data[at][idx];
  told.textContent = `${title}: ${chart.series[at].label}, epoch ${chart.data[0][idx]}: ${loss === null ? "ended before" : short(loss)}`;
}

function part({ title, fits }, width) {
  const heading = document.createElement("h3");
  heading.textContent = title;
  const holder = document.createElement("div");
  holder.setAttribute("role", "img");
  holder.setAttribute("aria-label", `training loss and validation log loss of ${title}`);
  curves.append(heading, holder);
  const data = aligned(fits), last = data[0].length;
  const from = Math.min(Math.max(Number(since.value) || 1, 1), Math.max(last - 1, 1));
  const chart = new uPlot({
    width, height: 220, legend: { show: false }, padding: [8, 8, 0, 0],
    series: [{}, ...lines(fits)],
    axes: [
      axis({ label: "epoch", labelSize: 16, size: 28, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500] }),
      axis({ label: "loss", labelSize: 14, size: 50, values: (_, all) => all.map(short) }),
    ],
    scales: { x: { time: false, range: (_, low, high) => [low, Math.max(high, low + 1)] }, y: { distr: logarithmic.checked ? 3 : 1 } },
    cursor: { y: false, points: { size: 6 }, focus: { prox: 1e6 }, drag: { x: true, y: true, uni: 30 } },
    hooks: { setCursor: [(each) => tell(each, title)] },
  }, data, holder);
  if (from > 1) chart.setScale("x", { min: from, max: last });
  charts.push(chart);
}

function draw(width) {
  for (const chart of charts) chart.destroy();
  charts = [];
  curves.replaceChildren();
  for (const each of learning) part(each, width);
}

document.getElementById("course-charts").classList.add("live");
logarithmic.addEventListener("change", () => draw(curves.clientWidth));
since.addEventListener("change", () => draw(curves.clientWidth));
keepDrawn(curves, draw);
