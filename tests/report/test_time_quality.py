"""Times of captures: resolution, order, jumps, and the clocks of servers by HTTP and by the random of TLS."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from frames_by_hand import START, Segment, watch, write

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.engine.run import Listener, run
from analyzer.report.capture_observations import CaptureWatch
from analyzer.report.time_quality import SHOWN_SERVERS, ServerClocks, time_facts
from analyzer.tls.events import Event, SessionEnded

SECOND = 1_000_000_000


class Clocks(Listener):
    """Gives the sessions of a run to `ServerClocks`."""

    def __init__(self) -> None:
        self.clocks = ServerClocks()

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self.clocks.take(event.ended)


def facts_of(*paths: Path, keylog: Any = None) -> dict[str, Any]:
    reader, seen, clocks = CaptureReader([str(path) for path in paths]), CaptureWatch(), Clocks()
    run(reader, Engine(detailed=True, places=False, keylog=keylog), [seen, clocks])
    return time_facts(reader.files, seen, clocks.clocks)


def test_the_quality_of_times(tmp_path: Path) -> None:
    frame = Segment(identification=0).frame()
    times = [START, START + 5 * SECOND, START + 2 * SECOND, START + 3 * SECOND]
    facts = facts_of(write(tmp_path / "times.pcapng", [(at, frame) for at in times]))
    assert facts == {
        "first": "2023-11-14T22:13:20.123456789Z",
        "last": "2023-11-14T22:13:25.123456789Z",
        "duration_seconds": 5.0,
        "resolution": ["10^-9 s"],
        "backward": 1,
        "largest_backward_seconds": 3.0,
        "jumps": [{"frame": 3, "seconds": -3.0}],
        "n_jumps": 1,
        "server_offsets": [],
    }


def test_without_frames_nothing_is_known(tmp_path: Path) -> None:
    facts = facts_of(write(tmp_path / "empty.pcapng", []))
    keys = ("first", "last", "duration_seconds", "largest_backward_seconds", "backward")
    assert [facts[key] for key in keys] == [None, None, None, None, 0]


def test_two_files_are_in_no_order(tmp_path: Path) -> None:
    frame = Segment(identification=0).frame()
    paths = [write(tmp_path / str(at), [(at, frame)]) for at in (START + 9 * SECOND, START)]
    facts = facts_of(*paths)
    assert (facts["backward"], facts["jumps"], facts["duration_seconds"]) == (0, [], 9.0)
    assert len(watch(*paths)[0].integrity.interfaces) == 2


def test_dates_of_decrypted_responses(repository: Path) -> None:
    """The demonstration was built: its server has one clock, and its network another."""
    facts = facts_of(repository / "captures" / "demo.pcapng")
    (one,) = [offset for offset in facts["server_offsets"] if offset["source"] == "http_date"]
    assert one["server"] == "203.0.113.30:443"
    assert one["count"] == 2
    assert one["least_seconds"] <= one["median_seconds"] <= one["most_seconds"] < one["least_seconds"] + 1


@pytest.mark.corpus
def test_randoms_that_begin_with_the_time(corpus: Path) -> None:
    found = facts_of(corpus / "ja4" / "latest.pcapng")["server_offsets"]
    assert [one for one in found if one["server"] == "52.249.29.248:443"] == [
        {
            "server": "52.249.29.248:443",
            "source": "gmt_unix_time",
            "count": 2,
            "median_seconds": pytest.approx(-0.3475595),
            "least_seconds": pytest.approx(-0.543709),
            "most_seconds": pytest.approx(-0.15141),
        }
    ]


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["tls/chrome-1250-tls-x25519-kyber.pcap", "tls/tls13draft16-ff52.a01.pcap"])
def test_randoms_of_tls_1_3_are_never_times(corpus: Path, name: str) -> None:
    assert facts_of(corpus / "zeek" / name)["server_offsets"] == []


class _Hello:
    name = "server_hello"

    def __init__(self, at: int) -> None:
        self.at = at


class _Ended:
    """As much of a session as `ServerClocks` reads."""

    def __init__(self, seconds: int, at: int, version: int = 0x0303, server: tuple[str, int] = ("192.0.2.9", 443)) -> None:
        self.flow = type("Flow", (), {"server": server})()
        self.log = type("Log", (), {"version": version, "messages": [_Hello(at)]})()
        transcript = type("Transcript", (), {"server_random": (seconds & 0xFFFFFFFF).to_bytes(4) + bytes(28)})()
        self.handshake = type("Handshake", (), {"transcript": transcript, "decryption": None})()


def offsets(*sessions: _Ended) -> list[dict[str, Any]]:
    clocks = ServerClocks()
    for session in sessions:
        clocks.take(session)  # type: ignore[arg-type]
    return clocks.records()


def test_random_randoms_are_no_times() -> None:
    now = START // SECOND
    plausible, random = _Ended(now + 7, START), _Ended(now + 400_000, START)
    assert offsets(random) == []
    assert offsets(plausible, random) == [], "half of them may be chance"
    (one,) = offsets(plausible, random, plausible)
    assert one["count"] == 2
    assert one["median_seconds"] == pytest.approx(6.876543211)
    assert offsets(_Ended(now, START, 0x0304)) == []
    assert offsets(_Ended(now, START, 0x0002)) == []
    assert offsets(_Ended(now, -1)) == []


def test_servers_are_bounded_and_the_best_come_first() -> None:
    now = START // SECOND
    sessions = [_Ended(now, START, server=(f"2001:db8::{at:x}", 443)) for at in range(3000)]
    found = offsets(*sessions, sessions[5])
    assert len(found) == SHOWN_SERVERS
    assert (found[0]["server"], found[0]["count"]) == ("[2001:db8::5]:443", 2)
