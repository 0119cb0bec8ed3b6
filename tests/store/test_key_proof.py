"""A chain is valid only where its key was proved in the handshake; what the capture lost is unknown, and nobody's fault."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from conversations import SECOND, START, Tap, packetise
from cryptography import x509
from flights import CLIENT, SERVER, certificate_list, flights, message, records, sized
from hierarchy import HOST, Hierarchy, hierarchy, make_leaf, rsa_key, usage

from analyzer.store.chain_verdicts import Chains
from analyzer.store.key_proof import PROVED, UNDECIDED, UNPROVED, key_proof, key_proofs
from analyzer.store.session_json import session_json
from analyzer.store.session_record import session_record
from analyzer.tls.session import Session
from analyzer.x509.pem import write_block
from analyzer.x509.trust import Trust

NOW = datetime.fromtimestamp(START / SECOND, UTC)
TIMES = {"not_before": NOW - timedelta(days=30), "not_after": NOW + timedelta(days=300)}
RSA_KEY_EXCHANGE = b"\0\x9c"


@cache
def made() -> Hierarchy:
    return hierarchy(TIMES, TIMES, TIMES)


@cache
def other() -> Any:
    return make_leaf(made().intermediate, "other.example", **TIMES)


@pytest.fixture
def chains(tmp_path: Any) -> Chains:
    path = tmp_path / "roots.pem"
    path.write_bytes(write_block(made().root.der))
    return Chains(Trust([str(path)]))


def session(said: list[tuple[int, bytes]]) -> Session:
    tap = Tap()
    tap.feed(*packetise(said))
    (one,) = tap.close()
    return one


def proved(**changed: Any) -> list[tuple[int, bytes]]:
    return flights(made().chain, HOST, key=made().leaf.key, **changed)


def summary(chains: Chains, said: list[tuple[int, bytes]]) -> tuple[str, str, int]:
    """The verdict on the server's chain, the result of its signature, and the proof."""
    one = session(said)
    record = session_record(one, False, chains)
    assert json.loads(session_json(one, False, chains))["chain"] == record["chain"]
    notes = [note["code"] for note in record["chain"]["notes"]]
    assert ("unproved_key" in notes) == (record["chain"]["verdict"] == "unknown")
    return record["chain"]["verdict"], record["authenticity"]["server_signature"], key_proof(one, SERVER)


def finish(said: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The same, and the client's messages until its ChangeCipherSpec."""
    return [*said, (CLIENT, records(message(16, sized(b"\4" + bytes(64), 1))) + b"\x14\3\3\0\1\1")]


def test_a_signature_of_the_key_proves_it(chains: Chains):
    assert summary(chains, proved()) == ("valid", "verified", PROVED)
    assert summary(chains, finish(proved())) == ("valid", "verified", PROVED)


def test_a_signature_by_another_key_does_not(chains: Chains):
    assert summary(chains, flights(made().chain, HOST, key=other().key)) == ("unknown", "failed", UNPROVED)


def test_a_handshake_without_the_signature_that_belongs_there(chains: Chains):
    said = finish(flights(made().chain, HOST))
    verdict, signature, proof = summary(chains, said)
    assert (verdict, signature, proof) == ("unknown", "unverifiable", UNPROVED)
    record = session_record(session(said), False, chains)
    assert "it sent no ServerKeyExchange" in record["authenticity"]["detail"]
    (finding,) = [one for one in record["findings"] if one["code"] == "message_missing"]
    assert finding["severity"] == "high"


def test_a_handshake_that_ends_before_the_signature_proves_nothing(chains: Chains):
    hello, (side, flight) = flights(made().chain, HOST)
    verdict, _, proof = summary(chains, [hello, (side, flight[:-4])])
    assert (verdict, proof) == ("unknown", UNPROVED)


def test_rsa_key_exchange_has_no_signature_and_the_chain_is_judged_as_sent(chains: Chains):
    use = {x509.KeyUsage: (usage("key_encipherment"), True)}
    leaf = make_leaf(made().intermediate, HOST, key=rsa_key(2048), changed=use, **TIMES)
    said = flights([leaf.der, made().intermediate.der], HOST)
    said = [(role, data.replace(b"\xc0\x2f", RSA_KEY_EXCHANGE)) for role, data in said]
    assert summary(chains, finish(said)) == ("valid", "absent", PROVED)


def test_faults_of_a_chain_stay_faults(chains: Chains):
    said = flights(made().chain, "other.example")
    one = session(said)
    record = chains.record(one, SERVER)
    assert (record["verdict"], key_proof(one, SERVER)) == ("invalid", UNPROVED)


@pytest.mark.parametrize("twice", ["same", "first", "second"])
def test_of_two_certificate_messages_nobody_knows_which_counts(chains: Chains, twice: str):
    lists = {
        "same": [made().chain, made().chain],
        "first": [[other().der], made().chain],
        "second": [made().chain, [other().der]],
    }
    both = b"".join(message(11, certificate_list(chain)) for chain in lists[twice])
    said = finish(flights([], HOST, certificate=both, key=made().leaf.key))
    one = session(said)
    record = session_record(one, False, chains)
    assert record["authenticity"]["server_signature"] != "verified"
    assert "it sent Certificate twice" in record["authenticity"]["detail"]
    assert record["chain"]["verdict"] == "unknown"
    assert key_proof(one, SERVER) == (UNPROVED if twice == "same" else UNDECIDED)
    assert "repeated_message" in [finding["code"] for finding in record["findings"]]


def test_a_client_proves_its_key_by_its_own_signature(chains: Chains):
    client = make_leaf(made().intermediate, "alice", **TIMES)
    chain = [client.der, made().intermediate.der]
    signed = session(proved(client_chain=chain, client_key=client.key))
    assert key_proofs(signed) == (PROVED, PROVED)
    unsigned = session(finish(proved(client_chain=chain)))
    assert key_proofs(unsigned) == (UNPROVED, PROVED)
    record = session_record(unsigned, False, chains)
    assert record["chain"]["verdict"] == "valid"
    assert record["authenticity"]["client_signature"] == "unverifiable"


def test_a_lost_key_exchange_leaves_the_key_unproved_and_blames_nobody(chains: Chains):
    tap = Tap()
    segments = packetise(finish(proved()), mss=100)
    lost = [n for n, segment in enumerate(segments) if segment.side == SERVER and b"\x0c\0\0" in segment.payload]
    assert lost
    tap.feed(*segments[: lost[-1]], *segments[lost[-1] + 1 :])
    (one,) = tap.close()
    record = session_record(one, False, chains)
    assert record["chain"]["verdict"] != "valid"
    assert not {"message_missing", "repeated_message", "unexpected_message"} & {one["code"] for one in record["findings"]}
