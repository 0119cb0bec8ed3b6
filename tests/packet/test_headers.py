"""Reads packets from frames: every header, real captures compared with tshark, and damage of every kind."""

import random
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from analyzer.packet import headers
from analyzer.packet.addresses import endpoints
from analyzer.packet.packet import Packet

SOURCE, DESTINATION = bytes((192, 0, 2, 1)), bytes((198, 51, 100, 2))
SOURCE6, DESTINATION6 = bytes.fromhex("20010db8" + "00" * 11 + "01"), bytes.fromhex("20010db8" + "00" * 11 + "02")


def u16(number):
    return number.to_bytes(2, "big")


def tcp(payload=b"", options=b"", offset=None, flags=0x18):
    n_words = 5 + len(options) // 4 if offset is None else offset
    start = u16(4000) + u16(443) + bytes.fromhex("fffffff0 80000001")
    return start + bytes((n_words << 4 | flags >> 8, flags & 255)) + u16(0xFFFF) + bytes(4) + options + payload


def udp(payload=b"", length=None):
    return u16(5000) + u16(53) + u16(8 + len(payload) if length is None else length) + bytes(2) + payload


def ipv4(body, protocol=6, options=b"", total=None, words=None, version=4, word=0):
    n_header = 20 + len(options)
    total = n_header + len(body) if total is None else total
    words = n_header // 4 if words is None else words
    first = bytes((version << 4 | words, 0)) + u16(total) + u16(0x1234) + u16(word)
    return first + bytes((64, protocol, 0, 0)) + SOURCE + DESTINATION + options + body


def ipv6(body, next_header=6, length=None):
    length = len(body) if length is None else length
    return bytes((0x60, 0, 0, 0)) + u16(length) + bytes((next_header, 64)) + SOURCE6 + DESTINATION6 + body


def ethernet(body, ether_type=0x0800):
    return bytes(12) + u16(ether_type) + body


def read(frame, link_type=1, wire_length=None, before=b"", after=b""):
    """Read the packet from a buffer with other bytes around it, as in a capture."""
    packet = Packet()
    start, end = len(before), len(before) + len(frame)
    good = headers.read(
        packet, before + frame + after, start, end, link_type, len(frame) if wire_length is None else wire_length
    )
    return packet, good


def payload(packet):
    return packet.data[packet.payload : packet.payload_end]


def facts(packet):
    return {name: getattr(packet, name) for name in dir(packet) if name[0] != "_" and not callable(getattr(packet, name))}


def test_a_tcp_packet():
    packet, good = read(ethernet(ipv4(tcp(b"hello", flags=0x112))), before=b"xyz", after=b"next frame")
    assert good
    assert (packet.link, packet.ip, packet.transport, packet.payload, packet.payload_end) == (3, 17, 37, 57, 62)
    assert (packet.ether_type, packet.vlan, packet.ip_version, packet.protocol, packet.tunnels) == (0x0800, -1, 4, 6, 0)
    assert (packet.source_port, packet.destination_port) == (4000, 443)
    assert (packet.sequence, packet.acknowledgement) == (0xFFFFFFF0, 0x80000001)
    assert (packet.flags, packet.window, packet.missing, packet.problem, packet.truncated) == (0x112, 0xFFFF, 0, "", False)
    assert payload(packet) == b"hello"
    assert endpoints(packet.key()) == (("192.0.2.1", 4000), ("198.51.100.2", 443))
    assert endpoints(packet.reverse_key()) == (("198.51.100.2", 443), ("192.0.2.1", 4000))


def test_a_udp_packet_over_ipv6():
    packet, good = read(ethernet(ipv6(udp(b"query"), 17), 0x86DD))
    assert good
    assert (packet.ip_version, packet.protocol, packet.ether_type) == (6, 17, 0x86DD)
    assert payload(packet) == b"query"
    assert endpoints(packet.key()) == (("2001:db8::1", 5000), ("2001:db8::2", 53))
    assert endpoints(packet.reverse_key()) == (("2001:db8::2", 53), ("2001:db8::1", 5000))


def test_a_packet_is_filled_again():
    packet = Packet()
    blank = facts(packet)
    for frame in (ethernet(ipv4(tcp(b"x"), word=0x2001)), ethernet(ipv6(udp(b"x"), 17), 0x86DD), ethernet(ipv4(tcp(offset=3)))):
        headers.read(packet, frame, 0, len(frame), 1, len(frame) + 9)
        headers.read(packet, b"", 0, 0, 147, 0)
    after = facts(packet)
    assert packet.problem == "link type 147 is not known"
    for name in ("problem", "problem_at", "link", "payload", "payload_end"):
        after.pop(name), blank.pop(name)
    assert after == blank


def test_keys_skip_options_and_extension_headers():
    packet, _ = read(ethernet(ipv4(tcp(), options=b"\x94\x04\x00\x00")))
    plain, _ = read(ethernet(ipv4(tcp())))
    assert packet.transport == plain.transport + 4
    assert packet.key() == plain.key()
    assert len(plain.key()) == 12
    packet, _ = read(ethernet(ipv6(bytes((6, 0)) + bytes(6) + tcp(), 60), 0x86DD))
    plain, _ = read(ethernet(ipv6(tcp()), 0x86DD))
    assert packet.transport == plain.transport + 8
    assert packet.key() == plain.key()
    assert len(plain.key()) == 36


def test_a_packet_knows_its_key():
    frames = (
        ethernet(ipv4(tcp())),
        ethernet(ipv4(tcp(), options=b"\x94\x04\x00\x00")),
        ethernet(ipv6(tcp()), 0x86DD),
        ethernet(ipv6(bytes((6, 0)) + bytes(6) + tcp(), 60), 0x86DD),
    )
    for frame in frames:
        packet, _ = read(frame)
        key = packet.key()
        assert packet.has_key(key)
        for place in range(len(key)):
            assert not packet.has_key(key[:place] + bytes([key[place] ^ 1]) + key[place + 1 :])
        for other in (b"", key[:-1], key + b"\0", packet.reverse_key(), *(read(other)[0].key() + b"\0" for other in frames)):
            assert not packet.has_key(other)
    assert not read(ethernet(ipv4(b"abc")))[0].has_key(key)


def test_there_is_no_key_without_ip_and_ports():
    for packet in (Packet(), read(ethernet(b"", 0x0806))[0], read(ethernet(ipv4(b"abc")))[0], read(ethernet(ipv4(b"", 1)))[0]):
        assert packet.key() == packet.reverse_key() == b""


def test_ethernet_padding_is_no_payload():
    for packet in (ipv4(tcp(b"ab")), ipv4(udp(b"ab"), 17)):
        assert payload(read(ethernet(packet + bytes(10)))[0]) == b"ab"
    assert payload(read(ethernet(ipv6(tcp(b"ab")) + bytes(10), 0x86DD))[0]) == b"ab"
    # Also if the snapshot length truncates the padding.
    packet, good = read(ethernet(ipv4(tcp(b"ab")) + bytes(2)), wire_length=64)
    assert (good, packet.missing, payload(packet)) == (True, 0, b"ab")


def test_a_total_length_of_zero_means_the_end_of_the_frame():
    packet, good = read(ethernet(ipv4(tcp(b"ab"), total=0)), wire_length=100)
    assert (good, payload(packet), packet.missing, packet.problem) == (True, b"ab", 44, "")
    packet, good = read(ethernet(ipv6(tcp(b"ab"), length=0), 0x86DD))
    assert (good, payload(packet), packet.problem) == (True, b"ab", "")


def test_a_length_beyond_the_frame_is_a_problem_but_the_rest_is_read():
    packet, good = read(ethernet(ipv4(tcp(b"ab"), total=200)))
    assert (good, payload(packet), packet.missing) == (True, b"ab", 0)
    assert packet.problem == "IPv4 total length 200 is more than the frame has"
    assert packet.problem_at == 14
    packet, good = read(ethernet(ipv6(tcp(b"ab"), length=200), 0x86DD))
    assert (good, payload(packet), packet.missing) == (True, b"ab", 0)
    assert packet.problem == "IPv6 payload length 200 is more than the frame has"
    packet, good = read(ethernet(ipv4(udp(b"ab", length=11), 17)))
    assert (good, payload(packet), packet.problem) == (True, b"ab", "UDP length 11 is more than the packet has")


def test_a_udp_length_of_zero_and_a_short_one():
    packet, good = read(ethernet(ipv4(udp(b"ab", length=0), 17)))
    assert (good, payload(packet)) == (True, b"ab")
    packet, good = read(ethernet(ipv4(udp(b"abcd", length=10), 17)))
    assert (good, payload(packet)) == (True, b"ab")
    packet, good = read(ethernet(ipv4(udp(b"ab", length=7), 17)))
    assert (good, packet.problem) == (False, "UDP length 7 is less than 8")


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (ipv4(tcp(), words=4), "IPv4 header length 16 is less than 20"),
        (ipv4(tcp(), total=19), "IPv4 total length 19 is less than the header's 20"),
        (ipv4(b"", words=15), "IPv4 total length 20 is less than the header's 60"),
        (ipv4(b"", words=15, total=60), "IPv4 header with options needs 60 bytes, but 20 are left"),
        (ipv4(tcp(), version=6), "IP version 6 where IPv4 was announced"),
        (ipv4(tcp(offset=4)), "TCP data offset of 16 bytes is less than 20"),
        (ipv4(tcp(offset=6)), "TCP header with options needs 24 bytes, but 20 are left"),
        (ipv4(tcp()[:19]), "TCP header needs 20 bytes, but 19 are left"),
        (ipv4(udp()[:7], 17), "UDP header needs 8 bytes, but 7 are left"),
        (ipv4(tcp())[:19], "IPv4 header needs 20 bytes, but 19 are left"),
    ],
)
def test_headers_with_wrong_lengths(frame, problem):
    packet, good = read(ethernet(frame))
    assert not good
    assert packet.problem == problem
    assert packet.problem_at in (14, 34)
    assert not packet.truncated


def test_a_truncated_frame_is_not_malformed():
    whole = ethernet(ipv4(tcp(b"x" * 100, options=b"\x01" * 12)))
    for n_bytes in range(len(whole)):
        packet, good = read(whole[:n_bytes], wire_length=len(whole))
        assert packet.truncated == (n_bytes < 66)
        assert good == (n_bytes >= 54)
        if good:
            assert packet.missing + packet.payload_end - packet.payload == 100
        else:
            assert "cut by the snapshot length" in packet.problem
            assert packet.missing > 0


def test_ports_are_read_from_truncated_headers():
    packet, good = read(ethernet(ipv4(tcp()[:4])), wire_length=54)
    assert not good
    assert (packet.source_port, packet.destination_port, len(packet.key())) == (4000, 443, 12)


def test_an_ipv4_fragment():
    packet, good = read(ethernet(ipv4(b"a fragment's bytes", word=0x2003)))
    assert not good
    assert (packet.fragment, packet.more_fragments, packet.fragment_offset, packet.fragment_id) == (True, True, 24, 0x1234)
    assert (packet.transport, payload(packet), packet.protocol, packet.problem) == (-1, b"a fragment's bytes", 6, "")
    assert packet.key() == b""
    assert read(ethernet(ipv4(tcp(), word=0x4000)))[1]


def test_an_ipv6_fragment_and_an_atomic_one():
    fragment = bytes((6, 0)) + u16(8 * 40 | 1) + bytes.fromhex("deadbeef")
    packet, good = read(ethernet(ipv6(bytes((44, 0)) + bytes(6) + fragment + b"piece", 60), 0x86DD))
    assert not good
    assert (packet.fragment, packet.more_fragments, packet.fragment_offset) == (True, True, 320)
    assert (packet.fragment_id, packet.fragment_header, packet.announced_at) == (0xDEADBEEF, 62, 54)
    assert (packet.protocol, payload(packet)) == (6, b"piece")
    packet, good = read(ethernet(ipv6(bytes((6, 0, 0, 6)) + bytes(4) + tcp(b"whole"), 44), 0x86DD))
    assert (good, packet.fragment, payload(packet)) == (True, False, b"whole")


def test_every_ipv6_extension_header():
    chain, kinds = b"", [0, 43, 60, 135, 139, 140, 51, 6]
    for i, kind in enumerate(kinds[:-1]):
        # The Authentication Header counts units of four bytes.
        chain += bytes((kinds[i + 1], 2 if kind == 51 else 1)) + bytes(14)
    packet, good = read(ethernet(ipv6(chain + tcp(b"data"), 0), 0x86DD))
    assert (good, packet.protocol, payload(packet)) == (True, 6, b"data")


def test_the_authentication_header_in_ipv4():
    header = bytes((6, 4, 0, 0)) + bytes(20)
    packet, good = read(ethernet(ipv4(header + tcp(b"data"), 51)))
    assert (good, packet.protocol, payload(packet)) == (True, 6, b"data")
    packet, good = read(ethernet(ipv4(bytes((51, 1)) + bytes(10) + header + tcp(b"twice"), 51)))
    assert (good, packet.protocol, payload(packet)) == (True, 6, b"twice")
    packet, good = read(ethernet(ipv4(bytes((6, 200)) + bytes(20), 51)))
    assert (good, packet.problem) == (False, "Authentication Header needs 808 bytes, but 22 are left")
    packet, good = read(ethernet(ipv4((bytes((51, 1)) + bytes(10)) * 99, 51)))
    assert (good, packet.problem) == (False, "more than 16 Authentication Headers")


def test_extension_headers_with_wrong_lengths_or_without_end():
    packet, good = read(ethernet(ipv6(bytes((6, 200)) + tcp(), 60), 0x86DD))
    assert (good, packet.problem) == (False, "IPv6 extension header needs 1608 bytes, but 22 are left")
    packet, good = read(ethernet(ipv6((bytes((60, 0)) + bytes(6)) * 1000, 60), 0x86DD))
    assert (good, packet.problem) == (False, "more than 16 IPv6 extension headers")
    packet, good = read(ethernet(ipv6(b"", 59), 0x86DD))
    assert (good, packet.protocol, packet.problem) == (False, 59, "")


def test_a_jumbo_payload():
    hop_by_hop = bytes((6, 0, 0xC2, 4)) + (8 + 20 + 70000).to_bytes(4, "big")
    frame = ethernet(ipv6(hop_by_hop + tcp(b"j" * 70000), 0, length=0) + b"padding", 0x86DD)
    packet, good = read(frame)
    assert (good, payload(packet), packet.problem) == (True, b"j" * 70000, "")


def test_the_number_of_headers_is_limited():
    packet, good = read(ethernet((u16(1) + u16(0x8100)) * 1000, 0x8100))
    assert (good, packet.problem) == (False, "more than 32 headers")
    tower = b""
    for _ in range(100):
        tower = ipv4(tower, 4)
    packet, good = read(ethernet(tower))
    assert (good, packet.problem) == (False, "more than 32 headers")


def test_a_datagram_in_its_own_buffer():
    packet = Packet()
    for whole, version in ((ipv4(tcp(b"abc")), 4), (ipv6(tcp(b"abc")), 6)):
        assert headers.read_ip(packet, b"--" + whole, 2, 2 + len(whole))
        assert (packet.ip, packet.ip_version, packet.link, payload(packet)) == (2, version, -1, b"abc")
    assert not headers.read_ip(packet, b"\x50", 0, 1)
    assert packet.problem == "IP version 5"
    assert not headers.read_ip(packet, b"", 0, 0)


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (2, 1), (0, 11)])
def test_a_frame_outside_the_buffer_is_a_value_error(start, end):
    with pytest.raises(ValueError, match="no frame"):
        headers.read(Packet(), bytes(10), start, end, 1, 0)
    with pytest.raises(ValueError, match="no packet"):
        headers.read_ip(Packet(), bytes(10), start, end)


def consistent(packet, good, start, end):
    """Check what is true for every packet of any frame."""
    assert start <= packet.payload <= packet.payload_end <= end
    assert packet.missing >= 0
    assert not good or (packet.protocol in (6, 17) and packet.transport > 0 and len(packet.key()) in (12, 36))
    assert not packet.truncated or packet.missing or packet.problem
    assert (packet.problem == "") == (packet.problem_at == -1)
    if packet.problem:
        assert start <= packet.problem_at <= end
    for at in (packet.ip, packet.transport, packet.link):
        assert at == -1 or start <= at < end or (at == start == end)


SAMPLES = [
    "zeek/link/http-qinq-0.pcap",
    "zeek/link/linux_dlt_sll2.pcap",
    "zeek/link/mixed-vlan-mpls.pcap",
    "zeek/link/pppoe-over-qinq.pcap",
    "zeek/link/quic-interop-retry.pcap",
    "zeek/link/snap-tcp.pcap",
    "zeek/tcpip/ipv6-hbh-routing0.pcap",
    "zeek/tcpip/tcp-options.pcap",
    "zeek/tunnels/socks.pcap",
    "zeek/tcpip/tcp-payload-syn.pcap",
    "zeek/tunnels/6in4.pcap",
]
TSHARK_SAMPLES = [
    *SAMPLES,
    *("zeek/link/linuxsll-arp.pcap", "zeek/tcpip/ipv6-http-atomic-frag.pcap", "zeek/tls/tls12-decryption.pcap"),
    *("zeek/link/llc.pcap", "zeek/link/nflog-http.pcap", "zeek/link/radiotap.pcap", "zeek/link/wlanmon.pcap"),
    *("zeek/link/pbb.pcap", "zeek/link/vntag.pcap", "zeek/link/erspanI.pcap", "zeek/link/erspanIII.pcap"),
    *("zeek/tunnels/vxlan-triple-v2.pcap", "zeek/tunnels/geneve-many-options.pcap", "zeek/tunnels/gtp6_gtp_0x32.pcap"),
    *("zeek/tunnels/ayiya3.pcap", "zeek/tunnels/gre-within-gre.pcap", "ja4/gre-erspan-vxlan.pcap"),
]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_truncation_and_many_mutations_of_real_frames(frames, name):
    chance = random.Random(name)
    packet = Packet()
    for data, link_type, _ in frames(name)[:3]:
        for n_bytes in range(min(len(data), 200)):
            for wire_length in (n_bytes, len(data)):
                good = headers.read(packet, data[:n_bytes], 0, n_bytes, link_type, wire_length)
                consistent(packet, good, 0, n_bytes)
        for _ in range(1500):
            changed = bytearray(data[:200])
            for _ in range(chance.randrange(1, 5)):
                changed[chance.randrange(min(len(changed), 100))] = chance.choice(
                    (0, 1, 4, 6, 17, 41, 44, 60, 0x81, 255, chance.randrange(256))
                )
            start = chance.randrange(4)
            good = headers.read(packet, bytes(start) + changed, start, start + len(changed), link_type, len(data))
            consistent(packet, good, start, start + len(changed))


def test_random_bytes_of_every_link_type():
    chance = random.Random(9293)
    packet = Packet()
    for link_type in (0, 1, 9, 12, 14, 50, 101, 105, 108, 113, 127, 228, 229, 239, 276, 10, -1, 70000):
        for _ in range(400):
            data = chance.randbytes(chance.randrange(120))
            consistent(packet, headers.read(packet, data, 0, len(data), link_type, chance.randrange(200)), 0, len(data))


FIELDS = [
    *("frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "udp.srcport", "udp.dstport", "udp.length"),
    *("tcp.srcport", "tcp.dstport", "tcp.seq", "tcp.ack", "tcp.flags", "tcp.len"),
]


def tshark(path):
    """Return what tshark reads in the innermost transport header of each frame; None if it finds none."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=l"]
    for preference in ("tcp.relative_sequence_numbers", "ip.defragment", "ipv6.defragment", "tcp.desegment_tcp_streams"):
        command += ["-o", f"{preference}:FALSE"]
    for field in FIELDS:
        command += ["-e", field]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    for line in lines:
        row = dict(zip(FIELDS, line.split("\t"), strict=True))
        layers = row["frame.protocols"].split(":")
        transport = next((layer for layer in reversed(layers) if layer in ("tcp", "udp")), None)
        if transport is None or "icmp" in layers or "icmpv6" in layers:
            yield None
            continue
        ip = next(layer for layer in reversed(layers) if layer in ("ip", "ipv6"))
        ends = (row[f"{ip}.src"], row[f"{ip}.dst"], int(row[f"{transport}.srcport"]), int(row[f"{transport}.dstport"]))
        if transport == "tcp":
            yield (*ends, int(row["tcp.seq"]), int(row["tcp.ack"]), int(row["tcp.flags"], 16), int(row["tcp.len"]))
        else:
            yield (*ends, int(row["udp.length"]))


def ours(packet, good):
    if not good:
        return None
    (source, source_port), (destination, destination_port) = endpoints(packet.key())
    n_bytes = packet.payload_end - packet.payload + packet.missing
    ends = (source, destination, source_port, destination_port)
    if packet.protocol == 6:
        return (*ends, packet.sequence, packet.acknowledgement, packet.flags, n_bytes)
    return (*ends, n_bytes + 8)


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("name", TSHARK_SAMPLES)
def test_agreement_with_tshark(corpus, frames, name):
    packet = Packet()
    mine = [
        ours(packet, headers.read(packet, data, 0, len(data), link_type, length)) for data, link_type, length in frames(name)
    ]
    assert mine == list(tshark(corpus / name))


DIGEST = """
    import gzip, hashlib, importlib.machinery, sys
    from pathlib import Path

    class SourceOnly:
        @staticmethod
        def find_spec(name, path, target=None):
            if not name.startswith("analyzer."):
                return None
            details = (importlib.machinery.SourceFileLoader, importlib.machinery.SOURCE_SUFFIXES)
            return importlib.machinery.FileFinder(path[0], details).find_spec(name)

    if sys.argv[1] == "interpreted":
        sys.meta_path.insert(0, SourceOnly)
    from analyzer.capture.frame import Frame
    from analyzer.capture.packet_reader import PacketReader
    from analyzer.packet import headers
    from analyzer.packet.packet import Packet

    digest, packet = hashlib.sha256(), Packet()
    names = [n for n in dir(packet) if n[0] != "_" and n != "data" and not callable(getattr(packet, n))]
    for path in sys.argv[2:]:
        packet_reader = PacketReader(frame := Frame())
        packet_reader.feed(Path(path).read_bytes())
        while packet_reader.advance():
            data = bytearray(frame.data[frame.start:frame.end])
            for i in range(0, min(len(data), 120), 7):
                good = headers.read(packet, bytes(data), 0, len(data), frame.link_type, frame.wire_length)
                digest.update(repr([good, packet.key(), packet.reverse_key(), [getattr(packet, n) for n in names]]).encode())
                data[i] ^= 0x55
    print(headers.__file__.rpartition(".")[2], digest.hexdigest())
"""


def test_compiled_and_interpreted_agree(corpus):
    if headers.__file__.endswith(".py"):
        pytest.skip("not compiled")
    results = [
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(DIGEST), kind, *(str(corpus / name) for name in SAMPLES)],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        ).stdout.split()
        for kind in ("compiled", "interpreted")
    ]
    assert results[0][0] != results[1][0] == "py"
    assert results[0][1] == results[1][1]
