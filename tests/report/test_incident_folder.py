"""Incidents of `live` and folders of `export`: they are verified, and the capture of an incident can be reported."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.report.bundle_folder import BundleFolder
from analyzer.report.incident_folder import bundle_capture
from analyzer.report.verification import FAILS, HOLDS, UNPROVED, BundleError, Check, verify_files


def analyzer(repository: Path, *words: object, stdin: bytes = b"") -> None:
    command = [sys.executable, "-m", "analyzer", *map(str, words)]
    subprocess.run(command, cwd=repository, input=stdin, capture_output=True, check=True)


@pytest.fixture(scope="module")
def made(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An incident of the demonstration capture, read as a pipe."""
    folder = tmp_path_factory.mktemp("incidents")
    words = ["live", "-", "--keep-before", "60s", "--trigger", "fatal_alert", "--incidents", folder]
    analyzer(repository, *words, stdin=(repository / "captures" / "demo.pcapng").read_bytes())
    return min(folder.iterdir())


@pytest.fixture
def incident(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "incident"))


def verify(folder: Path) -> list[Check]:
    with BundleFolder(str(folder)) as opened:
        return verify_files(opened)[1]


def failed(folder: Path) -> bool:
    try:
        return any(check.result == FAILS for check in verify(folder))
    except BundleError:
        return True


def test_an_incident_holds_and_has_a_capture(incident: Path):
    checks = verify(incident)
    assert {check.result for check in checks} == {HOLDS}
    assert {check.file for check in checks if check.code == "file"} == {"packets.pcapng", "sessions.jsonl", "summary.txt"}
    assert bundle_capture(str(incident)) == str(incident / "packets.pcapng")


def test_a_flipped_bit_in_any_file_of_an_incident_is_noticed(incident: Path):
    for path in sorted(incident.iterdir()):
        data = path.read_bytes()
        for at in (0, len(data) // 2, len(data) - 1):
            changed = bytearray(data)
            changed[at] ^= 1
            path.write_bytes(changed)
            assert failed(incident), (path.name, at)
            with pytest.raises(BundleError):
                bundle_capture(str(incident))
        path.write_bytes(data)
    assert not failed(incident)


def test_an_incident_of_before_says_that_nothing_vouches_for_its_manifest(incident: Path):
    (incident / "manifest.sha256").unlink()
    found = [check for check in verify(incident) if check.result == UNPROVED]
    assert [check.file for check in found] == ["manifest.json"]
    assert "nothing vouches for the manifest itself" in found[0].detail
    assert not failed(incident)


def test_what_is_no_incident_has_no_capture(tmp_path: Path, repository: Path):
    assert bundle_capture(str(repository / "captures" / "demo.pcapng")) is None
    assert bundle_capture(str(tmp_path)) is None
    assert bundle_capture(str(tmp_path / "missing")) is None
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(BundleError):
        bundle_capture(str(tmp_path))


def test_an_incident_whose_manifest_lists_another_place_is_refused(incident: Path):
    manifest = json.loads((incident / "manifest.json").read_bytes())
    manifest["files"][0]["name"] = "../packets.pcapng"
    (incident / "manifest.json").write_text(json.dumps(manifest))
    (incident / "manifest.sha256").unlink()
    with pytest.raises(BundleError, match="nothing was read there"):
        bundle_capture(str(incident))


def test_an_incident_without_packets_is_refused(incident: Path):
    manifest = json.loads((incident / "manifest.json").read_bytes())
    manifest["files"] = []
    (incident / "manifest.json").write_text(json.dumps(manifest))
    for path in incident.iterdir():
        if path.name != "manifest.json":
            path.unlink()
    with pytest.raises(BundleError, match=r"packets\.pcapng is not in it"):
        bundle_capture(str(incident))


def test_a_folder_of_export_is_verified(tmp_path: Path, repository: Path):
    folder = tmp_path / "out"
    analyzer(repository, "export", "captures/demo.pcapng", "-o", folder, "--what", "objects,certificates,streams")
    checks = verify(folder)
    assert {check.result for check in checks} == {HOLDS, UNPROVED}
    files = [check.file for check in checks if check.code == "file"]
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {*files, "manifest.json"} == written
    for name in files[:3]:
        assert name is not None
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert failed(folder)
        (folder / name).write_bytes(data)
    with pytest.raises(BundleError, match="export"):
        bundle_capture(str(folder))
