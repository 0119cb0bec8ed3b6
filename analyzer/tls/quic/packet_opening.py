"""Finds the keys of each encryption level of a connection, and opens its packets with them (RFC 9001 sections 4 and 5).

The secrets are those of TLS: the key log has them under the labels of TLS 1.3, by the client random. The suite is the one that
the server chose; for early data, or where the ServerHello is not in the capture, each suite that the client offered is tried,
and the tag of a packet shows which one is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.labels import APPLICATION_LABELS, EARLY_LABEL, HANDSHAKE_LABELS
from analyzer.secrets.quic_protection import OpenedPacket, PacketDecryptor, packet_decryptor
from analyzer.secrets.quic_versions import QuicVersion
from analyzer.secrets.record_protection import open_tls13
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.decryption.read_state import APPLICATION, PROTECTED, ReadState
from analyzer.tls.decryption.session_keys import SessionKeys
from analyzer.tls.limits import MAX_CANDIDATES
from analyzer.tls.quic.transport_facts import LEVELS
from analyzer.tls.record.record import Record
from analyzer.tls.suites import Suite, suite

if TYPE_CHECKING:
    import cython

EARLY_LEVEL, HANDSHAKE_LEVEL, APPLICATION_LEVEL = 1, 2, 3
_APPLICATION_LEVEL = APPLICATION_LEVEL


class Candidate:
    """A secret that may open the packets of a level, with a suite that may be theirs."""

    __slots__ = ("decryptor", "number", "secret", "suite")

    def __init__(self, decryptor: PacketDecryptor, secret: bytes, chosen: Suite, number: int) -> None:
        self.decryptor = decryptor
        self.secret = secret
        self.suite = chosen
        self.number = number


class PacketOpening:
    """The keys of one connection.

    proven: by level and role (index twice the level plus the role), what has opened packets; candidates: what may open them,
    by that index and the version, whose labels are in the keys. found: the suite that opened a packet before the server's
    answer was seen, with its number. lost: packets that fail at the end, by the same index as `proven`: the last one, with the
    bytes of all as its length, how many, the reason and its detail.
    """

    __slots__ = ("candidates", "found", "lost", "proven")

    def __init__(self) -> None:
        self.proven: list[PacketDecryptor | None] = [None] * (2 * len(LEVELS))
        self.candidates: dict[tuple[int, int], list[Candidate]] = {}
        self.found: tuple[Suite, int] | None = None
        self.lost: dict[int, tuple[Record, int, str, str]] = {}

    def open(
        self,
        decryption: Decryption,
        version: QuicVersion,
        level: cython.int,
        role: cython.int,
        data: bytes,
        number_at: cython.Py_ssize_t,
    ) -> OpenedPacket | None:
        """Return the packet `data` without its protection, None if no secret opens it."""
        place: cython.int = 2 * level + role
        decryptor: PacketDecryptor | None = self.proven[place]
        if decryptor is not None:
            return decryptor.open(data, 0, number_at, len(data))
        candidates = self.candidates.get((place, version.number))
        if candidates is None:
            candidates = self.candidates[place, version.number] = self.look_up(decryption.keys, version, level, role)
        for candidate in candidates:
            decryptor = candidate.decryptor
            opened = decryptor.open(data, 0, number_at, len(data))
            if opened is not None:
                self.proven[place] = decryptor
                self.prove(decryption, level, role, candidate, len(candidates) > 1)
                return opened
        return None

    def has_secret(self, level: cython.int, role: cython.int) -> cython.bint:
        """Return whether there is any secret for a level, as far as it was looked up."""
        place: cython.int = 2 * level + role
        if self.proven[place] is not None:
            return True
        given = [found for (at, _), found in self.candidates.items() if at == place and len(found) > 0]
        return len(given) > 0

    def forget(self) -> None:
        """Look up the secrets again that have not opened anything: what names them, or their suite, is known now."""
        self.candidates = {}

    def look_up(self, keys: SessionKeys, version: QuicVersion, level: cython.int, role: cython.int) -> list[Candidate]:
        """Return the secrets of a level and role that are given."""
        label = label_of(level, role)
        if label is None:
            return []
        keylog = keys.material.keylog
        randoms = [keys.client_random] if keys.client_random else []
        if level == EARLY_LEVEL and keys.ech is not None and keys.ech.random is not None:
            randoms.append(keys.ech.random)
        secrets = [secret for random in randoms for secret in ([] if keylog is None else keylog.candidates(random, label))]
        secrets = list(reversed(secrets))[:MAX_CANDIDATES]
        if label in keys.verified:
            secrets = [keys.verified[label]]
        if level != EARLY_LEVEL and keys.suite is not None:
            suites = {keys.cipher_suite: keys.suite}
        else:
            suites = {number: one for number in keys.suites if (one := suite(number)) is not None and one.tls13}
        found = []
        for secret in secrets:
            for number, chosen in suites.items():
                try:
                    decryptor = packet_decryptor(version, chosen, secret, level == APPLICATION_LEVEL)
                except DecryptionError as error:  # another hash length, or a cipher that is not available
                    if len(suites) == 1:
                        keys.note(error.reason, error.detail)
                    continue
                found.append(Candidate(decryptor, secret, chosen, number))
        return found

    def prove(self, decryption: Decryption, level: int, role: int, candidate: Candidate, several: bool) -> None:
        """Note that a secret has opened a packet, so that the Finished is checked with it, and exports have it."""
        keys = decryption.keys
        label = label_of(level, role)
        if label is None:
            return
        if level != EARLY_LEVEL and keys.suite is None:
            self.found = (candidate.suite, candidate.number)
        if several or keys.suite is None:
            keys.verified[label] = candidate.secret
        if level == EARLY_LEVEL or keys.suite is None:
            return
        state: ReadState = decryption.states[role]
        epoch = PROTECTED if level == HANDSHAKE_LEVEL else APPLICATION
        if several and epoch < len(state.decryptors):
            state.decryptors[epoch] = open_tls13(keys.suite, candidate.secret)


def label_of(level: int, role: int) -> str | None:
    """Return the label of a level's secret in a key log; None if there is none."""
    if level == EARLY_LEVEL:
        return None if role else EARLY_LABEL
    if level == HANDSHAKE_LEVEL:
        return HANDSHAKE_LABELS[role]
    return APPLICATION_LABELS[role] if level == _APPLICATION_LEVEL else None
