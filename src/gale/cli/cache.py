"""`gale cache`: what the cache of features takes, its limit, and emptying it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from gale.cli.printing import echo
from gale.plumbing.text import counted, size_text

if TYPE_CHECKING:
    import gale

EXAMPLE = """
\b
Examples:
  gale cache
  gale cache --limit 5GB
  gale cache --clear
"""

SPANS = (("day", 86400), ("hour", 3600), ("minute", 60))


def _parse_limit(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> int | str | None:
    """Read a size in bytes, or ``none``; None if the option was not given."""
    from gale.errors import GaleError
    from gale.plumbing.cache import NO_LIMIT, parse_limit

    if value is None:
        return None
    try:
        limit = parse_limit(value, "--limit")
    except GaleError as error:
        raise click.BadParameter(f"{error.found}; expected {error.expected}") from None
    return NO_LIMIT if limit is None else limit


@click.command(short_help="Show, limit or empty the cache of features.", epilog=EXAMPLE)
@click.option(
    "--limit",
    metavar="SIZE | none",
    callback=_parse_limit,
    help="Let the cache take this much at most (such as 5GB or 500 MiB) from now on; what was used "
    "least recently goes first.",
)
@click.option("--clear", is_flag=True, help="Remove everything in the cache; a limit stays.")
def command(limit: int | str | None, clear: bool) -> None:
    """Show where the cache of features is, what it takes, and how old it is.

    gale keeps the features of every run that it has read, about 0.13 MB a run, so that the next
    command need not read it again. Beyond the limit (10 GB, unless --limit set another one or the
    environment variable GALE_CACHE_LIMIT has one) the runs used least recently go, also while other
    commands work with the cache. To remove an entry costs only the time to read that run again.
    """
    import gale
    from gale.plumbing.cache import default_folder

    if limit is None:
        cache = gale.Cache.default()
    else:  # what was kept before need not be a limit
        kept = limit if isinstance(limit, int) else None
        gale.Cache(default_folder()).keep_limit(kept)
        cache = gale.Cache.default()
        if cache.limit != kept:
            echo("note: GALE_CACHE_LIMIT is set and comes before the limit kept here", err=True)
    freed = cache.clear() if clear else cache.prune()
    if freed or clear:
        echo(f"freed: {size_text(freed)}")
    echo("\n".join(usage_lines(cache)))


def usage_lines(cache: gale.Cache) -> list[str]:
    """Say where a cache is, and what it takes."""
    usage = cache.usage()
    limit = "no limit" if cache.limit is None else f"at most {size_text(cache.limit)}"
    lines = [
        f"folder:  {cache.folder}",
        f"entries: {usage.entries:,}",
        f"size:    {size_text(usage.size)} ({limit})",
    ]
    if usage.first_used is not None and usage.last_used is not None:
        last, first = (_ago(used) for used in (usage.last_used, usage.first_used))
        lines.append(f"used:    the most recent one {last}, the least recent one {first}")
    return lines


def _ago(used: datetime) -> str:
    """Say how long ago something was, in its largest unit."""
    passed = max(datetime.now(UTC) - used, timedelta(0))
    for unit, length in SPANS:
        if number := int(passed.total_seconds() // length):
            return f"{counted(number, unit)} ago"
    return "just now"
