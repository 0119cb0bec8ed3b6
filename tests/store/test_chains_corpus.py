"""Verdicts on captures with known answers: expired, self-signed, missing and bad certificates, staples and timestamps."""

from pathlib import Path
from typing import Any

import pytest
from conversations import ended

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.store.chain_verdicts import Chains
from analyzer.store.session_record import session_record
from analyzer.tls.events import Event

pytestmark = pytest.mark.corpus


def chains(path: Path) -> list[dict[str, Any]]:
    """The servers' chains, in the order in which the sessions ended."""
    judge = Chains()
    engine = Engine(fields=False, watches_revocation=True)
    events: list[Event] = []
    for packet_reader in CaptureReader([str(path)]).packet_readers():
        engine.run(packet_reader)
        events += engine.take()
    engine.close()
    events += engine.take()
    judge.take(events)
    records = [session_record(session, False, judge)["chain"] for session in ended(events)]
    return [record for record in records if record["verdict"] != "absent"]


def codes(chain: dict[str, Any]) -> set[str]:
    return {problem["code"] for problem in chain["problems"]}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("zeek/tls/tls-expired-cert.pcap", "expired"),
        ("zeek/tls/irc-starttls.pcap", "self_signed"),
        ("zeek/tls/cert-no-cn.pcap", "no_name"),
        ("zeek/tls/CVE-2015-3194.pcap", "non_conforming"),
        ("zeek/tls/ml-dsa-44-cert.pcap", "not_yet_valid"),
        ("zeek/tls/certificate-with-sct.pcap", "name_mismatch"),
        ("zeek/tls/ssl.v3.pcap", "weak_key"),
        ("zeek/starttls/globus-url-copy.pcap", "not_a_ca"),
        ("ja4/badcurveball.pcap", "weak_key"),
    ],
)
def test_bad_chains_are_named(corpus: Path, name: str, wanted: str) -> None:
    first = chains(corpus / name)[0]
    assert first["verdict"] == "invalid"
    assert wanted in codes(first)


def test_a_missing_intermediate_is_found_in_another_session(corpus: Path, tmp_path: Path) -> None:
    """The first connection ends by an RST that may be forged, so it waits, and the second one ends before it."""
    path = corpus / "zeek" / "tls" / "missing-intermediate.pcap"
    whole, first, last = chains(path)
    assert whole["verdict"] == first["verdict"] == last["verdict"] == "valid"
    for chain in (first, last):
        assert "missing_intermediate" in [note["code"] for note in chain["notes"]]
        assert chain["path"][0] != whole["path"][0]
    alone = tmp_path / "alone.pcap"
    alone.write_bytes(first_frames(path.read_bytes(), 15))
    (chain,) = chains(alone)
    assert (chain["verdict"], codes(chain)) == ("invalid", {"unknown_issuer"})
    assert chain["path"][0] == first["path"][0]


def first_frames(pcap: bytes, n_frames: int) -> bytes:
    """The first frames of a little-endian pcap file."""
    at = 24
    for _ in range(n_frames):
        at += 16 + int.from_bytes(pcap[at + 8 : at + 12], "little")
    return pcap[:at]


@pytest.mark.parametrize("name", ["ocsp-stapling", "ocsp-stapling-digicert", "ocsp-stapling-twimg"])
def test_stapled_responses_are_verified(corpus: Path, name: str) -> None:
    (chain,) = chains(corpus / "zeek" / "tls" / f"{name}.pcap")
    assert (chain["revocation"][0]["status"], chain["revocation"][0]["source"]) == ("good", "ocsp")


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("signed_certificate_timestamp.pcap", ["tls"] * 3 + ["ocsp"] * 2),
        ("signed_certificate_timestamp_tls1_0.pcap", ["tls"] * 2),
        ("certificate-with-sct.pcap", ["certificate"] * 4),
    ],
)
def test_timestamps_of_each_kind_are_verified(corpus: Path, name: str, sources: list[str]) -> None:
    (chain,) = chains(corpus / "zeek" / "tls" / name)
    assert [(sct["source"], sct["status"]) for sct in chain["scts"]] == [(source, "verified") for source in sources]


def test_good_chains_of_long_ago_are_valid_where_their_roots_still_are(corpus: Path) -> None:
    for name in ("zeek/tls/ecdsa-cert.pcap", "zeek/tls/google-cert-repeat.pcap", "ja4/http2-with-cookies.pcapng"):
        assert {chain["verdict"] for chain in chains(corpus / name)} == {"valid"}
