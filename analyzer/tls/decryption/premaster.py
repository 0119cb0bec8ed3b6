"""Finds the premaster secrets of a ClientKeyExchange, from the keys of the server or from a pre-shared key.

With RSA key exchange the client sends the premaster secret encrypted to the server's key (RFC 5246 section 8.1.1). With a
pre-shared key it sends the key's identity. Then the premaster secret is made of the key and, for some suites, of a second
secret. This one is encrypted to the server's key, or it comes from Diffie-Hellman, which a passive reader cannot compute (RFC
4279, RFC 5489).
"""

from analyzer.secrets.decryption_error import MALFORMED, DecryptionError
from analyzer.secrets.key_schedule import SSL_3_0, psk_premaster
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.decryption.key_material import EPHEMERAL, NO_SECRET, KeyMaterial
from analyzer.tls.suites import Suite

WRITTEN = (0x0300, 0x0301, 0x0302, 0x0303)
"""Versions that a premaster secret may have in addition to those offered and agreed: some servers do not compare them.

`exchange_rules` reports them as a rollback.
"""


def premasters(
    material: KeyMaterial, chosen: Suite, version: int, offered: int, raw: bytes, certificate: bytes | None
) -> list[bytes]:
    """Return all possible premaster secrets; none if there is no key for them.

    offered: version number of the ClientHello. raw: the ClientKeyExchange with its header. certificate: of the server, DER,
    None if it was not seen. Raises DecryptionError if there are keys, but none of them gives the secret: no_secret if none of
    them is the server's.
    """
    exchange = chosen.key_exchange
    if exchange == "RSA":
        return _encrypted(material, version, offered, raw[4:] if version <= SSL_3_0 else raw[6:], certificate)
    if not material.psks or not exchange.endswith("PSK"):
        return []
    end = 6 + int.from_bytes(raw[4:6], "big")
    if end > len(raw):
        raise DecryptionError(MALFORMED, f"an identity of {end - 6} bytes in a message of {len(raw)}")
    key = material.psks.get(raw[6:end])
    if key is None:
        raise DecryptionError(NO_SECRET, "no pre-shared key given has the identity that the client sent")
    if exchange == "PSK":
        return [psk_premaster(key)]
    if exchange == "RSA_PSK":
        return [psk_premaster(key, one) for one in _encrypted(material, version, offered, raw[end + 2 :], certificate)]
    raise DecryptionError(EPHEMERAL, "its secret comes from Diffie-Hellman too, which the pre-shared key does not give")


def _encrypted(material: KeyMaterial, version: int, offered: int, encrypted: bytes, certificate: bytes | None) -> list[bytes]:
    """Return the secrets that are logged with the encrypted one, or that a private key decrypts."""
    keylog: KeyLog | None = material.keylog
    found = [] if keylog is None else keylog.premasters(encrypted)
    refused: DecryptionError | None = None
    for key in material.private_keys:
        try:
            found.append(key.premaster(encrypted, offered, version, *WRITTEN))
            break
        except DecryptionError as error:  # the key of another server is an error only if no key fits
            if certificate is not None and key.belongs_to(certificate):
                refused = error
    if not found and material.private_keys:
        raise refused or DecryptionError(NO_SECRET, "")
    return found
