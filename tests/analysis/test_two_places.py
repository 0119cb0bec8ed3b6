"""Two places of real TLS traffic: joined, timed, and what is between them, with clocks apart by hours."""

import os
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from faulty_path import FAR, FaultyPath, path, payload_of
from frames_by_hand import START
from two_taps import (
    ACK,
    CLIENT,
    HOUR,
    MS,
    NEAR,
    RST,
    SERVER,
    Ends,
    Sent,
    Tap,
    answering,
    ask,
    direct,
    facts_of,
    intercepted,
    packets,
    places,
    server_context,
    through,
)

from analyzer.analysis.interception import EXCLUDED, POSSIBLE, PROVEN, UNKNOWN
from analyzer.analysis.joined_traces import CLIENT_RANDOM
from analyzer.analysis.two_places import TwoPlaces, compare_places

TRANSLATED: Ends = (("198.51.100.1", 61000), NEAR[1])


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> list[Sent]:
    """A connection of real endpoints."""
    (chunks,) = direct(tmp_path_factory.mktemp("direct"), "www.example.test")
    return packets(chunks)


def changed(found: TwoPlaces) -> dict[str, tuple[str | None, str | None]]:
    return {one.fact: (one.a, one.b) for one in found.connections[0].changed}


def test_a_translated_session_is_joined_and_not_intercepted(sent: list[Sent], tmp_path: Path):
    a, b = Tap(2, 4 * MS), Tap(7, 15 * MS, ahead=-7 * HOUR, ends=TRANSLATED)
    through(sent, a, b)
    found = places(tmp_path, a, b)
    (pair,) = found.pairs
    assert (pair.by, pair.verdict) == (CLIENT_RANDOM, EXCLUDED)
    assert changed(found) == {"client": ("10.0.0.5:50000", "198.51.100.1:61000")}
    assert found.clock is not None
    assert found.clock.uncertainty is not None
    assert abs(found.clock.offset + 7 * HOUR) <= found.clock.uncertainty == 11 * MS
    assert not found.is_different()
    assert found.alone == ([], [])


def test_what_a_middlebox_rewrites_is_told(sent: list[Sent], tmp_path: Path):
    a, b = Tap(2, 4 * MS), Tap(7, 15 * MS, mss=1380, numbers=(77_000_000, 99_000_000))
    through(sent, a, b)
    found = places(tmp_path, a, b)
    assert changed(found) == {
        "client_mss": ("1460", "1380"),
        "server_mss": ("1460", "1380"),
        "sequence_numbers": ("305419897 4294963201", "382419897 98995905"),
    }
    assert found.pairs[0].verdict == EXCLUDED
    assert found.is_different()


def test_a_reset_that_only_one_place_has_comes_from_between(sent: list[Sent], tmp_path: Path):
    a, b = Tap(2, 4 * MS), Tap(7, 15 * MS)
    through(sent, a, b)
    a.see(replace(sent[-1], side=SERVER, flags=RST | ACK, sequence=sent[-1].acknowledgement, at=sent[-1].at + MS))
    assert changed(places(tmp_path, a, b)) == {"server_reset": (f"frame {len(sent) + 1}", None)}


def greetings(number: int) -> list[Sent]:
    """A connection whose bytes are the same every week."""
    chunks = [(0, SERVER, b"220 mail.example ESMTP ready"), (1, CLIENT, b"EHLO client.example.org")]
    return packets(chunks, (0x21000000 + number, 0x31000000 + number))


def test_the_same_greeting_in_another_week_joins_nothing(tmp_path: Path):
    a, b = Tap(2, 4 * MS), Tap(7, 15 * MS, ahead=7 * 24 * HOUR)
    through(greetings(1), a, Tap(7, 0))
    through(greetings(2), Tap(2, 0), b)
    found = places(tmp_path, a, b)
    assert not found.certain
    assert not any(pair.verdict for pair in found.pairs)


def test_equal_bytes_join_where_the_times_agree(sent: list[Sent], tmp_path: Path):
    moved = {"numbers": (77_000_000, 99_000_000), "ahead": HOUR}
    for late, n_joined in ((0, 2), (60_000 * MS, 1)):
        a, b = Tap(2, 4 * MS), Tap(7, 15 * MS, **moved)
        through(sent, a, b)
        a.ends, b.ends = ((("10.0.0.5", 50001), ("203.0.113.7", 25)), (("198.51.100.1", 61001), ("203.0.113.7", 25)))
        through(greetings(1), a, Tap(7, 0))
        through([replace(one, at=one.at + late) for one in greetings(1)], Tap(2, 0), b)
        found = places(tmp_path, a, b)
        assert found.certain
        assert len(found.connections) == n_joined


def test_a_session_before_the_other_capture_is_not_called_lost(sent: list[Sent], tmp_path: Path):
    a, b = Tap(2, 4 * MS), Tap(7, 15 * MS, ahead=HOUR)
    through(sent, a, Tap(7, 0))
    later = [replace(one, at=one.at + 60_000 * MS, sequence=one.sequence - 500_000) for one in sent if not one.payload]
    a.ends = b.ends = (("10.0.0.5", 50001), NEAR[1])
    through(later, a, b)
    found = places(tmp_path, a, b)
    assert [one.covered for one in found.alone[0]] == [False]
    assert found.alone[1] == []
    assert [one.id for one in found.sessions_alone[0]] == [0]
    assert not found.is_different()


def test_a_connection_that_does_not_come_is_a_difference(sent: list[Sent], tmp_path: Path):
    a, b = Tap(2, 4 * MS), Tap(7, 15 * MS)
    through(sent, a, b)
    a.ends = (("10.0.0.6", 50001), NEAR[1])
    a.see(replace(sent[0], at=sent[10].at, sequence=0x55555555))
    found = places(tmp_path, a, b)
    assert [(one.covered, one.expected) for one in found.alone[0]] == [(True, False)]
    assert not found.is_different()
    a.ends = (("10.0.0.5", 50001), NEAR[1])
    a.see(replace(sent[0], at=sent[10].at, sequence=0x66666666))
    found = places(tmp_path, a, b)
    assert [(one.covered, one.expected) for one in found.alone[0]] == [(True, False), (True, True)]
    assert found.is_different()


def test_a_proxy_that_ends_tls(tmp_path: Path):
    near, far = intercepted(tmp_path, "one.test", "two.test", "three.test")
    a, b = Tap(1, MS), Tap(0, MS, ahead=-5 * HOUR)
    began = min(chunks[0][0] for chunks in near)
    for tap, connections, host in ((a, near, "10.0.0.5"), (b, far, "192.0.2.99")):
        for number, chunks in enumerate(connections):
            tap.ends = ((host, 40000 + number), NEAR[1])
            isns = 0x20000000 + len(host) * 1_000_000 + number, 0x30000000 + len(host) * 1_000_000 + number
            for one in packets(chunks, isns, start=START + chunks[0][0] - began):
                tap.see(one)
    found = places(tmp_path, a, b)
    assert found.connections == []
    assert found.clock is not None
    assert found.clock.by == "names"
    assert abs(found.clock.offset + 5 * HOUR) < 2000 * MS
    assert [(pair.a.server_name, pair.verdict) for pair in found.pairs] == [
        ("one.test", POSSIBLE), ("two.test", POSSIBLE), ("three.test", POSSIBLE),
    ]  # fmt: skip
    for pair in found.pairs:
        facts = {one.fact: (one.a, one.b) for one in pair.differences}
        assert facts["issuer"] == ("CN=Corporate Proxy", "CN=Honest CA")
        assert {"certificate", "ja4"} <= facts.keys()
    assert found.is_different()


def test_a_proxy_inside_the_connection_is_proven(tmp_path: Path):
    (near,), (far,) = intercepted(tmp_path, "one.test")
    a, b = Tap(2, 4 * MS), Tap(7, 15 * MS, ahead=HOUR)
    through(packets(near), a, Tap(7, 0))
    through(packets(far), Tap(2, 0), b)
    found = places(tmp_path, a, b)
    (pair,) = found.pairs
    assert (pair.by, pair.verdict) == ("connection", PROVEN)
    assert {one.fact for one in pair.differences} >= {"certificate", "issuer", "ja4"}


def test_nothing_in_common(tmp_path: Path):
    found = places(tmp_path, Tap(0, 0), Tap(0, 0))
    assert (found.clock, found.connections, found.pairs, found.is_different()) == (None, [], [], False)


def test_a_real_path_that_loses_packets(tmp_path: Path):
    """The kernel's TCP between two namespaces: what was lost, it sent again."""
    context, name = server_context(tmp_path, "www.example.test", "Honest CA"), "www.example.test"
    taken: tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]] = ([], [])
    gone: list[bytes] = []

    def see(tap: int, packet: bytes, hops: int = 0) -> None:
        passed = packet[:8] + bytes([packet[8] - hops]) + packet[9:]
        taken[tap].append((time.time_ns() + tap * 9 * HOUR, passed))

    def fault(_: FaultyPath, direction: int, packet: bytes) -> bytes | None:
        see(direction, packet)  # those of the client come by A first
        n_filled = sum(bool(payload_of(one)) and one[12:16] == packet[12:16] for _, one in taken[direction])
        if direction == 1 and len(payload_of(packet)) > 1000 and n_filled in (3, 7) and len(gone) < 2:
            gone.append(packet)
            return None
        see(1 - direction, packet, hops=3)
        return packet

    try:
        with path() as made:
            made.faults[443] = fault
            door = made.within(True, lambda: socket.create_server((FAR, 443)))
            with door:
                served = threading.Thread(target=lambda: answering(context)(door.accept()[0]), daemon=True)
                served.start()
                made.within(False, lambda: ask(443, name, times=3, host=FAR))
                served.join(10)
                time.sleep(0.3)
            captures = []
            for tap, packets_seen in enumerate(taken):
                made.packets = packets_seen
                captures.append(made.write(tmp_path / f"{tap}.pcap"))
    except PermissionError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    found = compare_places(*(facts_of(capture).place() for capture in captures))
    (one,) = found.connections
    assert one.passages is not None
    client, server = one.passages
    assert (server.lost.segments, server.lost.n_bytes) == (len(gone), sum(len(payload_of(packet)) for packet in gone)) != (0, 0)
    assert (client.first, server.first) == ("a", "b")
    assert server.missed[0].segments == server.missed[1].segments == client.lost.segments == 0
    assert found.clock is not None
    assert abs(found.clock.offset - 9 * HOUR) < 100 * MS
    assert [pair.verdict for pair in found.pairs] == [EXCLUDED]


def test_a_capture_is_the_same_as_itself():
    n_compared = 0
    for capture in sorted((Path(__file__).parents[2] / "captures").rglob("*.pcap*")):
        found = compare_places(facts_of(capture).place(), facts_of(capture).place())
        assert not found.is_different(), capture
        assert found.alone == ([], []), capture
        assert found.clock is None or found.clock.offset == 0, capture
        assert {pair.verdict for pair in found.pairs} <= {EXCLUDED, UNKNOWN}, capture
        n_compared += len(found.connections)
    assert n_compared > 50
