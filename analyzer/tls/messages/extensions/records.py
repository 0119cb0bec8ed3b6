"""Extensions that change how records are made or kept alive: sizes, MACs, padding, heartbeats, SRTP, connection ids."""

from analyzer.codec.field_tables import Message, described, opaque, u8, u16, vector
from analyzer.tls.messages.extensions.places import ANSWER, empty, extension


@extension(1, "client_hello", *ANSWER)
class MaxFragmentLength(Message):
    """RFC 6066 section 4: `MaxFragmentLength`: a code for 2^9 to 2^12 bytes."""

    max_fragment_length: int = described(
        u8("max_fragment_lengths"),
        "a code for the longest fragment",
        filter="tls.handshake.max_fragment_length",
    )


@extension(28, "client_hello", *ANSWER)
class RecordSizeLimit(Message):
    """RFC 8449 section 4: `RecordSizeLimit`, in bytes of plaintext."""

    record_size_limit: int = described(u16(), "bytes of the longest record", filter="tls.record_size_limit")


empty(4, "client_hello", "server_hello")
empty(22, "client_hello", "server_hello")
empty(23, "client_hello", "server_hello")
empty(26, "client_hello", "server_hello")


@extension(21, "client_hello")
class Padding(Message):
    """RFC 7685 section 3: zeros that extend a ClientHello to a certain length."""

    padding: bytes = described(opaque(0), "zeros that extend the message", filter="tls.handshake.extensions_padding_data")


@extension(15, "client_hello", *ANSWER)
class HeartbeatExtension(Message):
    """RFC 6520 section 2: `HeartbeatExtension`."""

    mode: int = described(
        u8("heartbeat_modes"),
        "who may send heartbeats",
        filter="tls.handshake.extension.heartbeat.mode",
    )


@extension(14, "client_hello", *ANSWER)
class UseSRTPData(Message):
    """RFC 5764 section 4.1.1: `UseSRTPData`; the server's answer has one profile."""

    srtp_protection_profiles: list[int] = described(
        vector(2, u16("srtp_protection_profiles"), low=2),
        "a protection profile of SRTP",
        size="dtls.use_srtp.protection_profiles_length",
        each="dtls.use_srtp.protection_profile",
    )
    srtp_mki: bytes = described(
        opaque(1), "the master key identifier of SRTP", filter="dtls.use_srtp.mki", size="dtls.use_srtp.mki_length"
    )


@extension(39, "client_hello")
class SupportedEKTCiphers(Message):
    """RFC 8870 section 5.2.1: `SupportedEKTCiphers` of a ClientHello."""

    supported_ciphers: list[int] = vector(1, u8("ekt_ciphers"), low=1)


@extension(39, *ANSWER)
class SelectedEKTCipher(Message):
    """RFC 8870 section 5.2.1: `SupportedEKTCiphers` of the server."""

    selected_cipher: int = u8("ekt_ciphers")


@extension(53, "client_hello", "server_hello")
@extension(54, "client_hello", "server_hello")
class ConnectionId(Message):
    """RFC 9146 section 3: `ConnectionId`: the id that the peer must write into its records; 53 was the draft's number."""

    cid: bytes = described(opaque(1), "the connection id", filter="tls.connection_id", size="tls.connection_id_length")


empty(61, "client_hello", *ANSWER)


@extension(60, "client_hello", *ANSWER)
class SequenceNumberEncryptionAlgorithms(Message):
    """draft-pismenny-tls-dtls-plaintext-sequence-number-01 section 3, an expired draft; the body stays bytes."""

    extension_data: bytes = opaque(0)
