"""Models without Python: whole graphs for other software, and pages that predict in a browser."""

from __future__ import annotations

from pathlib import Path

from gale.model import Model
from gale.plumbing.files import writing
from gale.plumbing.kinds import checked
from gale.portable.page import page
from gale.portable.whole import whole_graph


@checked
def export_whole(
    model: Model, path: str | Path, *, int8: bool = False, force: bool = False
) -> None:
    """Write a model and its features as one ONNX file, for software without Python.

    Its inputs are the times of the scans of one run, and the scan, m/z and intensity of each ion;
    its outputs are those of the model, and the times of the spectra that the evidence is of. The
    page ``docs/whole_graphs.md`` says what a reader can rely on.

    Parameters
    ----------
    model : Model
    path : str or Path
        File to write, which usually ends with ``.onnx``.
    int8 : bool
        Store the weights of the networks as 8-bit whole numbers: a smaller file, and slightly
        other probabilities.
    force : bool
        Whether to overwrite an existing file.

    Raises
    ------
    ModelError
        If the model's graph is of an older operator set than the features need.
    OutputError
        If the file exists and `force` is false, or cannot be written.

    Examples
    --------
    Here ``model_file`` and ``run_file`` are the paths of a small model and of a run.

    >>> import gale, onnxruntime, tempfile
    >>> model, run = gale.Model.load(model_file), gale.read_run(run_file)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     gale.export_whole(model, f"{folder}/whole.onnx")
    ...     session = onnxruntime.InferenceSession(f"{folder}/whole.onnx")
    >>> ions = {"scan_of_ion": run.scan_of_ion, "mz": run.mz, "intensity": run.intensity}
    >>> (probability,) = session.run(["probability"], {"time_min": run.time_min, **ions})
    >>> probability.shape, round(float(probability[0, 1]), 2)
    ((1, 9), 0.28)
    """
    data = whole_graph(model, int8=int8)
    with writing(Path(path), force=force) as temporary:
        temporary.write_bytes(data)


@checked
def export_page(
    model: Model,
    path: str | Path,
    *,
    runtime: str | Path,
    int8: bool = False,
    force: bool = False,
) -> None:
    """Write a page that predicts runs in a browser, offline and without sending them anywhere.

    The page takes CSV, ANDI and mzML runs by drop, shows their probabilities, chromatogram and
    evidence over time. It is one HTML file of 4 MB and what the model takes, in UTF-16.

    Parameters
    ----------
    model : Model
    path : str or Path
        File to write, which usually ends with ``.html``.
    runtime : str or Path
        Folder with ONNX Runtime Web, which becomes part of the page: the package onnxruntime-web
        of the npm registry, unpacked (``npm pack onnxruntime-web``) or installed.
    int8 : bool
        Store the weights of the networks as 8-bit whole numbers, see :func:`export_whole`.
    force : bool
        Whether to overwrite an existing file.

    Raises
    ------
    GaleError
        If the folder does not have the files of that package.
    ModelError
        If the model's graph is of an older operator set than the features need.
    OutputError
        If the file exists and `force` is false, or cannot be written.

    Examples
    --------
    Here ``model_file`` is the path of a small model. Without the package, the error says how to get
    it:

    >>> import gale
    >>> model = gale.Model.load(model_file)
    >>> gale.export_page(model, "gale.html", runtime="package")
    Traceback (most recent call last):
        ...
    gale.errors.GaleError: package: has no file ort.wasm.bundle.min.mjs; expected ...
    """
    data = page(model, Path(runtime), int8=int8)
    with writing(Path(path), force=force) as temporary:
        temporary.write_bytes(data)
