"""The fields of what is inside QUIC packets: as tshark reads them, and of packets that are not opened."""

import pytest
from filters.field_readings import fields_of, readings, tshark_readings
from filters.filter_oracle import NEWER

from analyzer.filters.value_strings import rows

EMPTY = ("quic.cc.reason_phrase",)
"""Fields without a byte too, of which `-T fields` writes nothing."""

LISTS = ("quic_packet_fields", "quic_parameter_fields")
"""The lists that are compared: what packets have inside, and the transport parameters."""


def capture_and_keys(repository, name):
    """A capture of `captures/` and its key log."""
    (path,) = (repository / "captures" / name).glob("*.pcap*")
    (keys,) = path.parent.glob("*.keys")
    return path, keys


def values(repository, name, *names, keys=True):
    """The values of fields in each frame of a capture."""
    path, key_log = capture_and_keys(repository, name)
    return list(readings(path, fields_of(*names), key_log if keys else None, engine=True))


@pytest.mark.skipif(NEWER is None, reason="ANALYZER_TSHARK names no newer tshark")
@pytest.mark.parametrize(
    "name", ["quic-http3", "quic-v2", "quic-loss", "quic-early-data", "quic-key-update", "quic-migration", "quic-doq"]
)
def test_fields_have_the_values_that_tshark_reads(repository, name):
    path, keys = capture_and_keys(repository, name)
    fields = fields_of(
        *[row["name"] for one in LISTS for row in rows(one) if row["type"] != "NONE" and row["name"] not in EMPTY]
    )
    assert list(readings(path, fields, keys, engine=True)) == list(tshark_readings(path, fields, keys, NEWER))


def test_each_packet_of_a_datagram_has_its_number_and_frames(repository):
    found = values(repository, "quic-http3", "quic.packet_number", "quic.frame_type", "quic.crypto.length")
    assert found[1] == [[0, 1], [2, 6, 6], [123, 977]]
    assert found[8] == [[6], [10, 10, 10], []]


def test_streams_have_their_bits(repository):
    names = ("stream_id", "initiator", "direction", "fin", "len", "off", "length")
    found = values(repository, "quic-http3", *(f"quic.stream.{name}" for name in names))
    assert found[8] == [[2, 6, 10], [0, 0, 0], [1, 1, 1], [False] * 3, [True] * 3, [False] * 3, [15, 1, 1]]


def test_without_keys_only_initial_packets_have_frames(repository):
    found = values(repository, "quic-http3", "quic.packet_number", "quic.frame_type", "quic.remaining_payload", keys=False)
    numbers, types, remaining = found[1]
    assert (numbers, types, [len(one) for one in remaining]) == ([0], [2, 6], [999])
    assert found[8][:2] == [[], []]


def test_key_phases_and_acknowledgements(repository):
    phases = [one for one, _ in values(repository, "quic-key-update", "quic.key_phase", "quic.ack.largest_acknowledged")]
    assert {phase for one in phases for phase in one} == {False, True}


def test_connections_are_counted(repository):
    found = values(repository, "quic-early-data", "quic.connection.number")
    assert {tuple(one) for (one,) in found} == {(0,), (1,)}
    assert found[0] == [[0]]
    assert found[-1] == [[1]]
