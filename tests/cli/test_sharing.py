"""All commands that read whole captures print the same in several processes, and use several where that is faster."""

import os
import resource
import struct
from argparse import Namespace
from pathlib import Path

import pytest

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli import sharing
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.main import main
from analyzer.cli.sharing import can_share
from analyzer.secrets.keylog import KeyLog
from analyzer.store.chain_verdicts import NO_VERDICTS

CAPTURES = Path(__file__).parents[2] / "captures"
KEYED = sorted(path for path in CAPTURES.rglob("*.pcapng") if path.with_suffix(".keys").exists())

pytestmark = pytest.mark.skipif(not can_share(), reason="processes share the work on Linux only")

COMMANDS = (
    ("sessions", "--format", "json", "--messages"),
    ("summary",),
    ("summary", "--format", "json"),
    ("certificates",),
    ("certificates", "--format", "json"),
    ("certificates", "--format", "csv"),
    ("http",),
    ("http", "--format", "json"),
    ("keys",),
    ("keys", "--format", "json"),
)


def printed(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(list(arguments))
    out, err = capfd.readouterr()
    return status, out, err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_prints_the_same_with_keys(command: tuple[str, ...], capfd: pytest.CaptureFixture[str]):
    keys = [word for path in KEYED for word in ("-k", str(path.with_suffix(".keys")))]
    options = [command[0], *map(str, KEYED), *keys, *command[1:]]
    one = printed(capfd, *options, "-j", "1")
    assert len(KEYED) > 20
    assert one[0] == 0
    for jobs in ("2", "5"):
        assert printed(capfd, *options, "-j", jobs) == one


@pytest.mark.parametrize("path", KEYED, ids=lambda path: path.stem)
def test_a_capture_prints_the_same_with_its_keys(path: Path, capfd: pytest.CaptureFixture[str]):
    options = ["sessions", str(path), "-k", str(path.with_suffix(".keys")), "--format", "json"]
    assert printed(capfd, *options, "-j", "3") == printed(capfd, *options, "-j", "1")


def test_a_private_key_opens_the_same(capfd: pytest.CaptureFixture[str]):
    folder = CAPTURES / "tls12-rsa-key-exchange"
    resumed = CAPTURES / "tls12-session-id-resumption" / "tls12-session-id-resumption.pcapng"
    options = [str(folder / f"{folder.name}.pcapng"), str(resumed), "--rsa-key", str(folder / f"{folder.name}.key.pem")]
    for command in ("sessions", "keys"):
        one = printed(capfd, command, *options, "--format", "json", "-j", "1")
        assert '"decrypted"' in one[1]
        assert printed(capfd, command, *options, "--format", "json", "-j", "2") == one


def number(path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int | None = None, keylog: KeyLog | None = None) -> int:
    """How many processes read a capture with these options, on a machine with four processors."""
    monkeypatch.setattr("analyzer.cli.sharing.os.sched_getaffinity", lambda _: range(4))
    run = CaptureRun([str(path)], output=None)
    keys = {"keylog": keylog, "private_keys": (), "psks": {}, "may_grow": None}
    shards = sharing.make_shards(Namespace(jobs=jobs), run, keys, lambda *_: b"", NO_VERDICTS)
    return 1 if shards is None else shards._n_shards


def test_the_number_of_processes_is_what_pays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    small, dense = KEYED[0], tmp_path / "dense.pcapng"
    dense.write_bytes(b"".join(path.read_bytes() for path in KEYED))
    monkeypatch.setattr(sharing, "SAMPLE", dense.stat().st_size)
    for size, without, with_keys in ((sharing.PAYS_DECRYPTED_FROM, 1, 4), (sharing.PAYS_FROM, 4, 4)):
        os.truncate(dense, size)
        assert (number(dense, monkeypatch), number(dense, monkeypatch, keylog=KeyLog())) == (without, with_keys)
    assert number(dense, monkeypatch, jobs=1, keylog=KeyLog()) == 1
    assert number(small, monkeypatch) == number(small, monkeypatch, keylog=KeyLog()) == 1
    assert number(small, monkeypatch, jobs=3) == 3


def test_without_sessions_one_process_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    plain = tmp_path / "plain.pcap"
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    plain.write_bytes(head + (struct.pack("<IIII", 0, 0, 1000, 1000) + bytes(1000)) * (sharing.PAYS_FROM // 1000))
    assert number(plain, monkeypatch) == number(plain, monkeypatch, keylog=KeyLog()) == 1


def test_standard_input_is_not_shared_although_a_file_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "-").write_bytes(KEYED[0].read_bytes())
    monkeypatch.chdir(tmp_path)
    assert not CaptureRun(["-"], output=None).rereadable()
    assert CaptureRun(["./-"], output=None).rereadable()


@pytest.mark.parametrize("command", ["summary", "keys"])
def test_secrets_of_another_protocol_count_in_no_process(command: str, capfd: pytest.CaptureFixture[str], tmp_path: Path):
    content = KEYED[0].read_bytes()
    interface = int.from_bytes(content[4:8], "little")
    packets = interface + int.from_bytes(content[interface + 4 : interface + 8], "little")
    numbers = 10, 24, 0x57474B4C, 4, int.from_bytes(b"key\n", "little"), 24  # of WireGuard
    block = b"".join(number.to_bytes(4, "little") for number in numbers)
    path = tmp_path / "wireguard.pcapng"
    path.write_bytes(content[:packets] + block + content[packets:])
    one = printed(capfd, command, str(path), "-j", "1")
    assert one[0] == 0
    assert printed(capfd, command, str(path), "-j", "2") == one


def test_too_few_descriptors_for_several_processes_are_enough_for_one(capfd: pytest.CaptureFixture[str]):
    one = printed(capfd, "sessions", str(KEYED[0]), "-j", "1")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 3, before[1]))
        assert printed(capfd, "sessions", str(KEYED[0]), "-j", "9") == one
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_facts_of_the_files_are_kept(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(KEYED[0].read_bytes()[:-9])
    one = printed(capfd, "summary", str(cut), str(KEYED[1]), "-j", "1")
    assert "cut short" in one[2]
    assert printed(capfd, "summary", str(cut), str(KEYED[1]), "-j", "2") == one
    assert isinstance(CaptureRun([str(cut)], output=None).reader, CaptureReader)


def test_a_capture_with_its_secrets_is_the_same(capfd: pytest.CaptureFixture[str], tmp_path: Path):
    path = CAPTURES / "tls12-ticket-resumption" / "tls12-ticket-resumption.pcapng"
    files = []
    for jobs in ("1", "2"):
        files.append(tmp_path / f"{jobs}.pcapng")
        options = ["-k", str(path.with_suffix(".keys")), "-o", str(files[-1]), "--session", "0", "--session", "7", "-j", jobs]
        status, out, err = printed(capfd, "export", str(path), *options)
        assert (status, out.replace(str(files[-1]), "FILE"), err.count("no TLS session 7: there are 2")) == (
            0,
            "42 frames in FILE, with the secrets of 1 session\n",
            1,
        )
    assert files[0].read_bytes() == files[1].read_bytes()
