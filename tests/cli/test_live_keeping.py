"""What a live run keeps of real traffic: files that are whole at each moment, rings of files, secrets, incidents."""

import hashlib
import json
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hierarchy import HOST
from limited import files_up_to
from live_network import Network, ethernet
from live_tls import client, tls_server
from live_traffic import WAIT, Site, fetch, live, make_site, openssl_server

from analyzer.capture.capture_reader import CaptureReader, FileFacts

from .conftest import Run


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)


def facts_of(path: Path) -> FileFacts:
    reader = CaptureReader([str(path)])
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            pass
    (facts,) = reader.files
    return facts


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.peer("openssl")
def test_kept_packets_have_interfaces_statistics_and_secrets(network: Network, site: Site, tmp_path: Path, run: Run):
    keys, kept = tmp_path / "keys.log", tmp_path / "kept.pcapng"
    arguments = ("lo", "--format", "json", "-k", keys, "-w", kept, "--embed-keys", "-f", "tcp port 4433")
    with openssl_server(site) as port, live(*arguments) as running:
        fetch(site, port, keys)
        record = running.record()
        status, _, _ = running.stop()
    assert status == 0
    facts = facts_of(kept)
    assert facts.error is None
    assert [(one.name, one.filter) for one in facts.interfaces] == [("lo", "tcp port 4433")]
    (counted,) = facts.statistics
    assert counted.received == facts.frames >= 10
    assert (counted.dropped_by_system, counted.dropped_by_interface) == (0, 0)
    assert facts.n_secrets == 1  # before the packets
    assert mode_of(kept) == 0o600
    (again,) = [json.loads(line) for line in run("sessions", kept, "--format", "json").out.splitlines()]
    assert again["decryption"] == record["decryption"]
    assert again["decryption"]["status"] == "decrypted"


@pytest.mark.peer("openssl", "tshark")
def test_tshark_decrypts_what_was_kept_with_its_secrets(network: Network, site: Site, tmp_path: Path):
    """It reads a file once, from its beginning: the secrets are there, although they came later."""
    keys, kept = tmp_path / "keys.log", tmp_path / "kept.pcapng"
    with openssl_server(site) as port, live("lo", "--format", "json", "-k", keys, "-w", kept, "--embed-keys") as running:
        for number in range(3):
            fetch(site, port, keys, f"/page{number}")
            running.record()
        running.stop()
    words = [
        "tshark",
        "-r",
        str(kept),
        "-Y",
        "http.request",
        "-T",
        "fields",
        "-e",
        "http.request.uri",
        "-d",
        f"tcp.port=={port},tls",
    ]
    done = subprocess.run([*words, "-d", f"tls.port=={port},http"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["/page0", "/page1", "/page2"]


@pytest.mark.peer("openssl", "tshark")
def test_tshark_reads_what_was_kept(network: Network, site: Site, tmp_path: Path):
    kept = tmp_path / "kept.pcapng"
    with openssl_server(site) as port, live("lo", "--format", "json", "-w", kept) as running:
        fetch(site, port)
        running.record()
        running.stop()
    words = [
        "tshark",
        "-r",
        str(kept),
        "-Y",
        "tls.handshake.type == 1",
        "-T",
        "fields",
        "-e",
        "tls.handshake.extensions_server_name",
    ]
    done = subprocess.run([*words, "-d", f"tcp.port=={port},tls"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [HOST]
    assert mode_of(kept) != 0o600


@contextmanager
def sender(network: Network, n_bytes: int, seconds: float) -> Iterator[None]:
    """Send frames of so many bytes, with so many seconds between two, by a process of its own."""
    script = (
        "import socket, sys, time; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0); s.bind((sys.argv[1], 0))\n"
        "while True: s.send(bytes.fromhex(sys.argv[2])); time.sleep(float(sys.argv[3]))"
    )
    with subprocess.Popen(["python3", "-c", script, network.near, ethernet(1, n_bytes).hex(), str(seconds)]) as process:
        try:
            yield
        finally:
            process.kill()


@pytest.fixture
def sending(network: Network) -> Iterator[Network]:
    """A network in which a frame of 1000 bytes is sent every millisecond."""
    with sender(network, 1000, 0.001):
        yield network


def test_a_killed_process_loses_at_most_a_second(network: Network, tmp_path: Path):
    """By the packets that are in the file from one growth to the next. A busy machine delays some, so the least one counts."""
    kept, seen = tmp_path / "kept.pcapng", tmp_path / "seen.pcapng"
    last_times: list[int] = []
    with sender(network, 60, 0.005), live(network.far, "--format", "json", "-w", kept) as running:
        until, before, n_read = time.monotonic() + WAIT, 0, 0
        while all(later - earlier >= 1_000_000_000 for earlier, later in pairwise(last_times)):
            assert time.monotonic() < until, last_times
            time.sleep(0.05)
            n_bytes = kept.stat().st_size
            if n_bytes == before > n_read:  # it does not grow just now
                n_read = seen.write_bytes(kept.read_bytes())
                facts = facts_of(seen)
                assert facts.error is None
                last_times += [] if facts.last_time is None else [facts.last_time]
            before = n_bytes
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(WAIT)
    facts = facts_of(kept)
    assert facts.error is None
    assert facts.frames > 100


def test_a_full_disk_ends_keeping_and_not_the_run(sending: Network, tmp_path: Path):
    kept = tmp_path / "kept.pcapng"
    limit = 300_000
    with files_up_to(limit), live(sending.far, "--format", "json", "-w", kept) as running:
        running.wait_for_word("no more packets are kept")
        time.sleep(0.5)
        assert running.process.poll() is None
        status, _, err = running.stop()
    assert status == 0
    assert "kept.pcapng: File too large; no more packets are kept, the analysis goes on" in err
    facts = facts_of(kept)
    assert facts.error is None
    assert 0 < facts.frames < limit / 1000
    n_captured = int(err.partition("captured")[2].split()[0].replace(",", ""))
    assert n_captured > facts.frames


def test_a_disk_without_space_ends_keeping_and_not_the_run(sending: Network, small_disk: Path):
    """Of a ring of files too: the one that cannot be ended is the last."""
    words = ("-w", small_disk / "ring.pcapng", "--rotate", "100kB")
    with live(sending.far, "--format", "json", *words) as running:
        running.wait_for_word("no more packets are kept")
        time.sleep(0.5)
        assert running.process.poll() is None
        status, _, err = running.stop()
    assert status == 0
    assert "No space left on device; no more packets are kept, the analysis goes on" in err
    files = sorted(small_disk.glob("ring_*.pcapng"))
    found = [facts_of(path) for path in files]
    assert len(found) >= 2
    assert all(facts.error is None for facts in found)
    n_captured = int(err.partition("captured")[2].split()[0].replace(",", ""))
    assert n_captured > sum(facts.frames for facts in found) > 100


def test_a_ring_of_files_by_size(sending: Network, tmp_path: Path):
    with live(sending.far, "--format", "json", "-w", tmp_path / "ring.pcapng", "--rotate", "100kB", "--keep", "3") as running:
        until = time.monotonic() + WAIT
        while not list(tmp_path.glob("ring_00005_*.pcapng")):
            assert time.monotonic() < until
            time.sleep(0.02)
        running.stop()
    files = sorted(tmp_path.glob("ring_*.pcapng"))
    assert len(files) == 3
    numbers = [int(path.name.split("_")[1]) for path in files]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert numbers[0] > 1
    found = [facts_of(path) for path in files]
    assert all(facts.error is None and facts.statistics and facts.interfaces for facts in found)
    assert all(90_000 < facts.size < 110_000 for facts in found[:-1])


def test_a_ring_of_files_by_time_and_an_end_by_size(sending: Network, tmp_path: Path):
    words = ("--rotate", "1s", "-a", "filesize:1500")
    with live(sending.far, "--format", "json", "-w", tmp_path / "ring.pcapng", *words) as running:
        status, _, _ = running.end()
    assert status == 0
    found = [facts_of(path) for path in sorted(tmp_path.glob("ring_*.pcapng"))]
    assert len(found) >= 2
    assert 1_500_000 <= sum(facts.size for facts in found) < 4_000_000
    lasted = [one.last_time - one.first_time for one in found[:-1] if one.first_time is not None and one.last_time is not None]
    assert min(lasted) < 2_000_000_000  # on a busy machine, others may be longer


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("embedded", [False, True])
def test_an_incident(network: Network, site: Site, tmp_path: Path, run: Run, embedded: bool):
    """A client that closes without close_notify is a finding; the incident has the packets before it."""
    keys, incidents = tmp_path / "keys.log", tmp_path / "incidents"
    incidents.mkdir()
    words = [
        "lo",
        "--format",
        "json",
        "-k",
        keys,
        "--keep-before",
        "30s",
        "--trigger",
        "no_close_notify",
        "--incidents",
        incidents,
    ]
    with openssl_server(site) as port, live(*words, *(["--embed-keys"] if embedded else [])) as running:
        fetch(site, port, keys)
        record = running.record()
        assert "no_close_notify" in [finding["code"] for finding in record["findings"]]
        running.stop()
    (folder,) = incidents.iterdir()
    assert mode_of(folder) == 0o700
    names = {"packets.pcapng", "sessions.jsonl", "summary.txt", "manifest.json", "manifest.sha256"}
    assert {path.name for path in folder.iterdir()} == names
    assert {mode_of(path) for path in folder.iterdir()} == {0o600}
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert [one["code"] for one in manifest["findings"]] == ["no_close_notify"]
    assert manifest["secrets"] is embedded
    for one in manifest["files"]:
        data = (folder / one["name"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (one["size"], one["sha256"])
    (kept,) = map(json.loads, (folder / "sessions.jsonl").read_bytes().splitlines())
    assert kept == record
    assert HOST in (folder / "summary.txt").read_text()
    (again,) = map(json.loads, run("sessions", folder / "packets.pcapng", "--format", "json").out.splitlines())
    assert again["server_name"] == HOST
    assert (again["decryption"]["status"] == "decrypted") is embedded


@pytest.mark.parametrize("embedded", [False, True])
def test_an_incident_has_the_secrets_of_a_session_that_goes_on(network: Network, tmp_path: Path, run: Run, embedded: bool):
    """One session is open and has been decrypted so far; another one that ends has the finding."""
    incidents, keys = tmp_path / "incidents", tmp_path / "keys.log"
    incidents.mkdir()
    keys.touch()
    words = ["lo", "--events", "-k", keys, "--trigger", "no_close_notify", "--incidents", incidents]
    with tls_server() as port, live(*words, *(["--embed-keys"] if embedded else [])) as running:
        with client(port, keys):
            while running.record()["event"] != "data":
                pass
            with client(port, keys):
                pass
            while (ended := running.record())["event"] != "session_ended":
                pass
            (folder,) = wait_for_folders(incidents)
        running.stop()
    assert ended["session"] == 1
    assert [json.loads(line)["id"] for line in (folder / "sessions.jsonl").read_bytes().splitlines()] == [1]
    again = sorted(
        map(json.loads, run("sessions", folder / "packets.pcapng", "--format", "json").out.splitlines()),
        key=lambda record: int(record["id"]),
    )
    assert [record["decryption"]["status"] for record in again] == (["decrypted"] * 2 if embedded else ["none"] * 2)
    assert [[one["request"]["path"] for one in record["http"]] for record in again] == (
        [["/hello"]] * 2 if embedded else [[]] * 2
    )


def wait_for_folders(folder: Path) -> list[Path]:
    """The folders in a folder, as soon as there is one that is whole."""
    until = time.monotonic() + WAIT
    while not list(folder.glob("*/manifest.json")):
        assert time.monotonic() < until
        time.sleep(0.02)
    return list(folder.iterdir())
