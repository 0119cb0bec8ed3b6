"""A part of a capture is a half-open span of time, and hosts by address or server name."""

from typing import Any

import pytest

from analyzer.capture.frame import Frame
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet
from analyzer.store.named_host import canonical_name, read_host
from analyzer.store.part import Part, addresses_of

SECOND = 1_000_000_000
TEN = 1_700_000_000 * SECOND
TIMES = {TEN + n * SECOND: f"2023-11-14T22:13:{20 + n}.000000000Z" for n in range(-5, 10)}


def record(first: int | None, last: int | None, **values: Any) -> dict[str, Any]:
    times = {"start_time": None if first is None else TIMES[first], "end_time": None if last is None else TIMES[last]}
    ends = {"client": {"address": "192.0.2.1", "port": 50000}, "server": {"address": "2001:db8::1", "port": 443}}
    return times | ends | {"server_name": "www.example.com", "before": []} | values


@pytest.mark.parametrize(
    ("since", "until", "inside"),
    [
        (None, None, True),
        (TEN, TEN + SECOND, True),
        (TEN + 2 * SECOND, None, True),  # the last moment is in it
        (TEN + 2 * SECOND + 1, None, False),
        (None, TEN, False),  # the end of the span is not in it
        (None, TEN + 1, True),
        (TEN - 5 * SECOND, TEN + 9 * SECOND, True),
        (TEN + SECOND, TEN + SECOND + 1, True),
    ],
)
def test_what_lasts_is_in_each_span_that_it_touches(since: int | None, until: int | None, inside: bool):
    part = Part(since, until)
    assert part.has_record(record(TEN, TEN + 2 * SECOND)) is inside
    assert part.has_span(TEN, TEN + 2 * SECOND) is inside


def test_spans_that_follow_each_other_miss_nothing_and_have_nothing_twice():
    for at in range(TEN - 3, TEN + 3):
        assert [Part(until=TEN).has_moment(at), Part(since=TEN).has_moment(at)].count(True) == 1


def test_what_has_no_time_is_in_no_span():
    assert not Part(since=0).has_record(record(None, None))
    assert not Part(until=TEN).has_moment(-1)
    assert Part(addresses=frozenset({"192.0.2.1"})).has_record(record(None, None))
    assert Part().has_moment(-1)


@pytest.mark.parametrize(
    ("host", "inside"),
    [
        ("192.0.2.1", True),
        ("2001:DB8:0::1", True),
        ("[2001:db8::1]", True),
        ("192.0.2.2", False),
        ("www.example.com", True),
        ("WWW.Example.com.", True),
        ("example.com", False),
        ("real.example", False),
    ],
)
def test_a_host_is_a_side_or_the_server_name(host: str, inside: bool):
    address, name = read_host(host)
    part = Part(addresses=frozenset({address} - {None}), names=frozenset({name} - {None}))
    assert part.has_hosts
    assert part.has_record(record(TEN, TEN)) is inside
    assert part.has_record(record(TEN, TEN, server_name=None)) is (inside and name is None)


def test_what_stands_before_tls_names_hosts_too():
    proxied = {"protocol": "proxy", "client": {"address": "203.0.113.9", "port": 1}, "server": None, "target": None}
    tunnelled = {"protocol": "http_connect", "client": None, "server": None, "target": {"host": "Shop.example", "port": 443}}
    before = record(TEN, TEN, before=[proxied, tunnelled])
    assert Part(addresses=frozenset({"203.0.113.9"})).has_record(before)
    assert Part(names=frozenset({"shop.example"})).has_record(before)
    assert not Part(names=frozenset({"shop.example"})).has_record(record(TEN, TEN, before=None))


@pytest.mark.parametrize(
    "text",
    ["", ".", "a..b", "10.0.0.0/8", "1.2.3", "256.1.1.1", "a b", "fe80::1%eth0", "-a.b", "x" * 64, "a." * 127 + "a", "é\ud800"],
)
def test_what_is_no_host_is_refused(text: str):
    with pytest.raises(ValueError, match="is no address and no server name"):
        read_host(text)


def test_names_are_compared_as_they_are_on_the_wire():
    assert read_host("Bücher.example") == (None, "xn--bcher-kva.example")
    assert read_host("_dns.Example.") == (None, "_dns.example")
    assert read_host("127.0.0.1") == ("127.0.0.1", None)
    assert canonical_name("A.B.") == "a.b"


def test_a_packet_has_the_addresses_of_its_innermost_ip_header():
    ethernet = bytes(12) + b"\x08\0"
    header = b"\x45\0\0\x14\0\0\0\0\x40\x32\0\0" + b"\xc0\0\2\1" + b"\xc0\0\2\2"
    frame, packet = Frame(), Packet()
    frame.data = ethernet + header
    read(packet, frame.data, 0, len(frame.data), 1, len(frame.data))
    assert addresses_of(packet) == ("192.0.2.1", "192.0.2.2")
    assert Part(addresses=frozenset({"192.0.2.2"})).has_address(packet)
    assert not Part(names=frozenset({"a"})).has_address(packet)
    read(packet, bytes(12) + b"\x08\x06" + bytes(28), 0, 42, 1, 42)
    assert addresses_of(packet) == ()
