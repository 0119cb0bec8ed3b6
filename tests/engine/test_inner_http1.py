"""Tunnels that requests of HTTP/1.1 ask for which are not the first of their connection."""

import pytest
from conversations import CLIENT, SERVER, packetise
from keyed import page, pcapng_of, talk_of, without
from nested_talks import CONNECT, inside, sessions
from work import at_most

from analyzer.cli.main import main
from analyzer.codec.build import build
from analyzer.engine.inner_http1 import MAX_REFUSED, InnerHttp1, RequestHeads, final_status
from analyzer.flows.carrier import INNER, Carrier

PAGE = page("/inside", b"inside")
ASKED = (CLIENT, CONNECT[0][1])
AGAIN = (CLIENT, CONNECT[0][1][:-2] + b"Proxy-Authorization: Basic YTpi\r\n\r\n")
POST = (CLIENT, b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nCONNECT a"), (SERVER, b"HTTP/1.1 204 Done\r\n\r\n")


def refusal(n_bytes: int = 3) -> tuple[int, bytes]:
    head = b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=a\r\nContent-Length: %d\r\n\r\n" % n_bytes
    return SERVER, head + b"x" * n_bytes


@pytest.mark.parametrize(
    ("ahead", "statuses"),
    [
        ((ASKED, refusal(), AGAIN, CONNECT[1]), [407, 200]),
        ((ASKED, refusal(40_000), AGAIN, CONNECT[1]), [407, 200]),
        ((ASKED, (SERVER, b"HTTP/1.1 102 Wait\r\n\r\n"), refusal(), ASKED, refusal(), AGAIN, CONNECT[1]), [407, 407, 200]),
        ((*page("/first", b"x" * 20_000), *CONNECT), [200]),
        ((*POST, *page("/next", b"y"), ASKED, refusal(), *page("/then", b"z"), AGAIN, CONNECT[1]), [407, 200]),
    ],
    ids=["password", "long-refusal", "two-refusals", "behind-a-page", "behind-all"],
)
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_connect_that_is_not_the_first_request(tmp_path, ahead, statuses, version):
    talk = inside(talk_of(PAGE, version="TLSv1_2"), ahead, version=version)
    outer, inner = sessions(tmp_path, talk)
    assert (outer["before"], inner["inside"]) == ([], 0)
    assert [(one["protocol"], one["status"]) for one in inner["before"]] == [("http_connect", status) for status in statuses]
    assert inner["before"][-1]["target"] == {"host": "target.example", "port": 8443}
    assert (inner["outcome"]["result"], inner["decryption"]["status"]) == ("established", "decrypted")
    assert inner["http"][0]["request"]["path"] == "/inside"
    assert outer["first_frame"] < inner["first_frame"] <= inner["handshake"][0]["frame"]
    assert {finding["severity"] for record in (outer, inner) for finding in record["findings"]} <= {"info"}


def test_what_a_refusal_counts(tmp_path):
    _, inner = sessions(tmp_path, inside(talk_of(PAGE), (ASKED, refusal(500), AGAIN, CONNECT[1])))
    assert [one["bytes"] for one in inner["before"]] == [
        {"client": len(ASKED[1]), "server": len(refusal(500)[1])},
        {"client": len(AGAIN[1]), "server": len(CONNECT[1][1])},
    ]


def test_content_is_no_request(tmp_path):
    """An upload that has a request and a ClientHello in it, and the content of a refusal that has one."""
    hello = talk_of(PAGE).flights[0][1]
    upload = CONNECT[0][1] + hello
    asked = (CLIENT, b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(upload))
    chunked = (CLIENT, b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    answer = (SERVER, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    refused = (SERVER, b"HTTP/1.1 407 Who?\r\nContent-Length: %d\r\n\r\n" % len(hello) + hello)
    for script in (
        [asked, (CLIENT, upload), answer, *page("/", b"x")],
        [asked, (CLIENT, CONNECT[0][1]), answer, (CLIENT, hello), *page("/", b"x")],
        [chunked, (CLIENT, b"%x\r\n" % len(upload)), (CLIENT, upload), answer, (CLIENT, b"\r\n0\r\n\r\n"), *page("/", b"x")],
        [ASKED, refused, *page("/", b"x")],
    ):
        assert len(sessions(tmp_path, talk_of(script))) == 1


def test_a_client_that_sends_its_first_byte_alone(tmp_path):
    """As TLS 1.0 does against BEAST."""
    for ahead in (CONNECT, (*page("/first", b"x"), *CONNECT), (*POST, *CONNECT)):
        split = [part for side, data in ahead for part in ((side, data[:1]), (side, data[1:]))]
        _, inner = sessions(tmp_path, inside(talk_of(PAGE), split))
        assert (inner["decryption"]["status"], inner["before"][-1]["status"]) == ("decrypted", 200)


def test_losses_are_nobodys_fault(tmp_path):
    talk = inside(talk_of(PAGE, version="TLSv1_2"), (*page("/first", b"x"), ASKED, refusal(), AGAIN, CONNECT[1]))
    segments = packetise(talk.flights)
    for side in (CLIENT, SERVER):
        for number in range(sum(1 for one in segments if one.side == side and one.payload)):
            for record in sessions(tmp_path, talk, without(segments, side, number)):
                assert {finding["code"] for finding in record["findings"] if finding["severity"] != "info"} <= {"gap"}
                assert record["established"] is not False
                assert record["outcome"]["cause"] in (None, "capture_incomplete")


def test_several_processes_write_the_same(tmp_path):
    talk = inside(talk_of(PAGE), (*page("/first", b"x"), ASKED, refusal(), AGAIN, CONNECT[1]))
    path = tmp_path / "talk.pcapng"
    parts = [packetise(talk_of(PAGE).flights, ports=(40000 + n, 443)) for n in range(3)]
    path.write_bytes(pcapng_of(*parts, packetise(talk.flights), *parts[:1], secrets=talk.keylog))
    written = []
    for number in ("1", "2"):
        assert main(["sessions", str(path), "--json", "-j", number, "-o", str(tmp_path / f"{number}.json")]) == 0
        written.append((tmp_path / f"{number}.json").read_bytes())
    assert written[0] == written[1]
    assert b'"inside":3' in written[0]


def test_tunnels_in_a_tunnel(tmp_path):
    talk = talk_of(PAGE)
    for _ in range(2):
        talk = inside(talk, (*page("/first", b"x"), ASKED, refusal(), AGAIN, CONNECT[1]))
    assert [record["inside"] for record in sessions(tmp_path, talk)] == [None, 0, 1]


class Taken:
    """A tunnel that keeps what it gets."""

    def __init__(self, frame: int, at: int) -> None:
        self.carrier = Carrier(INNER)
        self.place = (frame, at)
        self.streams = [b"", b""]
        self.closed = False

    def feed(self, role: int, data: bytes, frame: int, at: int) -> bool:
        self.streams[role] += data
        return True

    def miss(self, role: int) -> bool:
        return False

    def close(self, at: int) -> None:
        self.closed = True


def test_any_split_gives_the_same():
    pieces = [*POST, *page("/next", b"y"), ASKED, refusal(300), *page("/then", b"z" * 50), AGAIN, CONNECT[1], (CLIENT, b"tls")]
    found = []
    for size in (1, 2, 7, 1 << 20):
        tunnels: list[Taken] = []
        reader = InnerHttp1(lambda frame, at, tunnels=tunnels: tunnels.append(Taken(frame, at)) or tunnels[-1])
        for number, (side, data) in enumerate(pieces, 1):
            for pos in range(0, len(data), size):
                assert reader.feed(side, data[pos : pos + size], number, number)
        reader.close(0)
        assert all(tunnel.closed for tunnel in tunnels)
        found.append([(tunnel.place, tunnel.streams, tunnel.carrier.before) for tunnel in tunnels])
    assert all(one == found[0] for one in found)
    assert [place for place, _, _ in found[0]] == [(5, 5), (9, 9)]
    assert found[0][1][1] == [AGAIN[1] + b"tls", CONNECT[1][1]]
    assert [one["status"] for one in found[0][1][2]] == [407]


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 3000,
        b"MAIL FROM:<a@b>\r\n\r\n",
        b"G" * 20_000,
        b"hello",
    ],
)
def test_where_the_next_request_begins_is_not_known(head):
    requests = RequestHeads()
    assert requests.feed(head + CONNECT[0][1], 1, 1) == -1
    assert requests.lost


def test_the_final_status():
    assert final_status(b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest") == (200, 41)
    assert final_status(b"HTTP/1.1 100 Go on\r\n\r\n") == (0, 0)
    assert final_status(b"HTTP/1.1 407 W") == (0, 0)
    assert final_status(b"SSH-2.0\r\n\r\n") == (0, 0)
    assert final_status(b"HTTP/1.1 100 Go on\r\n\r\n" * 100) == (0, 0)


def test_refusals_without_end_are_bounded():
    tunnels: list[Taken] = []
    reader = InnerHttp1(lambda frame, at: tunnels.append(Taken(frame, at)) or tunnels[-1])
    for _ in range(100):
        assert reader.feed(CLIENT, CONNECT[0][1], 1, 1)
        assert reader.feed(SERVER, refusal()[1], 1, 1)
    assert len(tunnels) == 100
    assert len(tunnels[-1].carrier.before) == MAX_REFUSED


def lines_for(n_requests: int) -> int:
    """The lines of Python that run for so many requests in one piece."""
    requests = RequestHeads()
    with at_most(1 << 40) as work:
        assert requests.feed(b"GET / HTTP/1.1\r\n\r\n" * n_requests, 1, 1) == -1
    return work.n_lines


def test_many_requests_take_linear_time():
    one, two = lines_for(500), lines_for(1000)
    assert two <= 2.2 * one
    if "not compiled" in build():
        assert one > 500
