"""Macros: their file, calls in both notations, arguments, and what stays as it is."""

import pytest
from filters.made_packets import TABLE

from analyzer.filters.filter_error import FilterError
from analyzer.filters.macros import expanded, macros_of

MACROS = macros_of("""\
# This file is the display filter macro file.
"port" tcp.port == $1
"two" (tcp.port == $1 or tcp.port == $2)

"none" tcp and ip.src
"nested" $port($1) and $none()
"loop" $loop()
"quoted" http.host == "$1"
"a" $b()$b()$b()$b()
"b" $c()$c()$c()$c()
"c" tcp or tcp or tcp or tcp or tcp or tcp or tcp or tcp or tcp or tcp or tcp or tcp or tcp or tcp or tcp or
""")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("$port(443)", "tcp.port == 443"),
        ("$port( 443 )", "tcp.port == 443"),
        ("${port:443}", "tcp.port == 443"),
        ("${port;443}", "tcp.port == 443"),
        ("$two(1,2) and tcp", "(tcp.port == 1 or tcp.port == 2) and tcp"),
        ("${two:1;2}", "(tcp.port == 1 or tcp.port == 2)"),
        ("$none()", "tcp and ip.src"),
        ("not ${none}", "not tcp and ip.src"),
        ("$nested(80)", "tcp.port == 80 and tcp and ip.src"),
        ("$port(max(tcp.len, 1))", "tcp.port == max(tcp.len, 1)"),
        ("$quoted(a.example)", 'http.host == "a.example"'),
        ('http.host == "$none()"', 'http.host == "$none()"'),
        ('http.host == "a\\"$none()"', 'http.host == "a\\"$none()"'),
        ("tcp.port == $tcp.port", "tcp.port == $tcp.port"),
        ("tcp.port == ${tcp.port}", "tcp.port == ${tcp.port}"),
        ("$none", "$none"),
    ],
)
def test_a_macro_is_replaced(text, whole):
    assert expanded(text, MACROS, TABLE) == whole


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$nothing()", "there is no macro nothing"),
        ("${nothing:1}", "there is no macro nothing"),
        ("${tcp}", "there is no macro tcp"),
        ("$port()", "takes 1 arguments, and not 0"),
        ("$port(1,2)", "takes 1 arguments, and not 2"),
        ("$port(1", "not closed by )"),
        ("${port:1", "not closed by }"),
        ("$loop()", "uses itself"),
    ],
)
def test_a_wrong_call_is_refused(text, reason):
    with pytest.raises(FilterError) as error:
        expanded(text, MACROS, TABLE)
    assert reason in error.value.message


@pytest.mark.parametrize("text", ["$outer()", "ip and ${outer} or udp", "$outermost()"])
def test_a_wrong_call_inside_a_macro_is_placed_at_the_call_that_is_seen(text):
    macros = {"outer": "tcp and tcp and tcp and $unknown(1)", "outermost": "udp or udp or udp and $outer()"}
    with pytest.raises(FilterError, match="no macro unknown") as error:
        expanded(text, macros, TABLE)
    at = text.index("$")
    assert (error.value.at, error.value.length) == (at, len(text[at:].split()[0]))


def test_the_expanded_text_is_bounded():
    macros = {f"m{n}": f"$m{n + 1}()$m{n + 1}()" for n in range(18)} | {"m18": "x" * 1000}
    with pytest.raises(FilterError, match="more than 262144 characters"):
        expanded("$m0()", macros, TABLE)
    with pytest.raises(FilterError, match="more than 262144 characters"):
        expanded(f"$wide({'x' * 1000})", {"wide": "$1" * 300}, TABLE)


def test_calls_are_bounded():
    macros = {f"m{n}": f"$m{n + 1}()" * 8 for n in range(18)} | {"m18": ""}
    with pytest.raises(FilterError, match="more than 10000 times"):
        expanded("$m0()", macros, TABLE)


def test_a_number_of_an_argument_is_short():
    with pytest.raises(FilterError, match="takes 111111111 arguments"):
        expanded("$long(1)", {"long": "$" + "1" * 5000}, TABLE)


@pytest.mark.parametrize(
    ("line", "reason"), [("port tcp", "line 1: expected"), ('"a-b" tcp', "a-b is no name"), ('"" tcp', "is no name")]
)
def test_a_wrong_line_of_the_file_is_named(line, reason):
    with pytest.raises(ValueError, match=reason):
        macros_of(line)
