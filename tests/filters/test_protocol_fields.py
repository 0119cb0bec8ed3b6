"""The names of the protocols in a frame: as tshark writes them, and none where a protocol between two headers has no name."""

import re
import subprocess

import pytest
from frames_by_hand import ACK, CLIENT, SERVER, START, SYN, Segment, ip, write

from tests.filters.field_readings import fields_of, readings

# tshark 4.0 has `tls` once for each record, and another name for the parameters of a key.


def names(path, keys=None):
    return [values[0][0] if values[0] else None for values in readings(path, fields_of("frame.protocols"), keys, engine=True)]


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("name", ["tls13-rsa", "vlan", "ipv6", "tls12-ecdhe-ecdsa", "curl-nginx-http1"])
def test_names_are_those_that_tshark_writes(repository, name):
    (path,) = (repository / "captures" / name).glob("*.pcap*")
    keys = next((repository / "captures" / name).glob("*.keys"), None)
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-e", "frame.protocols"]
    command += ["-o", f"tls.keylog_file:{keys}"] if keys is not None else []
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    ours = [re.sub("tls(:tls)+", "tls", one) for one in names(path, keys)]
    assert ours == [re.sub("tls(:tls)+", "tls", one).replace("pkcs-1", "pkixalgs") for one in theirs]


def test_bodies_in_http2_have_the_name_of_their_type(repository):
    path = repository / "captures/curl-nginx-http2/curl-nginx-http2.pcap"
    (keys,) = path.parent.glob("*.keys")
    found = names(path, keys)
    assert found[14] == "eth:ethertype:ip:tcp:tls:http2:data-text-lines"
    assert found[20] == "eth:ethertype:ip:tcp:tls:http2:json"


def test_each_reading_of_tls_has_what_stands_in_it(corpus):
    (path,) = corpus.glob("ja4/**/http2-with-cookies.pcapng")
    assert names(path)[143] == "eth:ethertype:ip:tcp:tls:http2:data-text-lines:tls:http2"


def test_a_segment_of_text_that_is_sent_again_has_no_name(corpus):
    (path,) = corpus.glob("zeek/**/tcp-ssh-dups.pcap")
    assert names(path)[3:6] == ["eth:ethertype:ip:tcp:ssh", "eth:ethertype:ip:tcp", "eth:ethertype:ip:tcp"]


def test_another_connection_with_the_same_ports_sends_nothing_again(tmp_path):
    path = tmp_path / "ports.pcapng"
    frames = []
    for first in (5000, 4000):
        ends = {"source": (CLIENT, 40000), "destination": (SERVER, 25)}
        frames.append(Segment(first - 1, 0, flags=SYN, **ends).frame())
        frames.extend(Segment(first, 1, b"EHLO client\r\n", flags=ACK, **ends).frame() for _ in range(2))
    write(path, [(START + number, frame) for number, frame in enumerate(frames)])
    assert names(path) == ["eth:ethertype:ip:tcp", "eth:ethertype:ip:tcp:smtp", "eth:ethertype:ip:tcp"] * 2


@pytest.mark.parametrize(
    ("capture", "expected"),
    [
        ("link/icmp_dot1q.pcap", {"eth:ethertype:vlan:ethertype:ip:icmp:data", "eth:ethertype:vlan:ethertype:arp"}),
        ("tunnels/geneve-vxlan-dns-truncated.pcap", {"eth:ethertype:ip:udp:geneve:ip:udp:vxlan:eth:ethertype:ip:udp:dns"}),
        ("tunnels/geneve-arp.pcap", {"eth:ethertype:ip:udp:geneve:arp"}),
        ("link/erspanI.pcap", {"eth:ethertype:ip:gre:erspan:eth:ethertype:ip:icmp:data"}),
        (
            "link/mpls-in-vlan.pcap",
            {
                "eth:ethertype:vlan:ethertype:mpls:tcp",
                "eth:ethertype:vlan:ethertype:mpls:tcp:http",
                "eth:ethertype:vlan:ethertype:ip:tcp:http",
            },
        ),
        (
            "tunnels/teredo_bubble_with_payload.pcap",
            {"eth:ethertype:ip:udp:teredo:ipv6", "eth:ethertype:ip:udp:teredo:ipv6:icmpv6", "eth:ethertype:ip:udp:data"},
        ),
        ("link/nflog-http.pcap", {None}),
    ],
)
def test_headers_have_names_and_so_have_tunnels(corpus, capture, expected):
    assert set(names(corpus / "zeek" / capture)) == expected


def test_a_packet_of_ssh_that_looks_like_a_record_has_the_name_of_its_port(corpus):
    assert names(corpus / "ja4/ssh2.pcapng")[926] == "eth:ethertype:ip:tcp:ssh"


def test_a_part_of_a_record_is_no_text_behind_starttls(corpus):
    found = names(corpus / "zeek/tls/imap-starttls.pcap")
    assert found[15] == found[17] == "eth:ethertype:ip:tcp"


def test_the_generic_form_of_vxlan_is_named_where_it_carries_ethernet(corpus):
    assert names(corpus / "ja4/gre-erspan-vxlan.pcap")[3].endswith(
        ":erspan:eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:tcp:http"
    )


def test_esp_in_udp_has_the_name_of_its_encapsulation(tmp_path):
    """As Wireshark 4.6 writes it (RFC 3948)."""
    path = tmp_path / "esp.pcapng"
    datagram = datagram_of(4500, (300).to_bytes(4) + (1).to_bytes(4) + bytes(40))
    write(path, [(START, datagram), (START + 1, datagram_of(4500, b"\xff"))])
    assert names(path) == ["eth:ethertype:ip:udp:udpencap:esp", "eth:ethertype:ip:udp:udpencap"]


def datagram_of(port, payload):
    """A frame with a UDP datagram from and to a port."""
    body = port.to_bytes(2) * 2 + (8 + len(payload)).to_bytes(2) + b"\0\0" + payload
    return ip(CLIENT, SERVER, 17, body, 6, 1, 64)
