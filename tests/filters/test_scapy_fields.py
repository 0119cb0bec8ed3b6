"""The fields that scapy reads: of DHCP and NTP, whole, cut and damaged."""

import random

from analyzer.filters.scapy_fields import PORTS, _read
from analyzer.filters.value_strings import rows

NTP = bytes.fromhex("dc0206ec") + bytes(8) + bytes((10, 0, 0, 1)) + bytes(32)
DHCP = bytes.fromhex("02010601" "00001234" "00038000" "00000000" "0a000009") + bytes(8 + 16 + 192)  # fmt: skip


def values(layer, data):
    return {name: occurrences[0].value for name, occurrences in _read(layer, data).items()}


def test_the_fixed_part_of_ntp_has_its_fields():
    found = values("NTPHeader", NTP)
    assert found.pop("ntp") == NTP
    assert found == {
        "ntp.flags.li": 3,
        "ntp.flags.vn": 3,
        "ntp.flags.mode": 4,
        "ntp.stratum": 2,
        "ntp.ppoll": 6,
        "ntp.precision": -20,
    }


def test_the_fixed_part_of_dhcp_has_its_fields():
    found = values("BOOTP", DHCP + b"options")
    assert found["dhcp.type"] == 2
    assert found["dhcp.id"] == 0x1234
    assert found["dhcp.hops"] == 1
    assert found["dhcp.secs"] == 3
    assert found["dhcp.ip.your"] == bytes((10, 0, 0, 9))
    assert found["dhcp.ip.client"] == bytes(4)


def test_each_field_of_the_list_has_its_type():
    found = values("BOOTP", DHCP) | values("NTPHeader", NTP)
    kinds = {"PROTOCOL": bytes, "IPV4": bytes}
    for row in rows("scapy_fields"):
        assert isinstance(found[row["name"]], kinds.get(row["type"], int)), row["name"]


def test_what_is_cut_has_no_fields_and_damage_never_raises():
    assert values("NTPHeader", NTP[:-1]) == {}
    assert values("NTPHeader", b"\x1e" + NTP[1:]) == {}  # mode 6, a control message, has another form
    assert values("BOOTP", DHCP[:-1]) == {}
    chance = random.Random(4)
    for _ in range(200):
        for layer in set(PORTS.values()):
            _read(layer, bytes(chance.randrange(256) for _ in range(chance.randrange(300))))
