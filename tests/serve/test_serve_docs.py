"""docs/serve.md: its curl line and its client do what they say, beside a server."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.services import ROOT, Server, run_csv

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(tmp_path / "data")
    (tmp_path / "run.csv").write_bytes(run_csv())
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall((ROOT / "docs" / "serve.md").read_text("utf-8"))
    kinds = [kind for kind, _ in blocks if kind != "text"]
    assert kinds == ["sh", "python"]
    for kind, text in blocks:
        here = text.replace("http://127.0.0.1:8765", server.url)
        if kind == "sh" and shutil.which("curl"):
            done = subprocess.run(
                ["sh", "-e"], input=here, text=True, capture_output=True, check=True
            )
            assert '"status":"ok"' in done.stdout
        elif kind == "python":
            assert len([line for line in text.splitlines() if line]) <= 20
            exec(compile(here, "serve.md", "exec"), {})
            assert capsys.readouterr().out.startswith("run.csv elution ok {'aromatic'")
    server.end()


def test_the_files_of_deploy_name_options_that_exist() -> None:
    """And the same port, folder and health check."""
    from helpers.commands import succeed

    known = succeed("serve", "--help").output
    for name in ("Dockerfile", "compose.yaml", "gale.service"):
        text = (ROOT / "deploy" / name).read_text("utf-8")
        words = " ".join(
            line
            for line in text.splitlines()
            if re.match(r"\s*(ENTRYPOINT|CMD|command|ExecStart)", line)
        )
        options = re.findall(r"--[a-z][a-z-]+", words)
        assert options
        assert [each for each in options if each not in known] == []
        assert "8765" in text
