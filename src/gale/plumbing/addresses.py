"""Addresses of gale itself that its output names."""

from __future__ import annotations

DOCS = "https://example.org/gale/docs/"
"""Where the documentation is published; zensical.toml and pyproject.toml name it, too. It is not
decided: example.org stands for it, and no release is made before (docs/releases.md)."""
