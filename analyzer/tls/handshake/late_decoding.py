"""Decodes messages again that were read before the ServerHello, because segments came out of order.

Version and cipher suite determine the table of many messages (RFC 5246 section 7.4). Both are in the ServerHello.
"""

from analyzer.codec.errors import Malformed
from analyzer.codec.runner import read
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.handshake.key_exchange import signed_parameters
from analyzer.tls.handshake.parameters import Parameters
from analyzer.tls.handshake.transcript import Transcript
from analyzer.tls.messages.message_tables import table_of
from analyzer.tls.messages.numbers import CLIENT_HELLO, HEADER, SERVER_HELLO, SERVER_KEY_EXCHANGE, TLS_1_3


def decode_again(messages: list[HandshakeMessage], parameters: Parameters, transcript: Transcript) -> None:
    """Decode all messages that are whole with their right tables, and use the key exchange. Hellos stay as they are."""
    version = TLS_1_3 if parameters.tls13 else parameters.version
    for message in messages:
        if message.type in (CLIENT_HELLO, SERVER_HELLO) or message.length != len(message.raw):
            continue
        table = table_of(message.type, version, parameters.suite, message.raw)
        if table is None:
            continue
        message.body, message.problems = read(table, message.raw, HEADER, len(message.raw), 0, Malformed)
        if message.type == SERVER_KEY_EXCHANGE:
            parameters.take_key_exchange(message.body, not message.problems)
            transcript.exchanged = signed_parameters(message.body, message.raw)
