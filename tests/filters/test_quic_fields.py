"""The fields of QUIC headers: as tshark reads them, and of datagrams that are cut, damaged or something else."""

import random

import pytest
from filters.field_readings import fields_of, readings, tshark_readings
from filters.filter_oracle import NEWER

from analyzer.filters.quic_fields import QuicFields
from analyzer.filters.value_strings import rows

KEY = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + (50000).to_bytes(2) + (443).to_bytes(2)
BACK = KEY[4:8] + KEY[:4] + KEY[10:] + KEY[8:10]
INITIAL = bytes.fromhex("c3000000010401020304020a0b03746f6b4005") + bytes(5)
HANDSHAKE = bytes.fromhex("e3000000010401020304020a0b4003") + bytes(3)
SHORT = bytes.fromhex("41") + bytes.fromhex("0a0b") + bytes(20)


def read(*datagrams):
    """The values of the fields of the last datagram, given as key and bytes."""
    source = QuicFields()
    found = {}
    for key, data in datagrams:
        source._found = found = {}
        source._read(data, key)
    return {name: [one.value for one in some] for name, some in found.items()}


@pytest.mark.skipif(NEWER is None, reason="ANALYZER_TSHARK names no newer tshark")
@pytest.mark.parametrize("name", ["chromium-aioquic-http3", "quic-http3", "quic-retry", "quic-v2", "quic-early-data"])
def test_headers_have_the_values_that_tshark_reads(repository, name):
    (path,) = (repository / "captures" / name).glob("*.pcap*")
    (keys,) = path.parent.glob("*.keys")
    fields = fields_of(*[row["name"] for row in rows("quic_fields") if row["type"] not in ("PROTOCOL", "NONE")])
    assert list(readings(path, fields, keys, engine=True)) == list(tshark_readings(path, fields, keys, NEWER))


def test_the_packets_of_a_datagram_have_their_fields():
    found = read((KEY, INITIAL + HANDSHAKE))
    assert found["quic.long.packet_type"] == [0, 2]
    assert found["quic.dcid"] == [bytes([1, 2, 3, 4])] * 2
    assert found["quic.scid"] == [bytes([10, 11])] * 2
    assert found["quic.token"] == [b"tok"]
    assert found["quic.length"] == [5, 3]
    assert found["quic.packet_length"] == [len(INITIAL), len(HANDSHAKE)]


def test_a_short_header_needs_a_connection_before_it():
    assert read((BACK, SHORT)) == {}
    found = read((KEY, INITIAL), (BACK, SHORT))
    assert found["quic.header_form"] == [0]
    assert found["quic.dcid"] == [bytes([10, 11])]
    moved = bytes([203, 0, 113, 9]) + BACK[:4] + (1).to_bytes(2) + BACK[8:10]
    assert "quic.dcid" not in read(
        (KEY, INITIAL), (BACK, INITIAL[:1] + INITIAL[1:]), (moved[4:8] + moved[:4] + moved[8:], SHORT)
    )


def test_version_negotiation_lists_versions():
    negotiation = bytes.fromhex("8000000000020a0b0401020304000000016b3343cf")
    assert read((KEY, negotiation))["quic.supported_version"] == [1, 0x6B3343CF]


def test_other_datagrams_have_no_fields():
    for data in (b"", b"\x16\xfe\xfd" + bytes(40), b"\x80" + bytes.fromhex("12345678") + bytes(40), b"\x45" * 40):
        assert read((KEY, data)) == {}


def test_damage_never_raises():
    choice = random.Random(9000)
    for _ in range(500):
        data = bytes(byte ^ (choice.random() < 0.1) << choice.randrange(8) for byte in INITIAL + HANDSHAKE + SHORT)
        read((KEY, data[: choice.randrange(len(data) + 1)]), (BACK, data))
