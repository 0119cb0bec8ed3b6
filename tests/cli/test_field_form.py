"""The settings of -E, and what they make of values."""

import pytest

from analyzer.cli.field_form import FieldForm, form_of
from analyzer.cli.output import CommandError

CELLS = [["1", "2", "3"], [], ['a\t"b"\\,c']]


@pytest.mark.parametrize(
    ("settings", "row"),
    [
        ([], '1,2,3\t\ta\\t"b"\\\\,c'),
        (["separator=,"], '1\\,2\\,3,,a\\t"b"\\\\\\,c'),
        (["separator=/s", "aggregator=/s"], '1\\ 2\\ 3  a\\t"b"\\\\,c'),
        (["quote=d"], '"1,2,3"\t\t"a\\t""b""\\\\,c"'),
        (["quote=s,occurrence=f"], "'1'\t\t'a\\t\"b\"\\\\,c'"),
        (["occurrence=l", "separator=;"], '3;;a\\t"b"\\\\,c'),
        (["separator=,,quote=d,occurrence=f"], '"1",,"a\\t""b""\\\\,c"'),
        (["escape=n"], '1,2,3\t\ta\\\t"b"\\\\,c'),
        (["escape=n", "quote=d"], '"1,2,3"\t\t"a\t""b""\\,c"'),
        (["aggregator=|"], '1|2|3\t\ta\\t"b"\\\\,c'),
    ],
)
def test_a_row_is_that_of_tshark(settings, row):
    assert form_of(settings).row(CELLS) == row


def test_the_head_has_the_mark_and_the_names():
    assert FieldForm().head(["ip.src"]) == b""
    assert form_of(["header=y,bom=y"]).head(["ip.src", "tcp.port"]) == b"\xef\xbb\xbfip.src\ttcp.port\n"


@pytest.mark.parametrize("setting", ["foo=1", "header", "header=x", "quote=x", "separator=", "occurrence=2", "header=y,foo=1"])
def test_a_setting_that_is_none_is_refused(setting):
    with pytest.raises(CommandError, match="-E"):
        form_of([setting])
