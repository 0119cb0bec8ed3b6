"""Plaintext behind STARTTLS is told, and what comes before it or after the answer is not."""

import pytest

from analyzer.analysis.line_dialogues import behind_command, line_dialogue
from analyzer.analysis.starttls_injection import starttls_injection
from analyzer.engine.preface import Preface
from analyzer.flows.flow import Flow

SERVER = b"220 mx.a.test\r\n250 STARTTLS\r\n220 go\r\n"


@pytest.mark.parametrize(
    ("client", "rest"),
    [
        (b"EHLO a\r\nSTARTTLS\r\n", b""),
        (b"EHLO a\r\nSTARTTLS\r\n\r\n", b""),
        (b"EHLO a\r\nSTARTTLS\r\nMAIL FROM:<x>\r\n", b"MAIL FROM:<x>\r\n"),
        (b"a STARTTLS\r\nb LOGIN x y\r\n", b"b LOGIN x y\r\n"),
        (b"STLS\nUSER x\n", b"USER x\n"),
        (b"AUTH TLS\r\nUSER x\r\n", b"USER x\r\n"),
        (b"STARTTLS\r\nNOOP\r\nSTARTTLS\r\n", b""),
        (b"GET / HTTP/1.1\r\n\r\n", b""),
        (b"", b""),
    ],
)
def test_what_stands_behind_the_command(client: bytes, rest: bytes):
    assert behind_command(client) == rest


def flow_with(pieces: list[tuple[int, bytes]], *, cut: bool = False) -> Flow:
    flow = Flow(6, bytes(12), 1, -1, False)
    flow.before = Preface()
    for frame, (side, data) in enumerate(pieces, 4):
        flow.before.add(side, data, frame)
    flow.before.cut = cut
    return flow


def test_the_finding_has_the_frame_and_the_bytes():
    pieces = [
        (1, SERVER[:15]),
        (0, b"EHLO a\r\n"),
        (1, b"250 STARTTLS\r\n"),
        (0, b"STARTTLS\r\nMAIL FROM:<x>\r\n"),
        (1, b"220 go\r\n"),
    ]
    (finding,) = starttls_injection(flow_with(pieces))
    assert (finding.code, finding.severity, list(finding.frames)) == ("plaintext_behind_starttls", "medium", [7])
    assert "15 bytes" in finding.detail
    assert "'MAIL FROM:<x>" in finding.detail
    assert starttls_injection(flow_with(pieces, cut=True)) == []
    assert starttls_injection(flow_with([(0, b"STARTTLS\r\n"), (1, SERVER)])) == []


def test_the_dialogue_is_known_all_the_same():
    client = b"EHLO pc.test\r\nSTARTTLS\r\nMAIL FROM:<x>\r\n"
    found, n_client, n_server = line_dialogue(client, SERVER)
    assert (found["protocol"], found["client_name"]) == ("smtp", "pc.test")
    assert (n_client, n_server) == (len(client) - 15, len(SERVER))
