"""Files and folders of instrument software, written byte by byte to test the readers."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from gale.run import Run


def nominal_run(n_scans: int = 40, *, seed: int = 0, empty: tuple[int, ...] = ()) -> Run:
    """A run of about 3 min whose numbers all of the formats can hold exactly."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(3, 10, n_scans)
    counts[list(empty)] = 0
    mz = np.concatenate([np.sort(rng.choice(300, n, replace=False)) + 40.0 for n in counts])
    intensity = rng.integers(1, 4_000, len(mz)) * 8.0 ** rng.choice([0, 0, 0, 1, 2], len(mz))
    time_min = (150_000 + np.arange(n_scans) * 4_500) / 60_000
    return Run.from_scans(time_min, counts, mz, intensity)


def each_scan(run: Run) -> list[tuple[float, list[tuple[float, float]]]]:
    """Time and ions of each scan."""
    scans = []
    for s, time in enumerate(run.time_min.tolist()):
        ions = slice(run.scan_start[s], run.scan_start[s + 1])
        pairs = zip(run.mz[ions].tolist(), run.intensity[ions].tolist(), strict=True)
        scans.append((time, list(pairs)))
    return scans


def _packed(intensity: float) -> int:
    power = 0
    while intensity / 8**power > 0x3FFF:
        power += 1
    return power << 14 | round(intensity / float(8**power))


def data_ms(
    run: Run,
    *,
    kind: bytes = b"GC / MS Data File",
    extra_words: Mapping[int, int] | None = None,
) -> bytes:
    """A data.ms; `extra_words` is the number of unknown words at the end of some scans."""
    header = bytearray(5_768)
    header[:4] = b"\x012\0\0"
    texts = ((4, kind), (0x18, b"a run"), (0xB2, b"06 Jun 24  02:31 pm"), (0xD0, b"5977B MSD"))
    for at, text in texts:
        header[at : at + 1 + len(text)] = bytes([len(text)]) + text
    records, directory = bytearray(), bytearray()
    for s, (minutes, ions) in enumerate(each_scan(run)):
        milliseconds = round(minutes * 60_000)
        total = round(sum(intensity for _, intensity in ions))
        top = max(ions, key=lambda ion: ion[1], default=(0.0, 0.0))
        extra = (extra_words or {}).get(s, 0)
        n_words = 14 + 2 * len(ions) + extra
        directory += struct.pack(">III", (len(header) + len(records)) // 2 + 1, milliseconds, total)
        records += struct.pack(">HIHHHH", n_words, milliseconds, n_words - 8, 1, 0, len(ions))
        records += struct.pack(">HH", round(top[0] * 20), _packed(top[1]))
        for mz, intensity in reversed(ions):  # the makers' software goes down in m/z
            records += struct.pack(">HH", round(mz * 20), _packed(intensity))
        records += struct.pack(">HHHI", 5, 4, 0, total) + bytes(2 * extra)
    header[0x104:0x10C] = struct.pack(
        ">II", (len(header) + len(records)) // 2 + 1, len(header) // 2 + 1
    )
    header[0x116:0x11A] = struct.pack(">I", run.n_scans)
    header[0x142:0x144] = struct.pack("<H", run.n_scans % 65_536)
    return bytes(header + records + directory)


SCAN_FIELDS = (
    *(("ScanID", "int"), ("ScanMethodID", "int"), ("TimeSegmentID", "int")),
    *(("ScanTime", "double"), ("MSLevel", "int"), ("ScanType", "int"), ("TIC", "double")),
    *(("BasePeakMZ", "double"), ("BasePeakValue", "double"), ("CycleNumber", "int")),
)
SPECTRUM_FIELDS = (
    *(("SpectrumFormatID", "int"), ("SpectrumOffset", "long"), ("ByteCount", "int")),
    *(("PointCount", "int"), ("MinY", "double"), ("MaxY", "double")),
)


def schema(
    scan: tuple[tuple[str, str], ...] = SCAN_FIELDS,
    spectrum: tuple[tuple[str, str], ...] = SPECTRUM_FIELDS,
) -> bytes:
    def elements(fields: tuple[tuple[str, str], ...]) -> str:
        return "".join(f'<xs:element name="{name}" type="xs:{kind}"/>' for name, kind in fields)

    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        '<xs:element name="MSScanBin"/><xs:complexType name="ScanRecordType"><xs:sequence>'
        f"{elements(scan)}"
        '<xs:element name="SpectrumParamValues" type="mstns:SpectrumParamsType"/>'
        '</xs:sequence></xs:complexType><xs:complexType name="SpectrumParamsType"><xs:sequence>'
        f"{elements(spectrum)}</xs:sequence></xs:complexType></xs:schema>"
    ).encode()


def masshunter(
    run: Run, *, scan_types: Mapping[int, int] | None = None, method: int = 1
) -> dict[str, bytes]:
    """The files of a .D folder; scans missing in `scan_types` are of type 1, full scans."""
    peaks = bytearray(68)
    records = bytearray()
    for s, (minutes, ions) in enumerate(each_scan(run)):
        total = sum(intensity for _, intensity in ions)
        top = max(ions, key=lambda ion: ion[1], default=(0.0, -3.4e38))
        kind = (scan_types or {}).get(s, 1)
        records += struct.pack("<iiidii", s + 1, method, 0, minutes, 1, kind)
        records += struct.pack("<dddi", total, *top, 0)
        records += struct.pack("<iqii", 1, len(peaks) if ions else 0, 16 * len(ions), len(ions))
        records += struct.pack("<dd", 1.8e308 if not ions else 0.0, top[1])
        for column in zip(*ions, strict=True):
            peaks += struct.pack(f"<{len(ions)}d", *column)
    header = bytearray(0xA0)
    header[0x58:0x5C] = struct.pack("<I", len(header))
    contents = (
        "<Contents><AcquiredTime>2024-06-06T14:31:49+02:00</AcquiredTime>"
        "<InstrumentName>5977B MSD</InstrumentName></Contents>"
    )
    return {
        "AcqData/MSScan.xsd": schema(),
        "AcqData/MSScan.bin": bytes(header + records),
        "AcqData/MSPeak.bin": bytes(peaks),
        "AcqData/Contents.xml": contents.encode(),
        "AcqData/MSTS.xml": f"<T><NumOfScans>{run.n_scans}</NumOfScans></T>".encode(),
    }


def _standard(mz: float, intensity: float) -> bytes:
    power = 0
    while intensity / 4**power > 0x1FFF:
        power += 1
    return struct.pack("<HI", round(intensity / 4**power) << 3 | power, round(mz * 1024))


def _intense(mz: float, intensity: float) -> bytes:
    power = 0
    while intensity / 4**power > 0x7FFF:
        power += 1
    return struct.pack("<hI", round(intensity / 4**power), round(mz * 128) << 4 | power)


def _accurate(mz: float, intensity: float) -> bytes:
    power, exponent = 0, 0
    while intensity / 4**power > 0x7FFF:
        power += 1
    while mz >= 2**exponent:
        exponent += 1
    mantissa = round(mz * 2 ** (23 - exponent))
    return struct.pack("<hI", round(intensity / 4**power), mantissa << 9 | exponent << 4 | power)


IONS = {1: _standard, 8: _intense, 9: _accurate}


def function(kind: int, data_type: int, mz_min: float = 0.0, mz_max: float = 0.0) -> bytes:
    """The record of a function in _FUNCTNS.INF."""
    ranges = struct.pack("<f", mz_min) + bytes(124) + struct.pack("<f", mz_max) + bytes(124)
    return struct.pack("<H", kind | data_type << 10) + bytes(158) + ranges


def masslynx(run: Run, *, data_type: int = 9, header: str = "") -> dict[str, bytes]:
    """The files of a .raw folder with one function."""
    index, ions_of_all = bytearray(), bytearray()
    for minutes, ions in each_scan(run):
        total = sum(intensity for _, intensity in ions)
        index += struct.pack("<IIff", len(ions_of_all), len(ions) | 1 << 30, total, minutes)
        index += bytes(6)
        ions_of_all += b"".join(IONS[data_type](*ion) for ion in ions)
    return {
        "_FUNCTNS.INF": function(0, data_type, 40.0, 340.0),
        "_FUNC001.IDX": bytes(index),
        "_FUNC001.DAT": bytes(ions_of_all),
        "_HEADER.TXT": f"$$ Acquired Name: a run\r\n$$ Instrument: GCT\r\n{header}".encode(),
    }


def lay_out(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a folder, and return it."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def lower(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files as the readers get them: by name alone, in lower case."""
    return {name.rpartition("/")[2].lower(): data for name, data in files.items()}


FOLDERS: dict[str, Callable[[Run], dict[str, bytes]]] = {
    "chemstation": lambda run: {"DATA.MS": data_ms(run)},
    "masshunter": masshunter,
    "masslynx": masslynx,
}
