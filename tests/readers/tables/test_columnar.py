"""Arrow files and streams, and what Parquet and Arrow have in common."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from gale.errors import ReadError
from gale.readers import limits, parse_run, sniff
from helpers.errors import refused
from helpers.run_files import assert_same, frame, small_run


def written(write: Callable[..., object], **options: Any) -> bytes:
    buffer = io.BytesIO()
    write(buffer, **options)
    return buffer.getvalue()


def parquet(table: pl.DataFrame) -> bytes:
    return written(table.write_parquet)


def arrow(table: pl.DataFrame) -> bytes:
    return written(table.write_ipc)


def stream(table: pl.DataFrame) -> bytes:
    return written(table.write_ipc_stream)


KINDS = {"parquet": parquet, "arrow": arrow, "stream": stream}
Write = Callable[[pl.DataFrame], bytes]
every_kind = pytest.mark.parametrize("write", KINDS.values(), ids=KINDS)


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_arrow(compression: str) -> None:
    table = frame(small_run())
    for write in (table.write_ipc, table.write_ipc_stream):
        data = written(write, compression=compression)
        run = parse_run(data, "x")
        assert_same(run, small_run())
        assert (run.format, sniff(data), run.notes) == ("arrow", "arrow", ())


def test_arrow_in_pieces() -> None:
    table = frame(small_run())
    assert_same(parse_run(written(table.write_ipc, record_batch_size=7), "x"), small_run())


@every_kind
def test_names_and_units_as_in_text(write: Write) -> None:
    table = frame(small_run()).select(
        pl.lit("a").alias("name"),
        pl.col("intensity").cast(pl.Float32).alias("Abundance"),
        (pl.col("time") * 60).alias("RT (s)"),
        pl.col("mass").alias("m/z"),
    )
    run = parse_run(write(table), "x")
    assert run.time_min == pytest.approx(small_run().time_min)
    assert run.mz.tolist() == small_run().mz.tolist()
    assert run.intensity == pytest.approx(small_run().intensity, rel=1e-6)


@every_kind
def test_wide_tables_with_nothing_in_some_cells(write: Write) -> None:
    table = pl.DataFrame(
        {"rt_min": [1.0, 2.0, 3.0], "46": [None, 0.0, 7.0], "45": [5.0, None, float("nan")]}
    )
    run = parse_run(write(table), "x")
    assert run.ions_per_scan.tolist() == [1, 0, 1]
    assert (run.mz.tolist(), run.intensity.tolist()) == ([45, 46], [5, 7])


@every_kind
@pytest.mark.parametrize(
    ("column", "place", "found"),
    [
        (pl.Series(["a", "b"]), "column 'mass'", "String"),
        (pl.Series(["a", "b"], dtype=pl.Categorical), "column 'mass'", "dictionary (Categorical)"),
        (pl.Series([True, False]), "column 'mass'", "Boolean"),
        (pl.Series([50.0, None]), "row 2, column 'mass'", "null"),
    ],
)
def test_columns_that_are_no_numbers(
    write: Write, column: pl.Series, place: str, found: str
) -> None:
    table = pl.DataFrame({"time": [1.0, 2.0], "mass": column, "intensity": [1, 2]})
    with refused(ReadError, f"x: {place}", found=found):
        parse_run(write(table), "x")


@every_kind
def test_more_rows_than_a_run_has(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write(frame(small_run()))
    monkeypatch.setattr(limits, "FREE_CELLS", 300)
    monkeypatch.setattr(limits, "CELLS_PER_BYTE", 0)
    with refused(ReadError, "x", found="100 rows"):
        parse_run(data, "x")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.1, 0.6, 0.95])
def test_cut_short(kind: str, part: float) -> None:
    data = KINDS[kind](frame(small_run()))
    with refused(ReadError, "x", found="Parquet" if kind == "parquet" else "Arrow"):
        parse_run(data[: int(part * len(data))], "x")


def test_a_stream_without_its_end_is_noted() -> None:
    run = parse_run(stream(frame(small_run()))[:-8], "x")
    assert_same(run, small_run())
    (note,) = run.notes
    assert "end mark" in note
