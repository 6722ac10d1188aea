"""Tasks for worker processes that do what files must not be able to do to a server."""

from __future__ import annotations

import os
import time
from typing import Any


def begin() -> Any:
    """Make the function that does tasks."""
    return handle


def handle(task: dict[str, Any]) -> dict[str, Any]:
    match task["do"]:
        case "sleep":
            time.sleep(task["seconds"])
        case "allocate":
            return {"size": len(bytearray(task["bytes"]))}
        case "exit":
            os._exit(3)
        case "fail":
            raise KeyError("a bug")
    return {"process": os.getpid()}
