"""Addresses of gale itself that its output names."""

from __future__ import annotations

DOCS = "https://gale-ms.readthedocs.io/en/latest/"
"""Where the documentation is published; zensical.toml and pyproject.toml name it, too."""
