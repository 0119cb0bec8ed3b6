"""The fields of transport parameters of QUIC. `test_quic_packet_fields.py` compares them with tshark."""

from filters.field_readings import fields_of, readings

from analyzer.filters.frame_view import FrameView
from analyzer.filters.quic_parameter_fields import QuicParameterFields
from analyzer.tls.events import handshake_message
from analyzer.tls.messages.hello import ClientHello


def hello_with(parameters):
    """The fields of a ClientHello with these transport parameters."""
    extension = bytes((0, 57)) + len(parameters).to_bytes(2) + parameters
    body = bytes.fromhex("0303") + bytes(32) + bytes.fromhex("00 0002 1301 0100") + len(extension).to_bytes(2) + extension
    raw = b"\1" + len(body).to_bytes(3) + body
    table = ClientHello.__new__(ClientHello)  # the fields are read from the bytes
    view = FrameView(None, None)
    view.events = (handshake_message(1, "client_hello", 0, 1, 0, len(raw), raw, table, [], False),)
    found = QuicParameterFields().find(view)
    return {name.removeprefix("tls.quic.parameter."): [one.value for one in some] for name, some in found.items()}


def test_numbers_bytes_and_texts():
    found = hello_with(bytes.fromhex("0104 8000ea60 0f00 7129 03 616263"))
    assert found == {
        "type": [1, 15, 0x3129],
        "length": [4, 0, 3],
        "value": [bytes.fromhex("8000ea60"), b"abc"],
        "max_idle_timeout": [60000],
        "initial_source_connection_id": [b""],
        "google.user_agent": ["abc"],
    }


def test_structures_have_their_parts():
    address = bytes([192, 0, 2, 1]) + (443).to_bytes(2) + bytes(16) + bytes(2) + b"\2ab" + bytes(16)
    found = hello_with(b"\x0d" + bytes([len(address)]) + address + bytes.fromhex("110c 00000001 00000001 6b3343cf"))
    assert found["preferred_address.ipv4address"] == [bytes([192, 0, 2, 1])]
    assert found["preferred_address.ipv4port"] == [443]
    assert found["preferred_address.connectionid.length"] == [2]
    assert found["preferred_address.connectionid"] == [b"ab"]
    assert found["vi.chosen_version"] == [1]
    assert found["vi.other_version"] == [1, 0x6B3343CF]


def test_a_parameter_that_is_cut_ends_them():
    assert hello_with(bytes.fromhex("01 04 8000")).get("max_idle_timeout") is None


def test_both_sides_of_a_capture(repository):
    folder = repository / "captures" / "quic-http3"
    fields = fields_of("tls.quic.parameter.max_idle_timeout", "tls.quic.parameter.original_destination_connection_id")
    found = list(readings(folder / "quic-http3.pcapng", fields, folder / "quic-http3.keys", engine=True))
    assert found[0] == [[60000], []]
    assert found[1] == [[60000], [bytes.fromhex("accf68a7e33e533e")]]
