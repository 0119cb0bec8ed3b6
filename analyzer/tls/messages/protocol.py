"""Tables of records other than handshake: alerts, change_cipher_spec, heartbeats, acknowledgements, path checks."""

from analyzer.codec.field_tables import Message, opaque, select, struct, u8, u16, u64, vector


class Alert(Message):
    """RFC 9846 section 6: `Alert`."""

    level: int = u8("alert_levels")
    description: int = u8("alert_descriptions")


class ChangeCipherSpec(Message):
    """RFC 5246 section 7.1: `ChangeCipherSpec`, always 1."""

    type: int = u8()


class DTLS10ChangeCipherSpec(Message):
    """`ChangeCipherSpec` of OpenSSL's DTLS before RFC 4347, with the number of the message in the handshake."""

    type: int = u8()
    message_seq: int = u16()


class Heartbeat(Message):
    """RFC 6520 section 4: `HeartbeatMessage`.

    The attack of CVE-2014-0160 is a `payload_length` that is larger than the available payload.
    """

    type: int = u8("heartbeat_message_types")
    payload_length: int = u16()
    payload: bytes = opaque(0, of="payload_length")
    padding: bytes = opaque(0)


class RecordNumber(Message):
    """RFC 9147 section 4: `RecordNumber`."""

    epoch: int = u64()
    sequence_number: int = u64()


class ACK(Message):
    """RFC 9147 section 7: `ACK`."""

    record_numbers: list[RecordNumber] = vector(2, struct(RecordNumber))


class ReturnRoutabilityCheck(Message):
    """RFC 9853 section 4: `return_routability_check`; a cookie that the peer sends back."""

    msg_type: int = u8("return_routability_message_types")
    cookie: int | bytes = select("msg_type", {0: u64(), 1: u64(), 2: u64()})
