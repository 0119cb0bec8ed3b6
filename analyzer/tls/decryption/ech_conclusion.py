"""Sets the final status of an offer of Encrypted Client Hello, at the end of its session (RFC 9849 section 6)."""

from analyzer.flows.flow import CLIENT
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.handshake.ech_offer import ACCEPTED, ECH_REQUIRED, OFFERED
from analyzer.tls.handshake.parameters import Hellos
from analyzer.tls.messages.numbers import CLIENT_HELLO
from analyzer.tls.session_log import SessionLog


def conclude_ech(hellos: Hellos, log: SessionLog, decryption: Decryption | None, tls13: bool, n_application: int) -> None:
    """Conclude an offer, if there is one. If an inner hello that is not known was accepted, the server name is not known.

    Nor is it where the capture lacks the answer to an inner hello that is known.
    n_application: the client's records of application data, which count where none was decrypted.
    """
    ech = hellos.ech
    if ech is None:
        return
    opened = decryption is not None and decryption.records > 0
    required = any(alert.description == ECH_REQUIRED and alert.role == CLIENT and not alert.injected for alert in log.alerts)
    said = n_application
    random = b""
    if decryption is not None:
        random = decryption.keys.client_random
        if opened and tls13:
            said = decryption.sent[CLIENT]
    ech.conclude(opened, random, tls13, required, said)
    if ech.status == ACCEPTED and ech.hellos:  # where the answer is cut, the secrets that open the session show it
        hellos.accept_inner()
    known = bool(ech.hellos) or (bool(ech.unopened) and not hellos.client_whole)  # the secrets are there, and the hello is cut
    undecided = ech.status == OFFERED and known
    if undecided or (ech.status == ACCEPTED and not ech.hellos):
        hellos.hide_name()
    if ech.unopened and hellos.client_whole:
        frame = next((message.frame for message in log.messages if message.type == CLIENT_HELLO), 0)
        log.add_finding("ech_not_opened", "low", ech.unopened, frame)
