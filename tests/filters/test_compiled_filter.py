"""What filters find: several values, absent fields, each type, operator and function; test_against_tshark asks tshark."""

import pytest
from filters.made_packets import TABLE, Made, passes

from analyzer.filters.compiled_filter import compile_filter
from analyzer.filters.filter_error import FilterError

PORTS = {"tcp.port": [80, 443], "tcp.len": [0]}
HOST = {"http.host": ["www.Example.com"]}
BYTES = {"eth.src": [b"\x02\xab\x00\x00\x00\x01"], "data": [b"GET /\xff\x00"], "tcp": [b"\x01\xbb\x00\x50"]}
ADDRESSES = {"ip.src": ["192.0.2.10"], "ip.addr": ["192.0.2.10", "10.1.2.3"], "ipv6.src": ["2001:db8::1"]}
NAMED = {"tls.type": [1, 11], "tcp.flags.syn": [True], "http.request": [True], "x.twice": [2]}
TIMES = {"tcp.delta": [1_500_000_000], "frame.time": [1_700_000_000_123_456_789]}  # 2023-11-14T22:13:20.123456789Z
OTHER = {"x.oid": [bytes.fromhex("550403")], "x.guid": [bytes(range(16))], "x.int": [-7], "x.float": [0.5], "x.none": [None]}
EVERYTHING = {**PORTS, **HOST, **BYTES, **ADDRESSES, **NAMED, **TIMES, **OTHER}

TRUE = r"""
tcp.port == 80
tcp.port == 443 and tcp.port == 80
tcp.port !== 80
any tcp.port != 80
all tcp.port < 500
all tcp.port != 22
tcp.port === 80 or tcp.port == 80
tcp.port any_ne 80
not tcp.port all_eq 80
tcp.port in {443..500}
tcp.port in {1, 80}
all tcp.port in {80, 443}
all tcp.port not in {80}
tcp.port not in {22}
tcp.port in {0x50}
tcp.port == 0120
tcp.port == 0b1010000
tcp.port == 'P'
tcp.port == '\x50'
all tcp.port > '\n'
tcp.len
!(tcp.len + 0)
tcp.port & 1
tcp.port & 0x1 == 0x1
tcp.port + 1 == 81
tcp.port * 2 == 886
tcp.port / 7 == 63
tcp.port % 7 == 3
{tcp.port + 1} * 2 == 162
tcp.port - 100 == -20
{tcp.len - 22} / 7 == -3
{tcp.len - 22} % 7 == -1
-tcp.port < -442
1 < tcp.port < 100
100 < tcp.port <= 443
tcp.port == 79 + 1
http.host == "www.Example.com"
http.host contains "Example"
http.host contains Example
!(http.host contains "example")
http.host matches "example\\.COM$"
http.host matches r"example\.com"
http.host ~ "^www"
!(http.host matches "(?-i)example")
http.host[0:3] == "www"
http.host[-3:] == "com"
http.host[4-6,0] == "Exaw"
http.host[100] == ""
!http.host[100]
upper(http.host) == "WWW.EXAMPLE.COM"
lower(http.host)[4:7] == "example"
len(http.host) == 15
http.host > "www"
http.host in {"a".."z"}
"www.Example.com" == http.host
eth.src == 02:ab:00:00:00:01
eth.src == 02-ab-00-00-00-01
eth.src == 02ab.0000.0001
eth.src[0] == 2
eth.src[0:2] == 02:ab
eth.src[1] == ab
eth.src[1] == :ab
eth.src[1] & 0x80
eth.src[-1] == 01
eth.src contains ab:00
eth.src[:3] == 02:ab:00
data == "GET /\xff\0"
data contains "GET"
data contains 47:45
data contains 0xff
data matches "get /\\xff"
data[0:3] == "GET"
data[0:3] & 40:00 == 40:00
tcp contains "carried"
!(tcp[0:] contains "carried")
len(tcp) == 4
tcp == 01:bb:00:50
eth.src[0] == tcp[0] or tcp[0] == 1
ip.src == 192.0.2.0/24
ip.src == 192.0.2.99/24
ip.src > 10.0.0.0/8
ip.src in {10.0.0.0/8, 192.0.2.0/24}
ip.src in {192.0.2.1 .. 192.0.2.20}
ip.addr == 10.0.0.0/8
ip.addr !== 10.0.0.0/8
!(ip.addr != 10.0.0.0/8)
ip.src & 255.255.255.0 == 192.0.2.0
ip.src[0] == 192
ip.src == ip.addr
ipv6.src == 2001:db8::/32
ipv6.src == 2001:db8::1
string(ip.src) == "192.0.2.10"
string(ipv6.src) matches "^2001:db8::"
string(eth.src) == "02:ab:00:00:00:01"
string(x.oid) == "2.5.4.3"
string(tcp.port) contains "44"
hex(tcp.port) == "0x0050"
dec(tcp.port) == "80"
ip_special_name(ip.src) == "Documentation (TEST-NET-1)"
ip_rfc1918(ip.addr)
!ip_rfc1918(ip.src)
!ip_multicast(ip.src) and !ip_linklocal(ipv6.src) and !ip_ula(ipv6.src)
ip_special_mask(ip.addr) == 28
tls.type == "Client Hello"
tls.type == "certificate"
tls.type == Certificate
tls.type > "Server Hello"
tls.type in {"Client Hello", 2}
tls.type contains "Hello"
tls.type matches "hello$"
vals(tls.type) == "Certificate"
x.twice == "same"
x.twice in {"same"}
tcp.flags.syn == true
tcp.flags.syn == 2
tcp.flags.syn == "Set"
tcp.flags.syn == Set
tcp.flags.syn contains "Set"
http.request == "True"
tcp.delta == 1.5
tcp.delta > 1 and tcp.delta < 1.500000001
tcp.delta + 1 == 2.5
tcp.delta * 2 == 3
tcp.delta / 3 == 0.5
double(tcp.delta) == 1.5
frame.time == "2023-11-14T22:13:20.123456789Z"
frame.time == 1700000000.123456789
frame.time > "2023-11-14 22:13:20Z"
frame.time > "Nov 14, 2023 22:13:20 UTC"
frame.time > "Nov 14, 2023 17:13:20.1 EST"
frame.time < "2023-11-15 00:13:21+02:00"
frame.time - 86400 < "2023-11-14T00:00:00Z"
frame.time in {"2023-11-14Z" .. "2023-11-15Z"}
x.oid == 2.5.4.3
x.guid == 00010203-0405-0607-0809-0a0b0c0d0e0f
x.int == -7
x.int < 0
abs(x.int) == 7
x.float == 0.5
x.float * 3 > 1
float(tcp.port) / 2 == 221.5
x.none
count(tcp.port) == 2
count(x.none) + count(tcp.port) == 3
max(tcp.port) == 443
min(tcp.port, 7) == 7
max(ip.addr) == 192.0.2.10
.tcp.port == 80
tcp xor http.host == "x"
tcp ^^ tcp ^^ tcp
tcp.port == 1 and tcp or ip.src
not tcp.port == 1 && ip.src
"""

FALSE = r"""
tcp.port === 80
tcp.port != 80
all tcp.port == 80
tcp.port not in {80}
tcp.port == -1
tcp.port / 0 == 1
tcp.port in {79, 81..442}
http.host == "www.example.com"
http.host[0] == "x"
eth.src[5:2] == 01
ip.src != 192.0.2.0/24
ip.src > 192.0.2.0/24
tls.type != "Client Hello"
tcp.len + 0
tcp.flags.syn == 0
frame.time < "2023-11-14T22:13:20.123456788Z"
not (tcp and ip.src)
tcp xor ip.src
"""


def lines(text):
    return [line for line in text.splitlines() if line]


@pytest.mark.parametrize("text", lines(TRUE))
def test_a_packet_passes(text):
    assert passes(text, EVERYTHING)


@pytest.mark.parametrize("text", lines(FALSE))
def test_a_packet_does_not_pass(text):
    assert not passes(text, EVERYTHING)


@pytest.mark.parametrize(
    "text",
    ["tcp.port", "tcp.port == 0", "tcp.port != 1", "tcp.port === 1", "all tcp.port < 5", "tcp.port not in {1}", "tcp.port + 1",
     "len(data) >= 0",
     "upper(http.host)", "http.host[0] == \"\"", "http.host matches \"\"",
     "tcp.port == tcp.len", "max(tcp.port) >= 0",
     "ip_rfc1918(ip.src)", "@tcp.port", "tcp.port#1", "tls.type contains \"\"", "-tcp.len <= 0"],
)  # fmt: skip
def test_an_absent_field_gives_nothing(text):
    assert not passes(text, {})


def test_only_count_knows_an_absent_field():
    assert passes("count(tcp.port) == 0", {})
    assert passes("not tcp.port == 1", {})
    assert passes("max(tcp.port, 5) == 5", {})


def test_layers():
    packet = Made({"ip.src": ["192.0.2.1", "192.0.2.2", "192.0.2.3"]}, {"ip.src": [1, 2, 3]})
    found = [text for text in ("#1", "#2", "#3", "#4", "#[-1]", "#[1-2]", "#[2:]", "#[1,3]", "#[1:2]", "#[-2--1]", "#[:1]")
             if passes(f"ip.src{text} == 192.0.2.3", packet)]  # fmt: skip
    assert found == ["#3", "#[-1]", "#[2:]", "#[1,3]", "#[-2--1]"]
    assert passes("ip.src#2", packet)
    assert not passes("ip.src#4", packet)
    assert passes("count(ip.src#[1-2]) == 2", packet)


def test_raw_bytes():
    packet = Made(
        {"tcp.port": [443, 80], "http.host": ["é"]}, raw={"tcp.port": [b"\x01\xbb", None], "http.host": [b"\xc3\xa9"]}
    )
    assert passes("@tcp.port == 01:bb", packet)
    assert not passes("@tcp.port == 00:50", packet)
    assert passes('@tcp.port == ""', packet)
    assert passes('@http.host[1] == a9 and http.host[0] == "é"', packet)
    assert passes("len(@tcp.port) == 2 and len(http.host) == 2", packet)


def test_contains_searches_what_a_protocol_of_a_layer_carries():
    packet = Made({"tcp": [b"a", b"b"]}, {"tcp": [1, 2]})
    assert passes('tcp#2 contains "bcarried"', packet)
    assert not passes('tcp#1 contains "bcarried"', packet)


def test_a_longer_protocol_is_greater():
    assert passes("tcp > ff", {"tcp": [b"a"], "ff": [b""]})
    assert passes('tcp < "zz" and tcp > "A"', {"tcp": [b"a"]})
    assert not passes('tcp > "AAA"', {"tcp": [b"zz"]})


def test_presence_asks_for_no_values():
    packet = Made(PORTS)
    assert passes("tcp.port and not ip.src", packet)
    assert packet.asked == ["has", "has"]


def test_what_a_filter_needs():
    found = compile_filter("tcp and ip.src#1 == 10.0.0.0/8 or tcp.port == ${tcp.len} and @eth.src == 01", TABLE)
    assert sorted(field.name for field in found.fields) == ["eth.src", "ip.src", "tcp", "tcp.port"]
    assert sorted(field.name for field in found.valued) == ["eth.src", "ip.src", "tcp.port"]
    assert [field.name for field in found.reference_fields] == ["tcp.len"]
    assert found.needs_layers
    assert found.needs_raw
    plain = compile_filter("tcp.port == 1", TABLE)
    assert not plain.needs_layers
    assert not plain.needs_raw


def test_references_are_read_from_the_selected_packet():
    found = compile_filter("tcp.delta >= ${tcp.delta} - 1 and tcp.port == $tcp.port", TABLE)
    packet = Made({"tcp.delta": [5_000_000_000], "tcp.port": [80]})
    assert not found.matches(packet)
    found.select(Made({"tcp.delta": [6_000_000_000], "tcp.port": [443, 80]}))
    assert found.matches(packet)
    found.select(Made({"tcp.delta": [7_000_000_000], "tcp.port": [80]}))
    assert not found.matches(packet)


def test_macros_are_replaced():
    macros = {"web": "tcp.port in {80, 443}", "host": 'http.host == "$1"'}
    assert passes("$web() and not ${host:a}", PORTS, macros=macros)
    assert compile_filter("$web()", TABLE, macros=macros).text == "tcp.port in {80, 443}"


def test_the_empty_filter_passes_everything():
    found = compile_filter("  ", TABLE)
    assert found.tree is None
    assert found.matches(Made({}))


def test_a_deprecated_field_warns():
    assert compile_filter("ssl.type == 1 or ssl.type == 2", TABLE).warnings == ("ssl.type is deprecated: write tls.type",)
    assert compile_filter("tls.type == 1", TABLE).warnings == ()
    assert compile_filter("@tls.type#1 == 01 and .tcp", TABLE).warnings == ()
    renamed = compile_filter("ssl.version == 1 and @ssl.version == ${@ssl.version}", TABLE)
    assert renamed.warnings == ("ssl.version is deprecated: write tls.version",)
    assert renamed.fields == {TABLE.get("tls.version")}


def test_an_error_has_the_text_with_the_macros():
    with pytest.raises(FilterError) as error:
        compile_filter("$web(1)", TABLE, macros={"web": "tcp.prt == $1"})
    assert error.value.text == "tcp.prt == 1"
    assert error.value.text[error.value.at :][: error.value.length] == "tcp.prt"
    assert error.value.suggestions == ("tcp.port",)


def test_results_without_end_are_no_error():
    product = " * ".join(["tcp.port"] * 100)
    for text in ("tcp.delta * 1e308 * 1e308 > 1", f"double({product}) > 1", f"float({product}) > 1", f"{product} > 1",
                 "double(x.int) * 1e308 * 1e308 > 1", "tcp.delta / 1e308 / 1e308 == 0"):  # fmt: skip
        passes(text, EVERYTHING)


def test_many_values_of_two_fields_are_bounded():
    packet = Made({"tcp.port": list(range(5000)), "tcp.len": list(range(5000))})
    assert not passes("tcp.len + tcp.port == 99999", packet)
    assert not passes("all tcp.port == tcp.len", packet)


def test_a_hostile_pattern_ends():
    found = compile_filter('http.host matches "(a+)+$"', TABLE)
    assert not found.matches(Made({"http.host": ["a" * 5000 + "b"]}))
    assert found.exhausted == 1


@pytest.mark.parametrize("text", ['x.twice != "same"', 'x.twice !== "same"', 'x.twice not in {"same"}', 'vals(x.twice) == "9"'])
def test_a_number_without_a_name_is_called_by_its_digits(text: str):
    assert passes(text, {"x.twice": [9]})


def test_a_number_without_a_name_is_none_of_those_that_have_one():
    assert not passes('x.twice == "same"', {"x.twice": [9]})
    assert passes('vals(x.hex) == "0x0009" and vals(x.hex) == "one"', {"x.hex": [9, 1]})
