// Predict CSV runs with a whole graph of gale (docs/whole_graphs.md), without Python.
//
//   node predict.mjs whole.onnx run1.csv run2.csv > predictions.csv
//
// A run has the columns time (minutes), mass and intensity, one row per ion, in order of time; rows
// of equal time are one scan. The table has the columns of `gale predict`. A run that cannot be read
// has its reason in the column message, and the exit status is 1.

import { readFile } from "node:fs/promises";

const FAR = 2; // from here on, a run is far from the training runs
const LARGEST_MZ = 20000; // beyond these, a value is no measurement
const LARGEST_INTENSITY = 1e30;

const ort = await import("onnxruntime-node").catch(() => import("onnxruntime-web"));

/** The whole number of a protocol buffer that begins at a place, and the place behind it. */
function varint(bytes, at) {
  let number = 0;
  for (let scale = 1; ; scale *= 128, at++) {
    number += (bytes[at] & 127) * scale;
    if (bytes[at] < 128) return [number, at + 1];
  }
}

/** The fields of a protocol buffer: their number, and their bytes if they have a length. */
function* fields(bytes) {
  for (let at = 0; at < bytes.length; ) {
    let tag, value;
    [tag, at] = varint(bytes, at);
    [value, at] = (tag & 7) === 2 || (tag & 7) === 0 ? varint(bytes, at) : [0, at];
    const size = { 0: 0, 1: 8, 2: value, 5: 4 }[tag & 7];
    yield [Math.floor(tag / 8), bytes.subarray(at, at + size)];
    at += size;
  }
}

/** The metadata of an ONNX file, which ONNX Runtime does not offer in JavaScript. */
function metadataOf(bytes) {
  const METADATA = 14;
  const text = (part) => new TextDecoder().decode(part);
  const entries = [...fields(bytes)].filter(([number]) => number === METADATA);
  return Object.fromEntries(
    entries.map(([, entry]) => [...fields(entry)].map(([, part]) => text(part))),
  );
}

function readRun(text) {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const names = lines[0].split(",").map((name) => name.replaceAll('"', "").trim());
  const columns = ["time", "mass", "intensity"].map((name) => {
    if (!names.includes(name)) throw new Error(`has no column ${name}`);
    return names.indexOf(name);
  });
  const run = { time_min: [], scan_of_ion: [], mz: [], intensity: [] };
  for (const [number, line] of lines.slice(1).entries()) {
    if (line.trim() === "") continue;
    const cells = line.split(",");
    const [minutes, mz, intensity] = columns.map((at) => {
      const cell = (cells[at] ?? "").trim();
      const value = Number(cell);
      if (cell === "" || !Number.isFinite(value))
        throw new Error(`line ${number + 2} has '${cell}' in place of a number`);
      return value;
    });
    if (minutes < run.time_min.at(-1)) throw new Error(`line ${number + 2} is out of order of time`);
    if (mz > LARGEST_MZ || intensity > LARGEST_INTENSITY)
      throw new Error(`line ${number + 2} has a value too large to be one`);
    if (minutes !== run.time_min.at(-1)) run.time_min.push(minutes);
    if (mz <= 0) continue; // a fill value, or a scan without ions
    run.scan_of_ion.push(run.time_min.length - 1);
    run.mz.push(mz);
    run.intensity.push(Math.max(intensity, 0));
  }
  if (run.time_min.length < 2) throw new Error("has fewer than two scans");
  return run;
}

async function predict(session, run, nFamilies) {
  const doubles = (values) => new ort.Tensor("float64", Float64Array.from(values), [values.length]);
  const scans = BigInt64Array.from(run.scan_of_ion, BigInt);
  const found = await session.run({
    time_min: doubles(run.time_min),
    scan_of_ion: new ort.Tensor("int64", scans, [scans.length]),
    mz: doubles(run.mz),
    intensity: doubles(run.intensity),
  });
  const ofMembers = found.member_probability.data;
  const members = ofMembers.length / nFamilies;
  const spread = Array.from({ length: nFamilies }, (_, family) => {
    const each = Array.from({ length: members }, (_, m) => ofMembers[m * nFamilies + family]);
    const mean = each.reduce((sum, value) => sum + value, 0) / members;
    return Math.sqrt(each.reduce((sum, value) => sum + (value - mean) ** 2, 0) / members);
  });
  return {
    probability: [...found.probability.data],
    spread: members > 1 ? spread : spread.fill(NaN),
    unlike: found.unlike?.data[0] ?? NaN,
  };
}

const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const cell = (value) => (Number.isNaN(value) ? "" : String(Number(value.toPrecision(7))));

const [graph, ...paths] = process.argv.slice(2);
if (paths.length === 0) {
  console.error("usage: node predict.mjs whole.onnx run.csv ...");
  process.exit(2);
}
const bytes = new Uint8Array(await readFile(graph));
const metadata = metadataOf(bytes);
if (metadata.gale_whole !== "1") {
  console.error(`${graph}: is no whole graph of format 1`);
  process.exit(2);
}
const families = metadata.gale_families.split("\n");
const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
const header = ["run", "status", "message", "unlike", ...families];
console.log([...header, ...families.map((name) => `${name}_spread`)].map(quoted).join(","));
for (const path of paths) {
  const none = families.map(() => NaN);
  let found = { probability: none, spread: none, unlike: NaN };
  let [status, message] = ["ok", ""];
  try {
    const answer = await predict(session, readRun(await readFile(path, "utf8")), families.length);
    if (Number.isNaN(answer.probability[0]))
      throw new Error("has no ion in the range of m/z of the model");
    found = answer;
    if (found.unlike > FAR) [status, message] = ["doubtful", "far from the training runs"];
  } catch (error) {
    [status, message, process.exitCode] = ["failed", error.message, 1];
  }
  const numbers = [found.unlike, ...found.probability, ...found.spread].map(cell);
  console.log([quoted(path), status, quoted(message), ...numbers].join(","));
}
