"""Makes sessions that carry other sessions, and reads the records of both."""

from pathlib import Path

import orjson
from conversations import CLIENT, SERVER, packetise
from keyed import Talk, pcapng_of, talk_of

from analyzer.cli.main import main

CONNECT = (
    (CLIENT, b"CONNECT target.example:8443 HTTP/1.1\r\nHost: target.example:8443\r\n\r\n"),
    (SERVER, b"HTTP/1.1 200 Connection established\r\n\r\n"),
)
SOCKS = (
    (CLIENT, b"\5\1\0"),
    (SERVER, b"\5\0"),
    (CLIENT, b"\5\1\0\3\x0etarget.example\x20\xfb"),
    (SERVER, b"\5\0\0\1\0\0\0\0\0\0"),
)


def inside(talk: Talk, ahead=CONNECT, **options) -> Talk:
    """A session that carries the flights of another one, behind a dialogue; with the keys of both."""
    outer = talk_of([*ahead, *talk.flights], **options)
    return Talk(outer.flights, outer.sent, outer.keylog + talk.keylog)


def sessions(folder: Path, talk: Talk, segments=None, secrets: str | None = None) -> list[dict]:
    """The records of a talk, by their numbers."""
    path = folder / "talk.pcapng"
    path.write_bytes(pcapng_of(segments or packetise(talk.flights), secrets=talk.keylog if secrets is None else secrets))
    out = folder / "sessions.json"
    assert main(["sessions", str(path), "--json", "-o", str(out), "-j", "1"]) == 0
    return sorted(map(orjson.loads, out.read_bytes().splitlines()), key=lambda record: record["id"])
