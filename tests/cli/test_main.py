import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import outputs
import pytest

from analyzer.cli.arguments import parse, parser

from .conftest import Run, client_hello, pcap, placeless, tcp


def test_all_read_is_status_0_without_a_message(run: Run, demo: Path):
    ran = run(demo)
    assert (ran.status, ran.err) == (0, b"")


@pytest.mark.parametrize("command", [["summary"], ["sessions"], ["sessions", "--format", "json"], ["packets"]])
def test_a_truncated_file_is_status_1_and_all_readable_is_there(run: Run, demo: Path, tmp_path: Path, command: list[str]):
    path = tmp_path / "cut.pcapng"
    path.write_bytes(demo.read_bytes()[:20000])
    ran = run(*command, path)
    assert ran.status == 1
    assert str(path) in ran.complaint
    assert " at byte " in ran.complaint
    assert "after frame " in ran.complaint
    assert len(ran.out) > 200


def test_damage_in_one_file_leaves_the_others(run: Run, demo: Path, captures: Path, tmp_path: Path):
    path = tmp_path / "cut.pcapng"
    path.write_bytes(demo.read_bytes()[:-3])
    other = captures / "ipv6" / "ipv6.pcapng"
    ran = run("sessions", "--format", "json", path, other)
    assert ran.status == 1
    alone = [run("sessions", "--format", "json", one).out.count(b"\n") for one in (path, other)]
    assert ran.out.count(b"\n") == sum(alone)


@pytest.mark.parametrize(
    "arguments",
    [
        ["/no/such/file"],
        ["sessions", "/no/such/file"],
        ["summary", "."],
        ["sessions", "README.md"],
        ["summary", "README.md"],
        ["sessions", "-"],
        ["sessions", "--format", "xml", "captures/demo.pcapng"],
        ["sessions", "--no-such-option", "captures/demo.pcapng"],
        ["sessions"],
        ["show", "captures/demo.pcapng", "999"],
        ["show", "captures/demo.pcapng", "first"],
        ["show", "captures/demo.pcapng", "-1"],
        ["packet", "captures/demo.pcapng", "0"],
        ["packet", "captures/demo.pcapng", "100000"],
        ["sessions", "captures/demo.pcapng", "-k", "/no/such/keys"],
        ["sessions", "captures/demo.pcapng", "-o", "/no/such/folder/file"],
        ["sessions", "captures/demo.pcapng", "-o", "captures/demo.pcapng"],
    ],
)
def test_an_impossible_command_is_status_2_and_one_line(run: Run, arguments: list[str]):
    ran = run(*arguments)
    assert ran.status == 2
    assert ran.out == b""
    assert ran.complaint.startswith("analyzer: ")


def test_the_input_is_not_overwritten(run: Run, demo: Path, tmp_path: Path):
    copy = tmp_path / "copy.pcapng"
    copy.write_bytes(demo.read_bytes())
    link = tmp_path / "link"
    link.symlink_to(copy)
    assert run("sessions", copy, "-o", link).status == 2
    assert copy.read_bytes() == demo.read_bytes()


def test_output_goes_to_a_file(run: Run, demo: Path, tmp_path: Path):
    path = tmp_path / "out.json"
    ran = run("sessions", "--format", "json", demo, "-o", path)
    assert (ran.status, ran.out) == (0, b"")
    assert path.read_bytes() == run("sessions", "--format", "json", demo).out


@pytest.mark.parametrize(
    "command", [["summary"], ["sessions", "--format", "json"], ["sessions", "--format", "csv"], ["packets", "--format", "csv"]]
)
def test_a_failed_run_does_not_change_an_existing_output(run: Run, tmp_path: Path, command: list[str]):
    path = tmp_path / "out"
    path.write_text("before")
    assert run(*command, "README.md", "-o", path).status == 2
    assert path.read_text() == "before"


def test_a_capture_from_standard_input(run: Run, demo: Path):
    piped = run("sessions", "--format", "json", "-", stdin=demo.read_bytes()).out
    assert placeless(piped) == placeless(run("sessions", "--format", "json", demo).out)
    assert piped.count(b'"capture":"-","frame_in_capture":null') == 8


def test_the_same_input_gives_the_same_bytes(run: Run, demo: Path):
    assert run(demo, columns=100).out == run("summary", demo, columns=100).out


@pytest.mark.parametrize("command", ["packets", "sessions"])
def test_a_closed_pipe_is_not_an_error(run: Run, demo: Path, repository: Path, command: str):
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = [sys.executable, "-m", "analyzer", command, str(demo), "--format", "json"]
    done = subprocess.run(process, stdout=write_end, stderr=subprocess.PIPE, cwd=repository, timeout=60)
    os.close(write_end)
    assert done.stderr == b""
    assert done.returncode == 141


def test_a_full_disk_is_reported(demo: Path, repository: Path):
    with open("/dev/full", "wb") as full:
        process = [sys.executable, "-m", "analyzer", "packets", str(demo)]
        done = subprocess.run(process, stdout=full, stderr=subprocess.PIPE, cwd=repository, timeout=60)
    assert done.returncode == 2
    assert done.stderr == b"analyzer: output: No space left on device\n"


def test_an_interrupt_ends_quietly(repository: Path):
    process = subprocess.Popen(
        [sys.executable, "-m", "analyzer", "packets", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=repository,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(pcap(tcp(b"x")))
    process.stdin.flush()
    process.stdout.readline()
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")  # the pipe was read as far as it came


def test_records_come_while_the_pipe_is_open(repository: Path):
    with subprocess.Popen(
        [sys.executable, "-m", "analyzer", "packets", "-", "--format", "json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=repository,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(pcap(tcp(client_hello(b"www.example"))))
        process.stdin.flush()
        assert b"www.example" in process.stdout.readline()
        process.stdin.close()
        assert process.wait(60) == 0


def test_version_says_how_it_was_built(run: Run, build_under_test: str):
    words = "not compiled" if build_under_test == "interpreted" else "compiled"
    assert f"({words}, Python " in run("--version").text


@pytest.mark.parametrize("words", [["--version"], ["sessions", "--help"], ["sesions"]])
def test_what_reads_nothing_imports_nothing_large(words: list[str], repository: Path):
    code = "import sys; from analyzer.cli.main import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=repository, timeout=60)
    imported = set(done.stdout.splitlines()[-1].split())
    modules = {"engine.engine", "tls.session", "x509.certificate", "packet.packet", "store.session_record", "flows.tcp"}
    assert not {f"analyzer.{module}" for module in modules} & imported
    assert not {"cryptography", "rich", "scapy", "textual", "jinja2", "pyshark", "orjson", "hpack", "cython"} & imported


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_know_the_commands(run: Run, shell: str):
    ran = run("--completion", shell)
    assert ran.status == 0
    assert all(word in ran.text for word in ("summary", "sessions", "show", "packets", "packet", "messages"))
    assert all(word in ran.text for word in ("no-pager", "json", "read"))


@pytest.mark.parametrize("command", [[], ["summary"], ["sessions"], ["show"], ["packets"], ["packet"]])
def test_help_has_examples(run: Run, command: list[str]):
    ran = run(*command, "--help")
    assert ran.status == 0
    assert "examples:\n  analyzer " in ran.text
    assert "exit status:" in ran.text


@pytest.mark.parametrize("words", [["--help"], ["sessions", "--help"], ["--version"], ["sessions", "--schema"]])
def test_help_that_cannot_be_written_is_no_success(words: list[str], repository: Path):
    command = [sys.executable, "-m", "analyzer", *words]
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, cwd=repository, timeout=60)
    assert (ran.returncode, ran.stderr) == (2, b"analyzer: output: No space left on device\n")
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=repository, timeout=60)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (141, b"")


def test_keys_decrypt_and_are_not_shown(run: Run, demo: Path, repository: Path):
    keys = repository / "captures" / "demo" / "demo.keys"
    secrets = {line.split()[2] for line in keys.read_text("ascii").splitlines() if line and not line.startswith("#")}
    for command in (["sessions", "--format", "json"], ["sessions", "--format", "csv"], ["show", "--format", "json"]):
        ran = run(*command, demo, *(["0"] if command[0] == "show" else []), "-k", keys)
        assert (ran.status, ran.err) == (0, b"")
        assert b"decrypted" in ran.out
        assert [secret for secret in secrets if secret in ran.text] == []


def test_a_file_that_is_not_a_key_log_is_reported(run: Run, demo: Path, tmp_path: Path):
    noise = tmp_path / "noise.keys"
    noise.write_text("no key log\n" * 5)
    ran = run("sessions", "--format", "json", demo, "-k", noise)
    assert ran.status == 0
    assert ran.err.splitlines() == [
        f"analyzer: {noise}: has no line that can be read (5 of 5 lines bad); line 1: no line of a key log".encode()
    ]
    noise.write_text("no key log\n" * 5 + f"ECH_SECRET {'00' * 32} {'11' * 32}\n")
    ran = run("sessions", "--format", "json", demo, "-k", noise)
    assert b"line 1: no line of a key log" in ran.err
    assert b"2 further problems" in ran.err
    noise.write_text("no key log\n" * 5)
    ran = run("sessions", demo, "--rsa-key", noise)
    assert (ran.status, ran.out) == (2, b"")


def test_only_a_terminal_gets_colours_by_default(run: Run, demo: Path):
    assert b"\x1b" not in run(demo).out
    assert b"\x1b[1m" in run(demo, "--color", "always").out
    assert b"\x1b" not in run("--color", "never", "sessions", demo).out


@pytest.mark.parametrize("words", [["live", "--", "a", "--schema"], ["--color", "never", "live", "--", "a", "--", "-h"]])
def test_what_follows_two_dashes_belongs_to_the_command_of_live(words: list[str]):
    options = parse(words)
    assert (options.command, options.schema) == ("live", False)
    assert options.words == words[words.index("--") + 1 :]


@pytest.mark.parametrize(
    ("words", "captures"),
    [(["sessions", "live", "--", "-x.pcap"], ["live", "-x.pcap"]), (["--color", "never", "--", "live"], ["live"])],
)
def test_two_dashes_are_no_command_elsewhere(words: list[str], captures: list[str]):
    options = parse(words)
    assert options.captures == captures
    assert "words" not in options


def test_the_compared_outputs_cover_every_command_and_form():
    """A new command that reads captures, or a new form of its output, must not be left out of `tests/outputs.py`."""
    root = parser()
    (every,) = [action.choices for action in root._actions if isinstance(action, argparse._SubParsersAction)]
    commands = {
        name: command
        for name, command in every.items()
        if name not in ("fields", "filter", "interfaces", "live", "verify", "seal", "crosscheck", "validate")
    }
    forms = {
        (name, form)
        for name, command in commands.items()
        for action in command._actions
        if "--format" in action.option_strings
        for form in action.choices
    }
    lines = list(outputs.commands("CAPTURE", ["-k", "KEYS"], n_sessions=1, n_frames=1, scratch="SCRATCH"))
    kept = [root.parse_args(line) for line in lines]
    assert {options.command for options in kept} == set(commands)
    told = {(one.command, one.format or ("text" if "forms" in one else None)) for one in kept if hasattr(one, "format")}
    assert told == forms
    for name in commands:
        with_keys = [bool(options.keylog) for options in kept if options.command == name]
        assert set(with_keys) == {False, True}, name


@pytest.mark.parametrize("option", ["--rsa-key", "--psk-file", "--password-file", "--trust", "--crl"])
def test_a_live_run_opens_no_file_before_its_rights_are_gone(run: Run, tmp_path: Path, option: str):
    """Interfaces are opened with rights, so what is wrong with them is said first."""
    if os.geteuid() == 0:
        assert "nowhere0" in run("live", "nowhere0", option, tmp_path / "missing").complaint
    done = run("live", "-", option, tmp_path / "missing")
    assert done.status == 2
    assert done.complaint == f"analyzer: {tmp_path}/missing: No such file or directory"
