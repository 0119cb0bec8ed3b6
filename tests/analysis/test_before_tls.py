"""What stood before TLS, in its order; unknown bytes are said to be unknown, and what the capture lacks is null."""

from types import SimpleNamespace

import pytest
from conversations import CLIENT, SERVER, SYN, packetise, records, talk

from analyzer.analysis.before_tls import MAX_ENTRIES, before_of, before_tls

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
    return SimpleNamespace(pieces=[(client, data)], client=client, cut=cut)


def test_what_the_capture_does_not_show_is_not_known():
    assert before_of(flow()) == []
    assert before_of(flow(late=True)) is None
    assert before_of(flow(kept(PROXY), mid_stream=True)) is None
    assert names(before_of(flow(kept(PROXY, client=1), late=True))) == ["proxy"]
    assert names(before_of(flow(kept(PROXY + b"x", cut=True)))) == ["proxy"]
    assert before_of(flow(kept(b"x", cut=True))) is None


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
