"""Names of public key types, curves and signature algorithms, by the bytes of their object identifiers.

They come from the registry of object identifiers, which names their sources: RFC 3279, 4055, 5480, 5758, 8410, 9215 (GOST),
9881 (ML-DSA), 9909 (SLH-DSA), 9935 (ML-KEM), and NIST's registry of algorithm identifiers.
"""

from analyzer.x509.object_identifiers import names

PUBLIC_KEYS = names("public_key")

CURVES = names("curve")

SIGNATURES = names("signature")
