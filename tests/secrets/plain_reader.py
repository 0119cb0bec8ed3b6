"""A reader of records and handshake messages that is simple enough to be right, to test record decryptors."""

from dataclasses import dataclass, field

from analyzer.secrets import key_schedule, key_schedule13
from analyzer.secrets.record_protection import open_tls12, open_tls13
from analyzer.tls.suites import suite

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
NEW_SESSION_TICKET, CERTIFICATE_STATUS, FINISHED, KEY_UPDATE = 4, 22, 20, 24


@dataclass
class Side:
    """What one side sent: plaintext by content type; messages with their headers; records after keys as (header, body)."""

    application: bytes = b""
    alerts: list = field(default_factory=list)
    messages: list = field(default_factory=list)
    protected: list = field(default_factory=list)
    finished: bytes = b""


def records(stream):
    pos = 0
    while pos < len(stream):
        length = int.from_bytes(stream[pos + 3 : pos + 5], "big")
        assert len(stream) >= pos + 5 + length
        yield stream[pos], int.from_bytes(stream[pos + 1 : pos + 3], "big"), stream[pos + 5 : pos + 5 + length]
        pos += 5 + length


def messages(data):
    found, pos = [], 0
    while pos < len(data):
        length = 4 + int.from_bytes(data[pos + 1 : pos + 4], "big")
        found.append(data[pos : pos + length])
        pos += length
    return found


def plain_messages(stream):
    """The messages before protection."""
    data = b""
    for content_type, _, body in records(stream):
        if content_type in {CHANGE_CIPHER_SPEC, APPLICATION_DATA}:
            break
        if content_type == HANDSHAKE:
            data += body
    return messages(data)


@dataclass
class Hellos:
    client_random: bytes
    server_random: bytes
    version: int
    suite: object
    extensions: dict


def hellos(client_stream, server_stream):
    client_hello = plain_messages(client_stream)[0]
    server_hello = plain_messages(server_stream)[0]
    pos = 39 + server_hello[38]
    number = int.from_bytes(server_hello[pos : pos + 2], "big")
    extensions, at = {}, pos + 5
    while at < len(server_hello):
        length = int.from_bytes(server_hello[at + 2 : at + 4], "big")
        extensions[int.from_bytes(server_hello[at : at + 2], "big")] = server_hello[at + 4 : at + 4 + length]
        at += 4 + length
    version = int.from_bytes(extensions.get(43, server_hello[4:6]), "big")
    return Hellos(client_hello[6:38], server_hello[6:38], version, suite(number), extensions)


def decryptors(said, master):
    return open_tls12(
        said.suite, said.version, master, said.client_random, said.server_random, encrypt_then_mac=22 in said.extensions
    )


def read_tls12(client_stream, server_stream, master):
    """Read both sides of a full handshake and what followed. All records must decrypt, and both Finished must be right."""
    said = hellos(client_stream, server_stream)
    sides = []
    for stream, decryptor in zip((client_stream, server_stream), decryptors(said, master), strict=True):
        side, keyed, handshake = Side(), False, b""
        for content_type, version, body in records(stream):
            if content_type == CHANGE_CIPHER_SPEC:
                side.messages, handshake, keyed = messages(handshake), b"", True
                continue
            plaintext = body
            if keyed:
                side.protected.append((content_type, version, body))
                inner, plaintext = decryptor.open(content_type, version, body)
                assert inner == content_type
            if content_type == HANDSHAKE:
                handshake += plaintext
            elif content_type == APPLICATION_DATA:
                side.application += plaintext
            else:
                side.alerts.append(plaintext)
        (side.finished,) = messages(handshake)
        sides.append(side)
    client, server = sides
    late = [message for message in server.messages if message[0] == NEW_SESSION_TICKET]
    flight = [message for message in server.messages if message[0] != NEW_SESSION_TICKET]
    transcript = b"".join([client.messages[0], *flight, *client.messages[1:]])
    prf_hash = said.suite.prf_hash
    assert client.finished[4:] == key_schedule.finished(said.version, prf_hash, master, True, transcript)
    transcript += b"".join([client.finished, *late])
    assert server.finished[4:] == key_schedule.finished(said.version, prf_hash, master, False, transcript)
    return said, client, server


def read_tls13(client_stream, server_stream, secrets):
    """Read both sides of a handshake without HelloRetryRequest and what followed. All records must decrypt."""
    said = hellos(client_stream, server_stream)
    sides = []
    names = ("CLIENT", "SERVER")
    for name, stream in zip(names, (client_stream, server_stream), strict=True):
        side, finished = Side(), False
        decryptor = open_tls13(said.suite, secrets[f"{name}_HANDSHAKE_TRAFFIC_SECRET"])
        for content_type, version, body in records(stream):
            if content_type != APPLICATION_DATA:
                continue
            inner, plaintext = decryptor.open(content_type, version, body)
            if finished:
                side.protected.append((content_type, version, body))
            if inner == HANDSHAKE:
                for message in messages(plaintext):
                    side.messages.append(message)
                    if message[0] == FINISHED:
                        finished = True
                        decryptor = open_tls13(said.suite, secrets[f"{name}_TRAFFIC_SECRET_0"])
                    elif message[0] == KEY_UPDATE:
                        decryptor.update()
            elif inner == APPLICATION_DATA:
                side.application += plaintext
            else:
                side.alerts.append(plaintext)
        sides.append(side)
    client, server = sides
    transcript = plain_messages(client_stream)[0] + plain_messages(server_stream)[0]
    name = said.suite.prf_hash
    hashed = key_schedule13.hash_function(name)
    for side, label in ((server, "SERVER"), (client, "CLIENT")):
        for message in side.messages:
            if message[0] == FINISHED:
                base_key = secrets[f"{label}_HANDSHAKE_TRAFFIC_SECRET"]
                assert message[4:] == key_schedule13.finished(name, base_key, hashed(transcript).digest())
                side.finished = message
            if message[0] in {8, 11, 13, 15, FINISHED}:
                transcript += message
    return said, client, server
