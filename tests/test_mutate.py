"""All commands on a few mutated captures, the same in every run; and what the runner notices."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from mutate import keep, parsed, wrong_output
from mutations import changed, mutated, parts_of
from outputs import captures_in

from analyzer.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
CAPTURES = captures_in([str(ROOT / "captures")])


def test_all_commands_stand_mutated_captures() -> None:
    """In a process of its own: it forks, which threads do not survive that other tests have left."""
    line = [sys.executable, str(ROOT / "tests" / "mutate.py"), "--seed", "tests", "--first", "3", "--count", "8"]
    paths = os.pathsep.join(filter(None, (str(ROOT / "tests"), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    told = done.stdout.splitlines()
    assert told[0].startswith("8 mutated captures, ")
    commands = {one.split()[0]: int(one.split()[1]) for one in told[-1].split(", ")}
    for name in ("summary", "sessions", "show", "packets", "report", "export", "stats", "compare"):
        assert commands[name] >= 8, name


def test_a_capture_is_its_parts() -> None:
    for path in CAPTURES:
        parts = parts_of(path.read_bytes())
        assert parts.head + b"".join(parts.blocks) == path.read_bytes()
        assert len(parts.blocks) > 3
    assert parts_of(b"no capture") == (b"no capture", [])


def test_a_number_stands_for_one_mutation(tmp_path: Path) -> None:
    options = parsed(["--keep", str(tmp_path)])
    once, again = keep(7, options).read_bytes(), keep(7, options).read_bytes()
    assert once == again
    data, other = CAPTURES[0].read_bytes(), CAPTURES[1].read_bytes()
    assert len({mutated(data, other, Random(seed)) for seed in range(60)}) > 55
    assert len({changed(data[:200], Random(seed)) for seed in range(60)}) > 50


@pytest.mark.parametrize(
    ("line", "status", "out", "err", "noticed"),
    [
        (["summary"], 0, b"calm\n", b"", ""),
        (["summary"], 70, b"", b"", "status 70"),
        (["summary"], 1, b"", b"Traceback (most recent call last):\n  x", "Traceback"),
        (["sessions", "--format", "json"], 0, b'{"a":1}\n{"a":2}\n', b"", ""),
        (["sessions", "--format", "json"], 0, b'{"a":1', b"", "JSON"),
        (["packets", "-T", "json"], 0, b"[]\n", b"", ""),
        (["sessions", "--format", "json"], 0, '{"a":"\u202e"}'.encode(), b"", ""),
        (["packets", "--format", "csv"], 0, b"a,\x1b[2J\r\n", b"", "raw"),
        (["summary"], 0, "\u202e".encode(), b"", "raw"),
        (["summary"], 0, b"", b"\x9b", "raw"),
    ],
)
def test_what_a_run_must_not_print(line: list[str], status: object, out: bytes, err: bytes, noticed: str) -> None:
    found = wrong_output(line, status, out, err)
    assert noticed in found
    assert bool(noticed) == bool(found)


BESIDE = {
    "--trust": (ROOT / "captures" / "curl-nginx-http2" / "curl-nginx-http2.ca.pem").read_bytes(),
    "--intermediates": (ROOT / "captures" / "curl-nginx-http2" / "curl-nginx-http2.ca.pem").read_bytes(),
    "--crl": b"-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n",
    "--ct-logs": b'{"operators":[{"name":"a","logs":[{"key":"MFk=","log_id":"AA==","mmd":1,"description":"x","state":{}}]}]}',
    "--psk-file": b"id 0011223344\n0x6964 00112233445566778899aabbccddeeff\n",
    "--rsa-key": b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
    "--macros": b'"web" tcp.port in {80, $1}\n"x" ip\n',
    "-k": (ROOT / "captures" / "tls13-rsa" / "tls13-rsa.keys").read_bytes(),
}
"""The files that options name, which can come from a stranger too."""


@pytest.mark.parametrize("option", BESIDE)
def test_mutated_files_beside_a_capture(option: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    random, beside = Random(option), tmp_path / "beside"
    capture = str(ROOT / "captures" / "tls13-rsa" / "tls13-rsa.pcapng")
    for _ in range(12):
        beside.write_bytes(changed(BESIDE[option], random))
        line = ["show", capture, "0", option, str(beside)] + (["-Y", "$web(443)"] if option == "--macros" else [])
        status = main(line)
        out, err = capfdbinary.readouterr()
        assert wrong_output(line, status, out, err) == "", beside.read_bytes()


def test_a_mutated_bundle_is_verified_or_refused(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    random, bundle = Random(1), tmp_path / "bundle"
    assert main(["report", str(ROOT / "captures" / "tls13-rsa" / "tls13-rsa.pcapng"), "--bundle", str(bundle)]) == 0
    capfdbinary.readouterr()
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    for number in range(40):
        place = files[number % len(files)]
        whole = place.read_bytes()
        place.write_bytes(changed(whole, random))
        line = ["verify", str(bundle), "--format", ("text", "json")[number % 2]]
        status = main(line)
        out, err = capfdbinary.readouterr()
        assert wrong_output(line, status, out, err) == "", place.read_bytes()
        assert status != 0 or place.read_bytes() == whole
        place.write_bytes(whole)
