"""`analyzer filter`: the words and the tree of an expression, its JSON, mistakes with their place, macros."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from analyzer.cli.main import main
from analyzer.store.filter_schema import FILTER, KINDS
from analyzer.text.language import ENGLISH, speaking


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def explained(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["filter", *words]) == 0
    return capsys.readouterr().out


def test_words_and_tree(capsys: pytest.CaptureFixture[str]):
    assert (
        explained(capsys, "tcp.port == 443 and not ip.src == 10.0.0.0/8")
        == """\
A packet passes if:
  all of this is so:
    a value of tcp.port (Source or destination port) is 443
    this is not so:
      a value of ip.src (Source address) is in the network 10.0.0.0/8

Tree
  and
  ├─ ==
  │  ├─ tcp.port   Unsigned integer (16 bits)
  │  └─ 443   Unsigned integer (16 bits)
  └─ not
     └─ ==
        ├─ ip.src   IPv4 address
        └─ 10.0.0.0/8   IPv4 address

Fields
  ip.src    Source address (IPv4 address)
  tcp.port  Source or destination port (Unsigned integer)
"""
    )


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("tcp", "tcp (Transmission Control Protocol) is present"),
        ("tcp.port != 1", "no value of tcp.port (Source or destination port) is 1, and there is one"),
        ("all tcp.port > 1", "every value of tcp.port (Source or destination port) is greater than 1"),
        ("tcp.len + 1", "tcp.len + 1 is not zero"),
        ("tcp[0:2]", "tcp[0:2] is not empty"),
        ("ip.addr != 10.0.0.0/8", "is in the network 10.0.0.0/8, and there is one"),
        ("ip.proto == \"TCP\"", "a value of ip.proto (Protocol) is 6 (\"TCP\")"),
        ("tcp.port in {1, 2..3}", "is one of: 1, 2 to 3"),
        ("tcp.port not in {1}", "is present, and no value of it is one of: 1"),
        ("tcp matches \"a.b\"", "matches the pattern a.b"),
        ("tcp contains 01:02", "contains 01:02"),
        ("tcp xor udp", "exactly one of these is so:"),
        ("tcp.port == 0x1bb", "is 443 (0x1bb)"),
        ("frame.time > 0", "is greater than 1970-01-01T00:00:00.000000000Z (0)"),
        ("", "every packet passes"),
    ],
)  # fmt: skip
def test_each_test_has_its_sentence(expression: str, sentence: str, capsys: pytest.CaptureFixture[str]):
    assert sentence in " ".join(explained(capsys, expression).split())


@pytest.mark.parametrize(
    "expression",
    ["", "tcp.port in {1..2} and not @tcp.port#[1-2] contains 01", "-tcp.len & 3 == max(tcp.len, 2)",
     "ip.proto matches \"t\" xor udp",
     "tcp.port == ${tcp.port} or string(tcp.port)[0] == \"4\""],
)  # fmt: skip
def test_json_is_as_declared(expression: str, capsys: pytest.CaptureFixture[str]):
    record = json.loads(explained(capsys, expression, "--format", "json"))
    Draft202012Validator(FILTER).validate(record)
    assert record["filter"] == expression
    waiting = [record["tree"]] if record["tree"] else []
    while waiting:
        node = waiting.pop()
        assert node["node"] in KINDS
        assert 0 <= node["at"] <= node["at"] + node["length"] <= len(expression)
        waiting += node["of"]


def test_a_mistake_is_marked(capsys: pytest.CaptureFixture[str]):
    assert main(["filter", "tcp and tcp.prt == 1"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert (
        captured.err
        == """\
analyzer: filter, character 9: tcp.prt is neither a field nor a protocol; did you mean tcp.port / tcp.srcport / tcp.dstport?
    tcp and tcp.prt == 1
            ^~~~~~~
"""
    )


def test_a_protocol_without_fields_is_refused_by_name(capsys: pytest.CaptureFixture[str]):
    assert main(["filter", "tcp or smb.cmd == 1"]) == 2
    assert "smb is a protocol of Wireshark whose fields are not known here" in capsys.readouterr().err


def test_a_mistake_in_a_long_or_hostile_expression_is_cut_and_escaped(capsys: pytest.CaptureFixture[str]):
    assert main(["filter", "tcp.port in {" + ", ".join(map(str, range(500))) + " 9, \x1b[31m 国}"]) == 2
    line, mark = capsys.readouterr().err.splitlines()[1:]
    assert len(line) < 90
    assert line[mark.index("^")] == "9"
    assert main(["filter", 'tcp and\n  "国\x1b[31m" == foo.bar']) == 2
    reason, line, mark = capsys.readouterr().err.splitlines()
    assert reason.endswith("foo.bar is neither a field nor a protocol")
    assert line == r'      "国\x1b[31m" == foo.bar'
    assert mark == " " * 22 + "^~~~~~~"


def test_macros_come_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    macros = tmp_path / "dmacros"
    macros.write_text('# mine\n"web" tcp.port in {80, $1}\n')
    assert json.loads(explained(capsys, "$web(443)", "--macros", str(macros), "--json"))["filter"] == "tcp.port in {80, 443}"
    assert main(["filter", "$other()", "--macros", str(macros)]) == 2
    assert "there is no macro other" in capsys.readouterr().err
    macros.write_text("web tcp\n")
    assert main(["filter", "tcp", "--macros", str(macros)]) == 2
    assert 'line 1: expected "name" and its text' in capsys.readouterr().err
    assert main(["filter", "tcp", "--macros", str(tmp_path / "none")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_it_speaks_chinese(capsys: pytest.CaptureFixture[str]):
    with speaking(ENGLISH):
        assert "有一个值等于 443" in explained(capsys, "tcp.port == 443", "--lang", "zh")
        assert "警告：ssl.record 已弃用：请写 tls.record" in explained(capsys, "ssl.record", "--lang", "zh")
        assert main(["filter", "tcp.prt", "--lang", "zh"]) == 2
    assert "既不是字段，也不是协议" in capsys.readouterr().err
