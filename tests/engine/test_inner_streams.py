"""Sessions inside the data of decrypted ones: behind CONNECT and SOCKS, and several levels deep."""

from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from conversations import CLIENT, SERVER, packetise
from keyed import Talk, page, pcapng_of, talk_of, without
from nested_talks import CONNECT, SOCKS, inside, sessions

from analyzer.cli.main import main
from analyzer.engine.inner_streams import HTTP1, HTTP2, MAX_DEPTH, STREAM, tunnel_kind

PAGE = page("/inside", b"the innermost page")


@pytest.mark.parametrize(("ahead", "protocol"), [(CONNECT, "http_connect"), (SOCKS, "socks")], ids=["connect", "socks"])
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_session_behind_a_proxy_is_a_session_of_its_own(tmp_path, ahead, protocol, version):
    outer, inner = sessions(tmp_path, inside(talk_of(PAGE, version="TLSv1_2"), ahead, version=version))
    assert (outer["inside"], inner["inside"]) == (None, 0)
    assert outer["before"] == []
    assert inner["before"][0]["protocol"] == protocol
    assert inner["before"][0]["target"] == {"host": "target.example", "port": 8443}
    assert (inner["client"], inner["server"]) == (outer["client"], outer["server"])
    assert (inner["established"], inner["decryption"]["status"]) == (True, "decrypted")
    assert inner["http"][0]["request"]["path"] == "/inside"
    assert inner["outcome"]["result"] == "established"
    assert outer["first_frame"] < inner["first_frame"] <= inner["handshake"][0]["frame"] < inner["last_frame"]
    assert inner["last_frame"] <= outer["last_frame"]
    assert [finding["code"] for finding in inner["findings"] if finding["severity"] != "info"] == []


def test_the_keys_of_the_inner_session_may_be_missing(tmp_path):
    talk = talk_of(PAGE)
    whole = inside(talk)
    outer, inner = sessions(tmp_path, whole, secrets=whole.keylog.replace(talk.keylog, ""))
    assert outer["decryption"]["status"] == "decrypted"
    assert (inner["inside"], inner["decryption"]["reason"], inner["server_name"]) == (0, "no_secret", "example.test")


def test_without_keys_nothing_is_seen_inside(tmp_path):
    assert len(sessions(tmp_path, inside(talk_of(PAGE)), secrets="# none\n")) == 1


def test_the_depth_is_bounded(tmp_path):
    talk = talk_of(PAGE)
    for _ in range(MAX_DEPTH + 2):
        talk = inside(talk)
    assert [record["inside"] for record in sessions(tmp_path, talk)] == [None, *range(MAX_DEPTH)]


def test_a_session_behind_a_refused_request(tmp_path):
    refused = (CLIENT, CONNECT[0][1]), (SERVER, b"HTTP/1.1 407 Who are you?\r\nContent-Length: 2\r\n\r\nno")
    outer, inner = sessions(tmp_path, inside(talk_of(PAGE), (*refused, *CONNECT)))
    assert (outer["id"], inner["inside"], inner["decryption"]["status"]) == (0, 0, "decrypted")


def test_what_is_missing_in_the_outer_session_is_missing_in_the_inner_one(tmp_path):
    talk = inside(talk_of([*page("/a", b"a" * 3000), *page("/b", b"b" * 3000), *page("/c", b"c" * 3000)]))
    outer, inner = sessions(tmp_path, talk, without(packetise(talk.flights), SERVER, -6))
    assert outer["gaps"]
    assert (inner["inside"], inner["established"], inner["decryption"]["status"]) == (0, True, "partial")


def ahead_of_hello(*script):
    """A session that carries these texts, and then no more than a ClientHello."""
    inner = talk_of(PAGE)
    outer = talk_of([*script, (CLIENT, inner.flights[0][1])])
    return Talk(outer.flights, outer.sent, outer.keylog + inner.keylog)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n", 407),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", 502),
        (b"HTTP/1.1 100 Continue\r\n\r\n", None),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200),
    ],
    ids=["refused", "refused-later", "no-answer-yet", "granted-later"],
)
def test_only_a_final_answer_refuses(tmp_path, answer, status):
    _, inner = sessions(tmp_path, ahead_of_hello(CONNECT[0], (SERVER, answer)))
    assert inner["before"][0]["status"] == status
    assert (inner["outcome"]["cause"] == "proxy_refused") == (status in (407, 502))


def test_a_hello_that_does_not_wait_for_the_answer_is_refused_too(tmp_path):
    hello = talk_of(PAGE).flights[0][1]
    outer = talk_of([(CLIENT, CONNECT[0][1] + hello), (SERVER, b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n")])
    _, inner = sessions(tmp_path, outer)
    assert (inner["outcome"]["cause"], inner["outcome"]["ended_by"]) == ("proxy_refused", "server")


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_losses_in_the_outer_session_are_nobodys_fault(tmp_path, version):
    talk = inside(talk_of([*page("/a", b"a" * 3000), *page("/b", b"b" * 3000)], version="TLSv1_2"), version=version)
    segments = packetise(talk.flights)
    for side in (CLIENT, SERVER):
        for number in range(sum(1 for one in segments if one.side == side and one.payload)):
            outer, *inner = sessions(tmp_path, talk, without(segments, side, number))
            for record in (outer, *inner):
                assert {finding["code"] for finding in record["findings"] if finding["severity"] != "info"} <= {"gap"}
                assert record["established"] is not False
                assert record["decryption"]["status"] != "partial" or record["gaps"]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_an_answer_that_is_captured_before_its_request(tmp_path, version):
    talk = inside(talk_of(PAGE), version=version)
    segments = packetise(talk.flights)
    carriers = [index for index, one in enumerate(segments) if one.payload]
    for first, second in pairwise(carriers):
        if segments[first].side == CLIENT and segments[second].side == SERVER:
            swapped = [*segments[:first], segments[second], segments[first], *segments[second + 1 :]]
            for record in sessions(tmp_path, talk, swapped):
                assert [finding["code"] for finding in record["findings"] if finding["severity"] != "info"] == []


def test_ordinary_data_is_no_tunnel(tmp_path):
    hello = talk_of(PAGE).flights[0][1]
    assert len(sessions(tmp_path, talk_of([*page("/upload", b"x"), (CLIENT, hello), *page("/", b"y")]))) == 1


def test_the_first_bytes_tell_what_can_carry_a_tunnel():
    hello = talk_of(PAGE).flights[0][1]
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    assert {tunnel_kind(data) for data in (b"\5\1\0", b"\4\1", b"PROXY TCP4", signature, b"\x16", hello)} == {STREAM}
    assert {
        tunnel_kind(data) for data in (b"C", b"CONNECT a:1", b"CONNECT \x1b[1m", b"GET / HTTP/1.1\r\n", b"POST", b"PRO /")
    } == {HTTP1}
    assert tunnel_kind(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == HTTP2
    assert {tunnel_kind(data) for data in (b"", b"P", b"PR", b"PRO", b"PRI * ", b"\r\n")} == {None}
    assert {tunnel_kind(data) for data in (b"get", b"220 hello", b"\0\1", b"EHLO-x", b"\r\n\r\nQUIT")} <= {"", HTTP1}


def test_several_processes_write_the_same(tmp_path):
    talk = inside(talk_of(PAGE))
    path = tmp_path / "talk.pcapng"
    parts = [packetise(talk_of(PAGE).flights, ports=(40000 + n, 443)) for n in range(3)]
    path.write_bytes(pcapng_of(*parts, packetise(talk.flights), *parts[:1], secrets=talk.keylog))
    written = []
    for number in ("1", "2"):
        assert main(["sessions", str(path), "--json", "-j", number, "-o", str(tmp_path / f"{number}.json")]) == 0
        written.append((tmp_path / f"{number}.json").read_bytes())
    assert written[0] == written[1]
    assert b'"inside":3' in written[0]


def test_the_data_inside_is_followed(tmp_path, capsys):
    path = tmp_path / "talk.pcapng"
    talk = inside(talk_of(PAGE))
    path.write_bytes(pcapng_of(packetise(talk.flights), secrets=talk.keylog))
    assert main(["follow", str(path), "1"]) == 0
    assert "the innermost page" in capsys.readouterr().out
    assert main(["http", str(path), "--json"]) == 0
    assert sorted(orjson.loads(line)["session"] for line in capsys.readouterr().out.splitlines()) == [0, 1]


def test_curl_and_its_proxy(tmp_path):
    folder = Path(__file__).parents[1] / "vectors" / "nested"
    out = tmp_path / "sessions.json"
    keys = ["-k", str(folder / "curl-https-proxy.keys")]
    assert main(["sessions", str(folder / "curl-https-proxy.pcap"), *keys, "--json", "-j", "1", "-o", str(out)]) == 0
    found = sorted(map(orjson.loads, out.read_bytes().splitlines()), key=lambda record: record["id"])
    assert [record["inside"] for record in found] == [None, 0, None, 2]
    assert [record["version"] for record in found] == ["TLS 1.3", "TLS 1.2"] * 2
    assert [record["alpn"] for record in found] == [None, "http/1.1", None, "h2"]
    assert [[one["response"]["status"] for one in record["http"]] for record in found] == [[200], [200], [200], [200, 404]]
    assert {record["decryption"]["status"] for record in found} == {"decrypted"}


def test_a_copy_with_secrets_opens_the_inner_session(tmp_path):
    """It needs the secrets of the session around too."""
    folder = Path(__file__).parents[1] / "vectors" / "nested"
    copy, out = tmp_path / "copy.pcapng", tmp_path / "sessions.json"
    keys = ["-k", str(folder / "curl-https-proxy.keys")]
    assert main(["export", str(folder / "curl-https-proxy.pcap"), *keys, "--session", "3", "--only", "-o", str(copy)]) == 0
    assert main(["sessions", str(copy), "--json", "-o", str(out)]) == 0
    found = sorted(map(orjson.loads, out.read_bytes().splitlines()), key=lambda record: record["id"])
    assert [record["decryption"]["status"] for record in found] == ["decrypted", "decrypted"]
