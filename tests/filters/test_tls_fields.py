"""The fields of TLS: in the frames and with the values that tshark has, from the tables of messages, decrypted or not."""

import pytest

from analyzer.codec.field_tables import spans
from analyzer.filters.field_type import FieldType
from analyzer.filters.handshake_fields import message_fields, read_message
from analyzer.filters.value_strings import rows
from analyzer.tls.messages.key_exchange_tables import ECParameters
from tests.filters.field_readings import fields_of, readings, tshark_readings
from tests.filters.test_field_table import listed, wire_type

CAPTURES = (
    "tls13-rsa",
    "tls13-hello-retry-request",
    "tls13-psk-resumption",
    "tls12-client-certificate",
    "tls12-dhe-rsa",
    "tls10-rsa",
)
LATER = {"tls.app_data", "tls.connection_id", "tls.connection_id_length", "tls.handshake.random_time"}
"""Fields that Wireshark 4.0 shows in another way than 4.6."""


def known_fields():
    """The fields of TLS that the installed tshark has, but for protocols and times."""
    names = [*(row["name"] for row in rows("tls_fields")), *message_fields()]
    types = listed("tshark")
    fields = [field for field in fields_of(*names) if wire_type(field) in types.get(field.name, ()) and field.name not in LATER]
    return [field for field in fields if field.type not in (FieldType.PROTOCOL, FieldType.ABSOLUTE_TIME)]


def capture_of(repository, name):
    (path,) = (repository / "captures" / name).glob("*.pcap*")
    return path, next((repository / "captures" / name).glob("*.keys"), None)


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("name", CAPTURES)
@pytest.mark.parametrize("opened", [False, True])
def test_tls_fields_have_the_values_that_tshark_reads(repository, name, opened):
    path, keys = capture_of(repository, name)
    keys = keys if opened else None
    fields = known_fields()
    ours, theirs = readings(path, fields, keys, engine=True), tshark_readings(path, fields, keys)
    n_values = 0
    for number, (own, other) in enumerate(zip(ours, theirs, strict=True), 1):
        differ = {
            field.name: (a, b) for field, a, b in zip(fields, own, other, strict=True) if shown(field, a) != shown(field, b)
        }
        assert not differ, f"frame {number}"
        n_values += sum(map(len, own))
    assert n_values > 100


def shown(field, values):
    """Values as tshark prints them: of a field without a value whether it is there, and nothing for a field of no bytes."""
    if field.type is FieldType.NONE:
        return bool(values)
    return [] if values in ([b""], [""], ["<MISSING>"]) else values


def test_a_record_in_several_segments_has_all_its_bytes(repository):
    path = repository / "captures" / "demo.pcapng"
    rows = list(readings(path, fields_of("tls.app_data", "tls.record.length"), engine=True))
    for number, length in ((60, 14407), (106, 1495)):
        data, lengths = rows[number - 1]
        assert list(map(len, data)) == lengths == [length]


def test_a_message_in_several_records_is_in_the_frame_that_completes_it(repository):
    path, _ = capture_of(repository, "tls12-client-certificate")
    kind, record, flight = fields_of("tls.handshake.type", "tls.record.content_type", "tls.handshake.certificate")
    frames = [values for values in readings(path, [kind, record, flight], engine=True) if values[0]]
    assert frames[0] == [[1], [22], []]
    assert [11, 13] == [number for number in frames[1][0] if number in (11, 13)]
    assert all(one.startswith(b"0\x82") for one in frames[1][2])


def test_decrypted_messages_have_their_fields_only_with_keys(repository):
    path, keys = capture_of(repository, "tls13-rsa")
    kind, opaque, content = fields_of("tls.handshake.type", "tls.record.opaque_type", "tls.record.content_type")
    closed = list(readings(path, [kind, opaque, content], engine=True))
    opened = list(readings(path, [kind, opaque, content], keys, engine=True))
    assert [number for values in closed for number in values[0]] == [1, 2]
    assert [number for values in opened for number in values[0]] == [1, 2, 8, 11, 15, 20, 20, 4, 4]
    assert [values[1] for values in closed] == [values[1] for values in opened]
    assert [values[2] for values in opened if 21 in values[2]] == [[21], [21]]


def test_every_declared_name_belongs_to_tls_and_has_a_label():
    assert len(message_fields()) > 150
    assert all(name.startswith("tls.") and field.label for name, field in message_fields().items())


def test_a_curve_that_is_written_out_has_no_number():
    explicit = bytes.fromhex("01" + "0117" + "0101" + "0101" + "0104" + "0105" + "0101")
    for raw, values in ((explicit, None), (bytes.fromhex("030017"), [23]), (bytes.fromhex("070017"), None)):
        found = {}
        read_message(spans(ECParameters, raw, 0, len(raw), 0), raw, found)
        curves = found.get("tls.handshake.server_named_curve")
        assert (None if curves is None else [one.value for one in curves]) == values
