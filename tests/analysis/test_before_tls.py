"""What stood before TLS, in its order; unknown bytes are said to be unknown, and what the capture lacks is null."""

from types import SimpleNamespace

import pytest
from conversations import CLIENT, SERVER, SYN, packetise, records, talk

from analyzer.analysis.before_tls import MAX_ENTRIES, before_of, before_tls
from analyzer.analysis.refused_upgrade import refused_upgrade
from analyzer.engine.preface import Preface

C, S = CLIENT, SERVER
PROXY = b"PROXY TCP4 203.0.113.77 10.0.0.9 55555 443\r\n"
SMTP = [(S, b"220 mx.a.test ESMTP\r\n"), (C, b"EHLO pc.test\r\n"), (S, b"250 x\r\n"), (C, b"STARTTLS\r\n"), (S, b"220 go\r\n")]


def names(found):
    return [entry["protocol"] for entry in found]


def test_protocols_behind_each_other():
    connect = b"CONNECT a.test:443 HTTP/1.1\r\n\r\n"
    pieces = [(C, PROXY + connect), (S, b"HTTP/1.1 407 no\r\n\r\n"), (C, connect), (S, b"HTTP/1.1 200 ok\r\n\r\n"), *SMTP]
    found = before_tls(pieces)
    assert names(found) == ["proxy", "http_connect", "http_connect", "smtp"]
    assert [entry["status"] for entry in found] == [None, 407, 200, None]
    for role, key in ((C, "client"), (S, "server")):
        assert sum(entry["bytes"][key] for entry in found) == sum(len(data) for side, data in pieces if side == role)


def test_bytes_that_nobody_knows():
    assert before_tls([]) == []
    [entry] = before_tls([(C, b"\0\1\2"), (S, b"\3")])
    assert (entry["protocol"], entry["bytes"]) == ("unknown", {"client": 3, "server": 1})
    assert names(before_tls([(C, PROXY + b"\0")])) == ["proxy", "unknown"]


def test_a_long_list_ends():
    found = before_tls([(C, b"PROXY UNKNOWN\r\n" * 100)])
    assert names(found) == ["proxy"] * MAX_ENTRIES + ["unknown"]


def flow(kept=None, late=False, mid_stream=False):
    return SimpleNamespace(before=kept, carrier=None, late=late, mid_stream=mid_stream)


def kept(data, client=0, cut=False):
    return SimpleNamespace(pieces=[(client, data)], client=client, cut=cut, lossy=False)


def test_what_the_capture_does_not_show_is_not_known():
    assert before_of(flow()) == []
    assert before_of(flow(late=True)) is None
    assert before_of(flow(kept(PROXY), mid_stream=True)) is None
    assert names(before_of(flow(kept(PROXY, client=1), late=True))) == ["proxy"]
    assert names(before_of(flow(kept(PROXY + b"x", cut=True)))) == ["proxy"]
    assert before_of(flow(kept(b"x", cut=True))) is None


CONNECT = b"CONNECT a.test:443 HTTP/1.1\r\n\r\n"
WITH_LENGTH = b"HTTP/1.1 407 no\r\nContent-Length: 4\r\n\r\nHTTP"
IN_CHUNKS = b"HTTP/1.1 407 no\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nHTTP\r\n0\r\n\r\n"
WITH_TRAILERS = b"HTTP/1.1 407 no\r\nTransfer-Encoding: gzip, chunked\r\n\r\n4\r\nHTTP\r\n0\r\na: b\r\nc: d\r\n\r\n"
GRANTED = b"HTTP/1.1 200 ok\r\n\r\n"


@pytest.mark.parametrize("n_others", [1, 2, 20])
def test_connect_behind_other_requests(n_others):
    others = [(C, b"GET / HTTP/1.1\r\nHost: b.test\r\n\r\n"), (S, b"HTTP/1.1 200 ok\r\nContent-Length: 2\r\n\r\nhi")]
    found = before_tls([*others * n_others, (C, CONNECT), (S, WITH_LENGTH)])
    assert [(one["protocol"], one["status"], one["target"]["host"]) for one in found] == [
        ("http", 200, "b.test"),
        ("http_connect", 407, "a.test"),
    ]
    cause, _ = refused_upgrade([*others * n_others, (C, CONNECT), (S, WITH_LENGTH)])
    assert cause == "proxy_refused"


@pytest.mark.parametrize("refusal", [WITH_LENGTH, IN_CHUNKS, WITH_TRAILERS], ids=["length", "chunks", "trailers"])
def test_each_answer_belongs_to_its_request(refusal):
    for ahead, first in (((C, CONNECT), "http_connect"), ((C, b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"), "http")):
        found = before_tls([ahead, (S, refusal), (C, CONNECT), (S, GRANTED)])
        assert [(one["protocol"], one["status"]) for one in found] == [(first, 407), ("http_connect", 200)]
        assert [one["bytes"]["server"] for one in found] == [len(refusal), len(GRANTED)]
    assert names(before_tls([(C, b"GET / HTTP/1.1\r\n\r\n"), (S, WITH_LENGTH), (C, b"more"), (S, GRANTED)])) == ["http"]


def with_losses(*pieces):
    """What is kept of pieces of which None stands for missing bytes."""
    found = Preface()
    for side, data in pieces:
        if data is None:
            found.lose(side)
        else:
            found.add(side, data)
    return found


def test_no_answer_is_that_to_another_request():
    asked, refused, granted = (C, CONNECT), (S, WITH_LENGTH), (S, GRANTED)
    for pieces, statuses in (
        ([asked, (S, None), asked, granted], [None, None]),
        ([asked, refused, asked, (S, None)], [407, None]),
        ([asked, refused, (C, None), granted], [407]),
        ([(C, None), refused, asked, granted], None),
    ):
        found = before_of(flow(with_losses(*pieces)))
        assert (found if found is None else [one["status"] for one in found]) == statuses
    assert names(before_of(flow(with_losses((S, None), *SMTP[1:])))) == ["smtp"]


@pytest.mark.parametrize("lost", [3, 4, 5, 6])
def test_a_lost_answer_refuses_nothing(lost):
    """The proxy wants a password, and gets it; then the capture lacks one packet of this, and the answer to the hello."""
    flights = [(C, CONNECT), (S, WITH_LENGTH), (C, CONNECT + b""), (S, GRANTED), talk()[0]]
    segments = packetise(flights)
    for kept_segments in (segments, segments[:lost] + segments[lost + 1 :]):
        [record] = records(kept_segments)
        assert record["outcome"]["cause"] != "proxy_refused"


@pytest.mark.parametrize("mss", [1, 7, 1400])
def test_the_record_names_the_real_client(mss):
    [record] = records(packetise([(C, PROXY), *talk()], mss=mss))
    [entry] = record["before"]
    assert entry["client"] == {"address": "203.0.113.77", "port": 55555}
    assert record["client"]["address"] == "10.0.0.1"
    [plain] = records(packetise(talk(), mss=mss))
    assert plain["before"] == []
    [late] = records([one for one in packetise(talk(), mss=mss) if not one.flags & SYN])
    assert late["before"] is None


def test_a_header_and_a_hello_in_one_segment():
    first, *others = talk()
    [record] = records(packetise([(C, PROXY + first[1]), *others]))
    assert names(record["before"]) == ["proxy"]
    assert record["established"]


def test_what_answers_a_hello_did_not_stand_before_it():
    refused = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    [record] = records(packetise([talk()[0], (S, refused)]))
    assert record["before"] == []
    segments = packetise([*SMTP, *talk()], mss=1400)
    hello = next(place for place, segment in enumerate(segments) if segment.payload[:1] == b"\x16")
    segments[hello - 1], segments[hello] = segments[hello], segments[hello - 1]
    [record] = records(segments)
    assert names(record["before"]) == ["smtp"]
    assert record["before"][0]["bytes"]["server"] == sum(len(data) for side, data in SMTP if side == S)
