"""Secrets with other text around them: taken where nothing else can be meant, and never else."""

import pytest

from analyzer.secrets.keylog import LONGEST_LINE, KeyLog
from analyzer.secrets.keylog_line import Line
from analyzer.secrets.keylog_salvage import salvage

RANDOM, OTHER = bytes(range(32)), bytes(range(100, 132))
SECRET, MASTER = bytes(range(32, 64)), bytes(range(48))
LINE = f"CLIENT_TRAFFIC_SECRET_0 {RANDOM.hex()} {SECRET.hex()}"
NEXT = f"CLIENT_RANDOM {OTHER.hex()} {MASTER.hex()}"


def taken(text: str | bytes) -> list[tuple[str, bytes, bytes]]:
    """Label, session and secret of all that a key log takes from one line."""
    log = KeyLog()
    log.feed(text.encode() if isinstance(text, str) else text, "x")
    log.close()
    return [(line.label, line.session, line.secret) for line in log.lines()]


FIRST = ("CLIENT_TRAFFIC_SECRET_0", RANDOM, SECRET)
SECOND = ("CLIENT_RANDOM", OTHER, MASTER)


@pytest.mark.parametrize(
    "text",
    [
        f"[*] {LINE}",
        f"11-28 10:11:12.123  1234  1250 I sslkeylog: {LINE}",
        f"D/SSL:{LINE}",
        f"\x1b[32m{LINE}\x1b[0m",
        f'{{"type": "send", "payload": "{LINE}"}}',
        f"message: {{'type': 'send', 'payload': '{LINE}\\n'}}",
        f'"{LINE}"',
        f"'CLIENT_TRAFFIC_SECRET_0','{RANDOM.hex()}','{SECRET.hex()}'",
        f'{{"label":"CLIENT_TRAFFIC_SECRET_0","client_random":"{RANDOM.hex()}","secret":"{SECRET.hex()}"}}',
        f"> {LINE.replace(RANDOM.hex(), RANDOM.hex().upper())} <",
        f"2026-11-29T10:00:00Z QUIC_{LINE} (quic)",
        f"{LINE}; end",
        f"x {LINE}".encode("utf-16-le"),
        b"\0" + f"[*] {LINE}".encode("utf-16-be"),
    ],
)
def test_what_stands_around_a_secret(text: str | bytes):
    assert taken(text) == [FIRST]


@pytest.mark.parametrize("between", ["", " ", "\\n", ", "])
def test_lines_that_run_together_are_cut_at_the_next_label(between: str):
    assert taken(LINE + between + NEXT) == [FIRST, SECOND]
    assert taken((LINE + between + NEXT).replace(SECRET.hex(), SECRET.hex().upper())) == [FIRST, SECOND]
    assert taken(f"[*] {LINE}{between}{NEXT}{between}") == [FIRST, SECOND]


def test_the_older_form_with_text_before_it():
    log = KeyLog()
    log.feed(f"[+] RSA Session-ID:{RANDOM.hex()} Master-Key:{MASTER.hex()}\n".encode())
    assert log.by_session_id(RANDOM) == MASTER


@pytest.mark.parametrize(
    "text",
    [
        f"# {LINE}",
        f"[*] {LINE} 00",  # the secret may go on
        f"[*] {LINE}g",
        f"[*] {LINE[:-2]}",
        f"[*] NOT_{LINE}",
        f"[*] MY{LINE}",
        f"[*] CLIENT_TRAFFIC_SECRET_0 {RANDOM.hex()[:-2]} {SECRET.hex()}",
        f"[*] CLIENT_TRAFFIC_SECRET_0 {SECRET.hex()}",
        f"[*] CLIENT_TRAFFIC_SECRET_0 of the session {RANDOM.hex()} is {SECRET.hex()}",
        f"[*] {RANDOM.hex()} {SECRET.hex()}",
        f"[*] CLIENT_RANDOM {RANDOM.hex()} {SECRET.hex()}",  # a secret of TLS 1.3 under the label of TLS 1.2
        "checking keylog line",
    ],
)
def test_what_is_not_certain_is_not_taken(text: str):
    assert taken(text) == []


def test_one_note_for_all_lines_with_other_text_and_the_bad_ones_counted():
    log = KeyLog()
    log.feed(f"[*] {LINE}\n[*] {NEXT}\n[*] nothing\n[*] {LINE[:-2]}\n".encode(), "x")
    assert [(one.line, one.why) for one in log.problems] == [
        (1, "other text stands around the secret, which was read all the same"),
        (3, "no line of a key log"),
        (4, "CLIENT_TRAFFIC_SECRET_0 with a secret of 31 bytes"),
    ]
    assert (log.counts().secrets, log.counts().bad) == (2, 2)
    assert [one.why for one in log.cut_lines(RANDOM)] == ["CLIENT_TRAFFIC_SECRET_0 with a secret of 31 bytes"]


def test_thousands_of_secrets_without_line_ends():
    lines = [f"CLIENT_RANDOM {n.to_bytes(32, 'big').hex()} {MASTER.hex()}" for n in range(3 * LONGEST_LINE // 170)]
    text = "".join(lines).encode()
    assert len(text) > 2 * LONGEST_LINE
    for size in (len(text), 100_000):
        log = KeyLog()
        for pos in range(0, len(text), size):
            log.feed(text[pos : pos + size], "x")
        log.close()
        assert (log.counts().sessions, log.counts().bad) == (len(lines), 0)


def test_no_text_contains_a_secret():
    found = salvage(f"x {LINE} y {NEXT[:-2]}".encode(), "x", 1)
    assert [isinstance(one, Line) for one in found] == [True, False]
    assert SECRET.hex() not in repr(found)
