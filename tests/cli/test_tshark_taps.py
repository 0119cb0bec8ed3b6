"""The tables of -z, compared with those of tshark byte by byte, and what -z refuses."""

from pathlib import Path

import pytest

from . import compare_taps
from .compare_taps import HEADS, STEADY, difference, exceptions, keys_beside, ours, printed
from .conftest import Run

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
SOME = (
    "demo.pcapng",
    "curl-nginx-http1/curl-nginx-http1.pcap",
    "ipv6/ipv6.pcapng",
    "tls13-early-data/tls13-early-data.pcapng",
)


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("name", SOME)
def test_tables_are_those_of_tshark(name: str):
    path = CAPTURES / name
    older = ("http",) if name == "demo.pcapng" else ()  # tshark 4.0 counts HTTP/2 too
    taps = [tap for tap in STEADY if not compare_taps.is_exception(tap, path) and not tap.startswith(older)]
    assert difference(path, taps, keys_beside(path), but=HEADS) == []


def lines(path: Path, *taps: str) -> list[str]:
    out, err = ours(path, taps, keys_beside(path))
    assert err == ""
    return out.decode().splitlines()


def test_conversations_begin_with_who_spoke_first():
    (one,) = (line for line in lines(CAPTURES / "demo.pcapng", "conv,tcp,tcp.port == 80") if " <-> " in line)
    assert one == (
        "192.0.2.10:49202           <-> 198.51.100.20:80                 4 360 bytes       6 422 bytes      10 782 bytes"
        "     1.050000000         0.0733"
    )


def test_early_data_and_what_follows_it_are_one_stream():
    found = lines(CAPTURES / "tls13-early-data" / "tls13-early-data.pcapng", "follow,tls,ascii,1")
    assert found.count("Follow: tls,ascii") == 1
    assert found[4:6] == ["Node 0: 192.0.2.10:49204", "Node 1: 198.51.100.20:443"]
    assert [line for line in found if line.startswith(("GET ", "HTTP/"))] == ["GET / HTTP/1.1", "HTTP/1.1 200 OK"]


def test_endpoints_have_what_they_sent_and_received():
    found = lines(CAPTURES / "demo.pcapng", "endpoints,ip")
    assert found[4] == "192.0.2.10                    185   41 kB              94      9750 bytes          91      32 kB       "
    assert len(found) == 13


def test_the_last_table_comes_first():
    found = lines(CAPTURES / "demo.pcapng", "conv,tcp", "io,phs", "endpoints,udp")
    titles = ("UDP Endpoints", "Protocol Hierarchy Statistics", "TCP Conversations")
    assert [line for line in found if line in titles] == list(titles)


def test_every_label_of_mpls_is_a_protocol_and_the_header_behind_them_is_one(corpus: Path):
    found = lines(corpus / "zeek" / "link" / "mpls-in-vlan.pcap", "io,phs")
    assert [line.split(" frames")[0].rstrip() for line in found[11:19]] == [
        "      mpls",
        "        ip",
        "          tcp",
        "        mpls",
        "          ip",
        "            tcp",
        "              http",
        "=" * 67,
    ]


def test_functions_of_fields():
    found = lines(CAPTURES / "demo.pcapng", "io,stat,10,SUM(frame.len)tcp,MAX(frame.len)udp,COUNT(ip.ttl)")
    assert [line.split("|")[1:5] for line in found[-4:-1]] == [
        ["  0 <> 10 ", " 35000 ", "  92 ", "   131 "],
        [" 10 <> 20 ", "  5080 ", "  90 ", "    46 "],
        [" 20 <> Dur", "  7287 ", " 107 ", "     8 "],
    ]


def test_what_is_unusual_by_severity():
    found = lines(CAPTURES / "tcp-trouble" / "tcp-trouble.pcapng", "expert")
    assert next(line for line in found if line.startswith(("Warns", "Notes", "Chats"))).startswith("Warns")
    assert "           4   Sequence                TCP  Connection establish request (SYN): server port 443" in found
    assert not any(line.startswith("Chats") for line in lines(CAPTURES / "demo.pcapng", "expert,note"))
    assert "           2   Protocol               QUIC  (Random) padding data appended to the datagram" in lines(
        CAPTURES / "quic-http3/quic-http3.pcapng", "expert"
    )
    resumed = "           1   Sequence                TLS  This session reuses previously negotiated keys (Session resumption)"
    assert lines(CAPTURES / "tls12-ticket-resumption/tls12-ticket-resumption.pcapng", "expert,note").count(resumed) == 1
    assert resumed not in lines(CAPTURES / "tls13-psk-resumption/tls13-psk-resumption.pcapng", "expert,note")


@pytest.mark.parametrize(
    ("tap", "shown"),
    [
        ("follow,tcp,ascii,0", ["86", "GET / HTTP/1.1", "Host: www.shop.example"]),
        ("follow,tcp,hex,0,1", ["00000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  GET / HT TP/1.1.."]),
        ("follow,tls,raw,1,1", ["\t474554202f696d616765732f62616e6e65722e706e6720485454502f312e310d0a"]),
        ("follow,tls,yaml,1,1", ["peers:", "  - peer: 0", "    host: 198.51.100.20", "    port: 443"]),
    ],
)
def test_a_stream_is_followed(tap: str, shown: list[str]):
    found = lines(CAPTURES / "demo.pcapng", tap)
    begins = next(at for at, line in enumerate(found) if line.startswith(shown[0]))
    assert all(line.startswith(text) for line, text in zip(found[begins:], shown, strict=False))


def test_a_stream_that_is_not_there_has_no_pieces():
    assert lines(CAPTURES / "demo.pcapng", "follow,tls,ascii,99")[4:] == ["Node 0: :0", "Node 1: :0", "=" * 67]


@pytest.mark.parametrize(
    ("tap", "message"),
    [
        ("conv,token_ring", "none of eth, ip"),
        ("conv", "no such table"),
        ("conv,tcp,tcp.prot", "filter, character 1"),
        ("io,stat,x", "INTERVAL is a number"),
        ("io,stat,0.0000001", "at least 0.000001"),
        ("io,stat,1,AVG(nothing)tcp", "no field 'nothing'"),
        ("io,stat,1,AVG(ip.src)ip", "no whole numbers"),
        ("io,stat,1,FRAMES(ip.src)ip", "takes no field"),
        ("io,stat,1,LOAD(tcp.time_delta)tcp", "none of FRAMES"),
        ("io,stat,0.000001", "intervals are too many"),
        ("follow,tls,braille,0", "say follow,tcp|udp|tls|dtls"),
        ("follow,tls,ascii,0,1-x", "say follow,tcp|udp|tls|dtls"),
        ("follow,quic,ascii,0", "say follow,tcp|udp|tls|dtls"),
        ("follow,http,ascii,0", "say follow,tcp|udp|tls|dtls"),
        ("follow", "say follow,tcp|udp|tls|dtls"),
        ("follow,tls,ascii,99999999999", "say follow,tcp|udp|tls|dtls"),
        ("sip,stat", "no such table"),
    ],
)
def test_what_cannot_be_is_refused(tap: str, message: str):
    out, err = ours(CAPTURES / "demo.pcapng", [tap])
    assert out == b""
    assert message in err.splitlines()[0]


def test_an_unknown_table_is_answered_with_the_known_ones():
    _, err = ours(CAPTURES / "demo.pcapng", ["sip,stat"])
    first, *known = err.splitlines()
    assert first == "analyzer: -z sip,stat: no such table; there are:"
    assert "    io,phs[,FILTER]" in known


def test_beside_other_options(demo: Path):
    expected = ours(demo, ["io,stat,10"])
    assert expected[1] == ""
    assert printed("-r", demo, "-q", "-n", "-z", "io,stat,10") == expected
    filtered = printed("-r", demo, "-q", "-Y", "dns", "-z", "io,stat,10")
    assert filtered[0] == expected[0]
    assert "-Y does not concern -z" in filtered[1]
    assert "instead of io" in printed("stats", demo, "io", "-z", "io,phs")[1]
    assert "-z writes text" in printed("stats", demo, "-z", "io,phs", "--json")[1]


def test_a_pipe_gives_one_table(run: Run, demo: Path):
    assert run("-z", "conv,udp", "-", stdin=demo.read_bytes()).out == ours(demo, ["conv,udp"])[0]
    assert "save it to a file" in run("-z", "conv,udp", "-z", "conv,tcp", "-", stdin=demo.read_bytes()).complaint


def test_every_exception_has_its_reason():
    assert all(row["tap"] and row["capture"] and len(row["reason"]) > 10 for row in exceptions())
