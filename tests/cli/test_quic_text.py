"""The line of `show` about QUIC."""

from typing import Any

from analyzer.cli.quic_text import quic_text

PATH = {"client": {"address": "192.0.2.1", "port": 5000}, "server": {"address": "192.0.2.2", "port": 443}, "frame": 1}
CALM: dict[str, Any] = {
    "versions": ["QUIC 1"], "offered_versions": None, "retries": [], "paths": [PATH], "close": None, "stateless_reset": None,
}  # fmt: skip


def test_a_calm_connection_has_only_its_version() -> None:
    assert quic_text(None) is None
    assert quic_text(CALM) == "QUIC 1"


def test_everything_that_can_happen() -> None:
    close = {"from": "server", "name": None, "code": 257, "reason": "over"}
    moved = [PATH, PATH | {"client": {"address": "2001:db8::1", "port": 6000}}]
    quic = CALM | {"versions": ["QUIC 1", "QUIC 2"], "retries": [2], "paths": moved, "close": close}
    assert quic_text(quic) == (
        "QUIC 1 → QUIC 2; after a Retry; the client was at 2 addresses: 192.0.2.1:5000, [2001:db8::1]:6000; "
        "closed by the server with 0x101: over"
    )
    reset = CALM | {"offered_versions": ["QUIC 2"], "stateless_reset": {"from": "server", "frame": 9}}
    assert quic_text(reset) == "QUIC 1; the server offered QUIC 2; ended by a stateless reset"
