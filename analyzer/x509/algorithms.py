"""Names of public key types, curves and signature algorithms, by the octets of their object identifiers.

Key types are named as TLS people type them, curves as the IANA registry of TLS groups does, signature algorithms by the
names of RFC 3279, 4055, 5758 and 8410, which are those that OpenSSL prints.
Sources: RFC 3279, 5480, 8410, 9881 (ML-DSA), 9909 (SLH-DSA), 9935 (ML-KEM); NIST's registry of algorithm identifiers.
"""

from analyzer.x509.der import encode_object_identifier

_NIST_SIGNATURES = "2.16.840.1.101.3.4.3"
_POST_QUANTUM = {f"{_NIST_SIGNATURES}.{17 + i}": f"ml-dsa-{size}" for i, size in enumerate((44, 65, 87))} | {
    f"{_NIST_SIGNATURES}.{20 + i}": f"slh-dsa-{kind}"
    for i, kind in enumerate(
        f"{function}-{size}{variant}" for function in ("sha2", "shake") for size in (128, 192, 256) for variant in "sf"
    )
}


def _by_octets(names: dict[str, str]) -> dict[bytes, str]:
    return {encode_object_identifier(dotted): name for dotted, name in names.items()}


PUBLIC_KEYS = _by_octets(
    {
        "1.2.840.113549.1.1.1": "rsa",
        "1.2.840.113549.1.1.7": "rsaes-oaep",
        "1.2.840.113549.1.1.10": "rsassa-pss",
        "1.2.840.113549.1.3.1": "dh",
        "1.2.840.10046.2.1": "dh",
        "1.2.840.10040.4.1": "dsa",
        "1.2.840.10045.2.1": "ec",
        "1.3.132.1.12": "ec",
        "1.3.101.110": "x25519",
        "1.3.101.111": "x448",
        "1.3.101.112": "ed25519",
        "1.3.101.113": "ed448",
        "1.2.643.2.2.19": "gost2001",
        "1.2.643.7.1.1.1.1": "gost2012_256",
        "1.2.643.7.1.1.1.2": "gost2012_512",
        "2.16.840.1.101.3.4.4.1": "ml-kem-512",
        "2.16.840.1.101.3.4.4.2": "ml-kem-768",
        "2.16.840.1.101.3.4.4.3": "ml-kem-1024",
        **_POST_QUANTUM,
    }
)

CURVES = _by_octets(
    {
        "1.2.840.10045.3.1.1": "secp192r1",
        "1.2.840.10045.3.1.7": "secp256r1",
        "1.3.132.0.1": "sect163k1",
        "1.3.132.0.2": "sect163r1",
        "1.3.132.0.8": "secp160r1",
        "1.3.132.0.9": "secp160k1",
        "1.3.132.0.10": "secp256k1",
        "1.3.132.0.15": "sect163r2",
        "1.3.132.0.16": "sect283k1",
        "1.3.132.0.17": "sect283r1",
        "1.3.132.0.24": "sect193r1",
        "1.3.132.0.25": "sect193r2",
        "1.3.132.0.26": "sect233k1",
        "1.3.132.0.27": "sect233r1",
        "1.3.132.0.3": "sect239k1",
        "1.3.132.0.30": "secp160r2",
        "1.3.132.0.31": "secp192k1",
        "1.3.132.0.32": "secp224k1",
        "1.3.132.0.33": "secp224r1",
        "1.3.132.0.34": "secp384r1",
        "1.3.132.0.35": "secp521r1",
        "1.3.132.0.36": "sect409k1",
        "1.3.132.0.37": "sect409r1",
        "1.3.132.0.38": "sect571k1",
        "1.3.132.0.39": "sect571r1",
        "1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
        "1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
        "1.2.156.10197.1.301": "curveSM2",
    }
)

SIGNATURES = _by_octets(
    {
        "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
        "1.2.840.113549.1.1.3": "md4WithRSAEncryption",
        "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10": "rsassaPss",
        "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
        "1.2.840.113549.1.1.14": "sha224WithRSAEncryption",
        "1.3.14.3.2.3": "md5WithRSA",
        "1.3.14.3.2.29": "sha1WithRSA",
        "1.2.840.10045.4.1": "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1": "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
        "1.2.840.10040.4.3": "dsa-with-sha1",
        **{f"{_NIST_SIGNATURES}.{1 + i}": f"dsa-with-sha{size}" for i, size in enumerate((224, 256, 384, 512))},
        **{f"{_NIST_SIGNATURES}.{9 + i}": f"ecdsa-with-SHA3-{size}" for i, size in enumerate((224, 256, 384, 512))},
        **{f"{_NIST_SIGNATURES}.{13 + i}": f"sha3-{size}WithRSAEncryption" for i, size in enumerate((224, 256, 384, 512))},
        "1.3.101.112": "ed25519",
        "1.3.101.113": "ed448",
        "1.2.643.2.2.3": "gost2001",
        "1.2.643.7.1.1.3.2": "gost2012_256",
        "1.2.643.7.1.1.3.3": "gost2012_512",
        "1.2.156.10197.1.501": "SM2-with-SM3",
        **_POST_QUANTUM,
    }
)
