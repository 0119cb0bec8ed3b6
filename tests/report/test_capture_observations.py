"""What files say of themselves, where it does not fit what is in them."""

import io
from pathlib import Path
from typing import Any

import pytest
from frames_by_hand import START, Segment, Timed, observe, watch, write

from analyzer.capture.blocks import Statistics
from analyzer.capture.capture_writer import PcapngWriter
from analyzer.report.capture_observations import MOST_OBSERVATIONS
from analyzer.report.evidence import evidence_facts

FRAMES: list[Timed] = [(START + 1_000_000 * place, Segment(identification=0).frame()) for place in range(120)]


def with_counters(path: Path, received: int, dropped: int) -> dict[str, dict[str, Any]]:
    counters = Statistics(0, START, None, None, received, dropped)
    return observe(write(path, FRAMES, counters=counters))


def test_counters_that_fit_are_not_observed(tmp_path: Path) -> None:
    assert with_counters(tmp_path / "same", 120, 0) == {}
    assert with_counters(tmp_path / "late", 1000, 0) == {}, "packets on their way when the capture was stopped"
    assert with_counters(tmp_path / "none", 0, 0) == {}, "a counter that was not kept"


def test_counters_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "fewer"
    observed = with_counters(path, 5000, 7)
    assert observed["dropped"]["args"] == {"path": str(path), "interface": 0, "count": 7}
    assert observed["fewer_frames_than_counted"]["args"] == {
        "path": str(path), "interface": 0, "frames": 120, "received": 5000, "dropped": 7,
    }  # fmt: skip
    observed = with_counters(tmp_path / "more", 119, 0)
    assert observed["more_frames_than_counted"]["args"]["received"] == 119


def test_a_file_that_was_joined(tmp_path: Path) -> None:
    path, half = tmp_path / "joined", write(tmp_path / "half", FRAMES)
    path.write_bytes(half.read_bytes() + half.read_bytes())
    observed = observe(path)
    assert observed["several_sections"]["args"] == {"path": str(path), "count": 2}
    assert "several_sections" not in observe(half)


@pytest.mark.parametrize(("application", "edited"), [("Mergecap (Wireshark) 4.2.2", True), ("tcpdump 4.99", False)])
def test_programs_that_do_not_capture(tmp_path: Path, application: str, edited: bool) -> None:
    observed = observe(write(tmp_path / "a", FRAMES, application=application))
    assert set(observed) == ({"edited_by"} if edited else set())
    assert not edited or observed["edited_by"]["args"]["application"] == application


def dumpcap(path: Path, os: str, name: str, counters: bool) -> dict[str, dict[str, Any]]:
    file = io.BytesIO()
    writer = PcapngWriter(file, os=os, application="Dumpcap (Wireshark) 4.2.2")
    writer.write_interface(1, name=name)
    writer.write_frame(*FRAMES[0])
    if counters:
        writer.write_statistics(Statistics(0, START))
    path.write_bytes(file.getvalue())
    return observe(path)


def test_what_dumpcap_always_writes(tmp_path: Path) -> None:
    assert dumpcap(tmp_path / "whole", "Linux", "eth0", True) == {}
    assert set(dumpcap(tmp_path / "counters", "Linux", "eth0", False)) == {"dumpcap_without_counters"}
    assert set(dumpcap(tmp_path / "os", "", "eth0", True)) == {"dumpcap_without_names"}
    assert set(dumpcap(tmp_path / "name", "Linux", "", True)) == {"dumpcap_without_names"}
    cut = tmp_path / "cut"
    cut.write_bytes((tmp_path / "counters").read_bytes()[:-1])
    assert observe(cut) == {}


def test_secrets_in_a_file(tmp_path: Path) -> None:
    path, file = tmp_path / "secrets", io.BytesIO()
    writer = PcapngWriter(file)
    writer.write_interface(1)
    writer.write_secrets(b"CLIENT_RANDOM 00 11\n")
    path.write_bytes(file.getvalue())
    assert observe(path)["secrets_inside"]["args"] == {"path": str(path), "count": 1}


def test_a_clock_that_was_not_set(tmp_path: Path) -> None:
    observed = observe(write(tmp_path / "unset", [(7_000_000_123, FRAMES[0][1])]))
    assert observed["clock_not_set"]["args"]["seconds"] == 7


def test_frames_longer_than_the_file_says(tmp_path: Path) -> None:
    observed = observe(write(tmp_path / "long", FRAMES, snap_length=50))
    assert observed["longer_than_snap_length"]["args"]["longest"] == 54
    assert observe(write(tmp_path / "whole", FRAMES, snap_length=54)) == {}


def test_a_clock_coarser_than_the_file(tmp_path: Path) -> None:
    coarse: list[Timed] = [(at // 1000 * 1000, frame) for at, frame, *_ in FRAMES]
    path = write(tmp_path / "coarse", coarse)
    assert observe(path)["coarse_times"]["args"] == {
        "path": str(path), "interface": 0, "resolution": "10^-9 s", "shown": "10^-6 s", "count": 120,
    }  # fmt: skip


def test_a_block_that_cannot_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "broken", FRAMES[:1])
    body = (9).to_bytes(2, "little") + (200).to_bytes(2, "little")
    block = (4).to_bytes(4, "little") + (16).to_bytes(4, "little") + body + (16).to_bytes(4, "little")
    path.write_bytes(path.read_bytes() + block)
    assert observe(path)["damaged_blocks"]["args"]["count"] == 1


def test_a_file_of_very_many_sections_and_interfaces_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "many"
    file = io.BytesIO()
    for number in range(300):
        writer = PcapngWriter(file, application=f"editcap {number} " + "x" * 60_000)
        writer.write_interface(1)
        for at in (START + 5, START):
            writer.write_frame(at, bytes(60), 50)
    path.write_bytes(file.getvalue())
    seen, files = watch(path)
    observations = seen.observations(files)
    assert len(observations) == 2 * MOST_OBSERVATIONS
    assert len(str(observations)) < 500_000
    (facts,) = evidence_facts(files)["inputs"]
    assert (facts["n_sections"], len(facts["sections"])) == (300, 100)
    assert len(facts["sections"][0]["application"]) == 1000
