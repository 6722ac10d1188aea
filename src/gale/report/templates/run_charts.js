// The charts of a run on one time axis: chromatogram, extracted ions, lanes of evidence, ion map.
const GUTTER = 64, DECADES = 5, LANE = 32, GAP = 4;  // decades as gale.plotting.panels.DECADES

// The scan of a run nearest to a time, and the first one that is not before it.
function scanFrom(run, time) {
  let from = 0, to = run.time.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (run.time[middle] < time) from = middle + 1; else to = middle;
  }
  return from;
}

function nearestScan(run, time) {
  const after = Math.min(scanFrom(run, time), run.time.length - 1), before = Math.max(after - 1, 0);
  return time - run.time[before] < run.time[after] - time ? before : after;
}

// The sums of the ions whose m/z rounds to each of `mz`, scan by scan.
function extractedIons(run, mz) {
  const lines = mz.map(() => new Float32Array(run.time.length));
  for (let scan = 0; scan < run.time.length; scan++)
    for (let ion = run.start[scan]; ion < run.start[scan + 1]; ion++) {
      const line = mz.indexOf(Math.round(run.mz[ion]));
      if (line >= 0) lines[line][scan] += run.intensity[ion];
    }
  return lines;
}

// Makes the charts in `holders` and keeps them; `heard` is told of a scan that is pointed at, chosen, or of another view.
function runCharts(run, settings, holders, heard) {
  const first = run.time[0], last = run.time.at(-1);
  let view = [first, last], log = settings.log, ions = null, mark = 0, charts = [];

  function build() {
    for (const chart of charts) chart.destroy();
    charts = [chromatogram()];
    if (ions) charts.push(extracted());
    if (settings.lanes.length) charts.push(lanes());
    charts.push(map());
  }

  function chart(holder, height, label, more) {
    holder.setAttribute("aria-label", label);
    const over = { setCursor: [pointed], setSelect: [selected], init: [prepared], drawClear: [placeMark] };
    return new uPlot({
      width: holders.all.clientWidth, height, legend: { show: false }, padding: [8, 8, 0, 0],
      cursor: {
        y: false, points: { show: false }, drag: { setScale: false, x: true, y: false },
        bind: { dblclick: () => () => look(first, last) },
        sync: { key: "run", filters: { pub: (kind) => kind === "mousemove" || kind === "mouseleave" } },
      },
      ...more,
      hooks: { ...over, ...more.hooks },
      scales: { x: { time: false, min: view[0], max: view[1], auto: false }, ...more.scales },
    }, more.data, holder);
  }

  function pointed(chart) {
    if (chart.cursor.event) heard.pointed(chart.cursor.left < 0 ? null : chart.cursor.idx);
  }

  function selected(chart) {
    const { left, width } = chart.select;
    if (width > 0) look(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
    chart.setSelect({ left: 0, width: 0 }, false);
  }

  function prepared(chart) {
    const line = document.createElement("div");
    line.className = "mark";
    chart.over.append(line);
    chart.over.addEventListener("click", () => heard.chosen(chart.cursor.idx));
  }

  // The scale of intensities follows what is in view.
  function intensities() {
    const range = (_, low, high) => {
      if (!(high > 0)) return [log ? 0.1 : 0, 1];
      if (!log) return [0, 1.15 * high];
      const least = Math.max(high / 10 ** DECADES, low > 0 ? low : 0);
      return [10 ** Math.floor(Math.log10(least)), 5 * high];  // ticks are at powers of ten from there
    };
    return { distr: log ? 3 : 1, range };
  }

  function sized(name, shown) {
    const none = { values: (_, all) => all.map(() => ""), size: shown ? 40 : 8 };
    return [
      axis(shown ? { label: "time (min)", labelSize: 16, size: 28 } : none),
      axis({ label: name, labelSize: 14, size: GUTTER - 14, values: (_, all) => all.map(short) }),
    ];
  }

  const legend = { show: true, live: false, markers: { width: 2 } };

  function chromatogram() {
    return chart(holders.current, 240, settings.label, {
      data: [run.time, run.total, run.highest],
      series: [{}, 
        { label: "total ion current", stroke: () => colour("total"), width: 1, fill: () => `${colour("total")}1f`, points: { show: false } },
        { label: "base peak (highest ion)", stroke: () => colour("base"), width: 1, points: { show: false } },
      ],
      legend,
      axes: sized("ion current", true),
      scales: { y: intensities() },
      hooks: { draw: [writePeaks] },
    });
  }

  function extracted() {
    const label = `m/z ${ions.join(", ")}`;
    return chart(holders.ions, 190, label, {
      data: [run.time, ...extractedIons(run, ions)],
      series: [{}, ...ions.map((mz, number) => ({
        label: `m/z ${mz}`, stroke: () => colour(`ion${number % 6}`), width: 1.3, points: { show: false },
      }))],
      legend,
      axes: sized("extracted ions", false),
      scales: { y: intensities() },
    });
  }

  // What has no line has one of zeros, so that it has a scale.
  function empty(holder, height, label, [low, high], axes, draw) {
    return chart(holder, height, label, {
      data: [run.time, new Float32Array(run.time.length)],
      series: [{}, { paths: () => null, points: { show: false } }],
      axes, scales: { y: { range: () => [low, high] } }, hooks: { draw: [draw] },
    });
  }

  function lanes() {
    const names = settings.lanes.map(([name]) => name);
    const axes = [axis({ show: false }), axis({ size: GUTTER, values: (_, all) => all.map(() => ""), grid: { show: false }, ticks: { show: false } })];
    const label = `windows of ${names.join(", ")}`;
    return empty(holders.lanes, LANE * names.length + GAP + 8, label, [0, 1], axes, drawLanes);
  }

  function map() {
    return empty(holders.map, 300, "ions over time and m/z", settings.mz, sized("m/z", true), drawMap);
  }

  function beginText(ctx, align) {
    ctx.font = FONT.replace("11px", `${11 * uPlot.pxRatio}px`);
    ctx.fillStyle = colour("ink");
    ctx.textAlign = align;
    ctx.textBaseline = "alphabetic";
  }

  // Names of peaks above them, the largest first, where there is room.
  function writePeaks({ ctx, bbox, data, valToPos }) {
    const ratio = uPlot.pxRatio, taken = [];
    ctx.save();
    beginText(ctx, "center");
    for (const [time, name] of settings.peaks) {
      if (time < view[0] || time > view[1]) continue;
      const scan = nearestScan(run, time), half = ctx.measureText(name).width / 2 + 4 * ratio;
      const x = Math.min(Math.max(valToPos(time, "x", true), bbox.left + half), bbox.left + bbox.width - half);
      const y = Math.max(valToPos(data[1][scan], "y", true) - 5 * ratio, bbox.top + 11 * ratio);
      const box = [x - half, x + half, y - 13 * ratio, y + 2 * ratio];
      const hides = (other) => overlap(box, other.box) || (other.name === name && beside(box, other.box));
      if (!Number.isFinite(y) || taken.some(hides)) continue;
      taken.push({ name, box });
      ctx.fillText(name, x, y);
    }
    ctx.restore();
  }

  const beside = (one, other) => one[0] < other[1] && other[0] < one[1];
  const overlap = (one, other) => beside(one, other) && one[2] < other[3] && other[2] < one[3];

  function drawLanes({ ctx, bbox, valToPos }) {
    const ratio = uPlot.pxRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    beginText(ctx, "left");
    settings.lanes.forEach(([name, spans], number) => {
      const top = bbox.top + LANE * number * ratio;
      ctx.globalAlpha = 1;
      ctx.fillStyle = colour("ink");
      ctx.fillText(name, bbox.left + 2 * ratio, top + 11 * ratio);
      ctx.fillStyle = colour("grid");
      ctx.fillRect(bbox.left, top + 21 * ratio, bbox.width, ratio);
      ctx.fillStyle = colour("base");
      for (const [from, to, weight] of spans) {
        const [start, end] = [valToPos(from, "x", true), valToPos(to, "x", true)];
        ctx.globalAlpha = 0.35 + 0.65 * weight;
        ctx.fillRect(start, top + 15 * ratio, Math.max(end - start, 2 * ratio), 13 * ratio);
      }
    });
    ctx.restore();
  }

  // Every pixel has the highest ion of its scans and m/z.
  function drawMap({ ctx, bbox }) {
    const columns = Math.round(bbox.width), [low, high] = settings.mz;
    const rows = Math.max(Math.min(Math.round(bbox.height), Math.ceil(high - low)), 1);
    const height = new Float32Array(columns * rows), [from, to] = view;
    for (let column = 0; column < columns; column++) {
      const at = (share) => from + (to - from) * (column + share) / columns;
      let begin = scanFrom(run, at(0)), end = scanFrom(run, at(1));
      if (begin >= end) end = (begin = nearestScan(run, at(0.5))) + 1;
      for (let ion = run.start[begin]; ion < run.start[end]; ion++) {
        const row = Math.floor((high - run.mz[ion]) / (high - low) * rows);
        if (row < 0 || row >= rows) continue;
        const cell = row * columns + column;
        if (run.intensity[ion] > height[cell]) height[cell] = run.intensity[ion];
      }
    }
    const picture = document.createElement("canvas");
    picture.width = columns;
    picture.height = rows;
    const pixels = new ImageData(columns, rows), palette = new Uint32Array(pixels.data.buffer);
    const lowest = run.most / 10 ** DECADES;
    for (let cell = 0; cell < height.length; cell++) {
      const share = height[cell] > lowest ? Math.log10(height[cell] / lowest) / DECADES : 0;
      palette[cell] = shades[Math.round(255 * share)];
    }
    picture.getContext("2d").putImageData(pixels, 0, 0);
    ctx.save();
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(picture, bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.restore();
  }

  function look(from, to) {
    const least = 4 * (last - first) / run.time.length;
    const span = Math.min(Math.max(to - from, least), last - first);
    const start = Math.min(Math.max((from + to - span) / 2, first), last - span);
    view = [start, start + span];
    for (const chart of charts) chart.setScale("x", { min: view[0], max: view[1] });
    heard.looked(view, span >= last - first);
  }

  function place(scan) {
    mark = scan;
    charts.forEach(placeMark);
  }

  function placeMark(chart) {
    const line = chart.over.querySelector(".mark"), time = run.time[mark];
    line.hidden = time < view[0] || time > view[1];
    line.style.left = `${chart.valToPos(time, "x")}px`;
  }

  const shades = palette(settings.shades);
  keepDrawn(holders.all, build);
  return {
    look, place,
    view: () => view,
    zoom(factor) {
      const time = run.time[mark], middle = time >= view[0] && time <= view[1] ? time : (view[0] + view[1]) / 2;
      look(middle - (middle - view[0]) * factor, middle + (view[1] - middle) * factor);
    },
    shift(share) {
      const step = share * (view[1] - view[0]);
      look(view[0] + step, view[1] + step);
    },
    whole: () => look(first, last),
    scale(logarithmic) { log = logarithmic; build(); },
    extract(mz) { ions = mz.length ? mz : null; build(); },
  };
}

// 256 colours between some, as the pixels of a picture have them.
function palette(some) {
  const shades = new Uint32Array(256), bytes = new Uint8Array(shades.buffer);
  const parts = some.map((each) => [1, 3, 5].map((at) => parseInt(each.slice(at, at + 2), 16)));
  for (let number = 0; number < 256; number++) {
    const at = number / 255 * (parts.length - 1), low = Math.min(Math.floor(at), parts.length - 2);
    parts[low].forEach((part, channel) => {
      bytes[4 * number + channel] = part + (parts[low + 1][channel] - part) * (at - low);
    });
    bytes[4 * number + 3] = 255;
  }
  return shades;
}
