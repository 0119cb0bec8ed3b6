"""Sessions that break a rule of the record layer, each beside one that does not."""

import pytest
from conversations import packetise, records, talk
from sealed_by_hand import EXTENSIONS, SealedHand
from sessions_by_hand import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    CLIENT,
    HANDSHAKE,
    HEARTBEAT,
    RETRY_RANDOM,
    SERVER,
    TLS13,
    Hand,
    client_hello,
    extension,
    message,
    server_hello,
)

from analyzer.analysis.record_findings import anomalies
from analyzer.tls.events import Finding

CODES = {
    "bad_change_cipher_spec", "data_after_alert", "empty_fragment", "interleaved_record", "record_too_long",
    "unexpected_record", "unnegotiated_heartbeat", "wrong_record_version",
}  # fmt: skip

CLOSE, FAILURE, WARNING = b"\1\0", b"\2\x28", b"\1\x70"
BEAT = b"\1\0\3abc" + bytes(16)
CERT, SKE, DONE = message(11, b"\0\0\7\0\0\4cert"), message(12, b"\3\0\x17\5\4abcd\4\3\0\3sig"), message(14)
ECDHE = b"\xc0\x2b"
TICKET = message(4, b"\0\0\0\1\0\0\0\1\1n\0\4abcd\0\0")
AGREED = extension(15, b"\1")


def faults(hand: Hand) -> list[tuple[str, str, list[int]]]:
    return [(one.code, one.severity, one.frames) for one in hand.of(Finding) if one.code in CODES]


def hellos(*offer: bytes, answer: tuple[bytes, ...] = ()) -> Hand:
    """The hellos of TLS 1.2, in frames 2 and 3."""
    hand = Hand()
    hand.handshake(CLIENT, client_hello(*offer, suites=ECDHE))
    hand.handshake(SERVER, server_hello(*answer, suite=ECDHE))
    return hand


def talk_12(*offer: bytes, answer: tuple[bytes, ...] = ()) -> Hand:
    """A handshake of TLS 1.2 without secrets: the last frame is 9."""
    hand = hellos(*offer, answer=answer)
    hand.handshake(SERVER, CERT, SKE, DONE)
    hand.handshake(CLIENT, message(16, b"\4abcd"))
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, bytes(40))
    return hand


def test_nothing_is_said_of_sound_sessions():
    for hand in (talk_12(), SealedHand().finish_handshake()):
        hand.say(CLIENT, APPLICATION_DATA, bytes(16384 + 29))
        hand.end()
        assert faults(hand) == []
    sealed = SealedHand()
    sealed.say(CLIENT, CHANGE_CIPHER_SPEC, b"\1")
    sealed.finish_handshake()
    sealed.seal(SERVER, HANDSHAKE, TICKET[:5])
    sealed.seal(SERVER, HANDSHAKE, TICKET[5:])
    sealed.seal(SERVER, APPLICATION_DATA, b"")
    sealed.seal(CLIENT, APPLICATION_DATA, bytes(16384), padding=1)
    sealed.seal(CLIENT, ALERT, WARNING[:1] + b"\x5a")
    sealed.seal(CLIENT, ALERT, CLOSE)
    sealed.seal(SERVER, APPLICATION_DATA, b"the other side may go on")
    sealed.seal(SERVER, ALERT, FAILURE)
    sealed.seal(SERVER, ALERT, CLOSE)
    sealed.end()
    assert faults(sealed) == []


@pytest.mark.parametrize("content_type", [CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE])
def test_an_empty_fragment_in_plaintext(content_type: int):
    hand = hellos()
    hand.say(SERVER, content_type, b"")
    hand.say(SERVER, content_type, b"")  # reported once
    assert ("empty_fragment", "medium", [4]) in faults(hand)
    assert len([one for one in faults(hand) if one[0] == "empty_fragment"]) == 1


@pytest.mark.parametrize("content_type", [ALERT, HANDSHAKE, HEARTBEAT])
def test_an_empty_fragment_that_is_encrypted(content_type: int):
    sealed = SealedHand().finish_handshake()
    sealed.seal(CLIENT, content_type, b"")
    assert ("empty_fragment", "medium", [6]) in faults(sealed)


def test_a_record_between_the_fragments_of_a_message():
    sealed = SealedHand().finish_handshake()
    sealed.seal(SERVER, HANDSHAKE, TICKET[:5])
    sealed.seal(CLIENT, APPLICATION_DATA, b"the other side may")
    sealed.seal(SERVER, APPLICATION_DATA, b"between")
    sealed.seal(SERVER, HANDSHAKE, TICKET[5:])
    assert faults(sealed) == [("interleaved_record", "medium", [8])]


def test_nothing_is_between_fragments_that_the_capture_lacks():
    sealed = SealedHand().finish_handshake()
    sealed.seal(SERVER, HANDSHAKE, TICKET[:5])
    sealed.gap(SERVER, 100)
    sealed.numbers[SERVER] += 1
    sealed.seal(SERVER, APPLICATION_DATA, b"behind the gap")
    assert faults(sealed) == []


@pytest.mark.parametrize(("body", "wanted"), [(b"\1", []), (b"\2", [4]), (b"\1\1", [4])])
def test_the_value_of_a_change_of_ciphers(body: bytes, wanted: list[int]):
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13, suites=b"\x13\1"))
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
    hand.say(SERVER, CHANGE_CIPHER_SPEC, body)
    assert [frames for code, _, frames in faults(hand) if code == "bad_change_cipher_spec"] == ([wanted] if wanted else [])


def test_a_change_of_ciphers_of_tls_1_2_with_another_value():
    hand = hellos()
    hand.say(SERVER, CHANGE_CIPHER_SPEC, b"\7")
    hand.say(SERVER, CHANGE_CIPHER_SPEC, bytes(40))  # encrypted: of a renegotiation
    assert faults(hand) == [("bad_change_cipher_spec", "medium", [4])]


def test_a_change_of_ciphers_after_the_finished_of_tls_1_3():
    sealed = SealedHand().finish_handshake()
    sealed.say(CLIENT, CHANGE_CIPHER_SPEC, b"\1")
    sealed.seal(SERVER, CHANGE_CIPHER_SPEC, b"\1")
    sealed.seal(CLIENT, 99, b"what is it")
    wanted = [
        ("bad_change_cipher_spec", "medium", [6]),
        ("bad_change_cipher_spec", "medium", [7]),
        ("unexpected_record", "medium", [8]),
    ]
    assert faults(sealed) == wanted


def test_the_version_of_records():
    hand = Hand()
    hand.say(CLIENT, HANDSHAKE, client_hello(suites=ECDHE), version=0x0301)  # before the answer, any version is right
    hand.handshake(SERVER, server_hello(suite=ECDHE))
    hand.say(CLIENT, ALERT, FAILURE, version=0x0301)
    assert faults(hand) == []
    hand = hellos()
    for _ in range(2):
        hand.say(SERVER, HANDSHAKE, CERT, version=0x0301)
    assert faults(hand) == [("wrong_record_version", "low", [4])]
    sealed = SealedHand().finish_handshake()
    sealed.seal(SERVER, APPLICATION_DATA, b"data", version=0x0304)
    assert faults(sealed) == [("wrong_record_version", "low", [6])]


def test_drafts_of_tls_1_3_have_their_own_record_version():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(extension(43, b"\2\x7f\x12"), suites=b"\x13\1"))
    hand.handshake(SERVER, server_hello(extension(43, b"\x7f\x12"), suite=b"\x13\1"))
    hand.say(SERVER, APPLICATION_DATA, bytes(60), version=0x0301)
    assert faults(hand) == []


@pytest.mark.parametrize(
    ("alert", "wanted"),
    [(CLOSE, [("data_after_alert", "low", [7])]), (FAILURE, [("data_after_alert", "medium", [7])]), (b"\1\x5a", [])],
)
def test_data_after_the_end_of_a_side(alert: bytes, wanted):
    sealed = SealedHand().finish_handshake()
    sealed.seal(CLIENT, ALERT, alert)
    sealed.seal(CLIENT, APPLICATION_DATA, b"data")
    sealed.seal(CLIENT, APPLICATION_DATA, b"more data")
    assert faults(sealed) == wanted


@pytest.mark.parametrize(("alert", "wanted"), [(WARNING, []), (FAILURE, [("data_after_alert", "medium", [5])])])
def test_a_handshake_that_goes_on_after_an_alert(alert: bytes, wanted):
    hand = hellos()
    hand.say(SERVER, ALERT, alert)
    hand.handshake(SERVER, CERT)
    assert faults(hand) == wanted


@pytest.mark.parametrize(
    ("offer", "answer", "wanted"),
    [
        ((), (), [[10]]),
        ((AGREED,), (), [[10]]),
        ((AGREED,), (AGREED,), []),
    ],
)
def test_heartbeats_need_an_agreement_in_tls_1_2(offer, answer, wanted):
    hand = talk_12(*offer, answer=answer)
    hand.say(CLIENT, HEARTBEAT, bytes(60))
    hand.say(CLIENT, HEARTBEAT, bytes(60))
    assert [frames for code, _, frames in faults(hand) if code == "unnegotiated_heartbeat"] == wanted


@pytest.mark.parametrize(("extensions", "wanted"), [(EXTENSIONS, [[6]]), (message(8, b"\0\5" + AGREED), [])])
def test_heartbeats_need_an_agreement_in_tls_1_3(extensions: bytes, wanted):
    sealed = SealedHand(AGREED, extensions=extensions).finish_handshake()
    sealed.seal(CLIENT, HEARTBEAT, BEAT)
    assert [frames for code, _, frames in faults(sealed) if code == "unnegotiated_heartbeat"] == wanted


def test_nothing_is_said_of_heartbeats_without_both_hellos():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(suites=ECDHE))
    answer = server_hello(suite=ECDHE)
    hand.say(SERVER, HANDSHAKE, answer[:40], missing=len(answer) - 40)
    hand.say(CLIENT, HEARTBEAT, BEAT)
    assert faults(hand) == []


SHORT = extension(1, b"\1")


def test_records_longer_than_agreed_by_their_length_on_the_wire():
    hand = talk_12(SHORT, answer=(SHORT,))
    hand.say(CLIENT, APPLICATION_DATA, bytes(512 + 320))
    assert faults(hand) == []
    hand.say(CLIENT, APPLICATION_DATA, bytes(512 + 321))
    assert faults(hand) == [("record_too_long", "low", [11])]
    plain = hellos(SHORT, answer=(SHORT,))
    plain.handshake(SERVER, message(11, b"\0\2\0\0\1\xfd" + bytes(509)))
    assert faults(plain) == [("record_too_long", "low", [4])]


def test_what_is_longer_than_any_version_allows():
    hand = hellos()
    hand.handshake(SERVER, message(11, bytes(16381)))
    assert faults(hand) == [("record_too_long", "low", [4])]
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13, suites=b"\x13\1"))
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
    hand.say(SERVER, APPLICATION_DATA, bytes(16384 + 256))
    hand.say(SERVER, APPLICATION_DATA, bytes(16384 + 257))
    assert faults(hand) == [("record_too_long", "low", [5])]


LIMIT = extension(28, b"\2\0")


@pytest.mark.parametrize(
    ("offer", "extensions", "wanted"),
    [
        ((LIMIT,), message(8, b"\0\6" + LIMIT), [[6, 7], [8]]),
        ((LIMIT,), EXTENSIONS, []),  # the server did not answer it
        ((), message(8, b"\0\6" + LIMIT), [[6, 7]]),
        ((SHORT,), message(8, b"\0\5" + SHORT), [[6, 7], [8]]),
    ],
)
def test_records_longer_than_agreed_when_they_are_decrypted(offer, extensions, wanted):
    sealed = SealedHand(*offer, extensions=extensions).finish_handshake()
    sealed.seal(CLIENT, APPLICATION_DATA, bytes(600))
    sealed.seal(CLIENT, APPLICATION_DATA, bytes(513))
    sealed.seal(SERVER, APPLICATION_DATA, bytes(513))
    sealed.seal(SERVER, APPLICATION_DATA, bytes(512))
    sealed.end()
    found = [one for one in anomalies(sealed.session) if one.code == "record_too_long"]
    assert [one.frames for one in found] == wanted
    if wanted:
        assert found[0].detail == "the client sent a record of 600 bytes, and was asked for no more than 512"


def test_the_second_hello_after_a_retry_has_the_version_of_tls_1_2():
    hand = Hand()
    hand.say(CLIENT, HANDSHAKE, client_hello(TLS13, suites=b"\x13\1"), version=0x0301)
    hand.handshake(SERVER, server_hello(TLS13, extension(51, b"\0\x17"), suite=b"\x13\1", random=RETRY_RANDOM))
    hand.handshake(CLIENT, client_hello(TLS13, suites=b"\x13\1"))
    assert faults(hand) == []


@pytest.mark.parametrize("lost", [0, 1])
def test_a_hello_whose_other_part_is_lost_is_from_before_the_answer(lost: int):
    segments = packetise(talk("TLSv1_3"), mss=(100, 1400))  # the record of the ClientHello has version 0x0301
    hello = [one for one in segments if one.side == CLIENT and one.payload]
    assert hello[0].payload[:3] == b"\x16\3\1"
    segments.remove(hello[lost])
    assert "wrong_record_version" not in [one["code"] for record in records(segments) for one in record["findings"]]
