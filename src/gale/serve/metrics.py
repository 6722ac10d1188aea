"""Counters in the text format of Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the classes of the time that answers take, in seconds."""

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What was asked for, and how long the answers took.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.asked("predict", 200, 0.02)
    >>> print(metrics.text({}).splitlines()[2])
    gale_requests_total{route="predict",status="200"} 1
    """

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._classes: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
        self._seconds: dict[str, float] = defaultdict(float)
        self._bytes = 0

    def asked(self, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests[route, status] += 1
        self._classes[route][bisect_left(BOUNDS, seconds)] += 1
        self._seconds[route] += seconds

    def received(self, size: int) -> None:
        """Count bytes of files."""
        self._bytes += size

    def text(self, gauges: Mapping[str, tuple[str, str, Mapping[str, float]]]) -> str:
        """Write all, and `gauges`: help, type, and a value for each set of labels, by name."""
        lines: list[str] = []
        add = _Lines(lines)
        add.head("gale_requests_total", "Requests by route and status.", "counter")
        for (route, status), count in sorted(self._requests.items()):
            lines.append(f'gale_requests_total{{route="{route}",status="{status}"}} {count}')
        add.head("gale_request_seconds", "Seconds from request to the end of its answer.",
                 "histogram")  # fmt: skip
        for route, counts in sorted(self._classes.items()):
            add.histogram("gale_request_seconds", route, counts, self._seconds[route])
        add.head("gale_upload_bytes_total", "Bytes of files received.", "counter")
        lines.append(f"gale_upload_bytes_total {self._bytes}")
        for name, (about, kind, values) in gauges.items():
            add.head(name, about, kind)
            lines += [f"{name}{labels} {value:g}" for labels, value in values.items()]
        return "\n".join(lines) + "\n"


class _Lines:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def head(self, name: str, about: str, kind: str) -> None:
        self._lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]

    def histogram(self, name: str, route: str, counts: Iterable[int], seconds: float) -> None:
        total = 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
            total += count
            self._lines.append(f'{name}_bucket{{route="{route}",le="{bound}"}} {total}')
        self._lines.append(f'{name}_sum{{route="{route}"}} {seconds:.6f}')
        self._lines.append(f'{name}_count{{route="{route}"}} {total}')
