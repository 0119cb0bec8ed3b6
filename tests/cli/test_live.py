"""Live sniffing of real traffic: results while it goes on, keys, kept packets, signals, and the ends of a run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hierarchy import HOST
from live_network import Network
from live_traffic import Live, Site, fetch, going_on, live, make_site, nginx_server, openssl_server

import analyzer

from .conftest import Run, client_hello, pcap, placeless, tcp

IN_CI = os.environ.get("CI") == "true"

UNPRIVILEGED = (
    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all,+net_raw",
    "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw", "--",
)  # fmt: skip


@pytest.fixture
def _readable(require_peers: Callable[..., None]) -> None:
    """Anybody can read the package, so that a process can go on as another user."""
    require_peers("setpriv")
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-m", "analyzer", "--version"]
    if subprocess.run(words, capture_output=True, check=False).returncode != 0:
        if IN_CI:
            pytest.fail("another user cannot read the package, and CI=true allows no test to be skipped", pytrace=False)
        pytest.skip("another user cannot read the package")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)


def rights_of(pid: int) -> list[str]:
    """The permitted and the effective capabilities of a process, as masks in hex."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return [line.split()[1] for line in lines if line.startswith(("CapPrm:", "CapEff:"))]


@pytest.mark.usefixtures("_readable")
@pytest.mark.peer("openssl", "setpriv")
def test_an_unprivileged_process_shows_decrypted_sessions_while_traffic_goes_on(network: Network, open_folder: Path):
    site = make_site(open_folder)
    keys = open_folder / "keys.log"
    keys.touch(0o644)
    arguments = ("lo", "--format", "json", "-k", keys, "--trust", site.root)
    with openssl_server(site) as port, live(*arguments, before=UNPRIVILEGED) as running:
        assert set(rights_of(running.process.pid)) == {"0000000000000000"}
        for number in range(3):
            assert b"200 ok" in fetch(site, port, keys, f"/{number}").lower()
            record = running.record()
            assert record["id"] == number
            assert record["server_name"] == HOST
            assert record["decryption"]["status"] == "decrypted"
            assert [one["request"]["path"] for one in record["http"]] == [f"/{number}"]
            assert record["authenticity"]["server_signature"] == "verified"
            assert set(record["authenticity"]["finished"].values()) == {"verified"}
            assert record["chain"]["verdict"] == "valid"
        status_code, rest, err = running.stop()
    assert (status_code, rest) == (0, b"")
    assert "TLS sessions  3: 3 established" in err
    assert "dropped 0 by the kernel" in err


@pytest.mark.peer("openssl")
def test_a_session_appears_within_a_second_of_its_end(network: Network, site: Site):
    """The fastest of several counts: a busy machine delays some, but a program that waits longer delays all."""
    delays = []
    with openssl_server(site) as port, live("lo", "--format", "json") as running:
        for _ in range(10):
            fetch(site, port)
            ended = time.monotonic()
            running.record()
            delays.append(time.monotonic() - ended)
            if delays[-1] < 1:
                break
        running.stop()
    assert min(delays) < 1, delays


@pytest.mark.peer("openssl")
def test_with_a_key_log_sessions_without_secrets_appear_within_a_second_too(network: Network, site: Site, tmp_path: Path):
    """As soon as the secrets of one session have come in time; until then they are waited for. The fastest counts."""
    keys = tmp_path / "keys.log"
    keys.touch()
    delays: dict[str, list[float]] = {"first": [], "decrypted": [], "none": []}

    def delay(running: Live, port: int, log: Path | None) -> None:
        began = time.monotonic()
        fetch(site, port, log)
        ended = time.monotonic()
        status = running.record()["decryption"]["status"]
        if log is None and not delays["first"]:
            delays["first"].append(time.monotonic() - began)
        else:
            delays["none" if log is None else status].append(time.monotonic() - ended)

    with openssl_server(site) as port, live("lo", "--format", "json", "-k", keys) as running:
        delay(running, port, None)
        for _ in range(10):
            delay(running, port, keys)
            delay(running, port, None)
            if all(min(delays[status], default=1) < 1 for status in ("decrypted", "none")):
                break
        running.stop()
    assert delays["first"][0] > 4
    assert min(delays["decrypted"]) < 1, delays
    assert min(delays["none"]) < 1, delays


@pytest.mark.peer("openssl")
def test_secrets_that_come_later_are_waited_for_again(network: Network, site: Site, tmp_path: Path):
    """A log that is copied from elsewhere: the first session is shown without its secrets, and the next one has them.

    The next one on a machine that copies in time: of several, one is enough.
    """
    keys, elsewhere = tmp_path / "keys.log", tmp_path / "elsewhere.log"
    keys.touch()
    with openssl_server(site) as port, live("lo", "--format", "json", "-k", keys) as running:
        fetch(site, port, keys)
        assert running.record()["decryption"]["status"] == "decrypted"
        fetch(site, port, elsewhere)
        assert running.record()["decryption"]["status"] == "none"
        for number in range(5):
            with keys.open("ab") as log:
                log.write(elsewhere.read_bytes())
            elsewhere.unlink()
            if number == 0:
                running.wait_for_word("secrets came for a session that had been shown without them")
            else:
                status = running.record()["decryption"]["status"]
                if status == "decrypted":
                    break
            fetch(site, port, elsewhere)
            time.sleep(2)
        _, _, err = running.stop()
    assert status == "decrypted"
    assert err.count("secrets came for a session that had been shown without them") == 1


@pytest.mark.usefixtures("_readable")
@pytest.mark.peer("nginx", "curl", "setpriv")
@pytest.mark.parametrize("trusted", [True, False])
def test_an_unprivileged_process_shows_http2_of_curl_and_nginx_while_traffic_goes_on(
    network: Network, open_folder: Path, trusted: bool
):
    """Another client asks for pages over one connection from before the first session until after the last record."""
    site = make_site(open_folder)
    keys = open_folder / "keys.log"
    keys.touch(0o644)
    trust = ("--trust", site.root) if trusted else ()
    words = ["curl", "-s", "--http2", "--cacert", str(site.root)]
    with (
        nginx_server(site, open_folder) as port,
        live("lo", "--format", "json", "-k", keys, *trust, before=UNPRIVILEGED) as running,
        going_on(site, port) as n_pages,
    ):
        assert set(rights_of(running.process.pid)) == {"0000000000000000"}
        for number in range(3):
            page = f"https://{HOST}:{port}/page/{number}"
            environment = os.environ | {"SSLKEYLOGFILE": str(keys)}
            before = n_pages()
            done = subprocess.run(
                [*words, "--resolve", f"{HOST}:{port}:127.0.0.1", page], env=environment, capture_output=True, check=True
            )
            assert done.stdout == b"hello from nginx\n"
            record = running.record()
            assert n_pages() > before
            assert (record["alpn"], record["server_name"]) == ("h2", HOST)
            assert record["decryption"]["status"] == "decrypted"
            (exchange,) = record["http"]
            assert (exchange["request"]["path"], exchange["response"]["status"]) == (f"/page/{number}", 200)
            assert record["authenticity"]["server_signature"] == "verified"
            assert set(record["authenticity"]["finished"].values()) == {"verified"}
            assert record["chain"]["verdict"] == ("valid" if trusted else "invalid")
            assert [problem["code"] for problem in record["chain"]["problems"]] == ([] if trusted else ["unknown_issuer"])
        status, rest, err = running.stop()
    assert status == 0
    (still_open,) = map(json.loads, rest.splitlines())
    assert (still_open["alpn"], still_open["decryption"]["status"]) == (None, "none")
    assert "dropped 0 by the kernel" in err


@pytest.mark.peer("curl", "openssl")
def test_a_command_and_only_its_connections(network: Network, site: Site):
    words = ["curl", "-s", "--cacert", str(site.root)]
    with openssl_server(site) as port:
        command = [*words, "--resolve", f"{HOST}:{port}:127.0.0.1", "-o", "/dev/null", f"https://{HOST}:{port}/mine"]
        with live("lo", "--", *command) as running:
            fetch(site, port, None, "/other")
            status, out, err = running.end()
    assert status == 0
    lines = out.decode().splitlines()
    assert len(lines) == 2
    assert HOST in lines[0]
    assert "decrypted" in lines[0]
    assert "/mine  200" in lines[1]
    assert "curl: ended with status 0" in err


@pytest.mark.peer("openssl")
def test_rows_for_people_and_an_end_by_time(network: Network, site: Site):
    with openssl_server(site) as port, live("lo", "-a", "duration:6", patient=True) as running:
        fetch(site, port, stays=2.0)
        status, out, err = running.end()
    (line,) = out.decode().splitlines()
    assert f"127.0.0.1:{port}: {HOST}, " in line
    assert "established (closed)" in line
    assert "not decrypted" in line
    assert f"{Path('/proc/self/comm').read_text().strip()}[{os.getpid()}]" in line
    assert status == 0
    assert "TLS sessions  1" in err
    assert "processes     found for 1 of 1 TCP session\n" in err


@pytest.mark.usefixtures("_readable")
@pytest.mark.peer("openssl")
def test_through_sudo_everything_is_read_and_written_as_the_caller(network: Network, site: Site, open_folder: Path):
    kept = open_folder / "kept.pcapng"
    caller = os.environ | {"SUDO_UID": "65534", "SUDO_GID": "65534"}
    with openssl_server(site) as port, live("lo", "--format", "json", "-w", kept, env=caller) as running:
        status = Path(f"/proc/{running.process.pid}/status").read_text()
        assert "Uid:\t65534\t65534\t65534\t65534" in status
        assert "Gid:\t65534\t65534\t65534\t65534" in status
        assert "CapPrm:\t0000000000000000" in status
        (helper,) = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
        status = Path(f"/proc/{helper}/status").read_text()
        assert "Uid:\t65534\t65534\t65534\t65534" in status
        assert f"CapEff:\t{1 << 2 | 1 << 19:016x}\n" in status  # CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE
        assert "CapBnd:\t0000000000000000" in status
        assert "NoNewPrivs:\t1" in status
        fetch(site, port)
        running.record()
        running.stop()
    assert kept.stat().st_uid == 65534


def test_an_interface_that_is_not_there(network: Network, run: Run):
    done = run("live", "nowhere0")
    assert done.status == 2
    assert "nowhere0" in done.complaint


@pytest.mark.usefixtures("_readable")
def test_without_the_right_one_line_says_what_to_run(network: Network, require_peers: Callable[..., None]):
    require_peers("setpriv")
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--"]
    done = subprocess.run([*words, sys.executable, "-m", "analyzer", "live", "lo"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "CAP_NET_RAW" in line
    assert "sudo" in line


def test_a_pipe_in_rows(demo: Path, run: Run):
    done = run("live", "-", stdin=demo.read_bytes())
    assert done.status == 0
    assert len(done.text.splitlines()) == 8
    assert "www.shop.example, TLS 1.3, TLS_AES_256_GCM_SHA384, established (closed)" in done.text
    assert "fatal certificate_expired from client" in done.text
    assert b"TLS sessions  8: 6 established, 2 not established" in done.err


def test_a_pipe_in_json_is_as_the_file(demo: Path, run: Run):
    piped = run("live", "-", "--format", "json", stdin=demo.read_bytes())
    whole = run("sessions", demo, "--format", "json")
    assert sorted(map(json.dumps, placeless(piped.out))) == sorted(map(json.dumps, placeless(whole.out)))
    assert {json.loads(line)["capture"] for line in piped.out.splitlines()} == {None}


def test_the_number_of_packets_is_exact(demo: Path, run: Run):
    for words in (("-c", "100"), ("-a", "packets:100")):
        done = run("live", "-", *words, "--events", stdin=demo.read_bytes())
        assert done.status == 0
        frames = [json.loads(line)["frame"] for line in done.out.splitlines()]
        assert max(frame for frame in frames if frame is not None) <= 100
        assert b"captured      100 packets" in done.err


def test_a_pipe_that_is_no_capture(run: Run):
    done = run("live", "-", stdin=b"this is no capture file")
    assert done.status == 2
    assert "not a capture" in done.complaint


def test_a_pipe_that_is_cut(demo: Path, run: Run):
    done = run("live", "-", stdin=demo.read_bytes()[:-10])
    assert done.status == 1
    assert b"cut short" in done.err


@pytest.mark.usefixtures("_readable")
@pytest.mark.parametrize(("caller", "ids"), [({}, "0"), ({"SUDO_UID": "65534", "SUDO_GID": "65534"}, "65534")])
def test_rights_are_dropped_for_a_pipe_too(caller: dict[str, str], ids: str):
    if os.geteuid() != 0:
        pytest.skip("only root has rights to drop")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")} | caller
    with live("-", "--events", stdin=subprocess.PIPE, env=environment) as running:
        assert running.process.stdin is not None
        running.process.stdin.write(pcap(tcp(client_hello(b"shop.example"))))
        running.process.stdin.flush()
        running.record()
        status = Path(f"/proc/{running.process.pid}/status").read_text()
        running.stop()
    assert status.split("\nUid:")[1].split()[:4] == [ids] * 4
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert f"{name}:\t0000000000000000\n" in status
    assert "NoNewPrivs:\t1\n" in status


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_pipe(demo: Path, number: signal.Signals):
    with live("-", "--format", "json", stdin=subprocess.PIPE) as running:
        assert running.process.stdin is not None
        running.process.stdin.write(demo.read_bytes())
        running.process.stdin.flush()
        for _ in range(8):
            running.record()
        status, _, err = running.stop(number)
    assert status == 0
    assert "TLS sessions  8" in err


def test_a_tcpdump_in_a_pipe(network: Network, site: Site, require_peers: Callable[..., None]):
    require_peers("tcpdump", "openssl")
    words = ["tcpdump", "-i", "lo", "-U", "-w", "-", "--immediate-mode"]
    with (
        openssl_server(site) as port,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as capturing,
        live("-", "--format", "json", stdin=capturing.stdout) as running,
    ):
        assert capturing.stderr is not None
        while b"listening on" not in capturing.stderr.readline():
            assert capturing.poll() is None
        fetch(site, port)
        assert running.record()["server_name"] == HOST
        capturing.terminate()
        status, _, _ = running.end()
    assert status == 0


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_several_processes_share_the_packets(network: Network, site: Site, tmp_path: Path, number: signal.Signals):
    """Every session is whole in one of them, and its number comes once."""
    keys = tmp_path / "keys.log"
    records = []
    with openssl_server(site) as port, live("lo", "-j", "2", "--format", "json", "-k", keys) as running:
        running.wait_for_workers(2)
        while len(records) < 12 or ({one["id"] % 2 for one in records} != {0, 1} and len(records) < 60):
            fetch(site, port, keys, f"/{len(records)}")
            records.append(running.record())
        status, rest, err = running.stop(number)
    assert (status, rest) == (0, b"")
    n_sessions = len(records)
    assert [record["http"][0]["request"]["path"] for record in records] == [f"/{one}" for one in range(n_sessions)]
    assert all(record["established"] and record["decryption"]["status"] == "decrypted" for record in records)
    numbers = [record["id"] for record in records]
    assert len(set(numbers)) == n_sessions
    assert {one % 2 for one in numbers} == {0, 1}
    assert f"{n_sessions} TLS sessions; by process: " in err
    assert "dropped 0 by the kernel" in err


def test_several_processes_and_an_interface_that_is_not_there(network: Network, run: Run):
    assert "nowhere0" in run("live", "nowhere0", "-j", "2").complaint


def test_a_user_who_cannot_read_the_package_is_told(network: Network, tmp_path: Path):
    private = tmp_path / "private"
    private.mkdir(0o700)
    shutil.copytree(Path(analyzer.__file__).parent, private / "analyzer")
    environment = os.environ | {"PYTHONPATH": str(private)}
    words = [sys.executable, "-P", "-m", "analyzer", "live", "lo", "--user", "nobody", "--format", "json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line == f"analyzer: user nobody cannot read {private}/analyzer, where the analyzer is installed"
