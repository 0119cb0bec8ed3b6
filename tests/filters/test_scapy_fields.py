"""The fields that scapy reads: of DHCP and NTP, whole, cut and damaged."""

import random

from analyzer.filters.dhcp_options import MAX_OPTIONS, read_options
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
        "ntp.flags": 0xDC,
        "ntp.rootdelay": 0,
        "ntp.rootdispersion": 0,
        "ntp.refid": bytes((10, 0, 0, 1)),
        "ntp.reftime": 0,
        "ntp.org": 0,
        "ntp.rec": 0,
        "ntp.xmt": 0,
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
    kinds = {"PROTOCOL": bytes, "IPV4": bytes, "BYTES": bytes, "ETHER": bytes}
    unset = {"dhcp.server", "dhcp.file"}  # the message has none of them
    for row in rows("scapy_fields"):
        if row["name"] in unset:
            assert row["name"] not in found
            continue
        assert isinstance(found[row["name"]], kinds.get(row["type"], int)), row["name"]


def test_what_is_cut_has_no_fields_and_damage_never_raises():
    assert values("NTPHeader", NTP[:-1]) == {}
    assert values("NTPHeader", b"\x1e" + NTP[1:]) == {}  # mode 6, a control message, has another form
    assert values("BOOTP", DHCP[:-1]) == {}
    chance = random.Random(4)
    for _ in range(200):
        for layer in set(PORTS.values()):
            _read(layer, bytes(chance.randrange(256) for _ in range(chance.randrange(300))))


def test_times_of_ntp_are_of_the_era_that_is_now():
    second = 1_000_000_000
    for at, seconds in ((0xE0000000 << 32 | 1 << 31, 0xE0000000 - 2_208_988_800), (16 << 32, (1 << 32) + 16 - 2_208_988_800)):
        found = values("NTPHeader", NTP[:40] + at.to_bytes(8))
        assert found["ntp.xmt"] == seconds * second + (second // 2 if at & 0xFFFFFFFF else 0)


def test_options_of_dhcp_have_their_values():
    options = bytes((53, 1, 1, 50, 4, 10, 0, 0, 9, 0, 12, 2)) + b"me" + bytes((55, 2, 3, 6, 200, 0, 255, 0))
    message = b"\x01\x01\x06" + DHCP[3:28] + bytes.fromhex("020000000001") + DHCP[34:]
    found = values("BOOTP", message + bytes((99, 130, 83, 99)) + options)
    assert found["dhcp.hw.mac_addr"] == bytes.fromhex("020000000001")
    assert found["dhcp.option.dhcp"] == 1
    assert found["dhcp.option.requested_ip_address"] == bytes((10, 0, 0, 9))
    assert found["dhcp.option.hostname"] == "me"
    assert found["dhcp.option.end"] == 255
    every = read_options(bytes((99, 130, 83, 99)) + options)
    assert [one.value for one in every["dhcp.option.type"]] == [53, 50, 12, 55, 200]
    assert [one.value for one in every["dhcp.option.request_list_item"]] == [3, 6]
    assert read_options(options) == {}
    for end in range(len(options)):
        read_options(bytes((99, 130, 83, 99)) + options[:end])
    assert len(read_options(bytes((99, 130, 83, 99)) + bytes((12, 1, 65)) * 2000)["dhcp.option.type"]) == MAX_OPTIONS
