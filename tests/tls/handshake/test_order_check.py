"""Handshakes whose messages are checked when they end: findings with their frames, doubts, losses, and calm captures."""

import json
from pathlib import Path

import pytest
from sessions_by_hand import (
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    CLIENT,
    HANDSHAKE,
    NAMES,
    RETRY_RANDOM,
    SERVER,
    TLS13,
    Hand,
    client_hello,
    events_of,
    extension,
    message,
    server_hello,
)

from analyzer.cli.main import main
from analyzer.tls.events import Finding

CODES = {"unexpected_message", "message_missing", "repeated_message"}

CERT, OTHER = (message(11, b"\0\0\7\0\0\4" + name * 4) for name in (b"c", b"d"))
NO_CERT = message(11, b"\0\0\0")
SKE = message(12, b"\3\0\x17\5\4abcd\4\3\0\3sig")
REQUEST = message(13, b"\1\1\0\2\4\3\0\0")
DONE, CKE, VERIFY = message(14), message(16, b"\4abcd"), message(15, b"\4\3\0\3sig")
ECDHE, STATIC = b"\xc0\x2b", b"\0\x9c"

EE = message(8, b"\0\0")
CERT_13, OTHER_13 = (message(11, b"\0\0\0\x09\0\0\4" + name * 4 + b"\0\0") for name in (b"c", b"d"))
NO_CERT_13 = message(11, b"\0\0\0\0")
PACKED = message(25, b"\0\1\0\0\x0d\0\0\1x")
REQUEST_13 = message(13, b"\0\0\x08\0\x0d\0\4\0\2\4\3")
FIN = message(20, b"f" * 32)


def faults(hand: Hand) -> list[tuple[str, str, list[int]]]:
    return [(one.code, one.severity, one.frames) for one in hand.of(Finding) if one.code in CODES]


def talk_12(client: list[bytes], server: list[bytes], suite: bytes = ECDHE, answer: tuple[bytes, ...] = ()) -> Hand:
    """A handshake of TLS 1.2 without secrets, one message a frame: the ServerHello is in frame 3."""
    hand = Hand()
    hand.handshake(CLIENT, client_hello(suites=suite))
    for one in (server_hello(*answer, suite=suite), *server):
        hand.handshake(SERVER, one)
    for one in client:
        hand.handshake(CLIENT, one)
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, bytes(40))
    hand.end()
    return hand


def talk_13(client: list[bytes], server: list[bytes], offer: tuple[bytes, ...] = (), answer: tuple[bytes, ...] = ()) -> Hand:
    """A handshake of TLS 1.3 whose encrypted messages were opened, one a frame: EncryptedExtensions are in frame 4."""
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13, *offer, suites=b"\x13\1"))
    hand.handshake(SERVER, server_hello(TLS13, *answer, suite=b"\x13\1"))
    opened(hand, SERVER, *server)
    opened(hand, CLIENT, *client)
    return hand


def opened(hand: Hand, role: int, *messages: bytes) -> None:
    """Give messages as a decrypted record has them."""
    handshake = hand.session.handshake
    for one in messages:
        hand.frame += 1
        handshake.decrypting = True
        handshake.take(role, one, 0, -1, hand.frame, hand.at)
        handshake.decrypting = False


@pytest.mark.parametrize(
    ("client", "server", "suite", "wanted", "doubts"),
    [
        ([CKE], [CERT, SKE, DONE], ECDHE, [], ["", ""]),
        ([CKE], [CERT, DONE], STATIC, [], ["", ""]),
        ([CERT, CKE, VERIFY], [CERT, SKE, REQUEST, DONE], ECDHE, [], ["", ""]),
        ([NO_CERT, CKE], [CERT, SKE, REQUEST, DONE], ECDHE, [], ["", ""]),
        ([CKE], [CERT, OTHER, SKE, DONE], ECDHE, [("repeated_message", "high", [5])], ["", "it sent Certificate twice"]),
        ([CKE], [CERT, OTHER, DONE], STATIC, [("repeated_message", "high", [5])], ["", "it sent Certificate twice"]),
        ([CKE], [CERT, SKE, SKE, DONE], ECDHE, [("repeated_message", "high", [6])], ["", "it sent ServerKeyExchange twice"]),
        ([CKE], [CERT, DONE], ECDHE, [("message_missing", "high", [5])], ["", "it sent no ServerKeyExchange"]),
        ([CKE, CKE], [CERT, SKE, DONE], ECDHE, [("repeated_message", "high", [8])], ["", ""]),
        (
            [CERT, CKE, VERIFY], [CERT, SKE, DONE], ECDHE, [("unexpected_message", "medium", [7])],
            ["it sent Certificate, which nobody had requested", ""],
        ),
        (
            [CERT, CKE], [CERT, SKE, REQUEST, DONE], ECDHE, [("message_missing", "high", [10])],
            ["it sent no CertificateVerify", ""],
        ),
        ([CKE], [CERT, SKE, message(99), DONE], ECDHE, [("unexpected_message", "medium", [6])], ["", ""]),
    ],
)  # fmt: skip
def test_a_handshake_of_tls_1_2(client, server, suite, wanted, doubts):
    hand = talk_12(client, server, suite)
    assert faults(hand) == wanted
    assert hand.session.handshake.authentication.doubts == doubts
    again = talk_12(client, server, suite)  # as it is remembered
    assert (faults(again), again.session.handshake.authentication.doubts) == (wanted, doubts)


def test_a_ticket_and_a_status_need_their_extensions():
    ticket, status = message(4, b"\0\0\0\0\0\4abcd"), message(22, b"\1\0\0\1x")
    hand = Hand()
    hand.handshake(CLIENT, client_hello(suites=ECDHE))
    hand.handshake(SERVER, server_hello(suite=ECDHE), CERT, status, SKE, DONE)
    hand.handshake(CLIENT, CKE)
    hand.handshake(SERVER, ticket)
    hand.say(SERVER, CHANGE_CIPHER_SPEC, b"\1")
    hand.end()
    assert faults(hand) == [("unexpected_message", "medium", [3]), ("unexpected_message", "medium", [5])]
    announced = talk_12([CKE], [CERT, SKE, DONE, ticket], answer=(extension(35, b""),))
    assert faults(announced) == []


@pytest.mark.parametrize("offered", [extension(35, b"ticket"), b""])
def test_nobody_resumes_what_was_not_offered(offered: bytes):
    hand = Hand()
    hand.handshake(CLIENT, client_hello(*([offered] if offered else []), suites=ECDHE))
    hand.handshake(SERVER, server_hello(suite=ECDHE))
    for role in (SERVER, CLIENT):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, bytes(40))
    assert faults(hand) == ([] if offered else [("message_missing", "high", [4])])


@pytest.mark.parametrize(
    ("client", "server", "wanted", "doubts"),
    [
        ([FIN], [EE, CERT_13, VERIFY, FIN], [], ["", ""]),
        ([CERT_13, VERIFY, FIN], [EE, REQUEST_13, CERT_13, VERIFY, FIN], [], ["", ""]),
        ([NO_CERT_13, FIN], [EE, REQUEST_13, CERT_13, VERIFY, FIN], [], ["", ""]),
        ([FIN], [EE, CERT_13, FIN], [("message_missing", "high", [6])], ["", "it sent no CertificateVerify"]),
        ([FIN], [EE, FIN], [("message_missing", "high", [5])], ["", "it sent no Certificate"]),
        (
            [FIN], [EE, VERIFY, CERT_13, FIN], [("unexpected_message", "high", [5])],
            ["", "its CertificateVerify is out of order"],
        ),
        ([FIN], [EE, EE, CERT_13, VERIFY, FIN], [("repeated_message", "medium", [5])], ["", ""]),
        (
            [FIN], [EE, CERT_13, VERIFY, VERIFY, FIN], [("repeated_message", "high", [7])],
            ["", "it sent CertificateVerify twice"],
        ),
        (
            [CERT_13, OTHER_13, VERIFY, FIN], [EE, REQUEST_13, CERT_13, VERIFY, FIN], [("repeated_message", "high", [10])],
            ["it sent Certificate twice", ""],
        ),
        ([FIN], [EE, REQUEST_13, CERT_13, VERIFY, FIN], [("message_missing", "medium", [9])], ["", ""]),
        (
            [CERT_13, FIN], [EE, REQUEST_13, CERT_13, VERIFY, FIN], [("message_missing", "high", [10])],
            ["it sent no CertificateVerify", ""],
        ),
        ([FIN], [EE, CERT_13, VERIFY, DONE, FIN], [("unexpected_message", "medium", [7])], ["", ""]),
        (
            [FIN], [EE, PACKED, VERIFY, FIN], [("unexpected_message", "high", [5])],
            ["", "it sent CompressedCertificate, which the client did not offer"],
        ),
    ],
)  # fmt: skip
def test_a_handshake_of_tls_1_3(client, server, wanted, doubts):
    hand = talk_13(client, server)
    assert faults(hand) == wanted
    assert hand.session.handshake.authentication.doubts == doubts


def test_what_was_offered_is_expected():
    assert faults(talk_13([FIN], [EE, PACKED, VERIFY, FIN], (extension(27, b"\2\0\1"),))) == []
    assert faults(talk_13([FIN], [EE, FIN], answer=(extension(41, b"\0\0"),))) == []


def test_after_the_handshake_of_tls_1_3():
    whole = [EE, CERT_13, VERIFY, FIN]
    willing = talk_13([FIN], whole, (extension(49, b""),))
    opened(willing, SERVER, REQUEST_13, *[message(4, b"\0" * 13)] * 200)
    opened(willing, CLIENT, CERT_13, VERIFY, FIN, *[message(24, b"\0")] * 200)
    willing.end()
    assert faults(willing) == []
    unasked = talk_13([FIN], whole)
    opened(unasked, CLIENT, CERT_13, VERIFY, FIN)
    unasked.end()
    assert faults(unasked) == [("unexpected_message", "medium", [9])]
    assert unasked.session.handshake.authentication.doubts == ["it sent Certificate, which nobody had requested", ""]
    unwilling = talk_13([FIN], whole)
    opened(unwilling, SERVER, REQUEST_13)
    unwilling.end()
    assert faults(unwilling) == [("unexpected_message", "medium", [9])]


def test_a_second_client_hello_needs_a_retry():
    retry = server_hello(TLS13, suite=b"\x13\1", random=RETRY_RANDOM)
    for first, wanted in (([retry], []), ([], [("unexpected_message", "medium", [3])])):
        hand = Hand()
        hand.handshake(CLIENT, client_hello(TLS13, suites=b"\x13\1"))
        for one in first:
            hand.handshake(SERVER, one)
        hand.handshake(CLIENT, client_hello(TLS13, suites=b"\x13\1"))
        hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
        opened(hand, SERVER, EE, CERT_13, VERIFY, FIN)
        opened(hand, CLIENT, FIN)
        assert faults(hand) == wanted


@pytest.mark.parametrize("lossy", [CLIENT, SERVER])
def test_nobody_is_blamed_for_what_the_capture_lost(lossy: int):
    hand = Hand()
    hand.handshake(CLIENT, client_hello(suites=ECDHE))
    hand.handshake(SERVER, server_hello(suite=ECDHE), CERT)
    hand.gap(SERVER, 300) if lossy == SERVER else hand.handshake(SERVER, SKE, REQUEST)
    hand.handshake(SERVER, DONE)
    hand.gap(CLIENT, 300) if lossy == CLIENT else hand.handshake(CLIENT, CERT, CKE, VERIFY)
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, bytes(40))
        hand.say(role, APPLICATION_DATA, bytes(40))
    hand.end()
    assert faults(hand) == []


def test_a_capture_that_begins_late_and_a_session_without_an_answer_have_no_faults():
    late = Hand(mid_stream=True)
    late.handshake(SERVER, CERT, DONE)
    late.handshake(CLIENT, CKE)
    late.end()
    alone = Hand()
    alone.handshake(CLIENT, client_hello(), client_hello())
    alone.end()
    assert faults(late) == faults(alone) == []


def test_very_many_messages_are_a_loss_and_not_more_memory():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(suites=ECDHE))
    hand.handshake(SERVER, server_hello(suite=ECDHE), *[message(0)] * 2000)
    assert len(hand.session.roles[SERVER].sent.numbers) < 200
    hand.handshake(SERVER, CERT, DONE)
    hand.end()
    assert faults(hand) == []


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_the_demonstration_captures_are_calm(name: str, keyed: bool):
    assert [event for event in events_of(name, keyed) if isinstance(event, Finding) and event.code in CODES] == []


def test_the_corpus_is_calm(corpus: Path, capsys: pytest.CaptureFixture[str]):
    found = set()
    for name, about in json.loads((corpus / "expected" / "meta.json").read_text()).items():
        keys = about.get("keylog") or []
        options = [part for one in ([keys] if isinstance(keys, str) else keys) for part in ("-k", str(corpus / one))]
        main(["sessions", str(corpus / name), "--format", "json", "-j", "1", *options])
        for line in capsys.readouterr().out.splitlines():
            if CODES & {finding["code"] for finding in json.loads(line)["findings"]}:
                found.add(name)
    assert found == set()


@pytest.mark.parametrize("rest", [0, 3571, 5 << 20])
def test_messages_that_cannot_be_read_are_not_missing(rest: int):
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    unread = b"1" + rest.to_bytes(3, "big") + b"0" * 50 if rest else b""
    hand.handshake(SERVER, server_hello(), message(11, b"\0\0\0"), unread)
    hand.handshake(CLIENT, message(16, b"\0"))
    hand.say(CLIENT, CHANGE_CIPHER_SPEC, b"\1")
    hand.say(SERVER, CHANGE_CIPHER_SPEC, b"\1")
    hand.end()
    missing = [one.detail for one in hand.of(Finding) if one.code == "message_missing" and "the server" in one.detail]
    assert bool(missing) == (rest == 0), missing


@pytest.mark.parametrize("late", [False, True])
def test_a_side_whose_beginning_is_not_in_the_capture_has_left_nothing_out(late: bool):
    hand = Hand()
    if late:
        hand.session.flow.late = True
    else:
        hand.gap(CLIENT, 200, lost=False)
    for one in (server_hello(suite=STATIC), CERT, DONE):
        hand.handshake(SERVER, one)
    hand.handshake(CLIENT, CKE)
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, bytes(40))
    hand.end()
    assert faults(hand) == []


def test_bytes_too_few_for_a_message_are_a_loss_too():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(suites=STATIC))
    hand.handshake(SERVER, server_hello(suite=STATIC))
    hand.say(SERVER, HANDSHAKE, CERT[:2], missing=len(CERT) - 2)
    hand.handshake(SERVER, DONE)
    hand.handshake(CLIENT, CKE)
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, bytes(40))
    hand.end()
    assert faults(hand) == []
