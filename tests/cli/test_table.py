import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.cli.output import Output
from analyzer.cli.table import Column, Table, cut, pad, share_of_width, width, wrap

COLUMNS = (Column("id", 0, right=True), Column("name", 1, limit=20), Column("suite", 3), Column("state", 2))
ROWS = [
    ["0", "www.example.org", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "established"],
    ["1", "例え.テスト", "TLS_AES_128_GCM_SHA256", ""],
]


def render(tmp_path: Path, columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    output = Output(str(tmp_path / "table"), [], "never")
    table = Table(COLUMNS, output)
    for row in ROWS:
        table.add(row)
    table.close()
    output.close()
    return (tmp_path / "table").read_text().splitlines()


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_window_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int):
    lines = render(tmp_path, columns, monkeypatch)
    assert max(map(width, lines)) <= columns
    text = "\n".join(lines)
    for row in ROWS:
        for cell in row:
            assert cell in text


def test_a_very_narrow_window_truncates_cells_visibly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lines = render(tmp_path, 40, monkeypatch)
    assert max(map(width, lines)) <= 40
    assert "    suite TLS_ECDHE_RSA_WITH_AES_128_GC…" in lines


def test_columns_that_fit_are_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    head, first, _ = render(tmp_path, 120, monkeypatch)
    assert head.split() == ["id", "name", "suite", "state"]
    assert first.index("established") == head.index("state")


def test_columns_that_do_not_fit_follow_with_their_title(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lines = render(tmp_path, 60, monkeypatch)
    assert "    suite TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" in lines


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])), st.integers(1, 40))
def test_truncated_text_fits(text: str, room: int):
    assert width(cut(text, room)) <= room
    assert width(pad(cut(text, room), room)) == room


@given(st.text("ab ", max_size=60), st.integers(2, 20))
def test_wrapped_lines_fit_and_keep_every_letter(text: str, room: int):
    lines = wrap(text, room)
    assert all(width(line) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_wide_characters_take_two_columns():
    assert width("例") == 2
    assert width("e\u0301") == 1
    assert cut("例例例", 4) == "例…"


def test_a_long_table_is_written_while_it_grows(tmp_path: Path):
    output = Output(str(tmp_path / "table"), [], "never")
    table = Table(COLUMNS, output, one_line=True)
    for _ in range(3000):
        table.add(ROWS[0])
    output.flush()
    assert (tmp_path / "table").stat().st_size > 2000 * len(os.fsencode(ROWS[0][2]))


def test_colours_only_if_wanted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO()))
    assert Output(None, [], "auto").paint("x", "red") == "x"
    assert Output(None, [], "always").paint("x", "red") == "\x1b[31mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Output(str(tmp_path / "x"), [], "auto").paint("x", "red") == "x"


def test_chinese_is_broken_beside_its_characters_and_punctuation_stays_where_it_may():
    assert wrap("客户端校验证书，然后发送 ClientKeyExchange。", 20) == ["客户端校验证书，然后", "发送", "ClientKeyExchange。"]
    assert wrap("一二三四五，六", 10) == ["一二三四", "五，六"]
    assert wrap("一二三四（五六）", 10) == ["一二三四", "（五六）"]


@given(st.text(st.sampled_from("客户端，。（）abc 1"), max_size=60), st.integers(8, 40))
def test_chinese_lines_fit_and_lose_nothing_but_spaces(text: str, room: int):
    lines = wrap(text, room)
    assert all(width(line) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(("columns", "limit"), [(80, 40), (200, 100), (40, 24)])
def test_a_column_of_long_texts_has_half_of_the_width(columns: int, limit: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    first, second = share_of_width([Column("a", 0), Column("b", 1, limit=7)], "b", Output(None, (), "never"))
    assert (first.limit, second.limit) == (0, limit)
