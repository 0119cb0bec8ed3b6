"""Every cause of a failed decryption, produced with real sessions, is reported with its name and its evidence."""

from typing import Any

import pytest
from conversations import SERVER, Segment, Tap, packetise
from talks import Talk, converse

from analyzer.analysis.decryption_failure import CAUSES
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog


def decryption(segments: list[Segment], *keylogs: str) -> dict[str, Any]:
    """Return the `decryption` of the last session of a capture."""
    tap = Tap()
    if keylogs:
        secrets = KeyLog()
        for text in keylogs:
            secrets.feed(text.encode())
        tap.engine = Engine(keylog=secrets)
    tap.feed(*segments)
    found: dict[str, Any] = tap.records()[-1]["decryption"]
    assert found["reason"] is None or found["reason"] in CAUSES
    return found


def lines(talk: Talk, without: str = "", only: str = "") -> str:
    kept = [line for line in talk.keylog.splitlines() if not line.startswith("#")]
    return "".join(f"{line}\n" for line in kept if only in line and not (without and without in line))


def test_all_opened_needs_no_reason():
    talk = converse("TLSv1_3")
    found = decryption(packetise(talk.flights), talk.keylog)
    assert (found["status"], found["reason"], found["detail"]) == ("decrypted", None, None)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_nothing_was_given(version: str):
    found = decryption(packetise(converse(version).flights))
    assert found["reason"] == "no_secret"
    assert found["detail"] == "no key log, private key or secrets inside the capture were given"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_the_log_is_of_another_run(version: str):
    other = converse("TLSv1_3" if version == "TLSv1_2" else "TLSv1_2")
    found = decryption(packetise(converse(version).flights), other.keylog)
    assert found["reason"] == "no_secret"
    assert "client random" in found["detail"]
    assert "any session of this capture" in found["detail"]


def test_the_log_is_of_this_run_without_the_session():
    known, unknown = converse("TLSv1_3"), converse("TLSv1_2")
    segments = packetise(known.flights) + packetise(unknown.flights, ports=(50001, 443))
    found = decryption(segments, known.keylog)
    assert found["reason"] == "no_secret"
    assert "any session of this capture" not in found["detail"]


def test_a_label_is_missing():
    talk = converse("TLSv1_3")
    found = decryption(packetise(talk.flights), lines(talk, without="SERVER_TRAFFIC_SECRET_0"))
    assert (found["status"], found["reason"]) == ("partial", "missing_label")
    assert "and not SERVER_TRAFFIC_SECRET_0" in found["detail"]
    only = decryption(packetise(talk.flights), lines(talk, only="EXPORTER_SECRET"))
    assert (only["status"], only["reason"]) == ("none", "missing_label")
    assert "CLIENT_HANDSHAKE_TRAFFIC_SECRET" in only["detail"]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_the_secret_is_wrong(version: str):
    talk = converse(version)
    wrong = "".join(f"{line[:-4]}0000\n" for line in lines(talk).splitlines())
    found = decryption(packetise(talk.flights), wrong)
    assert found["reason"] == "wrong_secret"
    assert "in frame" in found["detail"]
    assert "record 0" in found["detail"]


def test_a_segment_is_missing():
    talk = converse("TLSv1_3")
    segments = packetise(talk.flights)
    data = [number for number, segment in enumerate(segments) if segment.side == SERVER and len(segment.payload) == 700]
    del segments[data[-12]]
    found = decryption(segments, talk.keylog)
    assert (found["status"], found["reason"]) == ("partial", "missing_segment")
    assert "700 bytes" in found["detail"]


def test_the_handshake_is_not_in_the_capture():
    talk = converse("TLSv1_3")
    found = decryption(packetise(talk.flights[6:], syn=False), talk.keylog)
    assert (found["status"], found["reason"]) == ("none", "no_handshake")
    assert "ClientHello" in found["detail"]


def test_every_cause_says_what_to_do():
    for meaning, advice in CAUSES.values():
        assert meaning[0].islower()
        assert not meaning.endswith(".")
        assert advice.endswith(".")
