"""Extensions that negotiate algorithms: groups, point formats, signature schemes, versions, PSK modes."""

from analyzer.codec.field_tables import Message, described, u8, u16, vector
from analyzer.tls.messages.extensions.places import ANSWER, empty, extension


@extension(10, "client_hello", *ANSWER)
class NamedGroupList(Message):
    """RFC 9846 section 4.3.7: `NamedGroupList` (RFC 8422 section 5.1.1: elliptic_curves)."""

    named_group_list: list[int] = described(
        vector(2, u16("supported_groups"), low=2),
        "a group for the key exchange",
        filter="tls.handshake.extensions_supported_groups",
        size="tls.handshake.extensions_supported_groups_length",
        each="tls.handshake.extensions_supported_group",
    )


@extension(11, "client_hello", *ANSWER)
class ECPointFormatList(Message):
    """RFC 8422 section 5.1.2: `ECPointFormatList`."""

    ec_point_format_list: list[int] = described(
        vector(1, u8("ec_point_formats"), low=1),
        "a form of points",
        filter="tls.handshake.extensions_ec_point_formats",
        size="tls.handshake.extensions_ec_point_formats_length",
        each="tls.handshake.extensions_ec_point_format",
    )


@extension(13, "client_hello", "certificate_request")
@extension(50, "client_hello", "certificate_request")
class SignatureSchemeList(Message):
    """RFC 9846 section 4.3.3: `SignatureSchemeList` (RFC 5246 section 7.4.1.4.1: pairs of hash and signature)."""

    supported_signature_algorithms: list[int] = described(
        vector(2, u16("signature_schemes"), low=2),
        "a signature algorithm that is accepted",
        filter="tls.handshake.sig_hash_algs",
        size="tls.handshake.sig_hash_alg_len",
        each="tls.handshake.sig_hash_alg",
    )


empty(13, "server_hello")  # in early drafts of TLS 1.3 a server with a certificate sent it


@extension(43, "client_hello")
class ClientSupportedVersions(Message):
    """RFC 9846 section 4.3.1: `SupportedVersions` of a ClientHello."""

    versions: list[int] = described(
        vector(1, u16("versions"), low=2),
        "a version that the client offers",
        size="tls.handshake.extensions.supported_versions_len",
        each="tls.handshake.extensions.supported_version",
    )


@extension(43, "server_hello", "hello_retry_request")
class SelectedVersion(Message):
    """RFC 9846 section 4.3.1: `SupportedVersions` of a ServerHello and a HelloRetryRequest."""

    selected_version: int = described(
        u16("versions"),
        "the version that the server chooses",
        filter="tls.handshake.extensions.supported_version",
    )


@extension(45, "client_hello")
class PskKeyExchangeModes(Message):
    """RFC 9846 section 4.3.9: `PskKeyExchangeModes`."""

    ke_modes: list[int] = described(
        vector(1, u8("psk_key_exchange_modes"), low=1),
        "a way to use a pre-shared key",
        size="tls.extension.psk_ke_modes_length",
        each="tls.extension.psk_ke_mode",
    )
