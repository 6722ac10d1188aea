"""Every error that gale raises on purpose.

::

    GaleError
    ├── ReadError                  a file cannot be read as a run or a library
    │   └── UnsupportedFormatError the file is known for what it is, and it is not a run gale reads
    ├── CampaignError              the tables and files of a campaign do not agree
    ├── TableError                 a table of predictions, labels or families cannot be used
    ├── SimulationError            a campaign cannot be simulated as asked
    ├── RecipeError                a recipe asks for something that does not exist
    ├── TrainingError              training cannot start or cannot go on
    ├── ModelError                 a file is not a model this gale can use
    ├── PlotError                  a run cannot be drawn as asked
    ├── OutputError                a result cannot be written
    └── MissingExtraError          an optional part of gale is not installed

A message is one line: the file, what was found, what was expected, what to do. The command line
prints it and exits with status 2; any other exception is a bug and keeps its traceback.
"""


class GaleError(Exception):
    """Base of all errors that a user can do something about."""


class ReadError(GaleError):
    """A file cannot be read as a run or a library."""


class UnsupportedFormatError(ReadError):
    """The file is recognised, and what it is cannot be read as a run."""


class CampaignError(GaleError):
    """The tables and files of a campaign do not agree; one line for each problem."""


class TableError(GaleError):
    """A table of predictions, labels or families cannot be used."""


class SimulationError(GaleError):
    """A campaign cannot be simulated from this library, or with these parameters."""


class RecipeError(GaleError):
    """A recipe cannot be read, or has an unknown key or a value of the wrong kind."""


class TrainingError(GaleError):
    """Training cannot start or cannot go on."""


class ModelError(GaleError):
    """A file is not a model, or not one that this version can use."""


class PlotError(GaleError):
    """A run cannot be drawn as asked: nothing is at that time, or in that range."""


class OutputError(GaleError):
    """A result cannot be written."""


class MissingExtraError(GaleError):
    """An optional part of gale is not installed."""
