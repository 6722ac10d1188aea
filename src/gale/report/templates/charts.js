// What the charts of all pages share: colours of the page, axes, and keeping to its width.
const FONT = '11px "DejaVu Sans", Verdana, Arial, sans-serif';

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function axis(more) {
  const line = (width) => ({ stroke: () => colour("grid"), width });
  return { stroke: () => colour("muted"), font: FONT, labelFont: FONT, grid: line(1), ticks: { ...line(1), size: 4 }, gap: 3, ...more };
}

// A number short enough for an axis; none where the axis has a tick without one.
function short(value) {
  if (value === null) return "";
  if (value !== 0 && (Math.abs(value) >= 1e4 || Math.abs(value) < 1e-3))
    return Number(value.toPrecision(3)).toExponential().replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

// Draws anew whenever `holder` changes its width or the page its colours.
function keepDrawn(holder, draw) {
  let width = 0;
  new ResizeObserver(() => {
    if (holder.clientWidth === width) return;
    width = holder.clientWidth;
    if (width) draw(width);
  }).observe(holder);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => width && draw(width));
}
