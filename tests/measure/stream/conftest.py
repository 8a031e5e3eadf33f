from collections.abc import Iterator

import pytest
from tests.measure.stream.token_server import TokenServer, running


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    pytest.importorskip("aiohttp", reason="an endpoint is asked with aiohttp, the extra [llm]")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running() as started:
        yield started
