"""The entries about certificates in the session record."""

import hashlib

from sessions_by_hand import CHANGE_CIPHER_SPEC, CLIENT, HANDSHAKE, SERVER, Hand, client_hello, message, server_hello

from analyzer.store.certificate_records import certificate_record, certificates_record, chain_record
from analyzer.store.chain_verdicts import Chains
from analyzer.store.unjudged_chains import ABSENT, CUT_SHORT, NOT_VISIBLE
from analyzer.tls.session import Session

FIRST, SECOND = b"\x30\x03\2\1\1", b"\x30\x03\2\1\2"
LIST = message(11, b"\0\0\x10" + b"\0\0\5" + FIRST + b"\0\0\5" + SECOND)


def hand_with(*, cut: int = 0, end: str = "fin") -> Session:
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello())
    hand.say(SERVER, HANDSHAKE, LIST[: len(LIST) - cut], missing=cut)
    if not cut:
        hand.handshake(SERVER, message(14))
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, bytes(40))
    hand.end(end)
    return hand.session


def test_whole_certificates_have_their_hash_and_a_verdict():
    session = hand_with()
    listed = certificates_record(session, SERVER)
    assert listed is not None
    assert [one["sha256"] for one in listed] == [hashlib.sha256(der).hexdigest() for der in (FIRST, SECOND)]
    assert chain_record(session, SERVER, Chains(), None)["verdict"] == "invalid"
    assert certificates_record(session, CLIENT) == []
    assert chain_record(session, CLIENT, Chains(), None) == ABSENT


def test_of_a_cut_certificate_nothing_is_said_and_the_one_before_it_is_whole():
    session = hand_with(cut=2)
    listed = certificates_record(session, SERVER)
    assert listed is not None
    assert [one["sha256"] for one in listed] == [hashlib.sha256(FIRST).hexdigest(), None]
    assert listed[1] == dict.fromkeys(listed[1]) | {"type": "x509"}
    assert chain_record(session, SERVER, Chains(), None) == CUT_SHORT


def test_what_cannot_be_seen_is_null_and_unknown():
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.end("end")
    for role in (CLIENT, SERVER):
        assert certificates_record(hand.session, role) is None
        assert chain_record(hand.session, role, Chains(), None) == NOT_VISIBLE


def test_the_same_bytes_have_the_same_entry():
    assert certificate_record(FIRST) is certificate_record(bytes(bytearray(FIRST)))
