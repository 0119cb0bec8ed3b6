"""Trials with wrong, changed, lost and damaged data: the method must say so, and must never call something proved that is not.

Each input is made when the trial runs, out of a capture whose contents are known, so that the right answer is known as well.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from analyzer.validation.capture_bytes import (
    PacketPlace,
    cut_inside,
    flipped,
    packets_in,
    tcp_payload,
    with_length_of,
    without,
)
from analyzer.validation.capture_reading import ReadCapture, read_capture, read_sessions
from analyzer.validation.material import KnownCapture, Material
from analyzer.validation.validation_trial import Trial, Value, value

SIGNED_IN_THE_CLEAR = ("tls12-ecdhe-ecdsa", "tls12-dhe-rsa", "tls12-ed25519")
"""Captures with a ServerKeyExchange that is signed (RFC 5246 section 7.4.3), one for each kind of signature."""

WITH_AN_ANSWER = ("tls13-x25519", "tls13-x25519mlkem768", "tls12-ecdhe-ecdsa", "tls12-aes-ccm", "tls11-ecdhe-rsa", "tls10-rsa")
"""Captures whose last data record of the server is its answer: AEAD ciphers, and CBC with a MAC."""

_SERVER_HELLO, _CERTIFICATE, _SERVER_KEY_EXCHANGE = 2, 11, 12
_DATA_RECORD = 23
_LARGEST = b"\xf0\xff\xff\xff", b"\xff\xff\xff\xf0"
"""A length that no packet has, in both byte orders."""

_SMALL = 64
"""Bytes of an alert, and of what else is no answer, at most."""


def negative_trials(material: Material, scratch: str) -> Iterator[Trial]:
    """Yield the trials with bad data. scratch: a folder for the files that are made."""
    make = _Maker(scratch)
    keyed = [one for one in material.captures if _needs_secrets(one)]
    for one, other in zip(keyed, [*keyed[1:], *keyed[:1]], strict=True):
        yield Trial("R08", "no_secrets", one.file_name, partial(_closed, one, b""))
        yield Trial("R08", "other_secrets", one.file_name, partial(_closed, one, other.keylog))
        yield Trial("R08", "altered_secrets", one.file_name, partial(_closed, one, altered(one.keylog)))
    for name in WITH_AN_ANSWER:
        one = material.capture(name)
        yield Trial("R09", "flipped_record", one.file_name, partial(_flipped_record, one, make))
        yield Trial("R10", "lost_packet", one.file_name, partial(_lost_packet, one, make))
    for name in SIGNED_IN_THE_CLEAR:
        one = material.capture(name)
        yield Trial("R09", "flipped_signature", one.file_name, partial(_flipped_signature, one, make))
        yield Trial("R09", "flipped_certificate", one.file_name, partial(_flipped_certificate, one, make))
    for name in ("tls13-rsa", "tls13-ed25519", "tls13-x25519"):
        one = material.capture(name)
        yield Trial("R09", "flipped_hello", one.file_name, partial(_flipped_hello, one, make))
    for one in material.captures:
        yield Trial("R11", "cut", one.file_name, partial(_cut, one, make))
        yield Trial("R11", "false_length", one.file_name, partial(_false_length, one, make))
    yield Trial("R11", "no_capture", "expected.json", partial(_no_capture, material.captures[0], make))


def altered(keylog: bytes) -> bytes:
    """Return a key log with the same labels and client randoms, in which one bit of each secret is changed."""
    lines = []
    for line in keylog.decode("ascii").splitlines():
        words = line.split()
        if len(words) == 3 and not line.startswith("#"):
            words[2] = words[2][:-1] + f"{int(words[2][-1], 16) ^ 1:x}"
        lines.append(" ".join(words))
    return ("\n".join(lines) + "\n").encode()


class _Maker:
    """Writes files that were made for a trial, and reads them."""

    def __init__(self, scratch: str) -> None:
        self._scratch = scratch

    def read(self, one: KnownCapture, content: bytes) -> ReadCapture:
        """Read other bytes in the place of a capture, with its secrets and root."""
        path = os.path.join(self._scratch, "made")
        with open(path, "wb") as file:
            file.write(content)
        return read_capture(path, one.keylog, root=one.root)


def _content(one: KnownCapture) -> bytes:
    with open(one.path, "rb") as file:
        return file.read()


def _needs_secrets(one: KnownCapture) -> bool:
    """Return whether a capture has data that only its key log opens: it has no secrets inside."""
    protected = any(known.get("when_decrypted", {}).get("decryption") for known in one.sessions)
    return protected and not read_capture(one.path).file.n_secrets


def _closed(one: KnownCapture, keylog: bytes) -> Sequence[Value]:
    found = read_capture(one.path, keylog).records
    opened = [record["id"] for record in found if record["decryption"]["status"] in ("decrypted", "partial")]
    n_bytes = sum(sum(filter(None, (record["decryption"]["bytes"] or {}).values())) for record in found)
    return [
        value("sessions", len(one.sessions), len(found)),
        value("sessions_called_decrypted", [], opened),
        value("decrypted_records", 0, sum(record["decryption"]["records"] or 0 for record in found)),
        value("decrypted_bytes", 0, n_bytes),
        value("requests", 0, sum(len(record["http"] or ()) for record in found)),
        value("finished_called_verified", [], [record["id"] for record in found if _is_finished(record)]),
    ]


def _is_finished(record: dict[str, Any]) -> bool:
    return "verified" in record["authenticity"]["finished"].values()


def _flipped_record(one: KnownCapture, make: _Maker) -> Sequence[Value]:
    content = _content(one)
    answer = _answer(content)
    middle = content.index(answer) + len(answer) // 2
    (record,) = make.read(one, flipped(content, middle)).records
    decryption = record["decryption"]
    sent = one.sessions[0]["when_decrypted"]["decryption"]["bytes"]
    responses = [exchange["response"] for exchange in record["http"] or ()]
    return [
        value("called_decrypted", False, decryption["status"] == "decrypted"),
        value("records_that_failed", True, decryption["failed"] >= 1),
        value("bytes_of_the_client", sent["client"], decryption["bytes"]["client"]),
        value("bytes_of_the_changed_record", 0, decryption["bytes"]["server"]),
        value("responses", [None] * len(responses), responses),
    ]


def _lost_packet(one: KnownCapture, make: _Maker) -> Sequence[Value]:
    content = _content(one)
    answer = _answer(content)
    place = next(one for one in packets_in(content) if tcp_payload(content, one) == answer)
    (record,) = make.read(one, without(content, place)).records
    decryption = record["decryption"]
    sent = one.sessions[0]["when_decrypted"]["decryption"]["bytes"]
    return [
        value("gaps", [["server", len(answer)]], [[gap["from"], gap["length"]] for gap in record["gaps"]]),
        value("called_decrypted", False, decryption["status"] == "decrypted"),
        value("reason", "missing_segment", decryption["reason"]),
        value("bytes_of_the_client", sent["client"], decryption["bytes"]["client"]),
        value("bytes_of_the_server", 0, decryption["bytes"]["server"]),
    ]


def _flipped_signature(one: KnownCapture, make: _Maker) -> Sequence[Value]:
    content = _content(one)
    message = _message(one, _SERVER_KEY_EXCHANGE)
    at = content.index(message[-24:]) + 20
    (record,) = make.read(one, flipped(content, at)).records
    return [
        value("authenticity.server_signature", "failed", record["authenticity"]["server_signature"]),
        value("finished_called_verified", False, _is_finished(record)),
    ]


def _flipped_certificate(one: KnownCapture, make: _Maker) -> Sequence[Value]:
    """The last bytes of a certificate are those of its signature (RFC 5280 section 4.1.1.3)."""
    content = _content(one)
    message = _message(one, _CERTIFICATE)
    leaf = message[10 : 10 + int.from_bytes(message[7:10], "big")]
    at = content.index(leaf[-16:]) + 8
    (record,) = make.read(one, flipped(content, at)).records
    return [
        value("chain.verdict", "invalid", record["chain"]["verdict"]),
        value("finished_called_verified", False, _is_finished(record)),
    ]


def _flipped_hello(one: KnownCapture, make: _Maker) -> Sequence[Value]:
    """A changed random of the server changes the transcript that CertificateVerify and Finished cover (RFC 8446, 4.4)."""
    content = _content(one)
    message = _message(one, _SERVER_HELLO)
    at = content.index(message[6:38]) + 16
    (record,) = make.read(one, flipped(content, at)).records
    return [
        value("authenticity.server_signature", "failed", record["authenticity"]["server_signature"]),
        value("authenticity.finished", {"client": "failed", "server": "failed"}, record["authenticity"]["finished"]),
    ]


def _cut(one: KnownCapture, make: _Maker) -> Sequence[Value]:
    return _damaged(one, make, cut_inside)


def _false_length(one: KnownCapture, make: _Maker) -> Sequence[Value]:
    def lie(content: bytes, place: PacketPlace) -> bytes:
        order = content[place.length_at : place.length_at + 4]
        return with_length_of(content, place, _LARGEST[0] if order[3] == 0 else _LARGEST[1])

    return _damaged(one, make, lie)


def _damaged(one: KnownCapture, make: _Maker, damage: Callable[[bytes, PacketPlace], bytes]) -> Sequence[Value]:
    """Damage the packet in the middle of a capture: the damage must be told, and all before it kept."""
    content = _content(one)
    places = packets_in(content)
    n_whole = len(places) // 2
    found = make.read(one, damage(content, places[n_whole]))
    return [
        value("damage_is_told", True, found.file.error is not None),
        value("frames_before_the_damage", n_whole, found.file.frames),
        value("messages_before_the_damage", _known_messages(one, n_whole), _messages(found.records)),
    ]


def _no_capture(one: KnownCapture, make: _Maker) -> Sequence[Value]:
    with open(os.path.join(os.path.dirname(one.root), "expected.json"), "rb") as file:
        found = make.read(one, file.read())
    return [
        value("damage_is_told", True, found.file.error is not None),
        value("format", None, found.file.format),
        value("sessions", 0, len(found.lines)),
    ]


def _known_messages(one: KnownCapture, n_frames: int) -> list[list[Any]]:
    """Return the messages up to a frame that anybody can see."""
    found = [message for known in one.sessions for message in known["handshake"] if len(message) == 3]
    return sorted((message for message in found if message[2] <= n_frames), key=str)


def _messages(records: Sequence[dict[str, Any]]) -> list[list[Any]]:
    """Return the messages in plaintext that are whole; in DTLS, the damage can come between the fragments of one."""
    seen = [message for record in records for message in record["handshake"] if not message["encrypted"]]
    found = [one for one in seen if not any("not in the capture" in each["detail"] for each in one.get("problems", ()))]
    return sorted(([message["type"], message["from"], message["frame"]] for message in found), key=str)


def _answer(content: bytes) -> bytes:
    """Return the payload of the packet that carries the server's answer: its last one that begins with a data record."""
    payloads = [tcp_payload(content, place) for place in packets_in(content)]
    data = [payload for payload in payloads if payload[:1] == bytes([_DATA_RECORD]) and len(payload) > _SMALL]
    return data[-1]


def _message(one: KnownCapture, kind: int) -> bytes:
    """Return the first handshake message of a kind, with its header. Raises StopIteration if there is none."""
    (session,) = read_sessions(one.path)
    return next(bytes(message.raw) for message in session.log.messages if message.raw[0] == kind)
