"""Several captures are one in every command: rotated files in the order of time, sessions and secrets across them."""

import csv
import io
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from conversations import CLIENT, SERVER, START, Segment, packetise
from keyed import ETHERNET, MILLISECOND, Talk, page, talk_of

from analyzer.capture.capture_writer import PcapngWriter

from .conftest import Run

N_FILES = 4
BODIES = [b"body %d " % number * 400 for number in range(3)]


def rotated(segments: Sequence[Segment], folder: Path, secrets: str = "") -> list[Path]:
    """Write the segments as a ring of files does. secrets: into the last file, as a program does that is told them late."""
    folder.mkdir()
    paths = []
    size = -(-len(segments) // N_FILES)
    for number in range(N_FILES):
        file = io.BytesIO()
        writer = PcapngWriter(file, comment=f"file {number}")
        writer.write_interface(ETHERNET, name=f"eth{number}")
        for index in range(number * size, min((number + 1) * size, len(segments))):
            writer.write_frame(START + index * MILLISECOND, segments[index].frame(), comment=f"frame {index + 1}")
        if secrets and number == N_FILES - 1:
            writer.write_secrets(secrets.encode())
        path = folder / f"{'dacb'[number]}.pcapng"  # no order of names is that of times
        path.write_bytes(file.getvalue())
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def talks() -> list[Talk]:
    script = [flight for number, body in enumerate(BODIES) for flight in page(f"/{number}", body)]
    return [talk_of(script, version, alpn="http/1.1") for version in ("TLSv1_3", "TLSv1_2", "TLSv1_3")]


@pytest.fixture(scope="module")
def segments(talks: list[Talk]) -> list[Segment]:
    """Three connections at the same time, so that each is in all files."""
    streams = [packetise(talk.flights, ports=(50000 + number, 443)) for number, talk in enumerate(talks)]
    order = [number for number, stream in enumerate(streams) for _ in stream]
    random.Random(7).shuffle(order)
    rest = [iter(stream) for stream in streams]
    return [next(rest[number]) for number in order]


@pytest.fixture(scope="module")
def whole(segments: list[Segment], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "whole.pcapng"
    file = io.BytesIO()
    writer = PcapngWriter(file)
    writer.write_interface(ETHERNET)
    for index, segment in enumerate(segments):
        writer.write_frame(START + index * MILLISECOND, segment.frame())
    path.write_bytes(file.getvalue())
    return path


@pytest.fixture(scope="module")
def ring(segments: list[Segment], talks: list[Talk], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return rotated(segments, tmp_path_factory.mktemp("ring") / "ring", "".join(talk.keylog for talk in talks))


@pytest.fixture(scope="module")
def keys(talks: list[Talk], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys.log"
    path.write_text("".join(talk.keylog for talk in talks))
    return path


def unplaced(record: dict) -> dict:
    return {key: value for key, value in record.items() if key not in ("capture", "frame_in_capture")}


def lines(text: bytes) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_records_are_those_of_the_whole_capture(run: Run, ring: list[Path], whole: Path, keys: Path):
    of_one = lines(run("sessions", whole, "-k", keys, "--format", "json").out)
    of_many = lines(run("sessions", *ring, "--format", "json").out)
    assert len(of_one) == 3
    assert list(map(unplaced, of_many)) == list(map(unplaced, of_one))
    assert {record["decryption"]["status"] for record in of_many} == {"decrypted"}
    assert [len(record["http"]) for record in of_many] == [3, 3, 3]
    assert {(record["capture"], record["frame_in_capture"]) for record in of_one} == {(str(whole), None)}
    for record in of_many:
        assert (record["capture"], record["frame_in_capture"]) == (str(ring[0]), record["first_frame"])


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_any_order_of_the_files_and_their_folder_give_the_same_bytes(run: Run, ring: list[Path], jobs: int):
    wanted = run("sessions", *ring, "--format", "json", "-j", 1).out
    shuffled = random.Random(jobs).sample(ring, len(ring))
    assert shuffled != ring
    assert run("sessions", *shuffled, "--format", "json", "-j", jobs).out == wanted
    assert run("sessions", ring[0].parent, "--format", "json", "-j", jobs).out == wanted


@pytest.mark.parametrize(
    "words",
    ["summary", "sessions", "certificates", "keys", "packets", "show 1", "show 1 --format json", "follow 2", "packet 70"],
)
def test_every_command_takes_files_in_any_order(run: Run, ring: list[Path], words: str):
    command, *rest = words.split()
    wanted = run(command, *ring, *rest)
    assert wanted.status == 0
    assert wanted.out
    assert run(command, *reversed(ring), *rest) == wanted
    assert run(command, ring[0].parent, *rest) == wanted


def test_rows_name_the_capture_only_where_there_are_several(run: Run, ring: list[Path], whole: Path, keys: Path):
    rows = list(csv.DictReader(io.StringIO(run("sessions", *ring, "--format", "csv").text)))
    assert {(row["capture"], row["frame_in_capture"]) for row in rows} == {(str(ring[0]), row["first_frame"]) for row in rows}
    assert run("sessions", *ring).text.count(str(ring[0])) == 3
    assert str(whole) not in run("sessions", whole, "-k", keys).text
    listed = run("packets", *ring, "--format", "json").out
    n_frames = len(lines(run("packets", whole, "--format", "json").out))
    found = [(packet["number"], packet["capture"], packet["frame_in_capture"]) for packet in lines(listed)]
    size = -(-n_frames // N_FILES)
    assert found == [(n + 1, str(ring[n // size]), n % size + 1) for n in range(n_frames)]
    assert f"{ring[3]} 1" in run("packets", *ring).text


def test_a_session_and_its_data_are_whole_across_files(run: Run, ring: list[Path]):
    shown = run("show", *reversed(ring), 1, "--terse").text
    assert f"frames 1 of {ring[1]}" not in shown
    assert all(str(path) in shown for path in ring)
    said = run("follow", ring[0].parent, 1, "--raw", "--from", "server").out
    assert all(body in said for body in BODIES)
    chunks = lines(run("follow", *ring, 1, "--format", "json").out)
    assert {chunk["capture"] for chunk in chunks} <= set(map(str, ring))
    for chunk in chunks:
        assert ring.index(Path(chunk["capture"])) >= (chunk["frame"] - chunk["frame_in_capture"]) // 1000
    assert f"in {ring[3]} " in run("packet", *ring, len(lines(run("packets", *ring, "--format", "json").out))).text


def test_objects_are_exported_across_files(run: Run, ring: list[Path], tmp_path: Path):
    assert run("export", *reversed(ring), "-o", tmp_path / "out").status == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())["files"]
    bodies = [entry for entry in manifest if entry["kind"] == "response"]
    assert sorted((tmp_path / "out" / entry["file"]).read_bytes() for entry in bodies) == sorted(BODIES * 3)
    assert {entry["capture"] for entry in manifest} <= set(map(str, ring))


def test_the_copy_with_secrets_has_the_frames_of_all_files(run: Run, ring: list[Path], whole: Path, keys: Path, tmp_path: Path):
    target = tmp_path / "open.pcapng"
    assert run("export", *reversed(ring), "-k", keys, "-o", target).status == 0
    copied = lines(run("sessions", target, "--format", "json").out)
    wanted = lines(run("sessions", whole, "-k", keys, "--format", "json").out)
    assert list(map(unplaced, copied)) == list(map(unplaced, wanted))
    facts = json.loads(run("summary", target, "--format", "json").out)["captures"][0]
    assert [one["name"] for one in facts["interfaces"]["first"]] == ["eth0", "eth1", "eth2", "eth3"]
    comments = [one["text"] for one in facts["comments"]["first"] if one["frame"]]
    assert comments == [f"frame {number + 1}" for number in range(len(comments))]


def test_a_certificate_and_a_key_name_the_first_capture(run: Run, ring: list[Path]):
    for jobs in (1, 2):
        (certificate, *_) = lines(run("certificates", *ring, "--format", "json", "-j", jobs).out)
        assert certificate["capture"] == str(ring[0])
        assert certificate["frame_in_capture"] > 0
        sessions = [one for one in lines(run("keys", *ring, "--format", "json", "-j", jobs).out) if one["kind"] == "session"]
        assert {one["capture"] for one in sessions} == {str(ring[0])}


def test_a_session_is_missing_in_all_captures(run: Run, ring: list[Path]):
    assert run("show", *ring, 9).complaint.endswith(", …: no TLS session 9: there are 3, from 0 to 2")


def test_a_folder_without_captures_is_an_error(run: Run, tmp_path: Path):
    done = run("sessions", tmp_path)
    assert done.status == 2
    assert done.complaint == f"analyzer: {tmp_path}: no capture is in this folder"


def test_an_output_never_replaces_a_capture_of_a_folder(run: Run, ring: list[Path]):
    before = ring[1].read_bytes()
    for words in (("sessions", ring[0].parent, "-o", ring[1]), ("export", ring[0].parent, "-o", ring[1], "--force")):
        done = run(*words)
        assert done.status == 2
        assert "would overwrite this input" in done.complaint
    assert ring[1].read_bytes() == before


def test_the_client_and_the_server_are_known_from_an_earlier_file(run: Run, ring: list[Path]):
    """The last file alone has the middle of three sessions; behind the others, it is a part of them."""
    alone = lines(run("sessions", ring[3], "--format", "json").out)
    assert all(record["server_name"] is None for record in alone)
    together = lines(run("sessions", ring[3].parent, "--format", "json").out)
    assert {record["server_name"] for record in together} == {"example.test"}
    assert {record["client"]["port"] for record in together} == {50000, 50001, 50002}
    assert CLIENT != SERVER


def test_a_report_on_a_folder_is_made_again(run: Run, ring: list[Path], tmp_path: Path):
    folder, bundle = ring[0].parent, tmp_path / "bundle"
    assert run("report", folder, "--bundle", bundle, "-o", tmp_path / "r.json", "--host", "example.test").status == 0
    listed = [one["path"] for one in json.loads((bundle / "manifest.json").read_text())["inputs"]]
    assert listed == list(map(str, ring))
    checked = run("verify", bundle, "--reproduce")
    assert checked.status == 0
    assert "report.json: the same bytes again" in checked.text
