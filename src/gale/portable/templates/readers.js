"use strict";

// Reading of runs: CSV, ANDI netCDF (classic) and mzML, as the readers of gale do. A run is
// { time_min, scan_of_ion, mz, intensity }, typed arrays; what cannot be read throws Unreadable.

class Unreadable extends Error {}

const CONVERT = "convert it first: gale convert RUN -o run.csv";
const LARGEST_MZ = 20000;
const LARGEST_INTENSITY = 1e30;
const EARLIEST_MIN = -0.1;
const FILL = -9999;
const NETCDF_FILL = 9.9e36;

async function readRun(file) {
  let bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = await unpacked(bytes, "gzip");
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 2000));
  const run = start.startsWith("CDF")
    ? readAndi(bytes)
    : /<(indexedmzML|mzML)\b/.test(start)
      ? await readMzml(new TextDecoder().decode(bytes))
      : readTable(new TextDecoder().decode(bytes), start);
  return checked(run);
}

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const signs = atob(text);
  const bytes = new Uint8Array(signs.length);
  for (let at = 0; at < signs.length; at++) bytes[at] = signs.charCodeAt(at);
  return bytes;
}

async function unpacked(bytes, format) {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new Unreadable("its compressed content is damaged");
  }
}

/** A run of scans, each { time, mz, intensity }: in order of time, without fill values. */
function runOf(scans, { sorted }) {
  scans = scans.map((scan, at) => ({ ...scan, at })).sort((a, b) => a.time - b.time || a.at - b.at);
  const size = scans.reduce((sum, scan) => sum + scan.mz.length, 0);
  const run = {
    time_min: Float64Array.from(scans, (scan) => scan.time),
    scan_of_ion: new BigInt64Array(size),
    mz: new Float64Array(size),
    intensity: new Float64Array(size),
  };
  let n = 0;
  scans.forEach(({ mz, intensity }, number) => {
    let order = Uint32Array.from(mz, (_, at) => at);
    if (sorted && mz.some((value, at) => at && value < mz[at - 1]))
      order = order.sort((a, b) => mz[a] - mz[b] || a - b);
    for (const at of order) {
      if (!Number.isFinite(mz[at]) || !Number.isFinite(intensity[at]))
        throw new Unreadable(`scan ${number + 1} has a value that is not a number`);
      if (mz[at] <= 0) continue; // a fill value
      run.scan_of_ion[n] = BigInt(number);
      run.mz[n] = mz[at];
      run.intensity[n++] = Math.max(intensity[at], 0);
    }
  });
  for (const name of ["scan_of_ion", "mz", "intensity"]) run[name] = run[name].subarray(0, n);
  return run;
}

function checked(run) {
  const { time_min, mz, intensity } = run;
  if (time_min.length < 2) throw new Unreadable("has fewer than two scans");
  if (mz.length === 0) throw new Unreadable("has no ions");
  if (!time_min.every(Number.isFinite)) throw new Unreadable("has a time that is not a number");
  if (time_min[0] < EARLIEST_MIN) throw new Unreadable(`has a time of ${time_min[0]} min`);
  if (mz.some((value) => value > LARGEST_MZ) || intensity.some((value) => value > LARGEST_INTENSITY))
    throw new Unreadable("has an m/z or intensity too large to be one");
  if (isProfile(run)) throw profileData("looks like");
  return run;
}

const profileData = (how) =>
  new Unreadable(`${how} profile data; make centroids of it: gale convert --centroid RUN -o run.csv`);

/** Whether points follow each other in small, equal steps, as samples of a curve do. */
function isProfile({ mz, scan_of_ion }) {
  const end = Math.min(mz.length, 50000);
  let pairs = 0;
  let regular = 0;
  for (let at = 2; at < end; at++) {
    const [first, second] = [mz[at - 1] - mz[at - 2], mz[at] - mz[at - 1]];
    const larger = Math.max(first, second);
    pairs++;
    regular += scan_of_ion[at] === scan_of_ion[at - 2] && Math.min(first, second) > 0 &&
      larger < 0.3 && Math.abs(first - second) < 0.1 * larger;
  }
  return pairs >= 100 && regular > 0.5 * pairs;
}

// --- tables ---

const COLUMNS = {
  time: { time: 1, time_min: 1, time_s: 1 / 60 },
  mz: { mass: 1, mz: 1, "m/z": 1 },
  intensity: { intensity: 1, abundance: 1 },
};

function readTable(text, start) {
  const separator = [",", ";", "\t"].find((sign) => start.split("\n")[0].includes(sign));
  if (!separator || start.includes("\0")) throw new Unreadable(`is no CSV, ANDI or mzML; ${CONVERT}`);
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const cellsOf = (line) => line.split(separator).map((cell) => cell.replaceAll('"', "").trim());
  const names = cellsOf(lines[0]).map((name) => name.toLowerCase());
  const columns = Object.entries(COLUMNS).map(([wanted, known]) => {
    const at = names.findIndex((name) => name in known);
    if (at < 0)
      throw new Unreadable(`has no column ${Object.keys(known).join(" or ")} for ${wanted}; ${CONVERT}`);
    return [at, known[names[at]]];
  });
  const rows = [];
  lines.slice(1).forEach((line, number) => {
    if (line.trim() === "") return;
    const cells = cellsOf(line);
    rows.push(columns.map(([at, factor]) => {
      if (!cells[at] || !Number.isFinite(Number(cells[at])))
        throw new Unreadable(`line ${number + 2} has '${cells[at] ?? ""}' in place of a number`);
      return Number(cells[at]) * factor;
    }));
  });
  if (rows.some((row, at) => at && row[0] < rows[at - 1][0])) rows.sort((a, b) => a[0] - b[0]);
  const scans = [];
  for (const [time, mz, intensity] of rows) {
    if (scans.at(-1)?.time !== time) scans.push({ time, mz: [], intensity: [] });
    scans.at(-1).mz.push(mz);
    scans.at(-1).intensity.push(intensity);
  }
  return runOf(scans, { sorted: false });
}

// --- ANDI ---

const SIZES = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8 };
const GETTERS = { 1: "getInt8", 2: "getUint8", 3: "getInt16", 4: "getInt32", 5: "getFloat32", 6: "getFloat64" };

/** The attributes of a netCDF file in the classic formats, and its variables as { type, values }. */
function readNetcdf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[3];
  if (version !== 1 && version !== 2)
    throw new Unreadable(`is netCDF of version ${version}, which this page cannot read; ${CONVERT}`);
  let at = 4;
  const whole = () => view.getInt32((at += 4) - 4);
  const place = () => (version === 1 ? whole() : Number(view.getBigInt64((at += 8) - 8)));
  const padded = (size) => size + ((4 - (size % 4)) % 4);
  const text = (from, size) => new TextDecoder("latin1").decode(bytes.subarray(from, from + size));
  const name = () => {
    const size = whole();
    at += padded(size);
    return text(at - padded(size), size);
  };
  const numbers = (type, from, n) =>
    Float64Array.from({ length: n }, (_, i) => view[GETTERS[type]](from + i * SIZES[type]));
  const list = (read) => {
    whole(); // a tag
    return Array.from({ length: whole() }, read);
  };
  const attribute = () => {
    const [key, type, n] = [name(), whole(), whole()];
    const from = at;
    at += padded(n * SIZES[type]);
    return [key, type === 2 ? text(from, n).split("\0")[0] : numbers(type, from, n)[0]];
  };
  const nRecords = whole();
  const dimensions = list(() => [name(), whole()][1]);
  const attributes = Object.fromEntries(list(attribute));
  const declared = list(() => {
    const key = name();
    const shape = Array.from({ length: whole() }, whole).map((id) => dimensions[id]);
    const own = Object.fromEntries(list(attribute));
    const type = whole();
    const size = whole();
    return { key, shape, own, type, size, begin: place() };
  });
  const records = declared.filter(({ shape }) => shape[0] === 0);
  const step = records.length === 1
    ? records[0].shape.slice(1).reduce((n, side) => n * side, SIZES[records[0].type])
    : records.reduce((sum, { size }) => sum + size, 0);
  const variables = Object.fromEntries(declared.map(({ key, shape, own, type, begin }) => {
    const isRecord = shape[0] === 0;
    const each = shape.slice(isRecord ? 1 : 0).reduce((n, side) => n * side, 1);
    const end = begin + each * SIZES[type] + (isRecord ? (nRecords - 1) * step : 0);
    if (!(end <= bytes.length)) throw new RangeError(`${key} ends behind the file`);
    const read = () => {
      if (!isRecord) return numbers(type, begin, each);
      const parts = Array.from({ length: nRecords }, (_, n) => [...numbers(type, begin + n * step, each)]);
      return Float64Array.from(parts.flat());
    };
    return [key, { attributes: own, read }];
  }));
  return { attributes, variables };
}

function readAndi(bytes) {
  try {
    return scansOfAndi(readNetcdf(bytes));
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    throw new Unreadable("is netCDF that is damaged or cut short");
  }
}

function scansOfAndi({ attributes, variables }) {
  for (const name of ["scan_acquisition_time", "mass_values", "intensity_values", "point_count"])
    if (!(name in variables)) throw new Unreadable(`is netCDF without ${name}: no ANDI run of mass spectra`);
  const kind = String(attributes.experiment_type ?? "").toLowerCase();
  if (kind.includes("library")) throw new Unreadable("is a library of spectra, not a run");
  if (kind.includes("continu")) throw profileData("declares");
  const numbers = (name) => {
    const { attributes: own, read } = variables[name];
    const fills = [FILL, own._FillValue, own.missing_value];
    return read().map((value) => fills.includes(value) || value > NETCDF_FILL
      ? NaN : value * (own.scale_factor ?? 1) + (own.add_offset ?? 0));
  };
  const times = numbers("scan_acquisition_time");
  const counts = numbers("point_count");
  const [mz, intensity] = [numbers("mass_values"), numbers("intensity_values")];
  const said = [variables.scan_acquisition_time.attributes.units, attributes.units].map((unit) => String(unit ?? "").toLowerCase());
  const unit = said.map((words) => [/\bmin/, /\b(ms\b|msec|milli)/, /\b(s\b|sec)/].findIndex((name) => name.test(words)))
    .find((found) => found >= 0);
  const perMinute = [1, 60000, 60][unit ?? 2];
  let next = 0;
  const starts = "scan_index" in variables ? numbers("scan_index") : counts.map((n) => (next += n) - n);
  const scans = Array.from(times, (time, scan) => {
    const [start, end] = [starts[scan], starts[scan] + counts[scan]];
    if (!(counts[scan] === 0 || (start >= 0 && end <= mz.length && counts[scan] > 0)))
      throw new Unreadable(`scan ${scan + 1} has points that are not in the file`);
    const ions = { time: time / perMinute, mz: mz.slice(start, end), intensity: intensity.slice(start, end) };
    ions.mz.forEach((value, at) => {
      if (Number.isNaN(value) || Number.isNaN(ions.intensity[at])) ions.mz[at] = ions.intensity[at] = 0;
    });
    return ions;
  });
  return runOf(scans, { sorted: true });
}

// --- mzML ---

const MINUTES = { "UO:0000031": 1, "UO:0000010": 1 / 60, "UO:0000028": 1 / 60000 };
const ARRAYS = { "MS:1000523": Float64Array, "MS:1000521": Float32Array, "MS:1000519": Int32Array, "MS:1000522": BigInt64Array };
const [LEVEL, MSN, SIM, CENTROID, PROFILE] = ["MS:1000511", "MS:1000580", "MS:1000582", "MS:1000127", "MS:1000128"];
const [MZ_ARRAY, INTENSITY_ARRAY, ZLIB, PLAIN, START] = ["MS:1000514", "MS:1000515", "MS:1000574", "MS:1000576", "MS:1000016"];
const LIGHT = ["MS:1000804", "MS:1000805", "MS:1000806", "MS:1000617"];

async function readMzml(text) {
  const page = new DOMParser().parseFromString(text, "application/xml");
  if (page.querySelector("parsererror")) throw new Unreadable("is mzML that is damaged or cut short");
  const groups = Object.fromEntries([...page.querySelectorAll("referenceableParamGroup")].map((group) => [group.id, group]));
  const params = (element) => {
    const own = [element, ...[...element.children].filter((child) => child.localName === "referenceableParamGroupRef")
      .map((child) => groups[child.getAttribute("ref")]).filter(Boolean)];
    const found = own.flatMap((each) => [...each.children].filter((child) => child.localName === "cvParam"));
    return new Map(found.map((param) => [param.getAttribute("accession"), param]));
  };
  let spectra = [];
  for (const element of page.querySelectorAll("spectrum")) {
    const said = params(element);
    const all = [said, ...[...element.querySelectorAll("binaryDataArray")].map(params)];
    if (all.some((terms) => LIGHT.some((term) => terms.has(term)))) continue;
    if (said.has(LEVEL) ? said.get(LEVEL).getAttribute("value") !== "1" : said.has(MSN)) continue;
    const name = element.getAttribute("id") ?? "";
    spectra.push({ element, said, name, of: /(?:^|\s)function=(\S+)/.exec(name)?.[1] ?? "" });
  }
  const full = spectra.filter(({ said }) => !said.has(SIM));
  if (full.length) spectra = full;
  const sizes = new Map();
  for (const { of } of spectra) sizes.set(of, (sizes.get(of) ?? 0) + 1);
  const most = [...sizes].reduce((best, each) => (each[1] > best[1] ? each : best), ["", 0])[0];
  const scans = [];
  for (const { element, said, name, of } of spectra) {
    if (of !== most) continue;
    if (said.has(PROFILE) && !said.has(CENTROID)) throw profileData("declares");
    const scan = { time: NaN, mz: [], intensity: [] };
    for (const array of element.querySelectorAll("binaryDataArray")) {
      const terms = params(array);
      const what = terms.has(MZ_ARRAY) ? "mz" : terms.has(INTENSITY_ARRAY) ? "intensity" : null;
      if (what) scan[what] = await binary(array, terms);
    }
    if (scan.mz.length !== scan.intensity.length) throw new Unreadable(`spectrum ${name} has unequal arrays`);
    const start = [...element.querySelectorAll("scan")].map((each) => params(each).get(START)).find(Boolean);
    if (!start && !scan.mz.length) continue;
    scan.time = Number(start?.getAttribute("value")) * MINUTES[start?.getAttribute("unitAccession")];
    if (!Number.isFinite(scan.time)) throw new Unreadable(`spectrum ${name} has no time in a known unit`);
    scans.push(scan);
  }
  return runOf(scans, { sorted: true });
}

async function binary(array, terms) {
  const kind = Object.keys(ARRAYS).find((term) => terms.has(term));
  if (!kind || !(terms.has(ZLIB) || terms.has(PLAIN)))
    throw new Unreadable(`has arrays in an encoding that this page cannot read; ${CONVERT}`);
  const text = array.querySelector("binary").textContent.replace(/\s+/g, "");
  let bytes = fromBase64(text);
  if (terms.has(ZLIB) && bytes.length) bytes = await unpacked(bytes, "deflate");
  return Float64Array.from(new ARRAYS[kind](bytes.buffer), Number);
}
