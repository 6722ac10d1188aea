"""Model files taken apart, changed, and put together again."""

from __future__ import annotations

import json
from typing import Any

import onnx


def restated(data: bytes, facts: dict[str, Any] | str | None) -> bytes:
    """The same graph with other facts, a text in their place, or none."""
    proto = onnx.load_from_string(data)
    del proto.metadata_props[:]
    if facts is not None:
        text = facts if isinstance(facts, str) else json.dumps(facts, sort_keys=True)
        proto.metadata_props.add(key="gale", value=text)
    return bytes(proto.SerializeToString(deterministic=True))


def facts_of(data: bytes) -> dict[str, Any]:
    (stated,) = onnx.load_from_string(data).metadata_props
    facts: dict[str, Any] = json.loads(stated.value)
    return facts


def undated(data: bytes) -> bytes:
    """The bytes with the date of the training blotted out."""
    created = facts_of(data)["created"].encode()
    assert data.count(created) == 1
    return data.replace(created, b"?" * len(created))
