"""Each observation on built captures: one in which it must appear, and an ordinary one in which nothing is observed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from frames_by_hand import (
    ACK,
    CLIENT,
    PSH,
    RST,
    SERVER,
    START,
    SYN,
    Segment,
    Timed,
    answer,
    datagram,
    observe,
    watch,
    write,
)  # fmt: skip

from analyzer.analysis import capture_integrity as module

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
PIECE = b"x" * 100


def talk(n: int = 60, wait: int = 100 * MILLISECOND + 7) -> list[tuple[int, Segment]]:
    """A connection as two Linux hosts have it: a handshake, then `n` pieces of the server, each acknowledged."""
    client, server = Segment(identification=1000, tsval=50_000), Segment(identification=7000, hops=55, tsval=900_000)
    ends: dict[str, Any] = {"source": (SERVER, 443), "destination": (CLIENT, 40000)}
    talked = [
        (START, replace(client, flags=SYN, sequence=100, acknowledgement=0)),
        (START + 300, replace(server, flags=SYN | ACK, sequence=500, acknowledgement=101, identification=0, **ends)),
        (START + 600, replace(client, sequence=101, acknowledgement=501, identification=1001)),
    ]
    for step in range(n):
        at, sent = START + 1000 + step * wait, 501 + 100 * step
        ticks = step * wait // MILLISECOND
        piece = replace(server, flags=PSH | ACK, sequence=sent, acknowledgement=101, payload=PIECE, **ends)
        talked.append((at, replace(piece, identification=7000 + step, tsval=900_000 + ticks)))
        reply = replace(client, sequence=101, acknowledgement=sent + 100, identification=1002 + step, tsval=50_000 + ticks)
        talked.append((at + 500, reply))
    return talked


def frames(talked: list[tuple[int, Segment]]) -> list[Timed]:
    return [(at, segment.frame()) for at, segment in talked]


def change(talked: list[tuple[int, Segment]], place: int, **changes: Any) -> list[tuple[int, Segment]]:
    at, segment = talked[place]
    return [*talked[:place], (at, replace(segment, **changes)), *talked[place + 1 :]]


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Write a capture of a talk, and return the observations on it."""

    def observed(talked: list[tuple[int, Segment]], **settings: Any) -> dict[str, Any]:
        return observe(write(tmp_path / "talk.pcapng", frames(talked), **settings))

    return observed


def test_nothing_is_observed_in_an_ordinary_connection(found: Callable[..., dict[str, Any]]) -> None:
    assert found(talk()) == {}


def test_what_was_compared_is_counted(tmp_path: Path) -> None:
    seen, files = watch(write(tmp_path / "talk.pcapng", [*frames(talk()), (START, datagram(b"asked"))]))
    assert seen.observations(files)[0] == {
        "code": "integrity_scope",
        "args": {"frames": 124, "interfaces": 1, "checksums": 248, "directions": 3, "series": 2, "clocks": 2},
        "frames": [],
    }


def test_a_removed_packet_leaves_a_hole_and_a_number(found: Callable[..., dict[str, Any]]) -> None:
    talked = talk()
    del talked[63]
    observed = found(talked)
    assert sorted(observed) == ["acknowledged_not_captured", "identification_skips"]
    hole = observed["acknowledged_not_captured"]
    assert hole["args"] == {"count": 100, "directions": 1, "hosts": 1, "addresses": [SERVER]}
    assert hole["frames"] == [64]
    assert observed["identification_skips"]["args"]["count"] == 1
    assert observed["identification_skips"]["frames"] == [65]


def test_packets_that_come_late_are_not_missing(found: Callable[..., dict[str, Any]]) -> None:
    talked = talk()
    talked[63:68:2] = [(talked[place][0], talked[other][1]) for place, other in ((63, 67), (65, 63), (67, 65))]
    assert found(talked) == {}


def test_a_loss_that_nobody_acknowledged_is_no_gap_of_the_capture(found: Callable[..., dict[str, Any]]) -> None:
    talked = talk()[:-1]
    at, last = talked[-1]
    assert found(
        [*talked[:-1], (at, replace(last, sequence=last.sequence + 5000, identification=last.identification + 1))]
    ).keys() <= {"identification_skips"}


def test_bytes_that_the_snapshot_length_cut_are_not_missing(tmp_path: Path) -> None:
    cut = [(at, data[:80], len(data)) if len(data) > 80 else (at, data) for at, data in frames(talk())]  # type: ignore[misc]
    assert observe(write(tmp_path / "cut.pcapng", cut, snap_length=80)) == {}


def test_a_packet_that_was_added_stands_out(found: Callable[..., dict[str, Any]]) -> None:
    talked = talk()
    at, beside = talked[81]
    added = replace(beside, flags=RST, payload=b"", identification=31337, hops=243, tsval=None)
    observed = found([*talked[:82], (at + 100, added), *talked[82:]])
    assert sorted(observed) == ["hops_stand_out", "identification_stands_out"]
    for one in observed.values():
        assert one["frames"] == [83]
        assert one["args"] == {"count": 1, "directions": 1, "hosts": 1, "addresses": [SERVER]}


def test_a_host_that_begins_again_with_its_numbers(found: Callable[..., dict[str, Any]]) -> None:
    talked = talk()
    for place in range(83, len(talked), 2):
        talked = change(talked, place, identification=talked[place][1].identification - 6000)
    observed = found(talked)
    assert {code: one["frames"] for code, one in observed.items()} == {"identification_restarts": [84]}


def test_random_and_absent_numbers_are_no_series(found: Callable[..., dict[str, Any]]) -> None:
    talked = talk()
    for place, (_, segment) in enumerate(talk()):
        talked = change(talked, place, identification=0 if place % 2 else segment.sequence * 40503 & 0xFFFF)
    assert found(talked) == {}


def test_a_path_that_changes_is_no_packet_that_stands_out(found: Callable[..., dict[str, Any]]) -> None:
    talked = talk()
    for place in range(63, len(talked), 2):
        talked = change(talked, place, hops=53)
    assert found(talked) == {}


def test_new_data_with_an_older_number_and_an_older_clock(found: Callable[..., dict[str, Any]]) -> None:
    talked = talk()
    number, ticks = talked[83][1].identification, talked[83][1].tsval
    assert ticks is not None
    observed = found(change(change(talked, 83, identification=number - 5), 85, tsval=ticks - 400))
    assert {code: one["frames"] for code, one in observed.items()} == {
        "identification_backward": [84],
        "identification_skips": [86],
        "timestamp_older": [86],
    }


def test_a_clock_of_the_capture_that_is_set_is_seen_by_two_hosts(tmp_path: Path) -> None:
    talked = talk()
    moved = [(at + (3600 * SECOND if place >= 91 else 0), one) for place, (at, one) in enumerate(talked)]
    path = write(tmp_path / "moved.pcapng", frames(moved))
    observed = observe(path)
    assert list(observed) == ["clock_jump"]
    assert observed["clock_jump"]["frames"] == [92]
    assert observed["clock_jump"]["args"]["addresses"] == [SERVER, CLIENT]
    assert observed["clock_jump"]["args"]["largest_seconds"] == pytest.approx(3600, abs=0.01)


def test_a_computer_that_slept_is_alone(found: Callable[..., dict[str, Any]]) -> None:
    """The other one was awake: its clock went on as that of the capture."""
    moved = [(at + (3600 * SECOND if place >= 91 else 0), one) for place, (at, one) in enumerate(talk())]
    for place in range(91, len(moved)):
        if moved[place][1].source[0] == SERVER:
            moved = change(moved, place, tsval=(moved[place][1].tsval or 0) + 3_600_000)
    observed = found(moved)
    assert list(observed) == ["timestamp_step"]
    assert observed["timestamp_step"]["args"]["addresses"] == [CLIENT]


def test_a_long_silence_is_no_step(found: Callable[..., dict[str, Any]]) -> None:
    quiet = [
        (at + (3600 * SECOND if place >= 91 else 0), replace(one, tsval=(one.tsval or 0) + (3_600_000 if place >= 91 else 0)))
        for place, (at, one) in enumerate(talk())
    ]
    assert found(quiet) == {}


def test_times_in_another_order(found: Callable[..., dict[str, Any]]) -> None:
    talked = talk()
    early = (talked[73][0] - 2 * SECOND, talked[73][1])
    observed = found([*talked[:73], early, *talked[74:]])
    assert list(observed) == ["time_backward"]
    assert observed["time_backward"]["frames"] == [74]
    assert observed["time_backward"]["args"] | {"largest_seconds": 0} == {
        "interface": 0, "count": 1, "of": 123, "largest_seconds": 0,
    }  # fmt: skip
    assert observed["time_backward"]["args"]["largest_seconds"] == pytest.approx(1.9, abs=0.01)


def test_two_frames_with_the_same_bytes(found: Callable[..., dict[str, Any]]) -> None:
    talked = talk()
    at, one = talked[63]
    observed = found([*talked[:64], (at + 100, one), *talked[64:]])
    assert {code: found["frames"] for code, found in observed.items()} == {"duplicate_frames": [65]}
    late = [*talked[:65], (at + 20 * MILLISECOND, one), *talked[65:]]
    assert found(late) == {}


def test_checksums_that_do_not_fit(tmp_path: Path) -> None:
    segment = Segment(payload=PIECE)
    whole = segment.frame()
    wrong = bytearray(whole)
    wrong[-1] ^= 1
    header = bytearray(whole)
    header[14 + 8] -= 1
    unfinished = bytearray(whole)
    pseudo = sum(int.from_bytes(whole[at : at + 2]) for at in range(26, 34, 2)) + 6 + len(whole) - 34
    unfinished[50:52] = (pseudo % 0xFFFF).to_bytes(2)
    contents = [whole, bytes(wrong), bytes(header), bytes(unfinished), whole[:90]]
    timed: list[Timed] = [(START + 50 * MILLISECOND * place, data, len(whole)) for place, data in enumerate(contents)]
    seen, files = watch(write(tmp_path / "checksums.pcapng", timed))
    found = {(one["code"], one["args"].get("protocol")): one for one in seen.observations(files)}
    assert {key: one["frames"] for key, one in found.items() if key[1]} == {
        ("checksum_wrong", "TCP"): [2],
        ("checksum_wrong", "IPv4"): [3],
        ("checksum_unfinished", "TCP"): [4],
    }
    assert found["checksum_wrong", "TCP"]["args"] == {
        "count": 1, "directions": 1, "hosts": 1, "addresses": [CLIENT], "protocol": "TCP", "checked": 4,
    }  # fmt: skip


def test_a_new_connection_on_the_same_ports_begins_anew(found: Callable[..., dict[str, Any]]) -> None:
    again = [
        (at + 30 * SECOND, replace(one, sequence=one.sequence + 900_000, tsval=(one.tsval or 0) // 7, hops=one.hops - 1))
        for at, one in talk()
    ]
    again = [
        (at, replace(one, acknowledgement=one.acknowledgement + 900_000 if one.flags != SYN else 0, identification=at % 60_000))
        for at, one in again
    ]
    assert found([*talk(), *again]) == {}


def test_the_same_traffic_in_two_files_is_not_compared(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, frames(talk())) for name in ("here.pcapng", "there.pcapng")]
    seen, files = watch(*paths)
    (scope, *rest) = seen.observations(files)
    assert rest == []
    assert scope["args"]["directions"] == 4


def test_a_server_that_answers_at_once(found: Callable[..., dict[str, Any]]) -> None:
    """An answer of one segment that goes in the other direction, with IPv6: it has no identification."""
    first = Segment(source=("2001:db8::1", 1), destination=("2001:db8::2", 2), payload=b"asked", flags=PSH | ACK)
    assert found([(START, first), (START + 5, answer(first, payload=b"answered", sequence=1, acknowledgement=6))]) == {}


@pytest.mark.skipif(module.COMPILED, reason="the bound is a constant in C")
def test_senders_are_forgotten_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_SENDERS", 16)
    scan = [(START + place, Segment(flags=SYN, source=(CLIENT, 1 + place)).frame()) for place in range(100)]
    seen, _ = watch(write(tmp_path / "scan.pcapng", scan))
    assert len(seen.integrity.senders) + len(seen.integrity.older) <= 32
    assert seen.integrity.n_directions >= 68


@pytest.mark.corpus
def test_ordinary_captures_stay_calm(corpus: Path) -> None:
    """Of 84 captures of TLS from many years, few have anything but checksums that the sender did not finish."""
    noticed = {}
    paths = sorted(corpus.glob("zeek/tls/*.pcap"))
    for path in paths:
        seen, files = watch(path)
        codes = {one["code"] for one in seen.observations(files)} - {"integrity_scope", "checksum_unfinished"}
        if codes:
            noticed[path.name] = codes
    assert len(paths) > 60
    assert noticed == {
        "ocsp-request-only.pcap": {"acknowledged_not_captured"},
        "ocsp-response-only.pcap": {"acknowledged_not_captured"},
        "ssl-to-http-server.pcap": {"duplicate_frames"},
        "tls1.2-late-protocol-error.pcap": {"checksum_wrong"},
        "tls1.2-protocol-violation.pcap": {"checksum_wrong"},
    }


@pytest.mark.corpus
def test_a_capture_in_which_every_frame_is_twice(corpus: Path) -> None:
    duplicates = observe(corpus / "zeek" / "tcpip" / "tcp-ssh-dups.pcap")["duplicate_frames"]
    assert duplicates["args"]["count"] == 187


def test_the_module_says_whether_it_is_compiled(build_under_test: str) -> None:
    assert module.COMPILED == (build_under_test == "compiled")
