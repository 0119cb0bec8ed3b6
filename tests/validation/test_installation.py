import configparser
import hashlib
import re
from pathlib import Path

import pytest

import analyzer
from analyzer.validation import installation
from analyzer.validation.installation import PACKAGES, installation_facts, package_versions, system_facts


def test_every_file_of_the_package_counts():
    root = Path(analyzer.__file__).parent
    facts = installation_facts()
    by_path = {one["path"]: one["sha256"] for one in facts["files"]}
    assert facts["count"] == len(by_path) == len(facts["files"])
    for name in ("__init__.py", "tls/session.py", "codec/registries/findings.csv"):
        assert by_path[f"analyzer/{name}"] == hashlib.sha256((root / name).read_bytes()).hexdigest()
    assert not [path for path in by_path if "__pycache__" in path or "/material/" in path]


def test_one_hash_stands_for_all_as_sha256sum_would_give_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "b").mkdir()
    (tmp_path / "__init__.py").write_bytes(b"")
    (tmp_path / "b" / "a.csv").write_bytes(b"x")
    monkeypatch.setattr(installation.analyzer, "__file__", str(tmp_path / "__init__.py"))
    empty, x = hashlib.sha256(b"").hexdigest(), hashlib.sha256(b"x").hexdigest()
    lines = f"{empty}  analyzer/__init__.py\n{x}  analyzer/b/a.csv\n"
    assert installation_facts()["sha256"] == hashlib.sha256(lines.encode()).hexdigest()


def test_the_packages_are_those_of_the_setup(repository: Path):
    settings = configparser.ConfigParser()
    settings.read(repository / "setup.cfg", encoding="utf-8")
    needed = [re.match(r"[\w-]+", line)[0] for line in settings["options"]["install_requires"].split("\n") if line]  # type: ignore[index]
    assert sorted(PACKAGES) == sorted(needed)
    assert all(package_versions().values())


def test_the_system_is_named_without_its_name():
    import platform

    facts = system_facts()
    assert facts["system"] == platform.system()
    assert platform.node() not in facts.values()
