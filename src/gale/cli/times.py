"""Times that options take, such as 10s or 30d."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import click

UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


if TYPE_CHECKING:
    FloatType = click.ParamType[float]
else:
    FloatType = click.ParamType  # which older versions do not let say of what


class Duration(FloatType):
    """A time with its unit, in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read ``10s``, ``5min``, ``2h`` or ``30d``.

        Examples
        --------
        >>> DURATION.convert("2h", None, None), DURATION.convert("0.5s", None, None)
        (7200.0, 0.5)
        """
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|min|h|d)", str(value).strip())
        seconds = float(found[1]) * UNITS[found[2]] if found else math.nan
        if not (found and math.isfinite(seconds) and seconds < 1e12):
            self.fail(f"{value!r} is not a time such as 10s, 5min, 2h or 30d", param, ctx)
        return seconds


DURATION = Duration()
"""The type of an option that is a time."""
