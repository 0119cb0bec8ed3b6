"""The HTTP requests and responses of frames, as the packet list shows them."""

from pathlib import Path

import pytest

from .conftest import Run


@pytest.mark.parametrize(("name", "words"), [("curl-nginx-http1", "HTTP"), ("curl-nginx-http2", "HTTP/2")])
def test_requests_and_responses_are_shown_where_they_were_sent(run: Run, captures: Path, name: str, words: str):
    folder = captures / name
    lines = run("packets", folder / f"{name}.pcap", "-k", folder / f"{name}.keys").text.splitlines()
    (request,) = [line for line in lines if f"({words} GET /index.html)" in line]
    answer = next(line for line in lines if f"({words} 200)" in line)
    assert lines.index(request) < lines.index(answer)
    assert "Application Data (" in request


def test_alerts_are_named_once_they_are_decrypted(run: Run, captures: Path):
    folder = captures / "tls13-rsa"
    given = run("packets", folder / "tls13-rsa.pcapng", "-k", folder / "tls13-rsa.keys").text
    assert given.count("Alert (Level: Warning, Description: Close Notify)") == 2
    assert "Close Notify" not in run("packets", folder / "tls13-rsa.pcapng").text


def test_secrets_inside_the_capture_are_used_too(run: Run, demo: Path):
    assert ", Finished" in run("packets", demo).text
    assert "CN=www.shop.example" in run("summary", demo).text
