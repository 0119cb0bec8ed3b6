from pathlib import Path

import pytest

from analyzer.analysis.missing_data import Missing
from analyzer.cli.output import Output
from analyzer.cli.stream_view import SHOWN, HexView, RawView, missing_text
from analyzer.cli.text_view import AsciiView, TextView


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        (Missing(1, 1448, 0, "missing_segment"), "1,448 bytes of the server are not in the capture"),
        (Missing(0, 1, 1, "missing_segment"), "1 byte of the client is not in the capture, and 1 record with them"),
        (Missing(1, None, 3, "wrong_secret"), "3 records of the server did not open: wrong_secret"),
        (Missing(None, None, 2, "no_secret"), "2 records of this session before this did not open: no_secret"),
        (Missing(0, None, 0, None), "something of the client is missing here: its stream does not go on with a record"),
    ],
)
def test_missing_data_as_text(missing: Missing, text: str):
    assert missing_text(missing) == text


def test_many_missing_pieces_of_raw_bytes_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    view = RawView(Output(str(tmp_path / "out"), (), "never"))
    for _ in range(SHOWN + 5):
        view.missing(Missing(0, 10, 0, "missing_segment"))
    view.close()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == SHOWN + 1
    assert lines[-1] == "analyzer: and 5 further losses"


def test_missing_data_begins_its_own_line(tmp_path: Path):
    output = Output(str(tmp_path / "out"), (), "never")
    for view in (TextView(output), HexView(output), AsciiView(output)):
        view.data(0, b"half a li", 1, -1)
        view.missing(Missing(0, None, 1, "wrong_secret"))
        view.data(0, b"ne\n", 2, -1)
        view.close()
    output.close()
    assert (tmp_path / "out").read_text().splitlines() == [
        "* client, frame 1",
        "> half a li",
        "* 1 record of the client did not open: wrong_secret",
        "* client, frame 2",
        "> ne",
        "* client, frame 1",
        "> 00000000  68 61 6c 66 20 61 20 6c  69                       half a li",
        "* 1 record of the client did not open: wrong_secret",
        "* client, frame 2",
        "> 00000009  6e 65 0a                                          ne.",
        "* client, frame 1",
        "> half a li",
        "* 1 record of the client did not open: wrong_secret",
        "* client, frame 2",
        "> ne",
    ]
