// A mass spectrum as sticks; with a second one below, head to tail, to compare them.
const NS = "http://www.w3.org/2000/svg";

function make(tag, attributes, parent, text) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  if (parent !== undefined) parent.appendChild(element);
  return element;
}

function ticks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((each) => each * power >= rough) * power;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) found.push(value);
  return found;
}

// What is drawn: `ions` and, if there is one, the `other` spectrum as lists of [m/z, intensity],
// from m/z `low` to `high`, in a picture of some `width`.
function drawSpectrum(holder, width, { title, ions, other, low, high }) {
  const left = 64, right = width - 12, top = 40, middle = 170, bottom = other ? 276 : middle;
  const height = bottom + 42;
  const x = (mz) => left + (mz - low) / (high - low) * (right - left);
  const text = { fill: "var(--ink)", "font-size": 11 };
  const plot = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
  const line = (attributes) => make("line", { "stroke-width": 1, ...attributes }, plot);
  writeTitle();
  for (const share of other ? [1, 0.5, 0, -0.5, -1] : [1, 0.5, 0]) {
    const y = place(share);
    line({ x1: left, x2: right, y1: y, y2: y, stroke: share ? "var(--grid)" : "var(--muted)" });
    make("text", { ...text, x: left - 6, y: y + 4, "text-anchor": "end" }, plot, 100 * Math.abs(share));
  }
  for (const mz of ticks(low, high, Math.max(width / 70, 3))) {
    line({ x1: x(mz), x2: x(mz), y1: bottom, y2: bottom + 4, stroke: "var(--muted)" });
    make("text", { ...text, x: x(mz), y: bottom + 16, "text-anchor": "middle" }, plot, mz);
  }
  const centred = { ...text, "text-anchor": "middle" };
  make("text", { ...centred, x: (left + right) / 2, y: height - 6 }, plot, "m/z");
  const turned = `translate(14 ${(top + bottom) / 2}) rotate(-90)`;
  make("text", { ...centred, transform: turned }, plot, "intensity (%)");
  sticks(ions, 1, "var(--ink)");
  if (other) sticks(other, -1, "var(--base)");
  holder.replaceChildren(plot);

  // The title, on two lines if one does not hold it.
  function writeTitle() {
    const words = title.split(" ");
    const fits = Math.floor((right - left) / 6.8);
    let first = words.shift();
    while (words.length && first.length + words[0].length < fits) first += ` ${words.shift()}`;
    make("text", { ...text, x: left, y: 12 }, plot, first);
    if (words.length) make("text", { ...text, x: left, y: 26 }, plot, words.join(" "));
  }

  // Where a share of the highest ion is: the first spectrum upwards, the second downwards.
  function place(share) {
    return share >= 0 ? middle - share * (middle - top - 14) : middle - share * (bottom - middle - 12);
  }

  function sticks(spectrum, direction, stroke) {
    const highest = Math.max(...spectrum.map(([, intensity]) => intensity), 0);
    if (highest <= 0) return;
    const tip = (intensity) => place(direction * intensity / highest);
    const path = spectrum.map(([mz, intensity]) =>
      `M${x(mz).toFixed(2)} ${middle}V${tip(intensity).toFixed(2)}`);
    make("path", { d: path.join(""), stroke, "stroke-width": 1.4, fill: "none" }, plot);
    const labelled = [];
    for (const [mz, intensity] of [...spectrum].sort((one, another) => another[1] - one[1])) {
      if (labelled.length === 12 || intensity < 0.01 * highest) break;
      if (labelled.some((at) => Math.abs(at - x(mz)) < 26)) continue;
      labelled.push(x(mz));
      const y = tip(intensity) + (direction > 0 ? -3 : 11);
      make("text", { ...text, x: x(mz), y, "text-anchor": "middle" }, plot, Math.round(mz));
    }
  }
}
