"""The names of the protocols in a frame: as tshark writes them, and none where a protocol between two headers has no name."""

import re
import subprocess

import pytest

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
    assert names(path, keys) == [re.sub("tls(:tls)+", "tls", one).replace("pkcs-1", "pkixalgs") for one in theirs]


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
