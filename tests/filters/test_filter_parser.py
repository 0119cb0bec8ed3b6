"""The two ways to read a filter: what is read without the grammar has the same tree, and what it cannot read is left to it."""

from pathlib import Path

import pytest
from filters.made_packets import TABLE
from filters.test_compiled_filter import FALSE, TRUE, lines

from analyzer.filters.field_table import field_table
from analyzer.filters.filter_error import FilterError
from analyzer.filters.filter_parser import MAX_LENGTH, parse, parse_plain
from analyzer.filters.grammar_parser import parse_all
from analyzer.filters.syntax_tree import Exists, Number, Part, Word
from analyzer.filters.typed_tree import Constant

FILTERS = [
    line
    for name in ("filters.txt", "refused.txt")
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]

PLAIN = """
tcp
not tcp.port
tcp.port == 443
tcp.port != 0x1bb and not ip.src == 10.0.0.0/8
tcp.port in {80, 443, 8000..8080} or ip.addr eq 192.0.2.1 xor x.none
eth.src == 02:00:00:00:00:01 && http.host == "a\\x62" || tcp.port == 'P'
ip.src == ip.addr
"""

OTHER = """
(tcp)
tcp.port == 80 == 443
tcp.port & 1
-tcp.len < 0
eth.src[0:3] == 1:2:3
ip#1
@ip.src == 1:2
len(http.host) == 3
all tcp.port > 5
not not tcp
80 == tcp.port
tcp.port not in {1}
http.host contains "a"
tcp.port == 1 +
tcp.port in {1,}
tcp.port in {}
tcp and
== 5
"""


@pytest.mark.parametrize("text", lines(PLAIN))
def test_plain_filters_need_no_grammar(text):
    assert parse_plain(text, TABLE) == parse_all(text, TABLE) is not None


@pytest.mark.parametrize("text", [*lines(OTHER), "", 'tcp.port == "', "foo == 5"])
def test_all_others_are_left_to_it(text):
    assert parse_plain(text, TABLE) is None


def test_both_ways_give_the_same_trees():
    plain = 0
    for text, table in [*((text, field_table()) for text in FILTERS), *((text, TABLE) for text in lines(TRUE) + lines(FALSE))]:
        found = parse_plain(text, table)
        if found is not None:
            plain += 1
            assert found == parse_all(text, table), text
    assert plain > 300


def test_a_filter_has_a_longest_length():
    with pytest.raises(FilterError, match="at most"):
        parse(" " * MAX_LENGTH + "tcp", TABLE)


@pytest.mark.parametrize("text", ["!" * 20_000 + "tcp", "not " * 20_000 + "tcp", "(" * 20_000 + "tcp" + ")" * 20_000])
def test_a_deep_filter_is_refused(text):
    with pytest.raises(FilterError, match="nested too deeply"):
        parse(text, field_table())


def test_a_long_filter_is_read():
    assert parse(" && ".join(["tcp"] * 20_000), field_table()) is not None


def test_nodes_are_records():
    word = Word(1, 4, 1, "abc")
    assert word == Word(at=1, end=4, depth=1, text="abc") != Word(1, 4, 1, "abd")
    assert word != Number(1, 4, 1, "abc", 5)
    assert hash(word) == hash(word.changed()) != hash(word.changed(end=9))
    assert word.changed(text="x") == Word(1, 4, 1, "x")
    assert repr(word) == "Word(at=1, end=4, depth=1, text='abc')"
    assert Part(3) == Part(3, None, last=None)
    assert Constant.node_fields == ("node", "type", "value", "mask")


@pytest.mark.parametrize("make", [lambda: Word(1, 2, 3), lambda: Part(1, 2, 3, 4), lambda: Exists(1, 2, 3, None, on=5)])
def test_a_node_has_its_fields_and_no_others(make):
    with pytest.raises(TypeError):
        make()


def test_a_node_cannot_be_changed():
    word = Word(1, 4, 1, "abc")
    with pytest.raises(AttributeError):
        word.text = "x"
    with pytest.raises(AttributeError):
        del word.text
