"""Files, tables, text, TOML, caches, progress and worker processes: shared by all packages."""
