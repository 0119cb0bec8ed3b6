"""Tables of the key_share extension and of the shares of hybrid groups (RFC 9846 section 4.3.8).

A hybrid share is the concatenation of the shares of its two parts, without lengths. The length of each part depends on the
group and the side. So a hybrid share here is a structure of two parts, and any other share is bytes. With a key encapsulation
the two sides differ: the client sends an encapsulation key, the server a ciphertext. In draft-ietf-tls-ecdhe-mlkem section 4,
ML-KEM is the first part of X25519MLKEM768, and the second part of the groups with a NIST curve.
"""

from analyzer.codec.field_tables import Message, described, fixed, opaque, select, sized, struct, u16, vector
from analyzer.tls.messages.extensions.places import extension


class ClientX25519MLKEM768(Message):
    """draft-ietf-tls-ecdhe-mlkem section 4.1: an ML-KEM-768 encapsulation key, then an X25519 share."""

    ml_kem: bytes = fixed(1184)
    x25519: bytes = fixed(32)


class ServerX25519MLKEM768(Message):
    """draft-ietf-tls-ecdhe-mlkem section 4.2: an ML-KEM-768 ciphertext, then an X25519 share."""

    ml_kem: bytes = fixed(1088)
    x25519: bytes = fixed(32)


class ClientSecP256r1MLKEM768(Message):
    """draft-ietf-tls-ecdhe-mlkem section 4.1: an uncompressed point of secp256r1, then an ML-KEM-768 encapsulation key."""

    secp256r1: bytes = fixed(65)
    ml_kem: bytes = fixed(1184)


class ServerSecP256r1MLKEM768(Message):
    """draft-ietf-tls-ecdhe-mlkem section 4.2: an uncompressed point of secp256r1, then an ML-KEM-768 ciphertext."""

    secp256r1: bytes = fixed(65)
    ml_kem: bytes = fixed(1088)


class SecP384r1MLKEM1024(Message):
    """draft-ietf-tls-ecdhe-mlkem section 4: a point of secp384r1, then ML-KEM-1024; both sides have the same lengths."""

    secp384r1: bytes = fixed(97)
    ml_kem: bytes = fixed(1568)


class ClientCurveSM2MLKEM768(Message):
    """draft-yang-tls-hybrid-sm2-mlkem section 3: an uncompressed point of curveSM2, then an ML-KEM-768 encapsulation key."""

    curveSM2: bytes = fixed(65)  # noqa: N815 - the registry's name
    ml_kem: bytes = fixed(1184)


class ServerCurveSM2MLKEM768(Message):
    """draft-yang-tls-hybrid-sm2-mlkem section 3: an uncompressed point of curveSM2, then an ML-KEM-768 ciphertext."""

    curveSM2: bytes = fixed(65)  # noqa: N815 - the registry's name
    ml_kem: bytes = fixed(1088)


class ClientX25519Kyber768(Message):
    """draft-tls-westerbaan-xyber768d00 section 3: an X25519 share, then a Kyber768 public key."""

    x25519: bytes = fixed(32)
    kyber: bytes = fixed(1184)


class ServerX25519Kyber768(Message):
    """draft-tls-westerbaan-xyber768d00 section 3: an X25519 share, then a Kyber768 ciphertext."""

    x25519: bytes = fixed(32)
    kyber: bytes = fixed(1088)


class ClientX25519Kyber512(Message):
    """draft-tls-westerbaan-xyber768d00-00 section 3: an X25519 share, then a Kyber512 public key."""

    x25519: bytes = fixed(32)
    kyber: bytes = fixed(800)


class ServerX25519Kyber512(Message):
    """draft-tls-westerbaan-xyber768d00-00 section 3: an X25519 share, then a Kyber512 ciphertext."""

    x25519: bytes = fixed(32)
    kyber: bytes = fixed(768)


class ClientSecP256r1Kyber768(Message):
    """draft-kwiatkowski-tls-ecdhe-kyber section 3: an uncompressed point of secp256r1, then a Kyber768 public key."""

    secp256r1: bytes = fixed(65)
    kyber: bytes = fixed(1184)


class ServerSecP256r1Kyber768(Message):
    """draft-kwiatkowski-tls-ecdhe-kyber section 3: an uncompressed point of secp256r1, then a Kyber768 ciphertext."""

    secp256r1: bytes = fixed(65)
    kyber: bytes = fixed(1088)


class CECPQ2(Message):
    """BoringSSL's experiment of 2018: an X25519 share, then an HRSS public key or ciphertext, both of 1138 bytes."""

    x25519: bytes = fixed(32)
    hrss: bytes = fixed(1138)


CLIENT_SHARES: dict[int, type[Message]] = {
    0x11EB: ClientSecP256r1MLKEM768,
    0x11EC: ClientX25519MLKEM768,
    0x11ED: SecP384r1MLKEM1024,
    0x11EE: ClientCurveSM2MLKEM768,
    0x4138: CECPQ2,
    0x6399: ClientX25519Kyber768,
    0x639A: ClientSecP256r1Kyber768,
    0xFE30: ClientX25519Kyber512,
    0xFE31: ClientX25519Kyber768,
}
"""The parts of a client's share, by hybrid group."""

SERVER_SHARES: dict[int, type[Message]] = {
    0x11EB: ServerSecP256r1MLKEM768,
    0x11EC: ServerX25519MLKEM768,
    0x11ED: SecP384r1MLKEM1024,
    0x11EE: ServerCurveSM2MLKEM768,
    0x4138: CECPQ2,
    0x6399: ServerX25519Kyber768,
    0x639A: ServerSecP256r1Kyber768,
    0xFE30: ServerX25519Kyber512,
    0xFE31: ServerX25519Kyber768,
}
"""The parts of a server's share, by hybrid group."""


class ClientKeyShareEntry(Message):
    """RFC 9846 section 4.3.8: `KeyShareEntry` of a client; `key_exchange` is bytes, or the parts of a hybrid share."""

    group: int = described(
        u16("supported_groups"),
        "the group of a key share",
        filter="tls.handshake.extensions_key_share_group",
    )
    key_exchange: bytes | Message = described(
        select("group", {group: sized(2, parts) for group, parts in CLIENT_SHARES.items()}, opaque(2, low=1)),
        "a key share",
        filter="tls.handshake.extensions_key_share_key_exchange",
        size="tls.handshake.extensions_key_share_key_exchange_length",
    )


class ServerKeyShareEntry(Message):
    """RFC 9846 section 4.3.8: `KeyShareEntry` of a server; `key_exchange` is bytes, or the parts of a hybrid share."""

    group: int = described(
        u16("supported_groups"),
        "the group of a key share",
        filter="tls.handshake.extensions_key_share_group",
    )
    key_exchange: bytes | Message = described(
        select("group", {group: sized(2, parts) for group, parts in SERVER_SHARES.items()}, opaque(2, low=1)),
        "a key share",
        filter="tls.handshake.extensions_key_share_key_exchange",
        size="tls.handshake.extensions_key_share_key_exchange_length",
    )


@extension(40, "client_hello")
@extension(51, "client_hello")
class KeyShareClientHello(Message):
    """RFC 9846 section 4.3.8: `KeyShareClientHello`. Drafts before 23 had the number 40."""

    client_shares: list[ClientKeyShareEntry] = described(
        vector(2, struct(ClientKeyShareEntry)),
        "the key shares",
        size="tls.handshake.extensions_key_share_client_length",
    )


@extension(40, "server_hello")
@extension(51, "server_hello")
class KeyShareServerHello(Message):
    """RFC 9846 section 4.3.8: `KeyShareServerHello`."""

    server_share: ServerKeyShareEntry = struct(ServerKeyShareEntry)


@extension(40, "hello_retry_request")
@extension(51, "hello_retry_request")
class KeyShareHelloRetryRequest(Message):
    """RFC 9846 section 4.3.8: `KeyShareHelloRetryRequest`."""

    selected_group: int = described(
        u16("supported_groups"),
        "the group that the server wants",
        filter="tls.handshake.extensions_key_share_selected_group",
    )
