"""Sets the final status of an offer of Encrypted Client Hello, at the end of its session (RFC 9849 section 6)."""

from analyzer.flows.flow import CLIENT
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.handshake.ech_offer import ECH_REQUIRED, EchOffer
from analyzer.tls.session_log import SessionLog


def conclude_ech(ech: EchOffer, log: SessionLog, decryption: Decryption | None, tls13: bool, n_application: int) -> None:
    """Conclude an offer. n_application: the client's records of application data, which count where none was decrypted."""
    opened = decryption is not None and decryption.records > 0
    required = any(alert.description == ECH_REQUIRED and alert.role == CLIENT and not alert.injected for alert in log.alerts)
    said = n_application
    random = b""
    if decryption is not None:
        random = decryption.keys.client_random
        if opened and tls13:
            said = decryption.sent[CLIENT]
    ech.conclude(opened, random, tls13, required, said)
