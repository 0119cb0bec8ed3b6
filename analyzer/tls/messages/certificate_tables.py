"""Tables of Certificate, CertificateRequest and CertificateVerify by version (RFC 9846 section 4.5, RFC 5246 section 7.4).

In TLS 1.3 Certificate has a context, and extensions for each certificate, and CertificateRequest has only a context and
extensions. With RFC 7250 and RFC 6091, raw public keys and OpenPGP keys can replace certificates. In TLS 1.3 a raw key replaces
the DER in its entry; in earlier versions the message has another form. The hellos agree on the type.
"""

from analyzer.codec.field_tables import (
    Extension,
    Message,
    described,
    extensions,
    opaque,
    select,
    sized,
    struct,
    u8,
    u16,
    vector,
)
from analyzer.tls.messages.extensions import EXTENSIONS
from analyzer.tls.messages.extensions.about_certificates import CertificateStatus, CertificateURL, CompressedCertificate

__all__ = [
    "Certificate", "Certificate13", "CertificateEntry", "CertificateRequest", "CertificateRequest12", "CertificateRequest13",
    "CertificateStatus", "CertificateURL", "CertificateVerify", "CertificateVerify12", "CompressedCertificate",
    "OpenPGPCertificate", "OpenPGPSubkeyCertificate", "OpenPGPSubkeyFingerprint", "RawPublicKeyCertificate",
]  # fmt: skip


class Certificate(Message):
    """RFC 5246 section 7.4.2: `Certificate` up to TLS 1.2; each in DER, the sender's own first."""

    certificate_list: list[bytes] = described(
        vector(3, opaque(3, low=1)),
        "a certificate in DER",
        filter="tls.handshake.certificates",
        size="tls.handshake.certificates_length",
        each="tls.handshake.certificate",
        each_size="tls.handshake.certificate_length",
    )


class RawPublicKeyCertificate(Message):
    """RFC 7250 section 3: `Certificate` up to TLS 1.2 if raw public keys were agreed on: a SubjectPublicKeyInfo."""

    asn1_subject_public_key_info: bytes = opaque(3, low=1)


class OpenPGPSubkeyCertificate(Message):
    """RFC 6091 section 3.3: `OpenPGPSubKeyCert`."""

    subkey_id: bytes = opaque(1, low=8, high=8)
    certificate: bytes = opaque(3)


class OpenPGPSubkeyFingerprint(Message):
    """RFC 6091 section 3.3: `OpenPGPSubKeyFingerprint`."""

    subkey_id: bytes = opaque(1, low=8, high=8)
    fingerprint: bytes = opaque(1, low=20)


class OpenPGPCertificate(Message):
    """RFC 6091 section 3.3: `Certificate` if OpenPGP keys were agreed on; type 0 is a key alone."""

    descriptor_type: int = u8("openpgp_descriptor_types")
    certificate: bytes | OpenPGPSubkeyCertificate | OpenPGPSubkeyFingerprint = select(
        "descriptor_type",
        {
            0: opaque(3, low=1),
            1: opaque(3),
            2: sized(3, OpenPGPSubkeyCertificate),
            3: sized(3, OpenPGPSubkeyFingerprint),
        },
    )


class CertificateEntry(Message):
    """RFC 9846 section 4.5.1: `CertificateEntry`; `cert_data` in DER: a certificate, or a SubjectPublicKeyInfo."""

    cert_data: bytes = described(
        opaque(3, low=1),
        "a certificate in DER",
        filter="tls.handshake.certificate",
        size="tls.handshake.certificate_length",
    )
    extensions: list[Extension] = described(
        extensions(EXTENSIONS["certificate"]),
        "the extensions",
        size="tls.handshake.extensions_length",
    )


class Certificate13(Message):
    """RFC 9846 section 4.5.1: `Certificate` of TLS 1.3."""

    certificate_request_context: bytes = described(
        opaque(1),
        "which CertificateRequest is answered",
        filter="tls.handshake.certificate_request_context",
        size="tls.handshake.certificate_request_context_length",
    )
    certificate_list: list[CertificateEntry] = described(
        vector(3, struct(CertificateEntry)),
        "the certificates",
        filter="tls.handshake.certificates",
        size="tls.handshake.certificates_length",
    )


class CertificateRequest(Message):
    """RFC 4346 section 7.4.4: `CertificateRequest` up to TLS 1.1; the authorities are distinguished names in DER."""

    certificate_types: list[int] = described(
        vector(1, u8("client_certificate_types"), low=1),
        "a type of certificate that the server accepts",
        filter="tls.handshake.cert_types",
        size="tls.handshake.cert_types_count",
        each="tls.handshake.cert_type",
    )
    certificate_authorities: list[bytes] = described(
        vector(2, opaque(2, low=1)),
        "a certificate authority that the server accepts",
        filter="tls.handshake.dnames",
        size="tls.handshake.dnames_len",
        each="tls.handshake.dname",
        each_size="tls.handshake.dname_len",
    )


class CertificateRequest12(Message):
    """RFC 5246 section 7.4.4: `CertificateRequest` of TLS 1.2."""

    certificate_types: list[int] = described(
        vector(1, u8("client_certificate_types"), low=1),
        "a type of certificate that the server accepts",
        filter="tls.handshake.cert_types",
        size="tls.handshake.cert_types_count",
        each="tls.handshake.cert_type",
    )
    supported_signature_algorithms: list[int] = described(
        vector(2, u16("signature_schemes"), low=2),
        "a signature algorithm that is accepted",
        filter="tls.handshake.sig_hash_algs",
        size="tls.handshake.sig_hash_alg_len",
        each="tls.handshake.sig_hash_alg",
    )
    certificate_authorities: list[bytes] = described(
        vector(2, opaque(2, low=1)),
        "a certificate authority that the server accepts",
        filter="tls.handshake.dnames",
        size="tls.handshake.dnames_len",
        each="tls.handshake.dname",
        each_size="tls.handshake.dname_len",
    )


class CertificateRequest13(Message):
    """RFC 9846 section 4.4.2: `CertificateRequest` of TLS 1.3, and `ClientCertificateRequest` of RFC 9261 section 4."""

    certificate_request_context: bytes = described(
        opaque(1),
        "which CertificateRequest this is",
        filter="tls.handshake.certificate_request_context",
        size="tls.handshake.certificate_request_context_length",
    )
    extensions: list[Extension] = described(
        extensions(EXTENSIONS["certificate_request"]),
        "the extensions",
        size="tls.handshake.extensions_length",
    )


class CertificateVerify(Message):
    """RFC 4346 section 7.4.8: `CertificateVerify` up to TLS 1.1; the type of the key determines the signature algorithm."""

    signature: bytes = described(
        opaque(2),
        "the signature over the handshake",
        filter="tls.handshake.client_cert_vrfy.sig",
        size="tls.handshake.client_cert_vrfy.sig_len",
    )


class CertificateVerify12(Message):
    """RFC 9846 section 4.5.2, RFC 5246 section 7.4.8: `CertificateVerify` since TLS 1.2."""

    algorithm: int = described(
        u16("signature_schemes"),
        "the algorithm of the signature",
        filter="tls.handshake.sig_hash_alg",
    )
    signature: bytes = described(
        opaque(2),
        "the signature over the handshake",
        filter="tls.handshake.client_cert_vrfy.sig",
        size="tls.handshake.client_cert_vrfy.sig_len",
    )
