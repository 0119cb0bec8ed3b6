"""Trials on the traces of RFC 8448: TLS 1.3 sessions whose private keys and bytes an RFC has published.

RFC 8448, "Example Handshake Traces for TLS 1.3", sections 3 to 7: a simple handshake, a resumed one with early data, one after
a HelloRetryRequest, one with client authentication, one in compatibility mode. The RFC has the private keys of both ends. The
traffic secrets are derived from them here, by RFC 8446 section 7.1, as the endpoints would have written them into a key log.
The bytes are put into TCP segments, and those into a capture file (pcap, Ethernet, IPv4), which is read as any capture is.
"""

import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from analyzer.secrets import key_schedule13
from analyzer.validation.capture_reading import read_capture
from analyzer.validation.material import Material
from analyzer.validation.validation_trial import Trial, Value, value

CLIENT, SERVER = 0, 1

Vectors = dict[tuple[str, str], bytes]
Flight = tuple[int, bytes]

_HASH = "SHA256"
_HANDSHAKE, _APPLICATION = 22, 23
_SEGMENT = 1460
_ADDRESSES = (b"\x0a\0\0\1", b"\x0a\0\0\2")
_PORTS = (50000, 443)
_START = 1_700_000_000

_PROOF = ["certificate", "certificate_verify", "finished"]
_ANSWER = ["server_hello", "encrypted_extensions", *_PROOF]
_MESSAGES = {
    "3": ["client_hello", *_ANSWER, "finished", "new_session_ticket"],
    "4": ["client_hello", "server_hello", "encrypted_extensions", "finished", "end_of_early_data", "finished"],
    "5": ["client_hello", "hello_retry_request", "client_hello", *_ANSWER, "finished"],
    "6": ["client_hello", "server_hello", "encrypted_extensions", "certificate_request", *_PROOF, *_PROOF],
    "7": ["client_hello", *_ANSWER, "finished"],
}
"""The messages of each section, as the RFC lists them."""

_BYTES = {
    "3": {"client": 50, "server": 50},
    "4": {"client": 56, "server": 50},
}
"""The application data of each section, in bytes, as the RFC shows it; the others have none."""


def vector_trials(material: Material, scratch: str) -> Iterator[Trial]:
    """Yield a trial for each trace. scratch: a folder for the captures that are made of them."""
    for section in _MESSAGES:
        yield Trial("R07", "rfc8448", f"RFC 8448, {section}", partial(_trace, material, scratch, section))


def _trace(material: Material, scratch: str, section: str) -> Sequence[Value]:
    vectors = material.vectors
    flights = flights_of(vectors, section)
    path = os.path.join(scratch, f"rfc8448-{section}.pcap")
    with open(path, "wb") as file:
        file.write(capture_of(flights))
    records = read_capture(path, keylog_of(vectors, section)).records
    values = [value("sessions", 1, len(records))]
    for record in records:
        decryption = record["decryption"]
        encrypted = sum(_content_types(flight).count(_APPLICATION) for _, flight in flights)
        alerts = [[alert["description"], alert["from"]] for alert in record["alerts"]]
        values += [
            value("version", "TLS 1.3", record["version"]),
            value("cipher_suite_id", 0x1301, record["cipher_suite_id"]),
            value("handshake", _MESSAGES[section], [message["type"] for message in record["handshake"]]),
            value("alerts", [["close_notify", "client"], ["close_notify", "server"]], alerts),
            value("decryption.status", "decrypted", decryption["status"]),
            value("decryption.records", encrypted, decryption["records"]),
            value("decryption.failed", 0, decryption["failed"]),
            value("decryption.bytes", _BYTES.get(section, {"client": 0, "server": 0}), decryption["bytes"]),
            value("authenticity.finished", {"client": "verified", "server": "verified"}, record["authenticity"]["finished"]),
        ]
    return values


def flights_of(vectors: Vectors, section: str) -> list[Flight]:
    """Return the records of a section in their order, each with its sender."""
    names = {
        "3": "client_hello server_hello server_handshake client_handshake server_new_session_ticket",
        "4": "client_hello client_early_data server_hello server_handshake client_handshake",
        "5": "client_hello hello_retry_request second_client_hello server_hello server_handshake client_handshake",
    }.get(section, "client_hello server_hello server_handshake client_handshake")
    plain = {
        ("3", "client_hello"): vectors["3", "client_hello"],
        ("3", "server_hello"): vectors["3", "server_hello"],
        ("4", "client_hello"): vectors["4", "resumption_client_hello"],
    }
    flights = []
    for name in f"{names} client_application_data server_application_data client_alert server_alert".split():
        side = CLIENT if "client" in name else SERVER
        if (section, name) in plain:
            message = plain[section, name]
            flights.append((side, b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message))
        elif (section, f"{name}_record") in vectors:
            flights.append((side, vectors[section, f"{name}_record"]))
    return flights


def keylog_of(vectors: Vectors, section: str) -> bytes:
    """Return the key log of a section, derived from the private keys in the RFC.

    Raises ValueError if the Finished that the derived keys open is not the one in the RFC.
    """
    hellos = [data[5:] for _, data in flights_of(vectors, section) if data[0] == _HANDSHAKE]
    if section == "5":
        hellos[0] = b"\xfe\0\0\x20" + hashlib.sha256(hellos[0]).digest()
    preceding = b"".join(hellos)
    random = vectors["5", "client_hello_record"][11:43] if section == "5" else hellos[0][6:38]
    early = key_schedule13.early_secret(_HASH, vectors["4", "pre_shared_key"] if section == "4" else b"")
    handshake = key_schedule13.following_secret(_HASH, early, _shared_secret(vectors, section))

    def derive(secret: bytes, label: bytes) -> bytes:
        return key_schedule13.derive_secret(_HASH, secret, label, hashlib.sha256(preceding).digest())

    secrets = {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET": derive(handshake, b"c hs traffic"),
        "SERVER_HANDSHAKE_TRAFFIC_SECRET": derive(handshake, b"s hs traffic"),
    }
    if section == "4":
        secrets["CLIENT_EARLY_TRAFFIC_SECRET"] = vectors["4", "client_early_traffic_secret"]
    key, iv = key_schedule13.traffic_keys(_HASH, secrets["SERVER_HANDSHAKE_TRAFFIC_SECRET"], 16)
    record = _first_protected(vectors[section, "server_handshake_record"])
    flight = AESGCM(key).decrypt(iv, record[5:], record[:5])[:-1]
    if not flight.endswith(vectors[section, "server_finished"]):
        raise ValueError(f"RFC 8448, section {section}: the derived keys do not open the server's Finished")
    preceding += flight
    main = key_schedule13.following_secret(_HASH, handshake)
    secrets["CLIENT_TRAFFIC_SECRET_0"] = derive(main, b"c ap traffic")
    secrets["SERVER_TRAFFIC_SECRET_0"] = derive(main, b"s ap traffic")
    return "".join(f"{label} {random.hex()} {secret.hex()}\n" for label, secret in secrets.items()).encode()


def capture_of(flights: Sequence[Flight]) -> bytes:
    """Return a pcap file with one TCP connection that carries these flights, from its SYN to its FIN."""
    packets: list[bytes] = []
    sequence = [1000, 2000]

    def send(side: int, flags: int, data: bytes = b"") -> None:
        ports = struct.pack(">HH", _PORTS[side], _PORTS[1 - side])
        numbers = struct.pack(">II", sequence[side], sequence[1 - side] if flags & 0x10 else 0)
        tcp = ports + numbers + struct.pack(">BBHHH", 5 << 4, flags, 65535, 0, 0) + data
        addresses = _ADDRESSES[side] + _ADDRESSES[1 - side]
        pseudo = addresses + struct.pack(">HH", 6, len(tcp))
        tcp = tcp[:16] + _checksum(pseudo + tcp) + tcp[18:]
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), len(packets), 0, 64, 6, 0) + addresses
        head = head[:10] + _checksum(head) + head[12:]
        packets.append(bytes(11) + b"\1\x08\0" + head + tcp)
        sequence[side] += len(data) + bool(flags & 3)

    send(CLIENT, 0x02)
    send(SERVER, 0x12)
    send(CLIENT, 0x10)
    for side, data in flights:
        for at in range(0, len(data), _SEGMENT):
            send(side, 0x18, data[at : at + _SEGMENT])
    for side in (CLIENT, SERVER):
        send(side, 0x11)
    send(CLIENT, 0x10)
    records = (
        struct.pack("<IIII", _START, 1000 * number, len(packet), len(packet)) + packet for number, packet in enumerate(packets)
    )
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(records)


def _shared_secret(vectors: Vectors, section: str) -> bytes:
    """Return the (EC)DHE secret, from the client's private key and the server's, which in section 5 are of P-256."""
    ours, theirs = (vectors[section, f"{side}_private_key"] for side in ("client", "server"))
    if section == "5":
        private, peer = (ec.derive_private_key(int.from_bytes(key, "big"), ec.SECP256R1()) for key in (ours, theirs))
        return private.exchange(ec.ECDH(), peer.public_key())
    return X25519PrivateKey.from_private_bytes(ours).exchange(X25519PrivateKey.from_private_bytes(theirs).public_key())


def _first_protected(data: bytes) -> bytes:
    at = 0
    while data[at] != _APPLICATION:
        at += 5 + int.from_bytes(data[at + 3 : at + 5], "big")
    return data[at : at + 5 + int.from_bytes(data[at + 3 : at + 5], "big")]


def _content_types(flight: bytes) -> list[int]:
    found, at = [], 0
    while at < len(flight):
        found.append(flight[at])
        at += 5 + int.from_bytes(flight[at + 3 : at + 5], "big")
    return found


def _checksum(data: bytes) -> bytes:
    """Return the Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", ~total & 0xFFFF)
