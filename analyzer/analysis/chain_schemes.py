"""Compares how the certificates of a side are signed with the signature schemes that its peer accepts.

In TLS 1.2 each certificate that a server sends must be signed with a pair of the client's signature_algorithms (RFC 5246
section 7.4.2), and each of a client with a pair of the request (section 7.4.6). A client that has signature_algorithms_cert
means that list instead (RFC 9846 section 4.3.3). TLS 1.3 asks it of a server only if it has such a chain, and wants it to go on
with another one if not (section 4.5.1.2), so there it is worth knowing, and no fault. Certificates that have signed themselves
do not count: nobody verifies their signature. What is signed with RSASSA-PSS fits any of its schemes here, because the hash
stands in its parameters.
"""

from functools import lru_cache

from analyzer.codec.registry import registry
from analyzer.tls.handshake.message_order import rule
from analyzer.tls.messages.numbers import TLS_1_2

REMEMBERED = 4096
"""Maximum number of chains and offers whose comparison is kept."""

PSS = frozenset({0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B})

SCHEMES = {
    "md5WithRSAEncryption": frozenset({0x0101}),
    "sha1WithRSAEncryption": frozenset({0x0201}),
    "sha224WithRSAEncryption": frozenset({0x0301}),
    "sha256WithRSAEncryption": frozenset({0x0401}),
    "sha384WithRSAEncryption": frozenset({0x0501}),
    "sha512WithRSAEncryption": frozenset({0x0601}),
    "rsassaPss": PSS,
    "dsa-with-sha1": frozenset({0x0202}),
    "dsa-with-sha256": frozenset({0x0402}),
    "ecdsa-with-SHA1": frozenset({0x0203}),
    "ecdsa-with-SHA224": frozenset({0x0303}),
    "ecdsa-with-SHA256": frozenset({0x0403}),
    "ecdsa-with-SHA384": frozenset({0x0503}),
    "ecdsa-with-SHA512": frozenset({0x0603}),
    "ed25519": frozenset({0x0807}),
    "ed448": frozenset({0x0808}),
    "ml-dsa-44": frozenset({0x0904}),
    "ml-dsa-65": frozenset({0x0905}),
    "ml-dsa-87": frozenset({0x0906}),
}
"""Schemes (registry `signature_schemes`) that mean the algorithm of a certificate's signature. Up to TLS 1.2 their numbers are
pairs of a hash and a signature, which say nothing of a curve."""

MOST_SHOWN = 8

Fault = tuple[str, str, str]
"""Code, severity and detail of a finding."""


def unaccepted_signature(role: int, listed: list[bytes], accepted: tuple[int, ...], version: int) -> Fault | None:
    """Return the finding about the first certificate of a role whose signature its peer does not accept; None without one.

    listed: its certificates, in DER. accepted: the peer's schemes. Before TLS 1.2 there is no such list.
    """
    if version < TLS_1_2 or (role == 0 and version > TLS_1_2):
        return None
    found = _unaccepted(tuple(listed), accepted)
    if found is None:
        return None
    place, algorithm = found
    who, peer = ("server", "client") if role else ("client", "server")
    names = ", ".join(map(registry("signature_schemes").name, accepted[:MOST_SHOWN])) + (", …" if accepted[MOST_SHOWN:] else "")
    where = rule(9846, "4.5.1.2") if version > TLS_1_2 else rule(5246, "7.4.2" if role else "7.4.6")
    detail = f"certificate {place} of the {who} is signed with {algorithm}, and the {peer} accepts {names} ({where})"
    return "unaccepted_signature", "info" if version > TLS_1_2 else "low", detail


@lru_cache(maxsize=REMEMBERED)
def _unaccepted(listed: tuple[bytes, ...], accepted: tuple[int, ...]) -> tuple[int, str] | None:
    """Return place and algorithm of the first certificate that is not signed with one of the schemes; None without one."""
    from analyzer.x509.certificate import certificate

    known = frozenset(accepted)
    for place, der in enumerate(listed):
        read = certificate(der)
        needed = SCHEMES.get(read.signature_algorithm or "")
        own = read.subject is not None and read.subject == read.issuer
        if needed is not None and not needed & known and not own:
            return place, read.signature_algorithm or ""
    return None
