"""Tables of Encrypted ClientHello (RFC 9849) and of its predecessor, encrypted SNI.

The outer ClientHello contains the inner one, encrypted with HPKE for the configuration `config_id`. A client without a
configuration sends the same form filled with random bytes (section 6.2), so the two cases look the same on the wire. A server
that rejected the inner hello sends configurations for a retry.
"""

from analyzer.codec.field_tables import Message, fixed, opaque, select, sized, struct, u8, u16, vector
from analyzer.tls.messages.extensions.key_share import ClientKeyShareEntry
from analyzer.tls.messages.extensions.places import Empty, extension


class HpkeSymmetricCipherSuite(Message):
    """RFC 9849 section 4: `HpkeSymmetricCipherSuite`."""

    kdf_id: int = u16("hpke_kdf_ids")
    aead_id: int = u16("hpke_aead_ids")


class OuterClientHello(Message):
    """RFC 9849 section 5: `ECHClientHello` of type outer, after the type."""

    cipher_suite: HpkeSymmetricCipherSuite = struct(HpkeSymmetricCipherSuite)
    config_id: int = u8()
    enc: bytes = opaque(2)
    payload: bytes = opaque(2, low=1)


@extension(65037, "client_hello")
class ECHClientHello(Message):
    """RFC 9849 section 5: `ECHClientHello`; `body` is what follows the type. It is empty for the inner type."""

    type: int = u8("ech_client_hello_types")
    body: OuterClientHello | Empty | bytes = select("type", {0: struct(OuterClientHello), 1: struct(Empty)})


class HpkeKeyConfig(Message):
    """RFC 9849 section 4: `HpkeKeyConfig`."""

    config_id: int = u8()
    kem_id: int = u16("hpke_kem_ids")
    public_key: bytes = opaque(2, low=1)
    cipher_suites: list[HpkeSymmetricCipherSuite] = vector(2, struct(HpkeSymmetricCipherSuite), low=4)


class ECHConfigExtension(Message):
    """RFC 9849 section 4: `ECHConfigExtension`."""

    type: int = u16()
    data: bytes = opaque(2)


class ECHConfigContents(Message):
    """RFC 9849 section 4: `ECHConfigContents`."""

    key_config: HpkeKeyConfig = struct(HpkeKeyConfig)
    maximum_name_length: int = u8()
    public_name: bytes = opaque(1, low=1, text=True)
    extensions: list[ECHConfigExtension] = vector(2, struct(ECHConfigExtension))


class ECHConfig(Message):
    """RFC 9849 section 4: `ECHConfig`; the contents of a version other than 0xfe0d are bytes."""

    version: int = u16()
    contents: ECHConfigContents | bytes = select("version", {0xFE0D: sized(2, ECHConfigContents)}, opaque(2))


@extension(65037, "encrypted_extensions")
class ECHEncryptedExtensions(Message):
    """RFC 9849 section 5: `ECHEncryptedExtensions`, with an `ECHConfigList`."""

    retry_configs: list[ECHConfig] = vector(2, struct(ECHConfig), low=4)


@extension(65037, "hello_retry_request")
class ECHHelloRetryRequest(Message):
    """RFC 9849 section 5: `ECHHelloRetryRequest`."""

    confirmation: bytes = fixed(8)


@extension(64768, "client_hello")
class OuterExtensions(Message):
    """RFC 9849 section 5.1: `OuterExtensions`, the extensions that an inner ClientHello copies from the outer one."""

    outer_extensions: list[int] = vector(1, u16("extensions"), low=2)


@extension(65486, "client_hello")
class ClientEncryptedSNI(Message):
    """draft-ietf-tls-esni-06 section 5.1: `ClientEncryptedSNI`, the predecessor, which encrypted only the name."""

    suite: int = u16("cipher_suites")
    key_share: ClientKeyShareEntry = struct(ClientKeyShareEntry)
    record_digest: bytes = opaque(2)
    encrypted_sni: bytes = opaque(2)


@extension(65486, "encrypted_extensions")
class ServerEncryptedSNI(Message):
    """draft-ietf-tls-esni-06 section 5.2: `ServerEncryptedSNI`, whose form changed from draft to draft."""

    extension_data: bytes = opaque(0)
