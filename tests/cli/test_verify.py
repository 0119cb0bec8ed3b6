"""`analyzer verify`: its lines, JSON, exit status; and making a report again with `--reproduce`."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from bundles import FACTS, bundle, certificate, contents, key_file, root, signer
from cryptography.hazmat.primitives.serialization import Encoding

from analyzer.report.bundle import BundleFile, checksums, manifest_bytes, write_bundle
from analyzer.store.output_schemas import SCHEMAS

from .conftest import Run

Edit = Callable[[dict], None]


def checks(run: Run, *words: object) -> tuple[int, list[dict]]:
    ran = run("verify", *words, "--format", "json")
    result = json.loads(ran.out)
    jsonschema.validate(result, SCHEMAS["verify"])
    assert result["holds"] is (ran.status == 0)
    assert result["holds"] is all(check["result"] in ("holds", "unproved") for check in result["checks"])
    return ran.status, result["checks"]


def failures(found: list[dict]) -> list[str]:
    return [check["file"] for check in found if check["result"] == "fails"]


def test_a_bundle_holds_line_by_line(run: Run, tmp_path: Path):
    bundle(tmp_path / "b", signer("ed25519", False))
    ran = run("verify", tmp_path / "b")
    assert (ran.status, ran.err) == (0, b"")
    lines = ran.text.splitlines()
    assert any(line.startswith("holds     report.json: size and SHA-256 are those of the manifest") for line in lines)
    assert "nobody vouches for this key here" in " ".join(ran.text.split())
    assert any(line.startswith("unproved  there is no time-stamp token") for line in lines)
    assert lines[-1].startswith("All ")


def test_what_does_not_hold_is_named_with_status_3(run: Run, tmp_path: Path):
    bundle(tmp_path / "b")
    (tmp_path / "b" / "report.html").write_bytes(b"changed")
    ran = run("verify", tmp_path / "b")
    assert ran.status == 3
    assert "fails     report.html: it has 7 bytes; the manifest says" in ran.text
    assert re.fullmatch(r"Of \d+ checks, 1 does not hold\.", ran.text.splitlines()[-1])
    status, found = checks(run, tmp_path / "b")
    assert (status, failures(found)) == (3, ["report.html"])


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ec"])
def test_trust_is_given_with_files(run: Run, tmp_path: Path, kind: str):
    bundle(tmp_path / "b", signer(kind, kind != "ed25519"))
    mine, other = tmp_path / "mine.pem", tmp_path / "other.pem"
    mine.write_bytes(certificate(kind).public_bytes(Encoding.PEM))
    other.write_bytes(certificate("ec" if kind == "rsa" else "rsa").public_bytes(Encoding.PEM))
    assert checks(run, tmp_path / "b", "--signer", mine)[0] == 0
    assert checks(run, tmp_path / "b", "--signer", other, "--signer", mine)[0] == 0
    assert checks(run, tmp_path / "b", "--signer", other)[0] == 3
    if kind != "ed25519":
        mine.write_bytes(root().public_bytes(Encoding.PEM))
        assert checks(run, tmp_path / "b", "--signer", mine)[0] == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["missing"], "No such file"),
        (["empty"], "no manifest.json is in it"),
        (["file"], "Not a directory"),
        (["b", "--signer", "file"], "no public key or certificate"),
        (["b", "--signer", "missing"], "No such file"),
        (["b", "--tsa-cert", "file"], "no public key or certificate"),
        (["b", "--input", "a=b"], "--input is for --reproduce"),
        (["b", "--reproduce", "--input", "missing"], "neither a folder"),
        ([], "required"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run: Run, tmp_path: Path, words: list[str], why: str):
    bundle(tmp_path / "b")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    ran = run("verify", *(word if word.startswith("--") or "=" in word else tmp_path / word for word in words))
    assert (ran.status, ran.out) == (2, b"")
    assert why in ran.complaint


def fit(folder: Path, edit: Edit) -> None:
    """Change the manifest, and the hash of it."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    edit(manifest)
    (folder / "manifest.json").write_bytes(manifest_bytes(manifest))
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    (folder / "manifest.sha256").write_bytes(checksums({"manifest.json": digest}))


def test_nothing_of_a_bundle_reaches_the_terminal_raw(run: Run, tmp_path: Path):
    bundle(tmp_path / "b")
    (tmp_path / "b" / "\x1b[31mred\u202e").touch()
    (tmp_path / "b" / "caf\udce9").touch()  # a name that is no UTF-8
    fit(tmp_path / "b", lambda manifest: manifest["files"].append({"name": "\x1b]0;x\x07/", "size": 1, "sha256": "0" * 64}))
    ran = run("verify", tmp_path / "b")
    assert ran.status == 3
    assert b"\x1b" not in ran.out
    assert b"\\x1b[31mred\\u202e" in ran.out
    assert b"\\x1b]0;x\\x07/" in ran.out
    assert checks(run, tmp_path / "b")[0] == 3


# Reproduction, through `report` itself.


@pytest.fixture(scope="module")
def reported(run: Run, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed bundle of the demonstration capture, named by the path `captures/demo.pcapng`. Nobody may change it."""
    folder = tmp_path_factory.mktemp("reported")
    (folder / "key.pem").write_bytes(key_file("ed25519", False))
    ran = run("report", "captures/demo.pcapng", "-o", folder / "x.json", "--bundle", folder / "b", "--sign", folder / "key.pem")
    assert (ran.status, ran.err) == (0, b"")
    return folder / "b"


def test_report_writes_a_bundle_that_is_the_same_every_time(run: Run, reported: Path, tmp_path: Path):
    words = ["--bundle", tmp_path / "b", "--sign", reported.parent / "key.pem"]
    assert run("report", "captures/demo.pcapng", "-o", tmp_path / "other.json", *words).status == 0
    assert contents(tmp_path / "b") == contents(reported)
    records = [json.loads(line) for line in (reported / "sessions.jsonl").read_bytes().splitlines()]
    assert len(records) == 8
    assert (reported / "sessions.jsonl").read_bytes() == run("sessions", "captures/demo.pcapng", "--format", "json").out
    assert checks(run, reported)[0] == 0


def test_a_report_is_made_again(run: Run, reported: Path):
    status, found = checks(run, reported, "--reproduce")
    assert status == 0
    again = {check["file"]: check["detail"] for check in found if check["code"] == "reproduce"}
    assert again["sessions.jsonl"] == again["report.json"] == "the same bytes again"
    assert "the same" in again["manifest.json"]
    assert [check["file"] for check in found if check["code"] == "input"] == ["captures/demo.pcapng"]


@pytest.mark.parametrize("given", ["folder", "pair"])
def test_an_input_may_be_somewhere_else_now(reported: Path, tmp_path: Path, demo: Path, run: Run, given: str):
    (tmp_path / "moved").mkdir()
    shutil.copy(demo, tmp_path / "moved" / "demo.pcapng")
    where = tmp_path / "moved" if given == "folder" else f"captures/demo.pcapng={tmp_path / 'moved' / 'demo.pcapng'}"
    status, found = checks(run, reported, "--reproduce", "--input", where)
    assert (status, failures(found)) == (0, [])


def test_an_absolute_path_may_be_another_one_now(run: Run, demo: Path, tmp_path: Path):
    one, two = tmp_path / "one.pcapng", tmp_path / "two.pcapng"
    shutil.copy(demo, one)
    assert run("report", one, "-o", tmp_path / "x.json", "--bundle", tmp_path / "b").status == 0
    shutil.move(one, two)
    assert failures(checks(run, tmp_path / "b", "--reproduce")[1]) == [str(one)]
    status, found = checks(run, tmp_path / "b", "--reproduce", "--input", f"{one}={two}")
    assert (status, failures(found)) == (0, [])
    assert any("except for the path of an input" in check["detail"] for check in found)


def test_another_input_is_noticed_before_it_is_read(run: Run, reported: Path, tmp_path: Path, demo: Path):
    changed = tmp_path / "demo.pcapng"
    changed.write_bytes(demo.read_bytes()[:-1] + b"\1")
    status, found = checks(run, reported, "--reproduce", "--input", f"captures/demo.pcapng={changed}")
    assert (status, failures(found)) == (3, ["captures/demo.pcapng"])
    assert not [check for check in found if check["code"] == "reproduce"]


def test_what_differs_is_named_by_its_key(run: Run, demo: Path, tmp_path: Path):
    """A report in which somebody changed a number, with everything else made to fit."""
    words = ["report", str(demo), "-o", tmp_path / "x.json", "--bundle", tmp_path / "honest"]
    assert run(*words).status == 0
    report = json.loads((tmp_path / "honest" / "report.json").read_bytes())
    report["sessions"]["shown"][0]["server_name"] = "somebody.else"
    report["traffic"]["packets"] += 1
    records = (tmp_path / "honest" / "sessions.jsonl").read_bytes()
    manifest = json.loads((tmp_path / "honest" / "manifest.json").read_bytes())
    facts = {"tool": manifest["tool"], "command": manifest["command"], "options": manifest["options"], "issued_at": None}
    facts["evidence"] = {"inputs": [], "trust": manifest["trust"]}
    facts["evidence"]["inputs"] = [
        {key: value for key, value in one.items() if key != "role"} for one in manifest["inputs"] if one["role"] == "capture"
    ]
    files = [
        BundleFile("report.json", json.dumps(report).encode(), "application/json"),
        BundleFile("sessions.jsonl", records.replace(b"shop", b"s\\u0068op", 1), "application/jsonl"),
    ]
    write_bundle(str(tmp_path / "b"), facts, files)
    assert checks(run, tmp_path / "b")[0] == 0
    status, found = checks(run, tmp_path / "b", "--reproduce")
    assert status == 3
    details = {check["file"]: check["detail"] for check in found if check["result"] == "fails"}
    assert details["report.json"] == "differs: sessions.shown[0].server_name; traffic.packets"
    assert details["sessions.jsonl"].startswith("differs: from byte ")


COMMANDS: dict[str, tuple[object, str]] = {
    "another command": (["summary", "a.pcap"], "is not `report`"),
    "none": (None, "has no command"),
    "no words": ([["report"]], "has no command"),
    "too many": (["report"] * 20_000, "has no command"),
    "unknown option": (["report", "a.pcap", "--delete"], "command of its manifest"),
    "help": (["report", "--help"], "is not `report`"),
    "another capture": (["report", "/etc/hostname"], "that the manifest does not list"),
}


@pytest.mark.parametrize(("command", "why"), COMMANDS.values(), ids=COMMANDS)
def test_a_strange_command_is_not_run(run: Run, tmp_path: Path, command: object, why: str):
    bundle(tmp_path / "b", None, FACTS | {"command": command})
    ran = run("verify", tmp_path / "b", "--reproduce")
    assert (ran.status, ran.out) == (2, b"")
    assert why in ran.complaint


def test_no_option_of_a_strange_command_writes_a_file(run: Run, demo: Path, tmp_path: Path):
    target = tmp_path / "written"
    assert run("report", demo, "-o", tmp_path / "x.json", "--bundle", tmp_path / "b").status == 0
    outputs = ["-o", f"{target}.json", "--force", f"--output={target}.html", "--bundle", str(target), "--sign", str(target)]
    fit(tmp_path / "b", lambda manifest: manifest.update(command=[*manifest["command"], *outputs]))
    run("verify", tmp_path / "b", "--reproduce")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("written")] == []


def test_a_bundle_that_does_not_hold_is_not_made_again(run: Run, reported: Path, tmp_path: Path):
    folder = Path(shutil.copytree(reported, tmp_path / "b"))
    (folder / "report.json").write_bytes(b"{}")
    status, found = checks(run, folder, "--reproduce")
    assert status == 3
    assert [check["detail"] for check in found if check["code"] == "reproduce"] == [
        "the analysis was not run again, because the bundle itself does not hold"
    ]


@pytest.mark.peer("strace")
def test_verifying_opens_no_socket(reported: Path, repository: Path, tmp_path: Path):
    command = ["strace", "-f", "-e", "trace=socket,connect", "-o", str(tmp_path / "trace")]
    subprocess.run([*command, sys.executable, "-m", "analyzer", "verify", str(reported)], cwd=repository, check=True)
    assert "AF_INET" not in (tmp_path / "trace").read_text()


# The options of `report` for it.


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--sign", "key"], "give --bundle DIR too"),
        (["--sign-password-file", "password"], "is for the key of --sign"),
        (["--bundle", "b", "--sign", "missing"], "No such file"),
        (["--bundle", "b", "--sign", "text"], "no private key"),
        (["--bundle", "b", "--sign", "locked"], "give its password with --sign-password-file FILE"),
        (["--bundle", "b", "--sign", "locked", "--sign-password-file", "text"], "the password does not open"),
        (["--bundle", "b", "--sign", "alone"], "the certificate of the key is missing"),
        (["--bundle", "full"], "the folder is not empty"),
    ],
)
def test_report_says_what_is_wrong_with_key_or_folder(run: Run, tmp_path: Path, words: list[str], why: str):
    (tmp_path / "text").write_text("secret-word\n")
    (tmp_path / "key").write_bytes(key_file("ed25519", False))
    (tmp_path / "locked").write_bytes(key_file("ed25519", False, b"right"))
    (tmp_path / "alone").write_bytes(key_file("rsa", False))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    ran = run(
        "report", "captures/demo.pcapng", "-o", tmp_path / "x.json",
        *(word if word.startswith("--") else tmp_path / word for word in words),
    )  # fmt: skip
    assert ran.status == 2
    assert why in ran.complaint
    assert "secret-word" not in ran.complaint
    assert not (tmp_path / "b").exists()


def test_a_locked_key_signs_with_its_password(run: Run, tmp_path: Path):
    (tmp_path / "locked").write_bytes(key_file("rsa", True, b"right"))
    (tmp_path / "password").write_bytes(b"right\r\nsecond line")
    words = ["--bundle", tmp_path / "b", "--sign", tmp_path / "locked", "--sign-password-file", tmp_path / "password"]
    assert run("report", "captures/demo.pcapng", "-o", tmp_path / "x.json", *words).status == 0
    found = checks(run, tmp_path / "b")[1]
    assert [check["result"] for check in found if check["code"] == "signature"] == ["holds"]
    assert b"right" not in b"".join(contents(tmp_path / "b").values())


def test_an_incident_is_reported_and_the_report_made_again(run: Run, demo: Path, tmp_path: Path):
    words = ["live", "-", "--keep-before", "60s", "--trigger", "fatal_alert", "--incidents", tmp_path]
    assert run(*words, stdin=demo.read_bytes()).status == 0
    incident = min(tmp_path.iterdir())
    assert checks(run, incident)[0] == 0
    assert checks(run, incident, "--signer", write(tmp_path / "key", certificate("ec").public_bytes(Encoding.PEM)))[0] == 3
    assert "no command" in run("verify", incident, "--reproduce").complaint
    assert "cannot be sealed" in run("seal", incident, "--tsa", "http://127.0.0.1:1/").complaint
    assert run("report", incident, "-o", tmp_path / "x.json", "--bundle", tmp_path / "b").status == 0
    (given,) = json.loads((tmp_path / "b" / "manifest.json").read_bytes())["inputs"]
    assert given["path"] == str(incident / "packets.pcapng")
    assert checks(run, tmp_path / "b", "--reproduce")[0] == 0
    (incident / "summary.txt").write_text("changed")
    assert "summary.txt: it has 7 bytes" in run("report", incident, "-o", tmp_path / "y.json").complaint
    assert not (tmp_path / "y.json").exists()


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(("asn1crypto", "pyhanko", "rfc3161_client")))
from analyzer.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_without_the_extra_ed25519_works_and_the_rest_says_what_is_missing(repository: Path, tmp_path: Path):
    def run(*words: object) -> tuple[int, str]:
        command = [sys.executable, "-c", WITHOUT, *map(str, words)]
        done = subprocess.run(command, cwd=repository, capture_output=True, check=False)
        assert b"Traceback" not in done.stderr
        return done.returncode, " ".join((done.stdout + done.stderr).decode().split())

    words = ["report", "captures/demo.pcapng", "-o", tmp_path / "x.json", "--force", "--bundle"]
    alone, certified = write(tmp_path / "alone", key_file("ed25519", False)), write(tmp_path / "rsa", key_file("rsa", True))
    assert run(*words, tmp_path / "b", "--sign", alone)[0] == 0
    assert run("verify", tmp_path / "b")[0] == 0
    status, text = run(*words, tmp_path / "c", "--sign", certified)
    assert (status, "needs the extra `sign`: pip install 'capture-analyzer[sign]'" in text) == (2, True)
    bundle(tmp_path / "d", signer("rsa", True))
    status, text = run("verify", tmp_path / "d")
    assert (status, len(re.findall(r"unchecked \S+: it was not checked: that needs the extra `sign`", text))) == (3, 2)
    assert text.endswith("checks, 2 were not checked.")
    status, text = run("seal", tmp_path / "b", "--tsa", "http://127.0.0.1:1/")
    assert (status, "time stamps need the extra `sign`" in text) == (2, True)


def test_a_capture_behind_two_hyphens_is_read_again(repository: Path, demo: Path, tmp_path: Path):
    shutil.copy(demo, tmp_path / "-a.pcapng")
    command = [sys.executable, "-m", "analyzer"]
    environment = {**os.environ, "PYTHONPATH": str(repository), "PYTHONSAFEPATH": "1"}

    def run_here(*words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*command, *words], cwd=tmp_path, env=environment, capture_output=True, check=False)

    assert run_here("report", "--bundle", "b", "--", "-a.pcapng").returncode == 0
    ran = run_here("verify", "b", "--reproduce")
    assert ran.returncode == 0, (ran.stdout, ran.stderr)
    assert b"report.json: the same bytes again" in ran.stdout


@pytest.mark.parametrize("inputs", [None, 5, {"path": "a.pcap"}])
def test_inputs_that_are_no_list_are_said_in_one_line(run: Run, tmp_path: Path, inputs: object):
    bundle(tmp_path / "b", facts=FACTS)
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_bytes())
    content = manifest_bytes({**manifest, "inputs": inputs})
    (tmp_path / "b" / "manifest.json").write_bytes(content)
    (tmp_path / "b" / "manifest.sha256").write_bytes(checksums({"manifest.json": hashlib.sha256(content).hexdigest()}))
    ran = run("verify", tmp_path / "b", "--reproduce")
    assert ran.status == 2
    assert "its manifest has no inputs" in ran.complaint
