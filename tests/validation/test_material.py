import configparser
import glob
import re
from pathlib import Path

import pytest

from analyzer.codec.codes import codes
from analyzer.validation.material import Material, MissingMaterialError


def test_all_demonstration_captures_are_material(material: Material, repository: Path):
    folders = {path.parent.name for path in (repository / "captures").glob("*/expected.json")}
    assert {one.name for one in material.captures} == folders
    assert all(Path(one.path).is_file() and Path(one.root).is_file() for one in material.captures)


def test_every_expected_finding_is_a_code_with_that_severity(material: Material):
    known = codes("findings")
    found = [one for several in material.findings.values() for one in several]
    assert len(found) > 10
    assert [one for one in found if one.severity not in known[one.finding].severities] == []
    assert set(material.findings) <= {one.name for one in material.captures}


def test_digests_are_of_files_that_are_read_and_of_no_script(material: Material):
    digests = material.digests()
    assert len(digests) > 100
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests.values())
    assert not [path for path in digests if path.endswith((".py", ".svg", ".png", ".go"))]
    assert {"captures/demo.pcapng", "vectors/rfc8448.txt"} <= set(digests)


def test_a_wheel_has_all_of_it(material: Material, repository: Path):
    settings = configparser.ConfigParser()
    settings.read(repository / "setup.cfg", encoding="utf-8")
    patterns = settings["options.package_data"]["analyzer.validation"].split()
    room = repository / "analyzer" / "validation"
    packed = {path for pattern in patterns for path in glob.glob(pattern, root_dir=room)}
    assert {f"material/{path}" for path in material.digests()} <= packed
    assert not [path for path in packed if path.endswith((".py", ".go"))]


def test_what_is_missing_is_named(tmp_path: Path):
    with pytest.raises(MissingMaterialError, match="install the wheel again"):
        Material(str(tmp_path)).captures  # noqa: B018
    folder = tmp_path / "captures" / "one"
    folder.mkdir(parents=True)
    (folder / "expected.json").write_text('{"capture": "one.pcap", "frames": 1, "sessions": []}')
    with pytest.raises(MissingMaterialError, match=r"lacks one\.keys"):
        Material(str(tmp_path)).captures  # noqa: B018
    with pytest.raises(MissingMaterialError, match=r"lacks rfc8448\.txt"):
        Material(str(tmp_path)).vectors  # noqa: B018
