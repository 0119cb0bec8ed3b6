"""Case data out of options and TOML files, and what is wrong with such a file, with its place."""

from pathlib import Path

import pytest

from analyzer.report.case_data import LARGEST_FILE, LONGEST_TEXT, MOST_NOTES, CaseDataError, case_facts, read_case_file

WHOLE = """
case = "2026-117"
exhibit = 'A-3'
examiner = "A. Example"
purpose = '''
Which servers?
And when?'''

[[custody]]
time = 2026-11-03T09:15:00Z
text = "Received, sealed"

[[custody]]
time = 2026-11-04
text = "Opened"

[[custody]]
time = "2026-11-05T10:00:00+01:00"
text = "Copied"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "case.toml"


def test_without_options_nothing_is_known() -> None:
    assert case_facts() == {
        "case": None, "exhibit": None, "examiner": None, "authority": None, "purpose": None, "custody": [], "source": None,
    }  # fmt: skip


def test_a_file_and_options_that_win(file: Path) -> None:
    file.write_text(WHOLE)
    facts = case_facts(str(file), examiner="B. Sample", authority="Court", custody=["Returned"])
    assert facts == {
        "case": "2026-117",
        "exhibit": "A-3",
        "examiner": "B. Sample",
        "authority": "Court",
        "purpose": "Which servers?\nAnd when?",
        "custody": [
            {"time": "2026-11-03T09:15:00Z", "text": "Received, sealed"},
            {"time": "2026-11-04", "text": "Opened"},
            {"time": "2026-11-05T10:00:00+01:00", "text": "Copied"},
            {"time": None, "text": "Returned"},
        ],
        "source": str(file),
    }


def test_notes_may_be_plain_texts(file: Path) -> None:
    file.write_text('custody = ["one", { text = "two" }]')
    assert read_case_file(str(file))["custody"] == [{"time": None, "text": "one"}, {"time": None, "text": "two"}]


WRONG = {
    'case = "x"\nexamnier = "y"\n': "line 2: unknown key 'examnier': there are case, exhibit, ",
    "\n[investigation]\ncase = 1\n": "line 2: unknown key 'investigation'",
    "case = 7\n": "line 1: case has to be a text in quotes",
    '\n\nexaminer = ["A", "B"]': "line 3: examiner has to be a text in quotes",
    'custody = "x"': "line 1: custody has to be a list of notes",
    "custody = [7]": "line 1: note 1: a note is a text, or a table with text and time",
    "[[custody]]\ntext = 'a'\n[[custody]]\ntime = 2026-11-04\n": "line 3: note 2: text is missing",
    "[[custody]]\ntext = 'a'\nwho = 'b'\n": "line 1: note 1: unknown key 'who': there are time, text",
    "[[custody]]\ntext = 'a'\ntime = 'noon'\n": "line 1: note 1: time 'noon' is no time: write it as in 2026-10-03T12:00:00Z",
    "[[custody]]\ntext = 'a'\ntime = 'now'\n": "line 1: note 1: time has to be a time",
    "[[custody]]\ntext = 'a'\ntime = 2026-11-04T10:00:00\n": "line 1: note 1: time 2026-11-04T10:00:00 says no zone",
    "case = \n": "Invalid value (at line 1, column 8)",
    'case = "a"\ncase = "b"\n': "Cannot overwrite a value (at line 2",
    "a" + "[" * 5000: "",
}


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_one_line_with_its_place(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(CaseDataError) as raised:
        case_facts(str(file))
    line = str(raised.value)
    assert line.startswith(f"{file}: {WRONG[text]}")
    assert "\n" not in line
    assert len(line) > len(f"{file}: ")


def test_files_that_cannot_be_read(file: Path, tmp_path: Path) -> None:
    for path, why in ((file, "No such file or directory"), (tmp_path, "Is a directory"), (Path("a\0b"), "embedded null byte")):
        with pytest.raises(CaseDataError, match=f": {why}"):
            read_case_file(str(path))
    file.write_bytes(b'case = "x"\n# \xff\n')
    with pytest.raises(CaseDataError, match="line 2: byte 0xff is no UTF-8"):
        read_case_file(str(file))
    file.write_bytes(b"#" * (LARGEST_FILE + 1))
    with pytest.raises(CaseDataError, match=f"over {LARGEST_FILE} bytes"):
        read_case_file(str(file))


def test_limits(file: Path) -> None:
    file.write_text("custody = [" + '"x",' * (MOST_NOTES + 1) + "]")
    with pytest.raises(CaseDataError, match=f"line 1: more than {MOST_NOTES} notes"):
        read_case_file(str(file))
    with pytest.raises(CaseDataError, match=f"--custody: more than {MOST_NOTES} notes"):
        case_facts(custody=["x"] * (MOST_NOTES + 1))
    with pytest.raises(CaseDataError, match=f"--purpose: it has {LONGEST_TEXT + 1} characters"):
        case_facts(purpose="x" * (LONGEST_TEXT + 1))
    assert case_facts(case="\udcff")["case"] == "\\xff", "an argument that is no UTF-8"
