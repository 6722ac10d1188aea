"""A campaign: runs and their known labels."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gale.campaign import competition
from gale.campaign.checksums import find_mismatches
from gale.campaign.folder import OUTSIDE, find_runs, match_runs, run_name
from gale.campaign.gathered import Labels, folder_of, labels_of, names_of
from gale.campaign.labels import (
    IN_MEMORY,
    LabelTable,
    collect_label_table,
    is_reserved,
    prevalence_of,
)
from gale.errors import CampaignError, TableError
from gale.plumbing.display import ShownInNotebooks
from gale.plumbing.files import exists
from gale.plumbing.frames import Tabular
from gale.plumbing.kinds import checked
from gale.plumbing.reading import is_folder, is_within
from gale.plumbing.remote import address_of
from gale.plumbing.tables import Problems
from gale.plumbing.text import counted, display_name, shown
from gale.run import Run

TABLES = (
    "labels.csv",
    "metadata.csv",
    "runs.csv",
    "simulation.json",
    "submission_format.csv",
    "test_labels.csv",
    "train_labels.csv",
    "truth.parquet",
    "val_labels.csv",
)
"""Files of a campaign beside its runs."""

WORKBOOKS = ("labels.xlsx", "labels.xls", "labels.ods")
"""Files in which a label table may have been left, and which gale does not read."""


@dataclass(frozen=True, eq=False, repr=False)
class Campaign(ShownInNotebooks):
    r"""R runs, their files, and their known labels for K families.

    :meth:`open` makes one and checks it. The arrays are read-only.

    Parameters
    ----------
    root : Path
        The folder.
    runs : tuple of str, length R
        Names of the runs: the ``sample_id`` in a competition folder, or the name in the label
        table, or else the path relative to `root`, with forward slashes.
    paths : tuple of Path, length R
        The file of each run.
    split : tuple of str, length R
        ``train``, ``val`` or ``test``. Without such splits: ``train`` where a label is known, else
        empty.
    families : tuple of str, length K
        Names of the families; empty if there are no labels.
    labels : array of shape (R, K), float32
        1 where the run contains the family, 0 where it does not, NaN where that is unknown.
    derivatized : array of shape (R,), float32
        1 where the sample is known to be derivatized, else NaN.
    group : tuple of str or None, length R
        What each run has in common with the others of the same group besides what it contains: a
        sample, a batch, a day. None for a run on its own.
    checksums : tuple of str or None, length R
        MD5 of each file, in lower-case hexadecimal digits; None where unknown.
    columns : mapping of str to str, optional
        Names of columns in the files of runs, for the reader.
    submission : tuple of str, optional
        Names of the runs in the competition's submission format, in its order.
    submission_families : tuple of str
        Names of the families in the submission format, in its order.
    left_out : tuple of Path
        Files in a folder of runs that are not runs.
    in_memory : mapping of str to Run
        The runs that are in memory, by name; their path is their name alone.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from gale import Campaign
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for run in ("a.csv", "b.csv"):
    ...         text = "time,mass,intensity\n0.1,18.0,5\n0.2,18.0,7\n"
    ...         _ = Path(folder, run).write_text(text)
    ...     _ = Path(folder, "labels.csv").write_text("run,alcohol,mineral\na,1,0\nb,0,\n")
    ...     campaign = Campaign.open(folder)
    >>> campaign.runs, campaign.families
    (('a', 'b'), ('alcohol', 'mineral'))
    >>> campaign.labels
    array([[ 1.,  0.],
           [ 0., nan]], dtype=float32)
    >>> campaign.select([1]).runs
    ('b',)
    """

    root: Path
    runs: tuple[str, ...]
    paths: tuple[Path, ...]
    split: tuple[str, ...]
    families: tuple[str, ...]
    labels: NDArray[np.float32]
    derivatized: NDArray[np.float32]
    group: tuple[str | None, ...]
    checksums: tuple[str | None, ...]
    columns: Mapping[str, str] | None = None
    submission: tuple[str, ...] | None = None
    submission_families: tuple[str, ...] = ()
    left_out: tuple[Path, ...] = ()
    in_memory: Mapping[str, Run] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.labels.setflags(write=False)
        self.derivatized.setflags(write=False)

    def __len__(self) -> int:
        return len(self.runs)

    def __repr__(self) -> str:
        splits = ", ".join(
            f"{count:,} {split or 'without labels'}" for split, count in Counter(self.split).items()
        )
        groups = f"{counted(self.n_groups, 'group')}, " if self.n_groups else ""
        return (
            f"<Campaign {display_name(self.root)}: {counted(len(self), 'run')} ({splits}), "
            f"{counted(len(self.families), 'family', 'families')}, "
            f"{groups}"
            f"{self.labelled.sum():,} labelled, {self.checksums.count(None):,} without checksum>"
        )

    @classmethod
    @checked
    def open(
        cls,
        path: Path | str,
        *,
        labels: Path | str | Tabular | None = None,
        columns: Mapping[str, str] | None = None,
        with_labels: bool = True,
    ) -> Campaign:
        """Open a competition folder (with a ``metadata.csv``) or a folder of runs.

        A competition folder may also contain ``train_labels.csv``, ``val_labels.csv``,
        ``test_labels.csv`` and ``submission_format.csv``. A folder of runs may contain
        ``labels.csv``, which must then name every run: by its path relative to the folder, or by
        the name of its file without the extension if only one file has that name. A column
        ``group`` of a label table names what runs have in common, see :attr:`group`. Without a
        label table, every file that could be a run counts as one, even if it is empty, damaged, or
        in a format that gale does not read. The runs themselves are not read. Links are followed
        inside the folder: one that leads out of it is left out, or refused where a table names it.

        Parameters
        ----------
        path : Path
            The folder.
        labels : Path, table or list of tables, optional
            A label table to use instead of those in the folder: a CSV file, or a table of polars,
            pandas or any other library that speaks Arrow.
        columns : mapping of str to str, optional
            Names of columns in the files of runs, for the reader.
        with_labels : bool
            False to predict: label tables are not opened, and files of runs may be missing.

        Raises
        ------
        CampaignError
            Lists all problems of the tables, and all mismatches between tables and files.
        """
        root = Path(path)
        if not is_folder(root):
            raise CampaignError(root, "is not a folder", "a folder of runs", "check the path")
        if outside := [name for name in TABLES if not is_within(root / name, root)]:
            raise CampaignError(
                root / outside[0], OUTSIDE, "a table in the folder", "copy it into the folder"
            )
        given = Path(labels) if isinstance(labels, str | Path) else labels
        opened = _open_competition if exists(root / "metadata.csv") else _open_folder
        return opened(root, given, columns, with_labels)

    @classmethod
    @checked
    def from_runs(
        cls,
        runs: Sequence[str | Path | Run],
        labels: Labels | None = None,
        *,
        families: Sequence[str] | None = None,
        groups: Sequence[Any] | None = None,
        split: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> Campaign:
        """Make a campaign of files and of runs in memory, without a folder of its own.

        Warns (`gale.GaleWarning`) of labels of other runs.

        Parameters
        ----------
        runs : sequence of length R of paths and Runs
        labels : array of shape (R, K), table, list of tables, or path of a CSV file, optional
            1, 0, or NaN, null or blank where unknown. A table of polars, pandas or any other
            library that speaks Arrow, or a file, has a column for each family, and a column ``run``
            or ``sample_id`` by whose names its rows are matched, like those of predictions; without
            it, a row for each run in their order. A column ``group`` says what runs have in common.
        families : sequence of str, length K, optional
            Names of the columns of an array; of a table, the columns to take.
        groups : sequence of length R, optional
            The group of each run, None for a run on its own, see :attr:`group`.
        split : sequence of str, length R, optional
            ``train``, ``val``, ``test`` or empty; by default ``train`` where a label is known.
        names : sequence of str, length R, optional
            By default what :meth:`gale.Model.predict` calls the runs: their path or source.
        columns : mapping of str to str, optional
            Names of columns in the files of runs, for the reader.

        Raises
        ------
        CampaignError
            If two runs have one name, or a run has no row among the labels.
        TableError
            If the labels cannot be read, or one is not 0, 1 or unknown.

        Examples
        --------
        >>> from gale import Campaign, Run
        >>> runs = [Run.from_rows([1, 2], [43, 57], [9, 4], source=name) for name in ("a", "b")]
        >>> campaign = Campaign.from_runs(runs, [[1, 0], [0, 1]], families=["alcohol", "mineral"])
        >>> campaign.runs, campaign.families, campaign.labels.tolist()
        (('a', 'b'), ('alcohol', 'mineral'), [[1.0, 0.0], [0.0, 1.0]])
        """
        named = names_of(runs, names)
        root = folder_of(runs)
        table = labels_of(named, labels, families, groups)
        if split is not None and (len(split) != len(runs) or {*split} - {*competition.SPLITS, ""}):
            raise CampaignError("split", "does not fit", "train, val, test or '' for each run")
        pairs = list(zip(named, runs, strict=True))
        return cls(
            root=root,
            runs=named,
            paths=tuple(Path(name if isinstance(run, Run) else run) for name, run in pairs),
            split=tuple(split or ("train" if known else "" for known in table.labelled)),
            families=table.families,
            labels=table.values,
            derivatized=np.full(len(runs), np.nan, dtype=np.float32),
            group=table.group or (None,) * len(runs),
            checksums=(None,) * len(runs),
            columns=columns,
            in_memory={name: run for name, run in pairs if isinstance(run, Run)},
        )

    @property
    def sources(self) -> tuple[Path | Run, ...]:
        """What each run is read from, length R: its file, or the run itself if it is in memory."""
        pairs = zip(self.runs, self.paths, strict=True)
        return tuple(self.in_memory.get(name, path) for name, path in pairs)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the runs, and the tables of the campaign that exist."""
        runs = (source for source in self.sources if isinstance(source, Path))
        tables = (self.root / name for name in TABLES)
        return (*runs, *filter(exists, tables))

    @checked
    def select(self, indices: Iterable[int] | Iterable[bool] | NDArray[np.bool_]) -> Campaign:
        """Return the campaign of some runs.

        The submission format is cut to these runs.

        Parameters
        ----------
        indices : iterable of int, or array of bool and shape (R,)
            Positions of the runs, from 0, in the wanted order; or a mask.

        Raises
        ------
        IndexError
            If a position does not exist, or a mask has another length.
        """
        chosen = np.arange(len(self))[list(indices)]
        runs = tuple(self.runs[at] for at in chosen)
        selected = set(runs)
        return replace(
            self,
            runs=runs,
            paths=tuple(self.paths[at] for at in chosen),
            split=tuple(self.split[at] for at in chosen),
            labels=self.labels[chosen],
            derivatized=self.derivatized[chosen],
            group=tuple(self.group[at] for at in chosen),
            checksums=tuple(self.checksums[at] for at in chosen),
            submission=None
            if self.submission is None
            else tuple(run for run in self.submission if run in selected),
        )

    @checked
    def of_split(self, *names: str) -> Campaign:
        """Return the campaign of the runs in some splits; it may have no runs.

        Raises
        ------
        CampaignError
            If a name is not ``train``, ``val`` or ``test``.
        """
        if unknown := set(names) - set(competition.SPLITS):
            found = " or ".join(shown(name) for name in sorted(unknown))
            raise CampaignError(self.root, f"has no split {found}", "train, val or test")
        return self.select(at for at, split in enumerate(self.split) if split in names)

    @property
    def n_groups(self) -> int:
        """Number of groups that have a name."""
        return len({*self.group} - {None})

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Whether at least one label of each run is known, shape (R,)."""
        known: NDArray[np.bool_] = np.any(np.isfinite(self.labels), axis=1)
        return known

    def prevalence(self) -> NDArray[np.float64]:
        """Return the share of each family's known labels that are positive, shape (K,).

        NaN where no label of a family is known.
        """
        return prevalence_of(self.labels)

    def family_table(self) -> pl.DataFrame:
        """Count the positive, negative and unknown labels of each family in each split.

        Returns
        -------
        polars.DataFrame
            One row per split and family, with columns ``split``, ``family``, ``positive``,
            ``negative``, ``unknown`` and ``prevalence`` (null where no label is known).
        """
        label = pl.col("label")
        positive, negative = (label == 1).sum(), (label == 0).sum()
        cells = pl.DataFrame(
            {
                "split": np.repeat(np.array(self.split, dtype=str), len(self.families)),
                "family": np.tile(np.array(self.families, dtype=str), len(self)),
                "label": self.labels.ravel(),
            },
            schema_overrides={"split": pl.String, "family": pl.String},
        )
        return cells.group_by("split", "family", maintain_order=True).agg(
            positive=positive,
            negative=negative,
            unknown=label.is_nan().sum(),
            prevalence=(positive / (positive + negative)).fill_nan(None),
        )

    def check_trainable(self) -> None:
        """Check that every family has positive and negative runs.

        Raises
        ------
        CampaignError
            Lists all families that lack one or the other; also if there are no labels.
        """
        problems = Problems(CampaignError)
        if not self.families:
            workbook = next((name for name in WORKBOOKS if exists(self.root / name)), None)
            problems.add(
                self.root,
                f"has no label table that gale reads, but {workbook}"
                if workbook
                else "has no labels",
                "a label table",
                f"save {workbook} as labels.csv" if workbook else "pass labels=...",
            )
        for family, labels in zip(self.families, self.labels.T, strict=True):
            positive, negative = int((labels == 1).sum()), int((labels == 0).sum())
            if not (positive and negative):
                problems.add(
                    self.root,
                    f"found {positive:,} positive, {negative:,} negative and "
                    f"{len(self) - positive - negative:,} unknown runs",
                    "both positive and negative ones",
                    "remove the column or add runs"
                    if negative or not positive
                    else "write 0 where the family is known to be absent; blank is unknown",
                    column=family,
                )
        problems.check()

    @checked
    def label_template(self, families: Sequence[str]) -> pl.DataFrame:
        """Return a label table of all runs to fill in: 1 for yes, 0 for no, blank for unknown.

        Parameters
        ----------
        families : sequence of str, length K
            Names of the families.

        Returns
        -------
        DataFrame
            Columns ``run`` and one per family, all blank.

        Raises
        ------
        TableError
            If a family's name is blank, reserved or given twice.

        Examples
        --------
        In a folder with a campaign:

        >>> import gale
        >>> campaign = gale.Campaign.open("campaign", with_labels=False)
        >>> campaign.label_template(["alcohol", "mineral"]).columns
        ['run', 'alcohol', 'mineral']
        """
        names = tuple(families)
        for family in names:
            if not family.strip() or names.count(family) > 1 or is_reserved(family, names):
                raise TableError(
                    shown(family), "cannot be the name of a family", "a name of its own"
                )
        blank = pl.Series([None] * len(self), dtype=pl.Int8)
        return pl.DataFrame({"run": self.runs, **dict.fromkeys(names, blank)})

    def verify_checksums(self, executor: Executor | None = None) -> int:
        """Compare the MD5 of every file with its known checksum.

        Parameters
        ----------
        executor : concurrent.futures.Executor, optional
            Computes the checksums; by default threads, one per core.

        Returns
        -------
        int
            Number of files compared; the others have no checksum.

        Raises
        ------
        CampaignError
            Lists all files that differ, are missing or cannot be read, and the number of runs
            without a checksum.
        """
        known = {path: md5 for path, md5 in zip(self.paths, self.checksums, strict=True) if md5}
        mismatches = find_mismatches(known, executor)
        problems = Problems(CampaignError)
        if mismatches and (unknown := self.checksums.count(None)):
            problems.add(self.root, f"found {counted(unknown, 'run')} without a checksum")
        for path, found in mismatches.items():
            problems.add(path, found, f"MD5 {known[path]}", "copy it again")
        problems.check()
        return len(known)

    def fingerprint(self) -> str:
        """Hash what training depends on, wherever the files are: names, families, labels, groups.

        Returns
        -------
        str
            SHA-256 in hexadecimal digits.
        """
        labels = np.nan_to_num(self.labels, nan=-1).astype(int).tolist()
        known: list[Any] = [self.runs, self.families, labels]
        if any(self.group):  # without, the hash is that of earlier versions
            known.append(self.group)
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()

    def labels_fingerprint(self) -> str:
        """Hash the known labels and groups of the runs, whatever the order of runs and families.

        A model has that of its training, by which it knows its labels again.

        Returns
        -------
        str
            SHA-256 in hexadecimal digits.
        """
        order = np.argsort(np.array(self.families, dtype=str))
        labels = np.nan_to_num(self.labels[:, order], nan=-1).astype(int).tolist()
        known: list[Any] = [sorted(self.families), sorted(zip(self.runs, labels, strict=True))]
        if any(self.group):  # without, the hash is that of earlier versions
            known.append(dict(zip(self.runs, self.group, strict=True)))
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _open_competition(
    root: Path, given: Path | Tabular | None, columns: Mapping[str, str] | None, with_labels: bool
) -> Campaign:
    problems = Problems(CampaignError)
    metadata = competition.collect_metadata(
        root / "metadata.csv", problems, check_files=with_labels and address_of(root) is None
    )
    sources = competition.collect_labels(root, given, problems) if with_labels else []
    form = competition.collect_submission(root / "submission_format.csv", problems)
    if metadata is None:
        raise problems.error()
    families, labels, group = competition.compare_labels(metadata, sources, problems)
    submission = competition.compare_submission(metadata, families, form, problems)
    problems.check()
    return Campaign(
        root=root,
        runs=metadata.runs,
        paths=metadata.paths,
        split=metadata.split,
        families=families,
        labels=labels,
        derivatized=np.array(metadata.derivatized, dtype=np.float32),
        group=group,
        checksums=metadata.checksums,
        columns=columns,
        submission=submission,
        submission_families=form.columns[1:] if form else (),
    )


def _open_folder(
    root: Path, given: Path | Tabular | None, columns: Mapping[str, str] | None, with_labels: bool
) -> Campaign:
    problems = Problems(CampaignError)
    found = find_runs(root, columns, problems)
    own = root / "labels.csv"
    source = given if given is not None else own if exists(own) else None
    if with_labels and source is not None:
        path = source if isinstance(source, Path) else Path(IN_MEMORY)
        table = collect_label_table(source, problems)
        if table is None:
            raise problems.error()
        files = list(match_runs(path, table, root, found["run"], problems).values())
        left_out = sorted(found["doubtful"] + found["other"] + found["outside"])
        left_out = [file for file in left_out if file.absolute() != path.absolute()]
    else:
        files = sorted(found["run"] + found["doubtful"])
        names = tuple(run_name(file, root) for file in files)
        table = LabelTable(names, (), np.empty((len(files), 0), dtype=np.float32))
        left_out = sorted(found["other"] + found["outside"])
        if not files:
            text, linked = f"has no run among {counted(len(left_out), 'file')}", found["outside"]
            if linked:
                lead = counted(len(linked), "is a link that leads", "are links that lead")
                text += f", of which {lead} out of it"
            remedy = "copy the runs into the folder, or name them one by one" if linked else ""
            problems.add(root, text, "at least one", remedy)
    problems.check()
    return Campaign(
        root=root,
        runs=table.runs,
        paths=tuple(files),
        split=tuple("train" if labelled else "" for labelled in table.labelled),
        families=table.families,
        labels=table.values,
        derivatized=np.full(len(table.runs), np.nan, dtype=np.float32),
        group=table.group or (None,) * len(table.runs),
        checksums=(None,) * len(table.runs),
        columns=columns,
        left_out=tuple(left_out),
    )
