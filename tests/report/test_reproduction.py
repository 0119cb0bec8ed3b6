"""Making a bundle again: from the same inputs, from inputs that moved, and what is refused of a strange manifest."""

import hashlib
import os
from pathlib import Path

import pytest
from bundles import FACTS, bundle

from analyzer.report.bundle_folder import BundleFolder
from analyzer.report.reproduction import Inputs, content_words, reproduce
from analyzer.report.verification import Check, read_manifest

SAME = ["report", "a.pcap", "-k", "keys", "--case", "7"]


@pytest.mark.parametrize(
    "words",
    [
        SAME,
        [*SAME, "-o", "x.html", "--output", "y.json", "-oz.md", "--output=w.md"],
        [*SAME, "--bundle", "dir", "--sign", "key", "--sign-password-file", "password"],
        [*SAME, "--bundle=dir", "--sign=key", "--sign-password-file=password"],
        ["report", "--force", "-j", "4", "a.pcap", "-j2", "--jobs=3", "-k", "keys", "--color", "never", "--case", "7"],
    ],
)
def test_words_that_do_not_decide_the_content_are_left_out(words: list[str]):
    assert content_words(words) == SAME


def reproduced(tmp_path: Path, inputs: dict[str, bytes], words: list[str], moved: dict[str, str]) -> list[Check]:
    """Make a bundle again that says it was made of these inputs, which lie in the folder `evidence`."""
    entries = []
    for name, content in inputs.items():
        place = tmp_path / "evidence" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        entries.append({"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    bundle(tmp_path / "b", None, FACTS | {"command": ["report", *words], "evidence": {"inputs": entries}})
    with BundleFolder(str(tmp_path / "b")) as folder:
        where = Inputs(moved, [str(tmp_path / "evidence")])
        return list(reproduce(folder, read_manifest(folder), ["report", *words], words, where))


@pytest.mark.parametrize("path", ["", "."])
def test_an_input_with_the_name_of_a_module_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str):
    """Python looks for modules in the folder in which it is started, and in those of PYTHONPATH: the links lie in the first."""
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH", ""), path))))
    ran = tmp_path / "ran"
    script = f"open({str(ran)!r}, 'w')\nraise SystemExit\n".encode()
    found = reproduced(tmp_path, dict.fromkeys(("csv.py", "argparse.py"), script), ["csv.py", "argparse.py"], {})
    assert not ran.exists()
    assert [check.code for check in found] == ["input", "input", "reproduce"]


def test_nothing_is_written_into_a_folder_of_inputs(tmp_path: Path):
    evidence = tmp_path / "evidence"
    (evidence / "incident").mkdir(parents=True)
    inputs = {"zzz": b"no capture"}
    reproduced(tmp_path, inputs, ["incident", "incident/zzz", "incident/new/../../zzz"], {})
    assert sorted(path.name for path in evidence.rglob("*")) == ["incident", "zzz"]
