"""Tables of the transport parameters of QUIC, an extension of the TLS handshake (RFC 9000 section 18, RFC 9001).

It is a sequence of parameters. Each has an identifier, a length and a value, all three of variable length. A sender can write a
number in more bytes than needed, and the number here keeps how many.
"""

from analyzer.codec.field_tables import Message, fixed, opaque, select, sized, struct, u16, u32, varint, vector
from analyzer.tls.messages.extensions.places import extension


class PreferredAddress(Message):
    """RFC 9000 section 18.2, figure 22: the address to migrate to; all zeros if there is none of that family."""

    ipv4_address: bytes = fixed(4)
    ipv4_port: int = u16()
    ipv6_address: bytes = fixed(16)
    ipv6_port: int = u16()
    connection_id: bytes = opaque(1, low=1)
    stateless_reset_token: bytes = fixed(16)


class VersionInformation(Message):
    """RFC 9368 section 3: the chosen version, and the versions that the sender has available."""

    chosen_version: int = u32("quic_versions")
    available_versions: list[int] = vector(0, u32("quic_versions"))


class GoogleVersion(Message):
    """Chromium's google_version: a version from the client; a version and a list from the server."""

    version: int = u32("quic_versions")
    supported_versions: list[int] | None = vector(1, u32("quic_versions"), optional=True)


NUMBER = sized(0, varint(), of="length")
PARAMETERS = dict.fromkeys(
    (0x01, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0E, 0x20, 0x1057, 0x3127, 0x7157, 0xFF04DE1B), NUMBER
) | {
    0x0D: sized(0, PreferredAddress, of="length"),
    0x11: sized(0, VersionInformation, of="length"),
    0xFF73DB: sized(0, VersionInformation, of="length"),
    0x4752: sized(0, GoogleVersion, of="length"),
    0x3129: opaque(0, of="length", text=True),
}
"""The parameters whose value is not only bytes."""


class TransportParameter(Message):
    """RFC 9000 section 18, figure 21: Transport Parameter."""

    id: int = varint("quic_transport_parameters")
    length: int = varint()
    value: int | bytes | Message = select("id", PARAMETERS, opaque(0, of="length"))


@extension(57, "client_hello", "encrypted_extensions")
@extension(65445, "client_hello", "encrypted_extensions")
class TransportParameters(Message):
    """RFC 9001 section 8.2: `quic_transport_parameters`; 65445 was the number of the drafts."""

    transport_parameters: list[TransportParameter] = vector(0, struct(TransportParameter))
