"""Says what a handshake did with a certificate: what its key was used for, and whether a stapled response was asked for.

Both decide whether a certificate may be used in this handshake, and neither is in the certificate. What the capture does not
show is not known: a response in a message that was lost is not missing.
"""

from dataclasses import dataclass
from typing import cast

from analyzer.tls.messages.numbers import CERTIFICATE, CERTIFICATE_STATUS, STATUS_REQUEST
from analyzer.tls.session import Session
from analyzer.x509.der import encode_object_identifier

SERVER = 1

STATUS_REQUEST_V2 = 17

_TLS_FEATURE = encode_object_identifier("1.3.6.1.5.5.7.1.24")
"""Only of a certificate with this extension, `asked` and `visible` matter. Few have it."""

_SIGNING = ("RSA", "DSS", "ECDSA")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """key_use: of the server's key, see `path_validation.key_use_problems`. asked: whether the client asked for a stapled
    response, None if its hello is not whole. visible: whether a response would be in the capture if there were one."""

    key_use: str = ""
    asked: bool | None = None
    visible: bool = False

    def values(self) -> tuple[str, bool | None, bool]:
        """Return the three values, for another process."""
        return self.key_use, self.asked, self.visible


_WITHOUT_FEATURE = {use: Circumstances(use) for use in ("", "signature", "encipherment")}


def circumstances(session: Session) -> Circumstances:
    """Return the circumstances of a session that has ended, or of one that another process has read."""
    known = getattr(session, "circumstances", None)
    if known is not None:
        return cast(Circumstances, known)
    handshake = session.handshake
    chain = handshake.certificates[SERVER]
    if not chain or _TLS_FEATURE not in chain[0]:
        return _WITHOUT_FEATURE[_key_use(session)]
    hello = handshake.hellos.fingerprint_input
    types: tuple[int, ...] | None = None if hello is None else hello[2]
    asked = None if types is None else STATUS_REQUEST in types or STATUS_REQUEST_V2 in types
    return Circumstances(_key_use(session), asked, handshake.parameters.tls13 or _is_staple_visible(session))


def _key_use(session: Session) -> str:
    parameters = session.handshake.parameters
    if parameters.tls13:
        return "signature"
    suite = parameters.suite
    if suite is None:
        return ""
    if suite.key_exchange in ("DHE", "ECDHE") and suite.authentication in _SIGNING:
        return "signature"
    return "encipherment" if suite.key_exchange == "RSA" and not suite.export else ""


def _is_staple_visible(session: Session) -> bool:
    """Return whether the server's message after its Certificate is in the capture: up to TLS 1.2, CertificateStatus is that."""
    if session.log.gaps:
        return False
    sent = [message.type for message in session.log.messages if message.role == SERVER]
    if CERTIFICATE not in sent:
        return False
    after = sent[sent.index(CERTIFICATE) + 1 :]
    # One that is there and cannot be read is not missing: then `stapled` is empty.
    return bool(after) and after[0] != CERTIFICATE_STATUS
