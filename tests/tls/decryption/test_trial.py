"""Every 50th packet of a capture is lost. Nearly all complete records of TLS 1.3 must still be decrypted."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conversations import CLIENT, SERVER, Flight, Segment, Tap, packetise
from keyed import page, talk_of, without
from nested_talks import sessions
from talks import Kept

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record
from analyzer.tls import limits

EVERY = 50
LEAST = 0.9
APPLICATION_DATA = 23

SIZES = {
    "records smaller than packets": [120, 300, 90, 700, 40] * 60,
    "records of some packets": [3000, 5000, 2100] * 16,
    "the largest records": [16384 * 2] * 6,
    "all sorts": [60, 16000, 400, 5000, 20, 1300, 9000, 250] * 5,
}


@cache
def talk(kind: str) -> tuple[tuple[Flight, ...], bytes]:
    """The flights of a session in which both sides send data in turn, and its key log."""
    script: list[Flight] = []
    for number, n_bytes in enumerate(SIZES[kind]):
        said = bytes([number % 251])
        script += [(CLIENT, said * (1 + n_bytes // 8)), (SERVER, said * n_bytes)]
    talked = talk_of(script)
    return talked.flights, talked.keylog.encode()


def records_of(flights: tuple[Flight, ...], side: int) -> list[tuple[int, int]]:
    """Where a side's encrypted records begin and end in its stream."""
    stream = b"".join(data for sender, data in flights if sender == side)
    found = []
    pos = 0
    while pos < len(stream):
        end = pos + 5 + int.from_bytes(stream[pos + 3 : pos + 5], "big")
        if stream[pos] == APPLICATION_DATA:
            found.append((pos, end))
        pos = end
    return found


def lose(segments: list[Segment], epoch: int) -> tuple[list[Segment], tuple[set[int], set[int]]]:
    """A capture without every 50th packet, and the offsets in either stream that were lost with them."""
    lost: tuple[set[int], set[int]] = set(), set()
    kept = []
    for number, segment in enumerate(segments):
        if number % EVERY != epoch:
            kept.append(segment)
        elif segment.payload:
            first = segment.sequence - (1001, 900_001)[segment.side]
            lost[segment.side].update(range(first, first + len(segment.payload)))
    return kept, lost


def decrypt(kind: str, segments: list[Segment]) -> tuple[dict[str, Any], list[bytes]]:
    keylog = KeyLog()
    keylog.feed(talk(kind)[1])
    tap = Tap()
    tap.engine = Engine(keylog=keylog, application=Kept)
    tap.feed(*segments)
    (session,) = tap.close()
    application = session.decryption.application
    return session_record(session, False), [b"", b""] if application is None else application.data


def share(kind: str, mss: int, epoch: int, acks: bool = True) -> tuple[int, int]:
    """How many records are complete in the capture, and how many of the capture are decrypted."""
    flights = talk(kind)[0]
    kept, lost = lose(packetise(flights, mss=mss, acks=acks), epoch)
    intact = sum(lost[side].isdisjoint(range(*record)) for side in (CLIENT, SERVER) for record in records_of(flights, side))
    record, _ = decrypt(kind, kept)
    return intact, record["decryption"]["records"]


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("mss", [536, 1460])
def test_nine_of_ten_intact_records_open(kind: str, mss: int) -> None:
    n_segments = len(packetise(talk(kind)[0], mss=mss, acks=True))
    assert n_segments > 2 * EVERY
    shares = {}
    for epoch in (*range(3, 16), 20, 33, 49):  # the first are of the handshake, the hellos among them
        intact, opened = share(kind, mss, epoch)
        shares[epoch] = opened / intact
    assert min(shares.values()) >= LEAST, shares


@pytest.mark.parametrize("lost", [3, 5])
def test_without_a_hello_the_secrets_are_found_by_trial_and_nothing_is_called_verified(lost: int) -> None:
    segments = packetise(talk("all sorts")[0], mss=1460, acks=True)
    del segments[lost]
    record, _ = decrypt("all sorts", segments)
    assert record["version"] == "TLS 1.3"
    assert record["cipher_suite"].startswith("TLS_")
    assert record["established"]
    assert record["authenticity"]["finished"] == {"client": "unverifiable", "server": "unverifiable"}
    assert "found_by_trial" in [finding["code"] for finding in record["findings"]]


@pytest.mark.parametrize("part", [0, 1])
def test_a_server_hello_that_is_not_whole_takes_nothing_from_what_opens(part: int) -> None:
    flights = talk("all sorts")[0]
    segments = packetise(flights, mss=(1460, 100), acks=True)
    answer = [one for one in segments if one.side == SERVER and one.payload][part]  # the ServerHello fills more than one
    lost = range(answer.sequence - 900_001, answer.sequence - 900_001 + len(answer.payload))
    segments.remove(answer)
    record, _ = decrypt("all sorts", segments)
    streams = [(side, one) for side in (CLIENT, SERVER) for one in records_of(flights, side)]
    intact = [one for side, one in streams if side == CLIENT or set(lost).isdisjoint(range(*one))]
    assert record["decryption"]["records"] == len(intact)
    assert record["decryption"]["reason"] in (None, "missing_segment")
    codes = [finding["code"] for finding in record["findings"]]
    assert "found_by_trial" in codes
    assert "time_goes_back" not in codes  # what stood before the gap has the time of its frame
    assert record["authenticity"]["finished"] == {"client": "unverifiable", "server": "unverifiable"}


def test_a_key_log_of_another_run_costs_no_more_than_the_limit() -> None:
    segments = packetise(talk("all sorts")[0], mss=1460, acks=True)
    del segments[3]
    keylog = KeyLog()
    lines = [line.split() for line in talk("the largest records")[1].decode().splitlines() if line[0] != "#"]
    for number in range(300):
        keylog.feed("".join(f"{label} {number:064x} {secret}\n" for label, _, secret in lines).encode())
    tap = Tap()
    tap.engine = Engine(keylog=keylog)
    before = tap.engine.material.trials
    tap.feed(*segments)
    (record,) = tap.records()
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("none", "no_handshake")
    assert 300 <= before - tap.engine.material.trials <= 300 * limits.MAX_TRIAL_RECORDS


def test_a_hello_that_is_cut_takes_back_nothing_that_was_proved(tmp_path: Path) -> None:
    """Records of the client were opened by trial before the server's bytes behind the gap are read."""
    made = talk_of(page("/", b"x" * 100))
    segments = packetise(made.flights, mss=50)
    for lost in range(6):
        [record] = sessions(tmp_path, made, without(segments, SERVER, lost))
        assert record["version"] == "TLS 1.3"
        assert [finding["code"] for finding in record["findings"] if finding["severity"] != "info"] in (["gap"], ["gap", "gap"])
        assert not any(message.get("problems") for message in record["handshake"] if message["encrypted"])
