"""The failures of a summary: by cause and server, the most first, with an example."""

from pathlib import Path

import orjson
import pytest
from frames_by_hand import write
from wire import CLIENT, SERVER, Wire, flights, hello

from analyzer.cli.main import main

from .conftest import Run


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window in which no row is folded."""
    monkeypatch.setenv("COLUMNS", "160")


def text_of(folder: Path, capsys: pytest.CaptureFixture[str], *wires: Wire, arguments: tuple[str, ...] = ()) -> list[str]:
    """The lines of the part on failures."""
    frames = sorted((frame for wire in wires for frame in wire.frames), key=lambda one: one[0])
    capture = write(folder / "wire.pcapng", frames)
    capsys.readouterr()
    assert main(["summary", str(capture), *arguments]) == 0
    _, _, rest = capsys.readouterr().out.partition("\nFailures")
    return ("Failures" + rest.partition("\n\n")[0]).splitlines()


def refused(port: int, source: int) -> Wire:
    """A connection to a port on which nobody listens."""
    wire = Wire(port, source).syn()
    wire.seen[SERVER] = 1000
    return wire.rst(SERVER)


def test_equal_failures_are_one_group_and_the_largest_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    reset = Wire(443, 50001).open().say(CLIENT, hello()).rst(SERVER)
    lines = text_of(tmp_path, capsys, reset, *(refused(8443, 50010 + n) for n in range(3)))
    assert lines[0] == "Failures  4 connections; `analyzer show ID` explains a session"
    assert lines[1].split("  ")[1:3] == ["3×", "Connection request refused (ended by the server)"]  # noqa: RUF001
    assert "192.0.2.10 to 198.51.100.20:8443" in lines[1]
    assert "frame" in lines[1]
    assert "session" not in lines[1]
    assert lines[3].startswith("  1×  Reset by the peer (ended by the server)")  # noqa: RUF001
    assert "[session 0, frame 1]" in " ".join(lines[3:])
    assert "the server reset the connection after the ClientHello" in " ".join(lines[3:])


def test_a_failure_beside_connections_that_went_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    good = Wire(443, 50000).open()
    for side, data in flights():
        good.say(side, data)
    reset = Wire(443, 50001).open().say(CLIENT, hello()).rst(SERVER)
    lines = text_of(tmp_path, capsys, good.close(CLIENT), reset, refused(8443, 50002))
    said = "of 2 connections to this server, 1 went well"
    assert [said in line for line in lines if "the server " in line] == [True, False]
    main(["show", str(tmp_path / "wire.pcapng"), "1"])
    assert f"same server   {said}\n" in capsys.readouterr().out
    main(["show", str(tmp_path / "wire.pcapng"), "0"])
    assert said not in capsys.readouterr().out
    main(["summary", str(tmp_path / "wire.pcapng"), "--format", "json"])
    listed = orjson.loads(capsys.readouterr().out)["failures"]
    assert [one["same_server"] for one in listed] == [{"established": 1, "failed": 1}, {"established": 0, "failed": 1}]


def test_the_number_of_groups_is_limited_and_the_rest_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    wires = [refused(8000 + n, 50100 + n) for n in range(9)]
    lines = text_of(tmp_path, capsys, *wires)
    assert sum("request refused" in line for line in lines) == 5
    assert lines[-1] == "  and 4 further groups with 4 connections"
    more = text_of(tmp_path, capsys, *wires, arguments=("--top", "9"))
    assert sum("request refused" in line for line in more) == 9


def test_without_failures_it_says_so(run: Run, captures: Path):
    assert "\nFailures  none seen\n" in run(captures / "tls13-rsa" / "tls13-rsa.pcapng").text


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_it_fits_the_window(columns: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = text_of(tmp_path, capsys, refused(8443, 50010), Wire(443, 50001).open().say(CLIENT, hello()).rst(SERVER))
    assert max(map(len, lines)) <= columns
