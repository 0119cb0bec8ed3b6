"""The table of fields: names and types as tshark has them, and value strings as it writes them."""

import os
import subprocess
from functools import cache

import pytest

from analyzer.codec.registry import registry
from analyzer.filters.field_table import field_table
from analyzer.filters.field_type import FieldType
from analyzer.filters.value_sources import LISTS, source_of
from analyzer.filters.value_strings import rows, type_of, value_strings

CHANGED = {
    "dtls.handshake.verify_data",
    "frame.time_epoch",
    "http.file_data",
    "http.response.code",
    "ntp.ppoll",
    "ntp.precision",
    "tls.handshake.verify_data",
    "websocket.masked_payload",
    "websocket.payload",
}
"""Fields that have another type in Wireshark 4.6 than in 4.0."""

IN_NAME_ONLY = {f"tcp.options.{name}" for name in ("mss", "wscale", "sack_perm", "sack", "timestamp", "nop", "eol")}
"""Fields of bytes that tshark lists among the protocols."""

MOST = 300
"""Of all fields, most are in 4.0 already."""


@cache
def listed(program):
    """What `tshark -G fields` says: the type of each name."""
    text = subprocess.run([program, "-G", "fields"], capture_output=True, text=True, check=True).stdout
    types = {}
    for line in text.splitlines():
        cells = line.split("\t")
        kind = cells[3].replace("FT_STRINGZ", "FT_STRING") if cells[0] == "F" else "FT_PROTOCOL"  # the end is no part of it
        types.setdefault(cells[2], set()).add(kind)
    return types


def wire_type(field):
    """Wireshark's name of the type of a field of ours, as it lists it."""
    return "FT_PROTOCOL" if field.name in IN_NAME_ONLY else field.type_name


@pytest.mark.peer("tshark")
def test_names_and_types_are_those_of_tshark():
    known = listed("tshark")
    ours = [field for field in field_table() if field.name in known and field.name not in CHANGED]
    assert len(ours) > MOST
    wrong = [(field.name, wire_type(field), known[field.name]) for field in ours if wire_type(field) not in known[field.name]]
    assert wrong == []


@pytest.mark.skipif("ANALYZER_TSHARK" not in os.environ, reason="ANALYZER_TSHARK names no newer tshark")
def test_names_and_types_are_those_of_a_newer_tshark():
    known = listed(os.environ["ANALYZER_TSHARK"])
    wrong = [
        (field.name, wire_type(field), known.get(field.name))
        for field in field_table()
        if field.family != "analyzer" and wire_type(field) not in known.get(field.name, ())
    ]
    assert wrong == []


def test_each_list_has_a_source_that_can_be_made():
    for name in LISTS:
        source = source_of(next(rows(name))["name"])()
        assert callable(source.take)
        assert callable(source.find)


def test_types_have_their_widths():
    assert type_of("UINT24") == (FieldType.UINT, 24)
    assert type_of("BYTES") == (FieldType.BYTES, 0)


OTHER_LISTS = {"vlan.priority"}
"""Fields for which Wireshark has several lists; a preference chooses one."""


@pytest.mark.skipif("ANALYZER_TSHARK" not in os.environ, reason="ANALYZER_TSHARK names no newer tshark")
def test_values_have_the_names_that_a_newer_tshark_has():
    """What both name, both name alike."""
    text = subprocess.run([os.environ["ANALYZER_TSHARK"], "-G", "values"], capture_output=True, check=True).stdout
    ours = {field.name: field.values for field in field_table() if field.values and field.name not in OTHER_LISTS}
    wrong, n_alike = [], 0
    for line in text.decode("utf-8", "replace").splitlines():
        cells = line.split("\t")
        if len(cells) != 4 or cells[0] != "V" or cells[1] not in ours:
            continue
        known = ours[cells[1]].get(int(cells[2], 0))
        n_alike += known is not None
        if known is not None and known != cells[3]:
            wrong.append((*cells[1:], known))
    assert wrong == []
    assert n_alike > 4000


def test_value_strings_come_from_the_list_or_from_a_registry():
    assert value_strings("") is None
    assert value_strings("1=request;2=reply") == {1: "request", 2: "reply"}
    assert value_strings("ip_protocols")[6] == "TCP"
    assert value_strings("handshake_types:title")[1] == "Client Hello"


def test_values_that_wireshark_names_otherwise_have_its_names():
    assert value_strings("ip_protocols")[58] == "ICMPv6"
    assert value_strings("handshake_types:title")[5] == "End of Early Data"
    assert value_strings("cipher_suites")[0x2A2A] == value_strings("extensions")[0xFAFA] == "Reserved (GREASE)"
    assert value_strings("ssl2_cipher_kinds")[0x000004] == "TLS_RSA_WITH_RC4_128_MD5"


def test_the_names_of_wireshark_are_in_order_and_none_is_that_of_the_registry():
    listed = [(row["registry"], int(row["number"]), row["name"]) for row in rows("value_names")]
    assert listed == sorted(listed)
    assert len({row[:2] for row in listed}) == len(listed)
    assert [row for row in listed if registry(row[0]).name(row[1]) == row[2]] == []


def test_every_field_says_what_it_is():
    assert [field.name for field in field_table() if not field.label] == []
    assert field_table() is field_table()
