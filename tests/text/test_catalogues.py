from pathlib import Path

import pytest

from analyzer.text import catalogues
from analyzer.text.catalogues import RETOLD, SAID, catalogue


def test_a_catalogue_is_read_as_gettext_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "xx" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "doors.po").write_text(
        'msgid ""\nmsgstr "Language: xx\\n"\n\n#: a comment\nmsgid "a \\"door\\"\\n"\n"and more"\nmsgstr "T\\\\u\\tr"\n\n'
        'msgctxt "number"\nmsgid "door"\nmsgid_plural "doors"\nmsgstr[0] "{n} T"\n\nmsgid "empty"\nmsgstr ""\n',
        "utf-8",
    )
    monkeypatch.setattr(catalogues, "_FOLDER", tmp_path)
    assert catalogue("xx", "doors") == {'a "door"\nand more': "T\\u\tr", "number\x04door": "{n} T"}


@pytest.mark.parametrize("name", [SAID, RETOLD])
def test_a_language_without_a_catalogue_is_an_error(name: str):
    with pytest.raises(OSError, match="No such file"):
        catalogue("xx", name)
    assert len(catalogue("zh", name)) > 100
