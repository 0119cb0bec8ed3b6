"""Sessions whose messages are checked against the hellos: findings with their frames, what is not seen, and calm captures."""

import json
from pathlib import Path

import pytest
from offers_by_hand import (
    AES,
    ASKED,
    CHACHA,
    CHOSEN_13,
    CHOSEN_SHARE,
    COOKIE,
    ECDHE_ECDSA,
    ECDHE_RSA,
    GROUPS,
    KEYS,
    P256,
    SCHEMES,
    VERSIONS_13,
    alpn,
    answer,
    extension,
    groups,
    hello,
    hello_13,
    retry,
    share,
    shares,
)
from sessions_by_hand import CHANGE_CIPHER_SPEC, CLIENT, HANDSHAKE, SERVER, Hand, message

from analyzer.cli.main import main
from analyzer.tls.events import Finding

CODES = {"faulty_answer", "faulty_offer", "misplaced_extension", "not_offered", "repeated_extension", "retry_changed"}
SECOND = hello(VERSIONS_13, GROUPS, SCHEMES, shares(share(P256)))
AFTER = answer(CHOSEN_13, extension(51, share(P256)))
OTHER = answer(CHOSEN_13, extension(51, share(P256)), suite=CHACHA)
ANSWER = answer(CHOSEN_13, CHOSEN_SHARE)


def found(hand: Hand) -> list[tuple[str, int]]:
    """Codes and frames of the findings."""
    hand.end()
    return [(one.code, *one.frames) for one in hand.of(Finding) if one.code in CODES]


def talk(*messages: bytes) -> Hand:
    """A session with these messages, one a record. The first is in frame 2."""
    hand = Hand()
    for one in messages:
        hand.handshake(SERVER if one[0] in (2, 8, 11, 12) else CLIENT, one)
    return hand


@pytest.mark.parametrize(
    ("messages", "wanted"),
    [
        ((hello_13(), ANSWER), []),
        ((hello_13(), answer(CHOSEN_13, CHOSEN_SHARE, suite=b"\x13\2")), [("not_offered", 3)]),
        ((hello_13(), answer(CHOSEN_13, CHOSEN_SHARE, session=b"another")), [("faulty_answer", 3)]),
        ((hello_13(compression=b"\0\1"), ANSWER), [("faulty_offer", 2)]),
        ((hello(suites=ECDHE_RSA), answer(suite=ECDHE_RSA, session=b"another")), []),
        ((hello_13(), retry(ASKED), SECOND, AFTER), []),
        ((hello_13(), retry(ASKED, session=b"another"), SECOND, AFTER), [("faulty_answer", 3)]),
        ((hello_13(), retry(), hello_13(), ANSWER), [("faulty_answer", 3)]),
        (
            (hello_13(), retry(ASKED), hello(VERSIONS_13, GROUPS, SCHEMES, shares(share(P256)), random=b"D" * 32), AFTER),
            [("retry_changed", 4)],
        ),
        ((hello_13(), retry(ASKED), SECOND, OTHER), [("faulty_answer", 5)]),
        ((hello_13(), retry(COOKIE), hello_13(COOKIE), ANSWER), []),
    ],
)  # fmt: skip
def test_hellos(messages, wanted):
    for _ in range(2):  # the second time as it is remembered
        assert found(talk(*messages)) == wanted


def test_a_key_exchange_in_plaintext():
    exchange = message(12, b"\3\0\x18\3key\4\3\0\3sig")
    offered = hello(SCHEMES, groups(P256), suites=ECDHE_ECDSA)
    assert found(talk(offered, answer(suite=ECDHE_ECDSA), exchange)) == [("not_offered", 4)]
    calm = message(12, b"\3\0\x17\3key\4\3\0\3sig")
    assert found(talk(offered, answer(suite=ECDHE_ECDSA), calm)) == []


def test_messages_that_only_secrets_show():
    hand = talk(hello_13(), ANSWER)
    opened(hand, SERVER, message(8, b"\0\x09" + alpn(b"h2")), message(15, b"\4\1\0\3sig"))
    opened(hand, SERVER, message(24, b"\2"))
    assert found(hand) == [("not_offered", 4), ("not_offered", 5), ("faulty_answer", 5), ("faulty_answer", 6)]
    calm = talk(hello_13(alpn(b"h2")), ANSWER)
    opened(calm, SERVER, message(8, b"\0\x09" + alpn(b"h2")), message(15, b"\x08\4\0\3sig"), message(24, b"\1"))
    assert found(calm) == []


def opened(hand: Hand, role: int, *messages: bytes) -> None:
    """Give messages as a decrypted record has them."""
    for one in messages:
        hand.frame += 1
        hand.session.handshake.decrypting = True
        hand.session.handshake.take(role, one, 0, -1, hand.frame, hand.at)
        hand.session.handshake.decrypting = False


def test_nothing_is_compared_with_a_hello_that_was_not_seen_in_whole():
    strange = answer(CHOSEN_13, CHOSEN_SHARE, suite=b"\x13\2", session=b"another")
    alone = Hand()
    alone.handshake(SERVER, strange)
    assert found(alone) == []
    cut = Hand()
    raw = hello_13()
    cut.say(CLIENT, 22, raw[:-9], missing=9)
    cut.handshake(SERVER, strange)
    assert found(cut) == []
    half = talk(hello_13())
    half.say(SERVER, 22, strange[:-9], missing=9)
    assert found(half) == []


def test_a_hello_after_a_gap_may_be_the_second_one():
    hand = Hand()
    hand.gap(CLIENT, 100)
    hand.gap(SERVER, 100)
    hand.handshake(CLIENT, SECOND)
    hand.handshake(SERVER, answer(CHOSEN_13, extension(51, share(P256)), suite=b"\x13\2"))
    assert found(hand) == []
    lost = talk(hello_13())  # the retry and the second hello are missing
    lost.gap(CLIENT, 100)
    lost.gap(SERVER, 100)
    lost.handshake(SERVER, AFTER)
    assert found(lost) == []


def test_a_hidden_hello_is_not_compared():
    outer = extension(0xFE0D, b"\0\0\1\0\1\7\0\4enc!\0\4load")
    assert found(talk(hello_13(outer), answer(CHOSEN_13, CHOSEN_SHARE, suite=b"\x13\2"))) == []
    assert found(talk(hello_13(outer), answer(CHOSEN_13, CHOSEN_SHARE, version=b"\3\2"))) == [("faulty_answer", 3)]
    assert found(talk(hello_13(outer), answer(suite=ECDHE_RSA))) == [("not_offered", 3)]  # TLS 1.2: the outer hello counts


def test_a_renegotiation_is_not_compared():
    hand = talk(hello(suites=ECDHE_RSA), answer(suite=ECDHE_RSA))
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
    opened(hand, CLIENT, hello(suites=AES, compression=b"\1"))
    assert found(hand) == []


@pytest.mark.parametrize(
    "name", ["tls13-hello-retry-request", "tls12-client-certificate", "tls13-early-data", "ech-hello-retry-request"]
)
def test_a_capture_of_real_endpoints_breaks_none(name, capsys):
    folder = Path(__file__).resolve().parents[3] / "captures"
    paths = sorted(folder.glob(f"{name}*/*.pcap*"))
    assert paths
    for path in paths:
        keys = [argument for key in sorted(path.parent.glob("*.keys")) for argument in ("-k", str(key))]
        main(["sessions", str(path), "--format", "json", *keys])
        for line in capsys.readouterr().out.splitlines():
            assert {one["code"] for one in json.loads(line)["findings"]} & CODES == set()


def test_an_answer_to_a_second_hello_that_is_not_in_the_capture_is_compared_with_nothing():
    assert found(talk(hello_13(), retry(ASKED), AFTER)) == []


def test_a_server_hello_that_is_cut_may_have_chosen_a_key():
    early = extension(42, b"")
    for cut, wanted in ((4, []), (0, [("faulty_answer", 4)])):
        hand = talk(hello_13(extension(45, b"\1\1"), early, KEYS))
        raw = answer(CHOSEN_13, CHOSEN_SHARE)
        hand.say(SERVER, HANDSHAKE, raw[: len(raw) - cut], missing=cut)
        opened(hand, SERVER, message(8, b"\0\4" + early))
        assert found(hand) == wanted


def test_a_client_hello_that_ends_before_its_session_id() -> None:
    """Its session id is not known, so nobody echoes another one."""
    assert found(talk(message(1), ANSWER)) == []
