"""Chains of sessions: validated at their own time, for the server name, with what was sent with them and before them."""

import json
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from conversations import SECOND, START, Tap, packetise
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from flights import flights, message, sized
from hierarchy import HOST, Hierarchy, hierarchy, make_leaf
from jsonschema import Draft202012Validator

from analyzer.engine import Engine
from analyzer.engine.capture_events import RevocationSeen
from analyzer.store import chain_verdicts as module
from analyzer.store.chain_verdicts import CLIENT, NO_VERDICTS, SERVER, Chains
from analyzer.store.schema import SESSION
from analyzer.store.session_record import json_line, session_record
from analyzer.tls.session import Session
from analyzer.x509.pem import write_block
from analyzer.x509.trust import Trust

NOW = datetime.fromtimestamp(START / SECOND, UTC)
TIMES = {"not_before": NOW - timedelta(days=30), "not_after": NOW + timedelta(days=300)}


@cache
def made() -> Hierarchy:
    return hierarchy(TIMES, TIMES, TIMES)


@pytest.fixture
def trust(tmp_path: Any) -> Trust:
    path = tmp_path / "roots.pem"
    path.write_bytes(write_block(made().root.der))
    return Trust([str(path)])


def session(said: list[tuple[int, bytes]]) -> Session:
    tap = Tap()
    tap.feed(*packetise(said))
    (one,) = tap.close()
    return one


def response(status: ocsp.OCSPCertStatus, issued: timedelta = timedelta(days=-1)) -> bytes:
    leaf, issuer = made().leaf.certificate, made().intermediate
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        leaf, issuer.certificate, hashes.SHA1(), status, NOW + issued, NOW + issued + timedelta(days=7),
        NOW - timedelta(days=2) if revoked else None, x509.ReasonFlags.key_compromise if revoked else None,
    )  # fmt: skip
    signed = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, issuer.certificate).sign(issuer.key, hashes.SHA256())
    return signed.public_bytes(Encoding.DER)


def codes(record: dict[str, Any]) -> list[str]:
    return [problem["code"] for problem in record["problems"]]


def test_a_good_chain_at_the_session_s_own_time(trust: Trust) -> None:
    one = session(flights(made().chain, HOST, key=made().leaf.key))
    record = Chains(trust).record(one, SERVER)
    assert (record["verdict"], record["problems"], record["name"]) == ("valid", [], HOST)
    assert record["at"] == "2023-11-14T22:13:20.000000000Z"
    assert len(record["path"]) == 3
    (store,) = trust.stores
    assert record["trust"] == [{"store": store.name, "date": store.date}]


def test_another_name_and_another_time(trust: Trust) -> None:
    wrong = Chains(trust).record(session(flights(made().chain, "other.example")), SERVER)
    assert (wrong["verdict"], codes(wrong)) == ("invalid", ["name_mismatch"])
    late = START + 4000 * 86400 * SECOND
    expired = Chains(trust, at=late).record(session(flights(made().chain, HOST)), SERVER)
    assert set(codes(expired)) == {"expired"}
    assert expired["at"] == "2034-10-27T22:13:20.000000000Z"


def test_mozilla_s_roots_know_nothing_of_it() -> None:
    record = session_record(session(flights(made().chain, HOST)), False)
    assert codes(record["chain"]) == ["unknown_issuer"]
    assert record["chain"]["trust"][0]["store"] == "mozilla"


def test_a_missing_intermediate_comes_from_a_file_or_an_earlier_session(trust: Trust) -> None:
    alone = session(flights(made().chain[:1], HOST, key=made().leaf.key))
    assert codes(Chains(trust).record(alone, SERVER)) == ["unknown_issuer"]
    given = Chains(trust, intermediates=[made().intermediate.der]).record(alone, SERVER)
    chain_verdicts = Chains(trust)
    chain_verdicts.add_certificates(session(flights(made().chain, HOST, key=made().leaf.key)))
    for record in (given, chain_verdicts.record(alone, SERVER)):
        assert record["verdict"] == "valid"
        assert [note["code"] for note in record["notes"]] == ["missing_intermediate"]


def test_timestamps_of_the_hello_are_validated(trust: Trust) -> None:
    one = bytes(1) + b"L" * 32 + (START // 1_000_000).to_bytes(8, "big") + b"\0\0" + b"\4\3" + sized(b"no signature", 2)
    record = Chains(trust).record(session(flights(made().chain, HOST, scts=sized(sized(one, 2), 2))), SERVER)
    assert [(sct["source"], sct["status"], sct["log_id"]) for sct in record["scts"]] == [
        ("tls", "unknown_log", (b"L" * 32).hex())
    ]


def test_a_client_has_its_own_purpose_and_no_name(trust: Trust) -> None:
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    client = make_leaf(made().intermediate, "alice", changed={x509.ExtendedKeyUsage: (purpose, False)}, **TIMES)
    chain = [client.der, made().intermediate.der]
    one = session(flights(made().chain, HOST, key=made().leaf.key, client_chain=chain, client_key=client.key))
    record = session_record(one, False, Chains(trust))
    assert (record["chain"]["verdict"], record["client_chain"]["verdict"]) == ("valid", "valid")
    assert record["client_chain"]["name"] is None
    swapped = session_record(session(flights(chain, None, client_chain=made().chain)), False, Chains(trust))
    assert codes(swapped["chain"]) == ["wrong_purpose"]
    assert codes(swapped["client_chain"]) == ["wrong_purpose"]


def test_no_certificate_is_absent() -> None:
    one = session(flights([], HOST)[:1])
    record = session_record(one, False)
    for chain in (record["chain"], record["client_chain"]):
        assert (chain["verdict"], chain["at"], chain["path"], chain["problems"]) == ("absent", None, [], [])
    assert Chains().judge(one, CLIENT) is None


def test_a_raw_public_key_has_no_chain() -> None:
    key = made().leaf.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    one = session(flights([], HOST, certificate=message(11, sized(key, 3))))
    record = session_record(one, False)
    assert record["certificates"]["server"][0]["type"] == "raw_public_key"
    assert record["certificates"]["server"][0]["public_key"] == {"type": "ec", "curve": "secp256r1"}
    assert record["chain"]["verdict"] == "absent"
    assert [note["code"] for note in record["chain"]["notes"]] == ["raw_public_key"]


def test_a_compressed_certificate_is_validated_as_any_other(trust: Trust) -> None:
    plain = b"\0" + sized(b"".join(sized(der, 3) + b"\0\0" for der in made().chain), 3)
    packed = message(25, b"\0\1" + len(plain).to_bytes(3, "big") + sized(zlib.compress(plain), 3))
    record = session_record(session(flights([], HOST, certificate=packed, key=made().leaf.key)), False, Chains(trust))
    assert len(record["certificates"]["server"]) == 2
    assert record["chain"]["verdict"] == "valid"
    bomb = message(25, b"\0\1" + (9000).to_bytes(3, "big") + sized(zlib.compress(bytes(1 << 20)), 3))
    record = session_record(session(flights([], HOST, certificate=bomb)), False, Chains(trust))
    assert (record["certificates"]["server"], record["chain"]["verdict"]) == ([], "absent")
    problems = next(one["problems"] for one in record["handshake"] if one["type"] == "compressed_certificate")
    assert "more than 9000 bytes come out" in problems[0]["detail"]


@pytest.mark.parametrize("junk", [b"\x30\x80" * 50, b"0", bytes(400), b"\x30\x03\x02\x01\x01"])
def test_no_bytes_of_a_certificate_raise(junk: bytes, trust: Trust) -> None:
    record = session_record(session(flights([junk, junk, made().chain[0]], "\u202ee\x00", staple=junk)), False, Chains(trust))
    assert record["chain"]["verdict"] in ("invalid", "absent")
    json_line(record)


def test_records_follow_the_schema_and_verdicts_are_shared(trust: Trust) -> None:
    chain_verdicts = Chains(trust)
    validator = Draft202012Validator(SESSION)
    verdicts = set()
    for staple in (None, response(ocsp.OCSPCertStatus.GOOD)):
        one = session(flights(made().chain, HOST, staple=staple, client_chain=made().chain))
        for _ in range(2):
            validator.validate(json.loads(json_line(session_record(one, True, chain_verdicts))))
            judged = chain_verdicts.judge(one, SERVER)
            assert judged is not None
            verdicts.add(id(judged.verdict))
    assert len(verdicts) == 2


def test_verdicts_change_with_the_time_and_with_what_was_seen(trust: Trust) -> None:
    """The same session repeated, at times before, in and after the validity of its certificates, in any order."""
    one = session(flights(made().chain[:1], HOST))
    chain_verdicts = Chains(trust)
    day = 86400 * SECOND
    shifts = ((0, set()), (400, {"expired"}), (10, set()), (-60, {"not_yet_valid"}), (1, set()), (401, {"expired"}))
    for seen_before in (False, True):
        if seen_before:
            chain_verdicts.add_certificates(session(flights(made().chain, HOST)))
        for shift, wanted in shifts:
            one.flow.start = START + shift * day
            for _ in range(3):
                found = set(codes(chain_verdicts.record(one, SERVER)))
                assert found == wanted | (set() if seen_before else {"unknown_issuer"}), (shift, seen_before)
                assert found == set(codes(_new_verdict(trust, one, seen_before)))


def _new_verdict(trust: Trust, one: Session, seen_before: bool) -> dict[str, Any]:
    chain_verdicts = Chains(trust)
    if seen_before:
        chain_verdicts.add_certificates(session(flights(made().chain, HOST)))
    return chain_verdicts.record(one, SERVER)


def test_a_capture_without_times_is_validated_at_the_current_time(trust: Trust) -> None:
    one = session(flights(made().chain, HOST))
    one.flow.start = -1
    record = session_record(one, False, Chains(trust))
    assert record["start_time"] is None
    assert abs(datetime.fromisoformat(record["chain"]["at"][:19] + "Z") - datetime.now(UTC)) < timedelta(minutes=5)


def test_without_chains_there_is_no_verdict() -> None:
    record = session_record(session(flights(made().chain, HOST)), False, NO_VERDICTS)
    assert record["chain"]["verdict"] == "absent"


def fetched(body: bytes) -> list[tuple[int, bytes]]:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: %d\r\n\r\n" % len(body)
    return [(0, b"GET /M HTTP/1.1\r\nHost: ocsp.test\r\n\r\n"), (1, head + body)]


def test_responses_seen_in_plain_http_before_a_session_ends(trust: Trust) -> None:
    chain_verdicts = Chains(trust)
    tap = Tap()
    tap.engine = Engine(watches_revocation=True)
    tls = packetise(flights(made().chain, HOST, key=made().leaf.key))
    tap.feed(*tls[:-3])
    tap.feed(*packetise(fetched(response(ocsp.OCSPCertStatus.REVOKED)), ports=(50_007, 80)))
    chain_verdicts.take(tap.take())
    tap.feed(*tls[-3:])
    (one,) = tap.close()
    record = chain_verdicts.record(one, SERVER)
    assert (record["verdict"], codes(record)) == ("invalid", ["revoked"])
    assert [(entry["status"], entry["source"]) for entry in record["revocation"]] == [("revoked", "ocsp"), ("unknown", None)]
    assert Chains(trust).record(one, SERVER)["verdict"] == "valid"


def test_later_responses_do_not_count(trust: Trust) -> None:
    chain_verdicts = Chains(trust)
    tap = Tap()
    tap.engine = Engine(watches_revocation=True)
    tap.feed(*packetise(flights(made().chain, HOST, key=made().leaf.key)))
    chain_verdicts.freeze_revocation()
    tap.feed(*packetise(fetched(response(ocsp.OCSPCertStatus.REVOKED)), ports=(50_007, 80)))
    chain_verdicts.take(tap.take())
    (one,) = tap.close()
    assert [event.content_type for event in tap.events if isinstance(event, RevocationSeen)] == ["application/ocsp-response"]
    assert chain_verdicts.record(one, SERVER)["verdict"] == "valid"


def test_a_verdict_by_earlier_evidence_is_what_it_was(trust: Trust) -> None:
    chain_verdicts = Chains(trust)
    alone = session(flights(made().chain[:1], HOST))
    good, revoked = (
        RevocationSeen("application/ocsp-response", response(status)) for status in ocsp.OCSPCertStatus if status.value < 2
    )
    evidence = [chain_verdicts.evidence()]
    chain_verdicts.add_certificates(session(flights(made().chain, HOST)))
    for event in (good, revoked):
        evidence.append(chain_verdicts.evidence())
        chain_verdicts.take([event])
    wanted = [["unknown_issuer"], [], []]
    for _ in range(2):
        for number in (2, 0, 1):
            record = chain_verdicts.record_by(evidence[number], alone, SERVER, None)
            assert codes(record) == wanted[number]
            assert [one["status"] for one in record["revocation"][:1]] == ([] if number < 2 else ["good"])
        assert codes(chain_verdicts.record(alone, SERVER)) == ["revoked"]


def test_a_stapled_response_counts(trust: Trust) -> None:
    chain_verdicts = Chains(trust)
    good = chain_verdicts.record(
        session(flights(made().chain, HOST, key=made().leaf.key, staple=response(ocsp.OCSPCertStatus.GOOD))), SERVER
    )
    assert good["verdict"] == "valid"
    assert [(entry["status"], entry["source"]) for entry in good["revocation"]] == [("good", "ocsp"), ("unknown", None)]
    revoked = chain_verdicts.record(
        session(flights(made().chain, HOST, key=made().leaf.key, staple=response(ocsp.OCSPCertStatus.REVOKED))), SERVER
    )
    assert (revoked["verdict"], codes(revoked)) == ("invalid", ["revoked"])
    stale = chain_verdicts.record(
        session(
            flights(made().chain, HOST, key=made().leaf.key, staple=response(ocsp.OCSPCertStatus.GOOD, timedelta(days=-20)))
        ),
        SERVER,
    )
    assert stale["verdict"] == "valid"
    assert stale["revocation"][0]["status"] == "unknown"


def test_a_revocation_list_counts(trust: Trust) -> None:
    issuer = made().intermediate
    entry = x509.RevokedCertificateBuilder().serial_number(made().leaf.certificate.serial_number)
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(NOW - timedelta(days=1))
        .next_update(NOW + timedelta(days=7))
        .add_revoked_certificate(entry.revocation_date(NOW - timedelta(days=3)).build())
        .sign(issuer.key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    record = Chains(trust, crls=[crl]).record(session(flights(made().chain, HOST)), SERVER)
    assert codes(record) == ["revoked"]
    assert record["revocation"][0] == {
        "sha256": record["path"][0],
        "status": "revoked",
        "source": "crl",
        "detail": record["revocation"][0]["detail"],
    }


def test_a_verdict_holds_for_its_interval_and_no_longer(trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
    chain_verdicts = Chains(trust)
    validated = []
    validate = Chains._validate
    monkeypatch.setattr(Chains, "_validate", lambda *arguments: validated.append(1) or validate(*arguments))
    one = session(flights(made().chain, HOST, key=made().leaf.key))
    chain_verdicts.json(one, SERVER, None)  # it may be completed by certificates seen here
    chain_verdicts.json(one, SERVER, None)
    before = len(validated)
    for second in range(1, 50):
        one.flow.start += SECOND * second
        assert json.loads(chain_verdicts.json(one, SERVER, None))["verdict"] == "valid"
    assert len(validated) == before
    one.flow.start = int((made().leaf.certificate.not_valid_after_utc.timestamp() + 1) * SECOND)
    assert "expired" in codes(json.loads(chain_verdicts.json(one, SERVER, None)))
    assert len(validated) == before + 1


def test_memory_is_bounded(trust: Trust, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED_BYTES", 40_000)
    chain_verdicts = Chains(trust)
    for number in range(60):
        one = session(flights([*made().chain, bytes([number]) * 20_000], f"h{number}.example"))
        assert set(codes(chain_verdicts.record(one, SERVER))) == {"name_mismatch"}
        assert len(chain_verdicts._kept) <= 2
        assert len(chain_verdicts._spans) <= 2
    assert chain_verdicts._seen_tuple == (made().intermediate.der,)
