"""The read state of one role: record decryptors for each epoch, and the search for the right sequence number after a gap.

The message that ends an epoch, a Finished or a KeyUpdate, can be in a gap, and the secrets of an epoch can be unknown. So if a
record cannot be decrypted with the keys of its epoch, those of the next epochs are tried. Only with the right keys the tag is
correct.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from analyzer.secrets.aead import Tls13Decryptor
from analyzer.secrets.compression import Inflater
from analyzer.secrets.decryption_error import MISSING_SEGMENT, WRONG_SECRET, DecryptionError
from analyzer.secrets.record_decryptor import Opened, RecordDecryptor
from analyzer.tls.decryption.key_material import MISSING_LABEL, NO_SECRET, KeyMaterial
from analyzer.tls.limits import FARTHEST_RECORD, MAX_ATTEMPTS, NEAREST_RECORD

if TYPE_CHECKING:
    import cython

EARLY, PROTECTED, APPLICATION = 0, 1, 2
"""The epochs of a role in TLS 1.3: early data, handshake, application data. Up to TLS 1.2 there is only the first."""


class ReadState:
    """What is needed to read one role: a decryptor for each epoch, if it is known, and the current epoch of the role.

    epoch: an index of `decryptors`. n_failed: records since the last one that was decrypted. after_gap: whether records may be
    missing since then. attempts: how many more sequence numbers may be tried after gaps. limited: whether fewer were tried,
    because the attempts of the run were used up. changed: whether the keys of this handshake are in use, up to TLS 1.2.
    inflater: decompresses records.
    """

    __slots__ = ("after_gap", "attempts", "changed", "decryptors", "epoch", "inflater", "limited", "material", "n_failed")

    def __init__(self, material: KeyMaterial) -> None:
        self.material = material
        self.decryptors: list[RecordDecryptor | None] = []
        self.epoch = 0
        self.n_failed = 0
        self.after_gap = False
        self.attempts = MAX_ATTEMPTS
        self.limited = False
        self.changed = False
        self.inflater: Inflater | None = None

    def open(self, content_type: cython.int, version: cython.int, body: bytes) -> Opened:
        """Decrypt a record with the keys of this epoch, or of a later one. Raises DecryptionError."""
        first_error: DecryptionError | None = None
        number: cython.int
        for number in range(self.epoch, len(self.decryptors)):
            decryptor: RecordDecryptor | None = self.decryptors[number]
            if decryptor is None:
                continue
            try:
                opened = self._open(decryptor, content_type, version, body)
            except DecryptionError as error:
                first_error = first_error or error
                if isinstance(decryptor, Tls13Decryptor) and number == APPLICATION and self.after_gap:
                    later = self._open_updated(decryptor, content_type, version, body)
                    if later is None:
                        continue
                    opened = later
                else:
                    continue
            if number != self.epoch:
                self.epoch = number
            if isinstance(decryptor, CandidateDecryptors):
                self.decryptors[number] = decryptor.chosen_decryptor()
            self.n_failed = 0
            self.after_gap = False
            return opened
        self.n_failed += 1
        if first_error is None or self.decryptors[self.epoch] is None:
            raise DecryptionError(MISSING_LABEL if len(self.decryptors) > 1 else NO_SECRET, "no secret of this phase")
        if self.after_gap and first_error.reason == WRONG_SECRET:
            raise DecryptionError(MISSING_SEGMENT, first_error.detail) from first_error
        raise first_error

    def _open(self, decryptor: RecordDecryptor, content_type: cython.int, version: cython.int, body: bytes) -> Opened:
        # Records that failed have a sequence number too. After a gap any number of records can be missing.
        reach: cython.longlong = min(self.n_failed, FARTHEST_RECORD) if not self.after_gap else FARTHEST_RECORD
        n_candidates: cython.longlong = decryptor.n_candidates if isinstance(decryptor, CandidateDecryptors) else 1
        if reach == 0 or self.attempts < reach * n_candidates:
            return decryptor.open(content_type, version, body)
        few: cython.bint = self.material.attempts < reach * n_candidates and (reach > NEAREST_RECORD or decryptor.sequence == 0)
        if few:
            reach = NEAREST_RECORD if decryptor.sequence > 0 else 0
        try:
            skipped, inner, plaintext = decryptor.open_after_gap(content_type, version, body, reach)
        except DecryptionError:
            self.limited = self.limited or few
            self.attempts -= reach * n_candidates
            self.material.attempts -= reach * n_candidates
            raise
        if skipped > NEAREST_RECORD:  # right secrets cost time too, if an attacker leaves out most records
            self.material.attempts -= min(skipped, reach) * n_candidates
        return inner, plaintext

    def _open_updated(
        self, decryptor: Tls13Decryptor, content_type: cython.int, version: cython.int, body: bytes
    ) -> Opened | None:
        """Try whether there is a KeyUpdate in the gap."""
        following = decryptor.next_generation()
        try:
            opened = self._open(following, content_type, version, body)
        except DecryptionError:
            return None
        self.decryptors[APPLICATION] = following
        return opened


class CandidateDecryptors(RecordDecryptor):
    """Several record decryptors, until one of them decrypts a record. `choose` is then called with its index.

    n_candidates: how many there are; each attempt to decrypt a record tries all of them.
    """

    __slots__ = ("_choose", "_chosen", "_decryptors", "n_candidates")

    def __init__(self, decryptors: Sequence[RecordDecryptor], choose: Callable[[int], None] | None = None) -> None:
        super().__init__()
        self._decryptors = decryptors
        self.n_candidates = len(decryptors)
        self._choose = choose
        self._chosen: RecordDecryptor | None = None

    def open_at(self, sequence: Any, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened | None:
        """See `RecordDecryptor.open_at`."""
        number: cython.Py_ssize_t
        decryptor: RecordDecryptor
        for number in range(len(self._decryptors)):
            decryptor = self._decryptors[number]
            opened = decryptor.open_at(sequence, content_type, record_version, body)
            if opened is not None:
                self._take(number)
                return opened
        return None

    def open_after_gap(
        self, content_type: cython.int, record_version: cython.int, body: bytes, limit: cython.longlong
    ) -> tuple[int, int, bytes]:
        """See `RecordDecryptor.open_after_gap`.

        Each candidate tries the sequence numbers in its own way, because some decrypt the record once for all numbers.
        """
        first_error: DecryptionError | None = None
        number: cython.Py_ssize_t
        decryptor: RecordDecryptor
        for number in range(len(self._decryptors)):
            decryptor = self._decryptors[number]
            decryptor.sequence = self.sequence
            try:
                found = decryptor.open_after_gap(content_type, record_version, body, limit)
            except DecryptionError as error:
                first_error = first_error or error
                continue
            self.sequence = decryptor.sequence
            self._take(number)
            return found
        raise first_error or DecryptionError(WRONG_SECRET, "no record decryptor")

    def _take(self, number: cython.Py_ssize_t) -> None:
        self._chosen = self._decryptors[number]
        if self._choose is not None:
            self._choose(number)

    def candidates(self) -> Sequence[RecordDecryptor]:
        """Return all of them."""
        return self._decryptors

    def chosen_decryptor(self) -> RecordDecryptor:
        """Return the candidate that has decrypted a record, to use it from now on; else this object."""
        if self._chosen is None:
            return self
        self._chosen.sequence = self.sequence
        return self._chosen


class UnprotectedReader(RecordDecryptor):
    """Reads records of a suite without encryption. Their MAC is not checked, because its secret is not known."""

    __slots__ = ("_mac_length",)

    def __init__(self, mac_length: int) -> None:
        super().__init__()
        self._mac_length = mac_length

    def open_at(self, sequence: Any, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened | None:
        """See `RecordDecryptor.open_at`."""
        if len(body) < self._mac_length:
            return None
        return content_type, body[: len(body) - self._mac_length]
