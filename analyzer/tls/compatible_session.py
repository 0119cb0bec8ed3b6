"""Begins a session whose first hello has the form of SSL 2.0, although it offers SSL 3.0 to TLS 1.2.

After that hello, both sides send records and messages of the version that they agree on (RFC 5246 appendix E.2). So all that
later messages need of a ClientHello has to come from it: the client random, its place in the transcript, and what is offered.
"""

from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.compatible_hello import client_random_of, is_compatible, offered_suites_of
from analyzer.tls.session_handshake import SessionHandshake

_CLIENT = 0


def begin_compatible(handshake: SessionHandshake, message: HandshakeMessage) -> None:
    """Take the first hello of a session, in the form of SSL 2.0. If it offers SSL 2.0 alone, nothing can be decrypted."""
    handshake.hellos.client_seen = True
    hello = message.raw
    if message.length != len(hello) or not is_compatible(hello) or handshake.transcript.client_random:
        return
    handshake.transcript.client_random = client_random_of(hello)
    handshake.transcript.add_message(_CLIENT, hello, True)
    if handshake.decryption is None and handshake.material.given:
        decryption = Decryption(handshake.material, handshake.transcript, handshake.log)
        handshake.decryption = decryption
        decryption.take_message(_CLIENT, hello, True)
        decryption.offer(offered_suites_of(hello), None)
