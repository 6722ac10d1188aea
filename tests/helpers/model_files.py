"""Model files taken apart, changed, and put together again."""

from __future__ import annotations

import json
from typing import Any

import onnx

from gale.model.file import CHECKSUM_KEY, METADATA_KEY, SEAL_SIZE, sealed


def restated(data: bytes, facts: dict[str, Any] | str | None) -> bytes:
    """The same graph with other facts, a text in their place, or none; the checksum fits."""
    proto = onnx.load_from_string(data)
    del proto.metadata_props[:]
    if facts is not None:
        text = facts if isinstance(facts, str) else json.dumps(facts, sort_keys=True)
        proto.metadata_props.add(key="gale", value=text)
    return resealed(proto)


def resealed(proto: onnx.ModelProto) -> bytes:
    """The bytes of a changed file, whose checksum fits."""
    others = [entry for entry in proto.metadata_props if entry.key != CHECKSUM_KEY]
    del proto.metadata_props[:]
    proto.metadata_props.extend(others)
    return sealed(bytes(proto.SerializeToString(deterministic=True)))


def facts_of(data: bytes) -> dict[str, Any]:
    entries = onnx.load_from_string(data).metadata_props
    (stated,) = (entry.value for entry in entries if entry.key == METADATA_KEY)
    facts: dict[str, Any] = json.loads(stated)
    return facts


def undated(data: bytes) -> bytes:
    """The bytes without the checksum, and with the date of the training blotted out."""
    created = facts_of(data)["created"].encode()
    assert data.count(created) == 1
    return data[:-SEAL_SIZE].replace(created, b"?" * len(created))
