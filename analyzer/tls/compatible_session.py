"""Gives a session the records of SSL 2.0, also a first hello in this form that offers SSL 3.0 to TLS 1.2.

After that hello, both sides send records and messages of the version that they agree on (RFC 5246 appendix E.2). So all that
later messages need of a ClientHello has to come from it: the client random, its place in the transcript, and what is offered.
"""

from typing import Any

from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.compatible_hello import client_random_of, is_compatible, offered_suites_of
from analyzer.tls.handshake.ssl2 import read_ssl2
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.limits import MAX_KEPT, MAX_MESSAGES, MESSAGE_COST
from analyzer.tls.messages.numbers import CLIENT_HELLO, SSL2_CLIENT_HELLO, SSL2_CLIENT_MASTER_KEY, SSL2_SERVER_HELLO
from analyzer.tls.record.record import Record
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
        decryption = Decryption(handshake.material, handshake.transcript, handshake.log, handshake.flow)
        handshake.decryption = decryption
        decryption.take_message(_CLIENT, hello, True)
        decryption.offer(offered_suites_of(hello), None)


def take_ssl2(session: Any, sender: RoleState, record: Record) -> None:
    """Give a `Session` a record of SSL 2.0. After the hellos and the master key all records are encrypted."""
    handshake, log = session.handshake, session.log
    hidden = sender.change_frame > 0 and not handshake.parameters.tls13
    message = None if hidden else read_ssl2(record)
    if message is None:
        sender.n_protected += 1
        return
    if len(log.messages) >= MAX_MESSAGES or handshake.kept > MAX_KEPT:
        log.dropped += 1
    else:
        handshake.kept += len(message.raw) + MESSAGE_COST
        log.messages.append(message)
    if message.type == SSL2_CLIENT_HELLO:
        begin_compatible(handshake, message)
        handshake.advance(sender, CLIENT_HELLO, record.frame, record.at)
    elif message.type == SSL2_CLIENT_MASTER_KEY:
        sender.change_frame = record.frame
    elif message.type == SSL2_SERVER_HELLO:
        handshake.hellos.server_seen = True
        handshake.parameters.version = log.version = message.body.version or 0
        if message.body.certificate:
            handshake.certificates[record.role] = [message.body.certificate]
        sender.change_frame = record.frame
    log.emit(message)
