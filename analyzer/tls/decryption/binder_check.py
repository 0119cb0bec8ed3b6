"""Finds a server that accepts an external pre-shared key although its binder is wrong (RFC 9846 section 4.3.11).

The binder shows that the client has the key, and that nobody has changed its hello. A server must check it before it accepts
the key, and else end the handshake. A wrong binder alone may mean that a wrong key was given to the analyzer. So the key has to
be proved in another way: the key log has secrets of this session that can only come from this key.
"""

from collections.abc import Mapping, Sequence

from analyzer.secrets import key_schedule13
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.labels import EARLY_LABEL, HANDSHAKE_LABELS
from analyzer.tls.decryption.external_psk import VerifiedPsk, offered_identities, selects, verify_psks


def accepts_wrong_binder(
    hellos: tuple[bytes, tuple[bytes, bytes] | None],
    answer: bytes,
    psks: Mapping[bytes, bytes],
    logged: Mapping[str, Sequence[bytes]],
    hash_name: str,
    preceding: bytes | None,
    dtls: bool = False,
) -> bool:
    """Return whether a server chose a key that is known for sure, and whose binder is wrong.

    hellos: the last ClientHello, and the first one with the HelloRetryRequest. answer: the ServerHello. psks: keys by identity.
    logged: the secrets of this session by label. hash_name: of the cipher suite. preceding: the messages through the
    ServerHello, None if one of them is missing. dtls: whether the hellos are those of DTLS.
    """
    hello, retried = hellos
    try:
        index, has_share = selects(answer)
        identities = offered_identities(hello, dtls)
        right = verify_psks(hello, psks, retried, dtls)
    except DecryptionError:  # a malformed hello has no binder to compare
        return False
    if index is None or index >= len(identities) or identities[index] not in psks or any(one.index == index for one in right):
        return False
    prefix = key_schedule13.DTLS if dtls else key_schedule13.TLS
    key = VerifiedPsk(index, hash_name, key_schedule13.early_secret(hash_name, psks[identities[index]]), prefix)
    if index == 0 and key.early_traffic_secret(hello) in logged.get(EARLY_LABEL, ()):
        return True
    if has_share or preceding is None:
        return False
    return key.handshake_traffic_secrets(preceding)[0] in logged.get(HANDSHAKE_LABELS[0], ())
