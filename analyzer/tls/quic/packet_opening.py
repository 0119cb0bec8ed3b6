"""Finds the keys of each encryption level of a connection, and opens its packets with them (RFC 9001 sections 4 and 5).

The secrets are those of TLS: the key log has them under the labels of TLS 1.3, by the client random. The suite is the one that
the server chose; for early data, or where the ServerHello is not in the capture, each suite that the client offered is tried,
and the tag of a packet shows which one is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.labels import APPLICATION_LABELS, EARLY_LABEL, HANDSHAKE_LABELS
from analyzer.secrets.quic_protection import SHORT_BITS, SHORT_BITS_WITH_LOSS, OpenedPacket, PacketDecryptor, packet_decryptor
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
_LOSS_BITS = 0x1057
_LOSS = SHORT_BITS & ~SHORT_BITS_WITH_LOSS


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
    bytes of all as its length, how many, the reason and its detail. hidden: by role, which bits of the first byte of its short
    headers may be masked, see SHORT_BITS.
    """

    __slots__ = ("candidates", "found", "hidden", "lost", "proven")

    def __init__(self) -> None:
        self.proven: list[PacketDecryptor | None] = [None] * (2 * len(LEVELS))
        self.candidates: dict[tuple[int, int], list[Candidate]] = {}
        self.found: tuple[Suite, int] | None = None
        self.hidden: list[tuple[int, ...]] = [(SHORT_BITS,)] * 2
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
                if len(candidates) > 1 and self.is_undecided(level, role, decryptor.hidden, opened.first ^ data[0]):
                    return opened
                self.proven[place] = decryptor
                self.prove(decryption, level, role, candidate, len(candidates) > 1)
                return opened
        return None

    def is_undecided(self, level: int, role: int, hidden: int, mask: int) -> bool:
        """Return whether a packet does not show which bits are masked: its mask has 0 for the bits that may be loss bits."""
        return level == APPLICATION_LEVEL and len(self.hidden[role]) > 1 and hidden & _LOSS > 0 and mask & _LOSS == 0

    def has_secret(self, level: cython.int, role: cython.int) -> cython.bint:
        """Return whether there is any secret for a level, as far as it was looked up."""
        place: cython.int = 2 * level + role
        if self.proven[place] is not None:
            return True
        given = [found for (at, _), found in self.candidates.items() if at == place and len(found) > 0]
        return len(given) > 0

    def forget(self, parameters: list[Any]) -> None:
        """Look up the secrets again that have not opened anything: what names them, their suite, or who sends loss bits, is
        known now. parameters: the transport parameters of both roles, None if they are not known.
        """
        self.candidates = {}
        self.hidden = [short_bits(parameters, role) for role in range(2)]

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
                for hidden in self.hidden[role] if level == APPLICATION_LEVEL else (SHORT_BITS,):
                    try:
                        decryptor = packet_decryptor(version, chosen, secret, level == APPLICATION_LEVEL)
                    except DecryptionError as error:  # another hash length, or a cipher that is not available
                        if len(suites) == 1:
                            keys.note(error.reason, error.detail)
                        break
                    decryptor.hidden = hidden
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


def short_bits(parameters: list[Any], role: int) -> tuple[int, ...]:
    """Return which bits of the first byte of a role's short headers may be masked, see SHORT_BITS.

    A role sends loss bits if it says 1, and its peer has the parameter too (draft-ferrieuxhamchaoui-quic-lossbits).
    parameters: as `PacketOpening.forget` takes them.
    """
    bits = [(SHORT_BITS,), (SHORT_BITS, SHORT_BITS_WITH_LOSS), (SHORT_BITS_WITH_LOSS,)]
    return bits[min(_loss_bits(parameters[role], 1), _loss_bits(parameters[1 - role], 0))]


def _loss_bits(given: Any, least: int) -> int:
    """Return whether the transport parameters of a role have loss bits of at least this value: 0 no, 1 not known, 2 yes."""
    listed = getattr(given, "transport_parameters", None)
    if listed is None:
        return 1
    return 2 if any(one.id == _LOSS_BITS and isinstance(one.value, int) and least <= one.value <= 1 for one in listed) else 0
