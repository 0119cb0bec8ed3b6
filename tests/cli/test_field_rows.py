"""packets -T fields, -T json and -T ek: the rows of tshark."""

import json
import subprocess

import pytest

from analyzer.cli.exit_status import FAILED
from analyzer.filters.value_strings import rows
from tests.filters.filter_oracle import NEWER

from .conftest import Run, pcap, tcp


def test_a_row_has_the_fields_that_e_names(run: Run, demo):
    lines = run("-r", demo, "-T", "fields", "-e", "frame.number", "-e", "ip.src", "-e", "tcp.port").text.split("\n")
    assert lines[8] == "9\t192.0.2.10\t49202,80"
    assert lines[0] == "1\t\t"
    assert len(lines) == 214


def test_a_filter_chooses_the_rows(run: Run, demo):
    found = run("packets", demo, "-Y", "tls.handshake.type == 1", "-Tfields", "-etls.handshake.extensions_server_name")
    assert found.text.splitlines()[0] == "www.shop.example"


def test_http_is_read_in_decrypted_sessions(run: Run, demo):
    keys = demo.parent / "demo" / "demo.keys"
    found = run(demo, "-k", keys, "-Y", "http.request", "-T", "fields", "-e", "frame.number", "-e", "http.request.full_uri")
    assert "30\thttps://www.shop.example/\n" in found.text


def test_a_part_and_columns_of_the_list_go_through_the_engine(run: Run, demo):
    found = run(
        demo, "--host", "198.51.100.20", "-T", "fields", "-e", "frame.number", "-e", "_ws.col.Protocol", "-E", "header=y"
    )
    assert found.text.startswith("frame.number\t_ws.col.protocol\n9\tTCP\n")


def test_json_is_an_array_of_packets(run: Run, demo):
    found = json.loads(run("-r", demo, "-T", "json", "-Y", "arp", "-e", "frame.number", "-e", "eth.addr", "-e", "tcp.port").out)
    assert found[0] == {
        "_index": "packets-2026-11-02",
        "_score": None,
        "_source": {"layers": {"frame.number": ["1"], "eth.addr": ["ff:ff:ff:ff:ff:ff", "00:00:5e:00:53:0a"]}},
    }
    assert run("-r", demo, "-T", "json", "-Y", "tcp.port == 1", "-e", "ip.src").out == b"[]\n"


def test_json_of_no_capture_is_empty(run: Run, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no capture")
    for words in ([], ["-e", "ip.src"]):
        ran = run("-r", path, "-T", "json", *words)
        assert (ran.status, ran.out) == (FAILED, b"")
        assert b"not a capture" in ran.err


def test_ek_has_a_line_for_the_index_and_one_for_the_packet(run: Run, demo):
    head, row, *_ = run("-r", demo, "-T", "ek", "-e", "frame.number", "-e", "arp.opcode").out.splitlines()
    assert json.loads(head) == {"index": {"_index": "packets-2026-11-02"}}
    assert json.loads(row) == {"timestamp": "1793610000000", "layers": {"frame_number": ["1"], "arp_opcode": ["1"]}}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-T", "fields"], "give at least one"),
        (["-T", "fields", "-e", "tcp.prot"], "field, character 1: tcp.prot is neither a field nor a protocol; did you mean"),
        (["-e", "ip.src"], "-T fields"),
        (["-T", "fields", "-e", "ip.src", "--format", "json"], "leave --format json out"),
        (["-T", "text", "--format", "csv"], "leave --format csv out"),
        (["-T", "pdml"], "invalid choice"),
        (["-T", "fields", "-e", "ip.src", "-E", "x=y"], "no such setting"),
    ],
)
def test_a_mistake_is_said_in_a_line(run: Run, demo, words, message):
    found = run("-r", demo, *words)
    assert (found.status, found.out) == (FAILED, b"")
    assert message in found.err.decode()


def test_controls_are_escaped_unless_they_are_asked_for(run: Run, tmp_path):
    path = tmp_path / "controls.pcap"
    request = b"GET /\x1b[31m\xe2\x80\xae HTTP/1.1\r\nHost: a\tb\r\n\r\n"
    path.write_bytes(pcap(tcp(request, destination_port=80)))
    shown = run("-r", path, "-T", "fields", "-e", "http.request.uri", "-e", "http.host").text
    assert "\x1b" not in shown
    assert "\\x1b[31m" in shown
    assert "a\\tb" in shown
    assert "\x1b[31m" in run("-r", path, "-T", "fields", "-e", "http.request.uri", "-E", "escape=n").text


FORMS = [
    ["-T", "json", "-e", "frame.number", "-e", "ip.addr", "-e", "tcp.flags"],
    ["-T", "ek", "-e", "frame.number", "-e", "ip.addr", "-e", "dns.qry.name"],
    ["-T", "fields", "-E", "header=y", "-E", "quote=d", "-E", "separator=,", "-e", "frame.len", "-e", "tcp.port"],
]


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("words", FORMS, ids=lambda words: words[1])
def test_tshark_prints_the_same(run: Run, demo, words):
    command = ["tshark", "-n", "-r", str(demo), "-Y", "tcp or dns", *words]
    theirs = subprocess.run(command, capture_output=True, check=True).stdout
    ours = run("-n", "-r", demo, "-Y", "tcp or dns", *words).out
    if words[1] == "json":
        theirs = b"".join(line for line in theirs.splitlines(True) if b'"_type"' not in line)  # gone in 4.2
    assert ours == theirs.replace(b',"_type":"doc"', b"")


def test_what_is_read_for_a_second_time_is_in_the_second_layer(run: Run, demo):
    words = ("-r", demo, "-T", "fields", "-e", "frame.number")
    lengths = ("-e", "tls.record.length#1", "-e", "tls.record.length#2")
    assert run(*words, *lengths, "-Y", "tls.record.content_type#2").text.splitlines() == ["119\t300\t4", "191\t1066\t96,69"]
    assert run(*words, "-Y", "tls.handshake.type#2 == 14").text.splitlines() == ["119"]
    assert run(*words, "-Y", "tls.handshake.type#2 == 11").text == ""


def test_a_protocol_of_a_layer_has_no_text(run: Run, demo):
    words = ("-r", demo, "-T", "fields", "-c", "30", "-Y", "tcp", "-e", "tcp.srcport", "-e", "tcp#1")
    assert {row.split("\t")[1] for row in run(*words).text.splitlines()} == {""}


def test_json_and_ek_without_fields_have_all_layers(run: Run, demo):
    (found,) = json.loads(run("-r", demo, "-T", "json", "-Y", "tls.handshake.type == 1 and frame.number < 30").out)
    layers = found["_source"]["layers"]
    assert list(layers)[:4] == ["frame", "eth", "ip", "tcp"]
    assert layers["frame"]["frame.interface_id_tree"] == {"frame.interface_name": "unknown"}
    message = layers["tls"]["tls.record"]["tls.handshake"]
    assert message["tls.handshake.type"] == "1"
    assert "www.shop.example" in json.dumps(message)
    _, row = run("-r", demo, "-T", "ek", "-Y", "tls.handshake.type == 1 and frame.number < 30").out.splitlines()
    assert json.loads(row)["layers"]["tls"]["tls_tls_handshake_type"] == "1"


@pytest.mark.parametrize(
    "text", ["tls.handshake.type == 1", "tls.alert_message", "tls.handshake.extensions_server_name", "x509ce.dNSName"]
)
def test_frames_that_the_engine_tells_nothing_of_are_passed_over_and_the_rows_are_the_same(run: Run, demo, text):
    """A field that hangs on the frames before, in the last column, makes every frame be looked at."""
    words = ("-k", demo.parent / "demo" / "demo.keys", "-Y", text, "-T", "fields")
    names = ("-e", "frame.number", "-e", "tcp.port", "-e", "tls.handshake.type", "-e", "tls.record.length", "-e", "ipv6.src")
    quick = run(demo, *words, *names).text.splitlines()
    slow = run(demo, *words, *names, "-e", "frame.time_delta").text.splitlines()
    assert quick == [line.rpartition("\t")[0] for line in slow] != []


def test_a_filter_of_headers_and_separators_with_and_without_escapes(run: Run, demo):
    words = (demo, "-Y", "tcp.flags.syn == 1", "-T", "fields", "-e", "frame.number", "-e", "ip.src", "-E", "header=y")
    quick = run(*words).text
    assert quick.startswith("frame.number\tip.src\n9\t192.0.2.10\n")
    slow = run(*words, "-E", "separator=.").text.splitlines()
    assert [line.replace("\\.", ".") for line in slow] == [line.replace("\t", ".") for line in quick.splitlines()]


SHARED = {row["field"] for row in rows("tree_shape") if not row["field"].startswith("tcp.option_")} | {"Timestamps"}
"""Names that count in a comparison: those of options of TCP stand together here."""


def paths(pairs, before=()):
    """Yield where each name of the table stands. pairs: of an object of JSON that may have a name several times."""
    for key, value in pairs:
        name = key.removesuffix("_tree")
        if isinstance(value, list) and value and isinstance(value[0], tuple):
            yield from paths(value, (*before, name) if name in SHARED else before)
        if key in SHARED:
            yield (*before, key)


@pytest.mark.skipif(NEWER is None, reason="ANALYZER_TSHARK names no newer tshark")
@pytest.mark.parametrize("capture", ["demo.pcapng", "ipv6/ipv6.pcapng", "vlan/vlan.pcap"])
def test_fields_of_headers_stand_where_tshark_has_them(run, repository, capture):
    path = repository / "captures" / capture
    theirs = subprocess.run([NEWER, "-n", "-r", path, "-T", "json"], capture_output=True, check=True).stdout
    pairs = [json.loads(text, object_pairs_hook=lambda one: one) for text in (theirs, run("-r", path, "-T", "json").out)]
    for other, own in zip(*pairs, strict=True):
        found = [dict(dict(dict(one)["_source"])["layers"]) for one in (other, own)]
        for layer in ("frame", "eth", "vlan", "ip", "ipv6", "tcp", "udp"):
            assert set(paths(found[1].get(layer, []))) == set(paths(found[0].get(layer, [])))
