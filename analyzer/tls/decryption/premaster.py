"""The premaster secrets that a ClientKeyExchange leads to, given the keys of the server or what both sides share.

With RSA key exchange the client sends the premaster secret encrypted to the server's key (RFC 5246 section 8.1.1); with a
pre-shared key it sends the key's identity, and the premaster secret is made of the key and, depending on the suite, of a secret
that is encrypted to the server's key, or that Diffie-Hellman gives and nobody who listens (RFC 4279, RFC 5489).
"""

from analyzer.secrets.decryption_error import MALFORMED, DecryptionError
from analyzer.secrets.key_schedule import SSL_3_0, psk_premaster
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.decryption.key_material import EPHEMERAL, NO_SECRET, KeyMaterial
from analyzer.tls.suites import Suite


def premasters(material: KeyMaterial, chosen: Suite, version: int, offered: int, raw: bytes) -> list[bytes]:
    """All that may be the premaster secret; none where there is no key for it.

    offered: version number of the ClientHello. raw: the ClientKeyExchange with its header. Raises Refused where there are keys,
    and none of them leads to it.
    """
    exchange = chosen.key_exchange
    if exchange == "RSA":
        return _encrypted(material, version, offered, raw[4:] if version <= SSL_3_0 else raw[6:])
    if not material.psks or not exchange.endswith("PSK"):
        return []
    end = 6 + int.from_bytes(raw[4:6], "big")
    if end > len(raw):
        raise DecryptionError(MALFORMED, f"an identity of {end - 6} bytes in a message of {len(raw)}")
    key = material.psks.get(raw[6:end])
    if key is None:
        raise DecryptionError(NO_SECRET, "no pre-shared key of this identity")
    if exchange == "PSK":
        return [psk_premaster(key)]
    if exchange == "RSA_PSK":
        return [psk_premaster(key, one) for one in _encrypted(material, version, offered, raw[end + 2 :])]
    raise DecryptionError(EPHEMERAL, "its secret comes from Diffie-Hellman too, which the pre-shared key does not give")


def _encrypted(material: KeyMaterial, version: int, offered: int, encrypted: bytes) -> list[bytes]:
    """The secrets that are logged under the encrypted one, or that a private key decrypts."""
    keylog: KeyLog | None = material.keylog
    found = [] if keylog is None else keylog.premasters(encrypted)
    refusal: DecryptionError | None = None
    for key in material.private_keys:
        try:
            found.append(key.premaster(encrypted, offered, version))
            break
        except DecryptionError as error:  # another server's key is no news, unless all are
            refusal = refusal or error
    if refusal is not None and not found:
        raise refusal
    return found
