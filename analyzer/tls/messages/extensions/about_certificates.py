"""Extensions about certificates: their status, their types, their authorities, their compression and delegation."""

from analyzer.codec.field_tables import Message, described, fixed, opaque, select, sized, struct, u8, u16, u24, u32, u64, vector
from analyzer.tls.messages.extensions.places import ANSWER, empty, extension

empty(2, "client_hello", *ANSWER)


class TrustedAuthority(Message):
    """RFC 6066 section 6: `TrustedAuthority`: nothing, the SHA-1 of a key or a certificate, or a distinguished name."""

    identifier_type: int = described(
        u8("trusted_authority_identifier_types"),
        "how an authority is named",
        filter="tls.handshake.trusted_ca.key_type",
    )
    identifier: bytes = select("identifier_type", {0: fixed(0), 1: fixed(20), 2: opaque(2, low=1), 3: fixed(20)})


@extension(3, "client_hello")
class TrustedAuthorities(Message):
    """RFC 6066 section 6: `TrustedAuthorities`. The server's answer is empty."""

    trusted_authorities_list: list[TrustedAuthority] = described(
        vector(2, struct(TrustedAuthority)),
        "the authorities",
        filter="tls.handshake.trusted_ca.keys",
        size="tls.handshake.trusted_ca.keys_length",
    )


empty(3, *ANSWER)


class OCSPStatusRequest(Message):
    """RFC 6066 section 8: `OCSPStatusRequest`; responders and extensions in DER."""

    responder_id_list: list[bytes] = described(
        vector(2, opaque(2, low=1)),
        "the responders that are trusted",
        size="tls.handshake.extensions_status_request_responder_ids_len",
    )
    request_extensions: bytes = described(
        opaque(2),
        "the extensions of the request",
        size="tls.handshake.extensions_status_request_exts_len",
    )


@extension(5, "client_hello", "certificate_request")
class CertificateStatusRequest(Message):
    """RFC 6066 section 8: `CertificateStatusRequest`; empty in a CertificateRequest (RFC 9846 section 4.5.1.1)."""

    status_type: int = described(
        u8("certificate_status_types", optional=True),
        "the kind of status",
        filter="tls.handshake.extensions_status_request_type",
    )
    request: OCSPStatusRequest | bytes = select("status_type", {1: struct(OCSPStatusRequest)})


empty(5, "server_hello")


@extension(5, "certificate")
class CertificateStatus(Message):
    """RFC 6066 section 8, RFC 6961 section 2.2: `CertificateStatus`.

    It has OCSP responses in DER: one, or one for each certificate.
    """

    status_type: int = described(
        u8("certificate_status_types"),
        "the kind of status",
        filter="tls.handshake.extensions_status_request_type",
    )
    response: bytes | list[bytes] = described(
        select("status_type", {1: opaque(3, low=1), 2: vector(3, opaque(3), low=1)}),
        "an OCSP response in DER",
        size="tls.handshake.ocsp_response_len",
    )


class CertificateStatusRequestItemV2(Message):
    """RFC 6961 section 2.2: `CertificateStatusRequestItemV2`; both status types have the same request."""

    status_type: int = described(
        u8("certificate_status_types"),
        "the kind of status",
        filter="tls.handshake.extensions_status_request_type",
    )
    request: OCSPStatusRequest | bytes = select(
        "status_type", {1: sized(2, OCSPStatusRequest), 2: sized(2, OCSPStatusRequest)}, opaque(2)
    )


@extension(17, "client_hello")
class CertificateStatusRequestListV2(Message):
    """RFC 6961 section 2.2: `CertificateStatusRequestListV2`. The server's answer is empty."""

    certificate_status_req_list: list[CertificateStatusRequestItemV2] = described(
        vector(2, struct(CertificateStatusRequestItemV2), low=1),
        "the kinds of status",
        size="tls.handshake.extensions_status_request_list_len",
    )


empty(17, "server_hello")


class SignedCertificateTimestamp(Message):
    """RFC 6962 section 3.2: `SignedCertificateTimestamp`; `timestamp` in milliseconds since the epoch, UTC.

    Of a version that is not known, `id` has all bytes, and the other fields are empty: such a timestamp is ignored
    (section 3.3).
    """

    sct_version: int = described(u8("sct_versions"), "the version of a timestamp", filter="tls.sct.sct_version")
    id: bytes = described(
        select("sct_version", {0: fixed(32)}, opaque(0)),
        "the log of a timestamp",
        filter="tls.sct.sct_logid",
    )
    timestamp: int | bytes = described(
        select("sct_version", {0: u64()}, fixed(0)),
        "the time of a timestamp",
        filter="tls.sct.sct_timestamp",
    )
    extensions: bytes = described(
        select("sct_version", {0: opaque(2)}, fixed(0)),
        "the extensions of a timestamp",
        filter="tls.sct.sct_extensions",
        size="tls.sct.sct_extensions_length",
    )
    algorithm: int | bytes = described(
        select("sct_version", {0: u16("signature_schemes")}, fixed(0)),
        "the algorithm of the signature",
        filter="tls.handshake.sig_hash_alg",
    )
    signature: bytes = described(
        select("sct_version", {0: opaque(2)}, fixed(0)),
        "the signature of a timestamp",
        filter="tls.sct.sct_signature",
        size="tls.sct.sct_signature_length",
    )


@extension(18, "certificate", *ANSWER)
class SignedCertificateTimestampList(Message):
    """RFC 6962 section 3.3: `SignedCertificateTimestampList`. The client's is empty."""

    sct_list: list[SignedCertificateTimestamp] = described(
        vector(2, sized(2, SignedCertificateTimestamp, low=1), low=1),
        "the timestamps",
        size="tls.sct.scts_length",
        each_size="tls.sct.sct_length",
    )


empty(18, "client_hello", "certificate_request")


class TransItem(Message):
    """RFC 9162 section 4.5: `TransItem`; the data of each type has its own form, and has no length field."""

    versioned_type: int = u16()
    data: bytes = opaque(0)


@extension(52, "certificate", "server_hello")
class TransItemList(Message):
    """RFC 9162 section 6.3: `TransItemList`. The client's is empty."""

    trans_item_list: list[TransItem] = vector(2, sized(2, TransItem, low=1), low=1)


empty(52, "client_hello", "certificate_request")


@extension(19, "client_hello")
class ClientCertTypeList(Message):
    """RFC 7250 section 3: `ClientCertTypeExtension` of a ClientHello."""

    client_certificate_types: list[int] = described(
        vector(1, u8("certificate_types"), low=1),
        "a type of certificate",
        filter="tls.handshake.cert_type.types",
        size="tls.handshake.cert_type.types_len",
        each="tls.handshake.cert_type.type",
    )


@extension(19, *ANSWER)
class ClientCertType(Message):
    """RFC 7250 section 3: `ClientCertTypeExtension` of the server."""

    client_certificate_type: int = described(
        u8("certificate_types"),
        "a type of certificate",
        filter="tls.handshake.cert_type.type",
    )


@extension(20, "client_hello")
class ServerCertTypeList(Message):
    """RFC 7250 section 3: `ServerCertTypeExtension` of a ClientHello."""

    server_certificate_types: list[int] = described(
        vector(1, u8("certificate_types"), low=1),
        "a type of certificate",
        filter="tls.handshake.cert_type.types",
        size="tls.handshake.cert_type.types_len",
        each="tls.handshake.cert_type.type",
    )


@extension(20, *ANSWER)
class ServerCertType(Message):
    """RFC 7250 section 3: `ServerCertTypeExtension` of the server."""

    server_certificate_type: int = described(
        u8("certificate_types"),
        "a type of certificate",
        filter="tls.handshake.cert_type.type",
    )


@extension(9, "client_hello")
class CertificateTypeList(Message):
    """RFC 6091 section 3.1: `CertificateTypeExtension` of a ClientHello."""

    certificate_types: list[int] = vector(1, u8("certificate_types"), low=1)


@extension(9, "server_hello")
class CertificateType(Message):
    """RFC 6091 section 3.1: `CertificateTypeExtension` of a ServerHello."""

    certificate_type: int = u8("certificate_types")


class CachedObject(Message):
    """RFC 7924 section 3: `CachedObject`."""

    type: int = u8("cached_information_types")
    hash_value: bytes = opaque(1, low=1)


@extension(25, "client_hello")
class CachedInformation(Message):
    """RFC 7924 section 3: `CachedInformation` of a ClientHello."""

    cached_info: list[CachedObject] = vector(2, struct(CachedObject), low=1)


@extension(25, *ANSWER)
class CachedInformationTypes(Message):
    """RFC 7924 section 3: `CachedInformation` of the server: what it accepts as cached."""

    cached_info: list[int] = vector(2, u8("cached_information_types"), low=1)


@extension(27, "client_hello", "certificate_request")
class CertificateCompressionAlgorithms(Message):
    """RFC 8879 section 3: `CertificateCompressionAlgorithms`."""

    algorithms: list[int] = described(
        vector(1, u16("certificate_compression_algorithms"), low=2),
        "an algorithm to compress certificates",
        size="tls.compress_certificate.algorithms_length",
        each="tls.compress_certificate.algorithm",
    )


@extension(47, "client_hello", "certificate_request")
class CertificateAuthoritiesExtension(Message):
    """RFC 9846 section 4.3.4: `CertificateAuthoritiesExtension`; distinguished names in DER."""

    authorities: list[bytes] = described(
        vector(2, opaque(2, low=1), low=3),
        "a certificate authority that is accepted",
        filter="tls.handshake.dnames",
        size="tls.handshake.dnames_len",
        each="tls.handshake.dname",
        each_size="tls.handshake.dname_len",
    )


class OIDFilter(Message):
    """RFC 9846 section 4.3.5: `OIDFilter`; both in DER."""

    certificate_extension_oid: bytes = opaque(1, low=1)
    certificate_extension_values: bytes = described(
        opaque(2),
        "the values that are accepted",
        size="tls.extension.oid_filters.values_length",
    )


@extension(48, "certificate_request")
class OIDFilterExtension(Message):
    """RFC 9846 section 4.3.5: `OIDFilterExtension`."""

    filters: list[OIDFilter] = described(
        vector(2, struct(OIDFilter)),
        "the filters",
        size="tls.extension.oid_filters_length",
    )


@extension(34, "client_hello", "certificate_request")
class DelegatedCredentialSchemes(Message):
    """RFC 9345 section 4.1.1: the signature schemes that the sender accepts for a delegated credential."""

    supported_signature_algorithms: list[int] = described(
        vector(2, u16("signature_schemes"), low=2),
        "a signature algorithm that is accepted",
        filter="tls.handshake.sig_hash_algs",
        size="tls.handshake.sig_hash_alg_len",
        each="tls.handshake.sig_hash_alg",
    )


class Credential(Message):
    """RFC 9345 section 4: `Credential`; `valid_time` in seconds from the notBefore of the delegating certificate."""

    valid_time: int = u32()
    dc_cert_verify_algorithm: int = u16("signature_schemes")
    asn1_subject_public_key_info: bytes = opaque(3, low=1)


@extension(34, "certificate")
class DelegatedCredential(Message):
    """RFC 9345 section 4: `DelegatedCredential`."""

    cred: Credential = struct(Credential)
    algorithm: int = u16("signature_schemes")
    signature: bytes = opaque(2, low=1)


@extension(59, "client_hello")
class DnssecChainPort(Message):
    """RFC 9102 section 2.2: the port for which the client requests the TLSA records."""

    port_number: int = u16()


@extension(59, "certificate", "server_hello")
class DnssecChainExtension(Message):
    """RFC 9102 section 2.2: `DnssecChainExtension`; the lifetime in hours, and DNS resource records in wire form."""

    ext_support_lifetime: int = u16()
    authentication_chain: bytes = opaque(2, low=1)


class URLAndHash(Message):
    """RFC 6066 section 5: `URLAndHash`; `padding` is always 1."""

    url: bytes = opaque(2, low=1, text=True)
    padding: int = u8()
    sha1_hash: bytes = fixed(20)


class CertificateURL(Message):
    """RFC 6066 section 5: `CertificateURL`, a handshake message in place of the client's Certificate."""

    type: int = u8("certificate_chain_types")
    url_and_hash_list: list[URLAndHash] = vector(2, struct(URLAndHash), low=1)


class CompressedCertificate(Message):
    """RFC 8879 section 4: `CompressedCertificate`, a handshake message in place of Certificate."""

    algorithm: int = described(
        u16("certificate_compression_algorithms"),
        "how it is compressed",
        filter="tls.compress_certificate.algorithm",
    )
    uncompressed_length: int = described(
        u24(),
        "the length before compression",
        filter="tls.compress_certificate.uncompressed_length",
    )
    compressed_certificate_message: bytes = described(
        opaque(3, low=1),
        "the compressed message",
        filter="tls.compress_certificate.compressed_certificate_message",
        size="tls.compress_certificate.compressed_certificate_message.length",
    )
