"""What a resumed session must keep: by the rule, and in captures, where any number of processes finds the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hierarchy import hierarchy, hosts, make_leaf
from offers_by_hand import CHOSEN_13, CHOSEN_SHARE, GROUPS, KEYS, MODES, SCHEMES, SHARES, VERSIONS_13, answer, hello
from repeated_talks import OTHER_SERVER, Capture
from sessions_by_hand import CLIENT, SERVER, client_hello, extension, message, server_hello

from analyzer.analysis.resumption_rules import resumption_findings
from analyzer.cli.main import main

ID = b"I" * 32
OFFER_13 = (VERSIONS_13, GROUPS, SCHEMES, SHARES, MODES)
EXTENDED = extension(23, b"")
CODES = {"resumed_other_name", "resumed_other_secret", "resumed_other_suite", "copied_ticket"}
AES_128, AES_256 = 0x1301, 0x1302

Flight = tuple[int, bytes]


def record(content_type: int, body: bytes) -> bytes:
    return bytes([content_type, 3, 3]) + len(body).to_bytes(2, "big") + body


def named(name: str | None) -> bytes:
    if name is None:
        return b""
    entry = b"\0" + len(name).to_bytes(2, "big") + name.encode()
    return extension(0, len(entry).to_bytes(2, "big") + entry)


def with_id(hello: bytes, session_id: bytes) -> bytes:
    body = hello[4:38] + bytes([len(session_id)]) + session_id + hello[39:]
    return message(hello[0], body)


CHANGE, SEALED = record(20, b"\1"), record(22, b"e" * 40)
DATA = record(23, b"d" * 60)


def full(name: str | None, asked: bool, answered: bool, suite: bytes = b"\xc0\x2f", session_id: bytes = ID) -> list[Flight]:
    """A full handshake of TLS 1.2 up to data, without its certificates' content."""
    hello = client_hello(named(name), *[EXTENDED] * asked, suites=b"\xc0\x2f\xc0\x30")
    answer = with_id(server_hello(*[EXTENDED] * answered, suite=suite), session_id)
    exchange = message(12, b"\3\0\x17\x41\4" + b"P" * 64 + b"\4\1\0\4sign")
    return [
        (CLIENT, record(22, hello)),
        (SERVER, record(22, answer + message(11, b"\0\0\0") + exchange + message(14))),
        (CLIENT, record(22, message(16, b"\x41\4" + b"Q" * 64)) + CHANGE + SEALED),
        (SERVER, CHANGE + SEALED),
        (CLIENT, DATA),
    ]


def short(name: str | None, asked: bool, answered: bool, suite: bytes = b"\xc0\x2f", session_id: bytes = ID) -> list[Flight]:
    """A handshake that resumes that one."""
    hello = with_id(client_hello(named(name), *[EXTENDED] * asked, suites=b"\xc0\x2f\xc0\x30"), session_id)
    answer = with_id(server_hello(*[EXTENDED] * answered, suite=suite), session_id)
    return [
        (CLIENT, record(22, hello.replace(b"C" * 32, b"D" * 32))),
        (SERVER, record(22, answer.replace(b"S" * 32, b"R" * 32)) + CHANGE + SEALED),
        (CLIENT, CHANGE + SEALED),
        (CLIENT, DATA),
    ]


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Returns code, severity and frames of the findings about resumption of the last session: the same with 1, 2, 3 jobs."""

    def read(*talks: list[Flight], server: bytes | None = None) -> list[dict[str, Any]]:
        capture = Capture()
        for number, flights in enumerate(talks):
            if server is not None and number:
                capture.add(flights, server)
            else:
                capture.add(flights)
        path = capture.write(tmp_path / "made.pcap")
        texts = []
        for jobs in "123":
            assert main(["sessions", str(path), "--format", "json", "-j", jobs]) == 0
            texts.append(capsys.readouterr().out)
        assert texts[0] == texts[1] == texts[2]
        records = sorted(map(json.loads, texts[0].splitlines()), key=lambda record: record["id"])
        assert [record["resumed"] for record in records] == [False, True]
        assert not [finding for finding in records[0]["findings"] if finding["code"] in CODES]
        return [finding for finding in records[1]["findings"] if finding["code"] in CODES]

    return read


def test_what_is_kept_is_calm(told):
    for extended in (False, True):
        assert told(full("a.test", extended, extended), short("A.test", extended, extended)) == []


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ((True, True), (False, False), "which has extended_master_secret, for a ClientHello without it"),
        ((False, False), (True, True), "which has no extended_master_secret, for a ClientHello with it"),
        ((True, False), (True, False), "which has no extended_master_secret, for a ClientHello with it"),
        ((True, True), (True, False), "the ServerHello has no extended_master_secret"),
    ],
)
def test_extended_master_secret_that_one_of_two_has(first: tuple[bool, bool], second: tuple[bool, bool], words: str, told):
    (found,) = told(full("a.test", *first), short("a.test", *second))
    assert (found["code"], found["severity"]) == ("resumed_other_secret", "medium")
    assert words in found["detail"]
    assert "RFC 7627 section 5.3" in found["detail"]
    assert len(found["frames"]) == 1


def test_another_cipher_suite(told):
    (found,) = told(full("a.test", True, True), short("a.test", True, True, suite=b"\xc0\x30"))
    assert (found["code"], found["severity"]) == ("resumed_other_suite", "medium")
    assert "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, with TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" in found["detail"]


def test_another_name_at_the_same_server(told):
    (found,) = told(full("a.test", True, True), short("b.test", True, True))
    assert (found["code"], found["severity"]) == ("resumed_other_name", "medium")
    assert '"a.test", for the name "b.test"' in found["detail"]


@pytest.mark.parametrize("names", [("a.test", None), (None, "a.test"), (None, None)])
def test_no_name_is_no_other_name(names: tuple[str | None, str | None], told):
    assert "resumed_other_name" not in [
        found["code"] for found in told(full(names[0], True, True), short(names[1], True, True))
    ]


def test_at_another_server_nothing_shows_that_the_session_continues(told):
    assert told(full("a.test", True, True), short("b.test", False, False), server=OTHER_SERVER) == []  # an id is a server's own


def test_a_short_id_is_no_tie_for_another_name(told):
    session_id = b"\0\0\0\7"
    found = told(full("a.test", True, True, session_id=session_id), short("b.test", True, True, session_id=session_id))
    assert [one["code"] for one in found] == ["copied_ticket"]


def told_13(before: bytes | None, name: bytes | None, leaf: bytes = b"", suite: int = AES_128, **others: Any) -> list[str]:
    earlier = 7, before, (True, AES_128, 0, None, leaf), others.get("same_server", True)
    resumed = (True, suite, 0, None, b""), None, others.get("unique", True), 9
    found = resumption_findings(earlier, resumed, name, others.get("continued", False))
    assert all(one.severity == "medium" and one.frames == [9] and "session 7" in one.detail for one in found)
    return [one.code for one in found]


def test_the_certificate_decides_in_tls_1_3():
    leaf = make_leaf(hierarchy().intermediate, "a.test", changed={x509.SubjectAlternativeName: (hosts("a.test"), False)}).der
    assert told_13(b"a.test", b"b.test", leaf) == ["resumed_other_name"]
    assert told_13(b"b.test", b"a.test", leaf) == []
    assert told_13(b"a.test", b"b.test") == []  # nobody saw the certificate
    assert told_13(b"a.test", b"b.test", b"\x30\x00") == []  # nobody can read it
    assert told_13(b"a.test", None, leaf) == told_13(b"a.test", b"", leaf) == told_13(b"a.test", b"A.TEST", leaf) == []
    assert told_13(b"a.test", b"not a name", leaf) == []
    assert told_13(b"a.test", b"b.test", leaf, same_server=False) == told_13(b"a.test", b"b.test", leaf, unique=False) == []
    assert told_13(b"a.test", b"b.test", leaf, same_server=False, continued=True) == ["resumed_other_name"]


def test_the_hash_decides_in_tls_1_3():
    assert told_13(b"a.test", b"a.test", suite=AES_256, continued=True) == ["resumed_other_suite"]
    assert told_13(b"a.test", b"a.test", suite=0x1303, continued=True) == []
    assert told_13(b"a.test", b"a.test", suite=0x9999, continued=True) == []


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ((False, 0xC02F, 0, True, b""), (False, 0xC02F, 1, True, b""), ["resumed_other_suite"]),
        ((False, -1, 0, None, b""), (False, 0xC02F, 1, True, b""), []),  # of a renegotiation
        ((False, 0xC02F, 0, True, b""), (True, 0x1301, 0, None, b""), []),
        ((False, 0xC02F, 0, True, b""), (False, 0xC02F, 0, None, b""), []),
    ],
)
def test_what_is_not_known_is_not_compared(old: Any, new: Any, codes: list[str]):
    found = resumption_findings((7, None, old, True), (new, None, True, 0), None, True)
    assert [one.code for one in found] == codes
    assert all(one.frames == [] for one in found)


def replay(early: bool, server_random: bytes) -> list[Flight]:
    """A connection whose ClientHello is always the same, with a ticket, and with early data or without."""
    offer = hello(*OFFER_13, *[extension(42, b"")] * early, KEYS)
    answered = answer(CHOSEN_13, CHOSEN_SHARE, extension(41, b"\0\0"), random=server_random)
    return [(CLIENT, record(22, offer) + DATA), (SERVER, record(22, answered) + DATA), (CLIENT, DATA)]


@pytest.mark.parametrize(
    ("talks", "wanted"),
    [
        ((replay(True, b"S" * 32), replay(True, b"R" * 32)), ["repeated_random", "early_data_replay"]),
        ((replay(True, b"S" * 32), replay(True, b"S" * 32)), ["same_handshake"]),
        ((replay(False, b"S" * 32), replay(False, b"R" * 32)), ["repeated_random"]),
    ],
)
def test_a_hello_with_early_data_that_comes_again(talks: tuple[list[Flight], ...], wanted: list[str], tmp_path: Path, capsys):
    capture = Capture()
    for flights in talks:
        capture.add(flights)
    path = capture.write(tmp_path / "made.pcap")
    for jobs in "13":
        assert main(["sessions", str(path), "--format", "json", "-j", jobs]) == 0
        _, later = sorted(map(json.loads, capsys.readouterr().out.splitlines()), key=lambda one: one["id"])
        known = {"repeated_random", "early_data_replay", "same_handshake"}
        assert [one["code"] for one in later["findings"] if one["code"] in known] == wanted
