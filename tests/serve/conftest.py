"""One service that most tests share, since its worker takes seconds to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from helpers.services import MODEL, Server, client_of


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service of two models, which are the same file."""
    folder = tmp_path_factory.mktemp("service")
    with client_of(folder / "data", {"small": MODEL, "again": MODEL}, max_mb=1) as client:
        yield client


@pytest.fixture(autouse=True)
def no_server_is_left() -> Iterator[None]:
    """End servers of tests that fail."""
    yield
    while Server.started:
        server = Server.started.pop()
        if server.process.poll() is None:
            server.kill()
