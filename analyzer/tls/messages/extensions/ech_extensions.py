"""Tables of Encrypted ClientHello (RFC 9849) and of its predecessor, encrypted SNI.

The outer ClientHello contains the inner one, encrypted with HPKE for the configuration `config_id`. A client without a
configuration sends the same form filled with random bytes (section 6.2), so the two cases look the same on the wire. A server
that rejected the inner hello sends configurations for a retry.
"""

from analyzer.codec.field_tables import Message, described, fixed, opaque, select, sized, struct, u8, u16, vector
from analyzer.tls.messages.extensions.key_share import ClientKeyShareEntry
from analyzer.tls.messages.extensions.places import Empty, extension


class HpkeSymmetricCipherSuite(Message):
    """RFC 9849 section 4: `HpkeSymmetricCipherSuite`."""

    kdf_id: int = described(u16("hpke_kdf_ids"), "the key derivation", filter="tls.ech.hpke.keyconfig.cipher_suite.kdf_id")
    aead_id: int = described(u16("hpke_aead_ids"), "the encryption", filter="tls.ech.hpke.keyconfig.cipher_suite.aead_id")


class OuterClientHello(Message):
    """RFC 9849 section 5: `ECHClientHello` of type outer, after the type."""

    cipher_suite: HpkeSymmetricCipherSuite = described(
        struct(HpkeSymmetricCipherSuite),
        "how the inner hello is encrypted",
        filter="tls.ech.hpke.keyconfig.cipher_suite",
    )
    config_id: int = described(u8(), "the configuration that is used", filter="tls.ech.config_id")
    enc: bytes = described(opaque(2), "the encapsulated key", filter="tls.ech.enc", size="tls.ech.enc_length")
    payload: bytes = described(
        opaque(2, low=1),
        "the encrypted inner hello",
        filter="tls.ech.payload",
        size="tls.ech.payload_length",
    )


@extension(65037, "client_hello")
class ECHClientHello(Message):
    """RFC 9849 section 5: `ECHClientHello`; `body` is what follows the type. It is empty for the inner type."""

    type: int = described(
        u8("ech_client_hello_types"),
        "whether it is the outer or the inner hello",
        filter="tls.ech.client_hello_type",
    )
    body: OuterClientHello | Empty | bytes = select("type", {0: struct(OuterClientHello), 1: struct(Empty)})


class HpkeKeyConfig(Message):
    """RFC 9849 section 4: `HpkeKeyConfig`."""

    config_id: int = described(u8(), "the id of the configuration", filter="tls.ech.hpke.keyconfig.config_id")
    kem_id: int = described(u16("hpke_kem_ids"), "the key encapsulation", filter="tls.ech.hpke.keyconfig.kem_id")
    public_key: bytes = described(
        opaque(2, low=1),
        "the public key",
        filter="tls.ech.hpke.keyconfig.public_key",
        size="tls.ech.hpke.keyconfig.public_key_length",
    )
    cipher_suites: list[HpkeSymmetricCipherSuite] = described(
        vector(2, struct(HpkeSymmetricCipherSuite), low=4),
        "a cipher suite for the inner hello",
        filter="tls.ech.hpke.keyconfig.cipher_suites",
        size="tls.ech.hpke.keyconfig.cipher_suites_length",
        each="tls.ech.hpke.keyconfig.cipher_suite",
    )


class ECHConfigExtension(Message):
    """RFC 9849 section 4: `ECHConfigExtension`."""

    type: int = u16()
    data: bytes = opaque(2)


class ECHConfigContents(Message):
    """RFC 9849 section 4: `ECHConfigContents`."""

    key_config: HpkeKeyConfig = described(struct(HpkeKeyConfig), "the key", filter="tls.ech.hpke.keyconfig")
    maximum_name_length: int = described(
        u8(),
        "the longest name that is hidden",
        filter="tls.ech.echconfigcontents.maximum_name_length",
    )
    public_name: bytes = described(
        opaque(1, low=1, text=True),
        "the name that everybody sees",
        filter="tls.ech.echconfigcontents.public_name",
        size="tls.ech.echconfigcontents.public_name_length",
    )
    extensions: list[ECHConfigExtension] = described(
        vector(2, struct(ECHConfigExtension)),
        "the extensions",
        size="tls.ech.echconfigcontents.extensions_length",
    )


class ECHConfig(Message):
    """RFC 9849 section 4: `ECHConfig`; the contents of a version other than 0xfe0d are bytes."""

    version: int = described(u16(), "the version of the configuration", filter="tls.ech.echconfig.version")
    contents: ECHConfigContents | bytes = described(
        select("version", {0xFE0D: sized(2, ECHConfigContents)}, opaque(2)),
        "what the configuration contains",
        size="tls.ech.echconfig.length",
    )


@extension(65037, "encrypted_extensions")
class ECHEncryptedExtensions(Message):
    """RFC 9849 section 5: `ECHEncryptedExtensions`, with an `ECHConfigList`."""

    retry_configs: list[ECHConfig] = described(
        vector(2, struct(ECHConfig), low=4),
        "a configuration for another try",
        filter="tls.ech.retry_configs",
        size="tls.ech.echconfiglist_length",
        each="tls.ech.echconfig",
    )


@extension(65037, "hello_retry_request")
class ECHHelloRetryRequest(Message):
    """RFC 9849 section 5: `ECHHelloRetryRequest`."""

    confirmation: bytes = described(fixed(8), "confirms that the inner hello was accepted", filter="tls.ech.confirmation")


@extension(64768, "client_hello")
class OuterExtensions(Message):
    """RFC 9849 section 5.1: `OuterExtensions`, the extensions that an inner ClientHello copies from the outer one."""

    outer_extensions: list[int] = described(
        vector(1, u16("extensions"), low=2),
        "an extension that is copied from the outer hello",
        filter="tls.handshake.extensions_ech_outer_extensions",
        size="tls.handshake.extensions_ech_outer_extensions_length",
    )


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
