"""Forged datagrams for recorded DTLS sessions, and what may be said of a session that has some.

Whoever sends them knows ports, numbers and plaintext of the session, and no key. So a session with keys shows all that it shows
without them; without keys each value is the same or unknown, and nothing is told above `info`.
"""

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dtls_injection import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, Talk, message, plain

NOTES = {"contradicting_messages", "unproved_message", "ignored_alert"}
VALUES = (
    "version", "cipher_suite", "cipher_suite_id", "group", "server_name", "alpn", "established", "resumed", "resumption",
    "resumes", "ja3", "ja3s", "ja4",
)  # fmt: skip

HEAD = 12
"""Bytes before the content of a fragment."""

DONE, REQUEST = 14, 13
LAST = 2**32 - 1
CID, ACK = 25, 26

Fragment = tuple[int, int, bytes]
"""The place of a packet, the role that sent it, and a fragment of a handshake message in it, with its header."""


def fragments(talk: Talk) -> list[Fragment]:
    """The fragments in plaintext, each of them once."""
    found: dict[tuple[int, bytes], Fragment] = {}
    for place in range(len(talk.packets)):
        for content_type, epoch, body in talk.parts_at(place):
            while content_type == HANDSHAKE and epoch == 0 and len(body) >= HEAD:
                end = HEAD + int.from_bytes(body[9:12])
                found.setdefault((talk.role(place), body[:end]), (place, talk.role(place), body[:end]))
                body = body[end:]
    return list(found.values())


def changed_fragments(fragment: bytes) -> Iterator[tuple[str, bytes]]:
    """Other messages with the type or number of a fragment, by name."""
    kind, data = fragment[0], fragment[HEAD:]
    length, sequence, offset = (int.from_bytes(fragment[one]) for one in (slice(1, 4), slice(4, 6), slice(6, 9)))
    if data:
        at = len(data) // 2
        yield "other byte", message(kind, sequence, data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :], length, offset)
    yield "zeros", message(kind, sequence, bytes(40))
    yield "part", message(kind, sequence, random.Random(length).randbytes(30), 900)
    yield "type", message(REQUEST if kind == DONE else DONE, sequence, b"")


def forged_records(seed: int) -> Iterator[bytes]:
    """Records of all kinds with numbers of real ones and others, not of handshake messages in their place."""
    choose = random.Random(seed)
    numbers = (0, 1, 2, 3, 4, 5, 900, LAST)
    for kind in (0, 1, 2, 3, 4, 6, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 99):
        body = choose.randbytes(choose.choice((0, 1, 40, 300)))
        yield plain(HANDSHAKE, message(kind, choose.choice((6, 9, 30, 500)), body), LAST)
    for level in (0, 1, 2, 3):
        yield plain(ALERT, bytes((level, choose.choice((0, 10, 40, 48, 50, 90, 100, 115, 255)))), choose.choice(numbers))
    for body in (b"\1", b"\2", b"", b"\1\1"):
        yield plain(CHANGE_CIPHER_SPEC, body, choose.choice(numbers))
    for kind in (APPLICATION_DATA, 24, CID, ACK):
        yield plain(kind, choose.randbytes(40), choose.choice(numbers))
    for kind in (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, 24, CID, ACK):
        for epoch in (1, 2, 65535):
            yield plain(kind, choose.randbytes(choose.choice((0, 2, 26, 40, 64, 300))), choose.choice(numbers), epoch)
    for bits in range(0, 32, 3):
        yield bytes((0x20 | bits,)) + choose.randbytes(choose.choice((20, 40, 54, 80)))
    for bits in range(4):
        yield bytes((0x2C | bits,)) + choose.randbytes(2) + b"\0\x36" + choose.randbytes(54)


def injected(talk: Talk, place: int, role: int, datagram: bytes) -> Talk:
    """A talk with one more datagram, just before the packet at a place."""
    other = copy.copy(talk)
    other.packets = list(talk.packets)
    other.insert(place, role, datagram)
    return other


def delayed(talk: Talk, place: int, other: int) -> Talk:
    """A talk in which the packet at a place came only when the other one did."""
    late = copy.copy(talk)
    late.packets = list(talk.packets)
    _, frame = late.packets.pop(place)
    late.packets.insert(other, (late.packets[other - 1][0], frame))
    return late


def faults(talk: Talk, honest: list[dict[str, Any]], folder: Path, keys: bool) -> list[str]:
    """What is said of the sessions of a talk, and not of the honest ones. A forged hello can begin a session of its own."""
    found = talk.read(folder, keys)
    told: list[str] = []
    for record in honest:
        compared = [(_compare(one, record, keys), number) for number, one in enumerate(found)]
        if not compared:
            return ["no session"]
        least, number = min(compared, key=lambda one: len(one[0]))
        told += least
        del found[number]
    return told + ["another session was established" for one in found if one["established"]]


def _compare(record: dict[str, Any], honest: dict[str, Any], keys: bool) -> list[str]:
    known = {(one["severity"], one["code"]) for one in honest["findings"]} | {("info", code) for code in NOTES}
    told = [one["detail"] for one in record["findings"] if (one["severity"], one["code"]) not in known]
    for name, (one, other, unknown) in _values(record, honest).items():
        if one != other and (keys or one not in unknown):
            told.append(f"{name}: {one}, not {other}")
    return told


def _values(record: dict[str, Any], honest: dict[str, Any]) -> dict[str, tuple[Any, Any, tuple[Any, ...]]]:
    values: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {name: (record[name], honest[name], (None,)) for name in VALUES}
    pairs = (("result", "unknown"), ("cause", "capture_incomplete"), ("ended_by", None))
    for name, unknown in pairs:
        values[name] = record["outcome"][name], honest["outcome"][name], (unknown, None)
    for name in ("chain", "client_chain"):
        values[name] = record[name] and record[name]["verdict"], honest[name] and honest[name]["verdict"], ("unknown", None)
    for name in ("server", "client"):
        values[f"{name} certificates"] = record["certificates"][name], honest["certificates"][name], (None,)
        ours, theirs = record["authenticity"], honest["authenticity"]
        values[f"{name} signature"] = ours[f"{name}_signature"], theirs[f"{name}_signature"], ("unverifiable", None)
        values[f"{name} Finished"] = ours["finished"][name], theirs["finished"][name], ("unverifiable", None)
    for name in ("status", "reason", "failed"):
        values[f"decryption {name}"] = record["decryption"][name], honest["decryption"][name], ()
    values["decryption failed"] = (0, 0, ()) if honest["decryption"]["status"] == "none" else values["decryption failed"]
    return values
