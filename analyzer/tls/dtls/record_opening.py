"""Finds the keys of each epoch of a session, and opens its records with them.

Up to DTLS 1.2 an epoch begins with a ChangeCipherSpec, and its number is part of what is authenticated (RFC 6347 section 4.1).
In DTLS 1.3 epoch 1 is early data, 2 the handshake, 3 application data, and each KeyUpdate begins another one; of the epoch only
two bits are on the wire (RFC 9147 sections 4.2.2 and 6.1). Several secrets can be given for an epoch: what opens is right.
"""

from __future__ import annotations

from typing import Any

from analyzer.secrets.aead import Tls13Decryptor
from analyzer.secrets.decryption_error import MISSING_SEGMENT, WRONG_SECRET, DecryptionError
from analyzer.secrets.dtls_protection import EpochKeys, inner_content
from analyzer.secrets.labels import APPLICATION_LABELS, EARLY_LABEL, HANDSHAKE_LABELS
from analyzer.secrets.record_decryptor import RecordDecryptor
from analyzer.tls.decryption.key_material import MISSING_LABEL, NO_SECRET
from analyzer.tls.decryption.read_state import CandidateDecryptors, ReadState
from analyzer.tls.dtls.record_headers import TLS12_CID
from analyzer.tls.limits import MAX_CANDIDATES
from analyzer.tls.record.record import Record
from analyzer.tls.suites import suite

EARLY, HANDSHAKE, APPLICATION = 1, 2, 3
"""Epochs of DTLS 1.3 (RFC 9147 section 6.1)."""

MAX_EPOCHS = 8
"""Epochs of a role whose keys are kept, the latest ones."""

FARTHEST_EPOCH = 4
"""How many epochs ahead are tried: the bits of the epoch are the same again then."""

_NO_EPOCHS: frozenset[tuple[int, int]] = frozenset()
_NUMBER_BITS, _ID_AT = 48, 11


class RecordOpening:
    """The keys of one session.

    decryptors: up to DTLS 1.2, by role and epoch, those that opened a record. keys: in DTLS 1.3, by role and epoch, what may
    open its records. current: by role, the latest epoch of which a record opened. proven: of which role and epoch records
    opened. formats: how many protected records of DTLS 1.2 and of 1.3 were taken before the version was known; tls13: which
    it is, if an earlier reading of the same records has found that, else None. randoms: those of both roles for which keys
    were computed.
    """

    __slots__ = ("current", "decryptors", "formats", "keys", "proven", "randoms", "tls13")

    def __init__(self) -> None:
        self.decryptors: dict[tuple[int, int], RecordDecryptor] = {}
        self.keys: dict[tuple[int, int], list[EpochKeys]] = {}
        self.current = [0, 0]
        self.proven = _NO_EPOCHS
        self.randoms = (b"", b"")
        self.formats = [0, 0]
        self.tls13: bool | None = None

    # Up to DTLS 1.2.

    def begin_keys(self, decryption: Any, role: int) -> bool:
        """Compute the keys of the next epoch, of which no record has opened. Returns whether they are known.

        The ChangeCipherSpec can be missing. What came before may have been somebody else's, so they are computed each time.
        """
        decryption.states[role].changed = False
        schedule, transcript = decryption.schedule12, decryption.keys.transcript
        randoms = transcript.client_random, transcript.server_random
        if schedule.pair is not None and randoms != self.randoms:  # a record came before the ServerHello
            schedule.pair = None
            decryption.keys.material.matched -= 1
        self.randoms = randoms
        return bool(decryption.change(role))

    def open(self, decryption: Any, record: Record) -> tuple[int, bytes]:
        """Return content type and content of a record up to DTLS 1.2. Raises DecryptionError."""
        role, epoch = record.role, record.epoch
        if record.missing:
            raise DecryptionError(MISSING_SEGMENT, f"{record.missing} bytes of the record")
        decryptor = self._decryptor(decryption, role, epoch)
        if decryptor is None:
            raise DecryptionError(NO_SECRET, "no secret of this epoch")
        if record.content_type == TLS12_CID:
            decryptor.connection_id = record.body[_ID_AT : record.header - 2]
        sequence = epoch << _NUMBER_BITS | record.offset
        opened = decryptor.open_at(sequence, record.content_type, record.version, record.body[record.header :])
        if opened is not None and record.content_type == TLS12_CID:
            opened = inner_content(opened[1])
        if opened is None:
            raise DecryptionError(WRONG_SECRET, f"the tag or MAC of record {record.offset} of epoch {epoch} does not agree")
        if isinstance(decryptor, CandidateDecryptors):
            decryptor = decryptor.chosen_decryptor()
        if self.decryptors.get((role, epoch)) is not decryptor:
            _keep(self.decryptors, (role, epoch), decryptor)
        self._prove(role, epoch)
        state: ReadState = decryption.states[role]
        inflater = state.inflater
        return opened if inflater is None else (opened[0], inflater.inflate(opened[1]))

    def _prove(self, role: int, epoch: int) -> None:
        if (role, epoch) not in self.proven:
            self.proven |= {(role, epoch)}

    def _decryptor(self, decryption: Any, role: int, epoch: int) -> RecordDecryptor | None:
        """Return the decryptor of an epoch, which is that of the last handshake if it opened none of another epoch."""
        known = self.decryptors.get((role, epoch))
        if known is not None:
            return known
        state: ReadState = decryption.states[role]
        found = state.decryptors[0] if state.decryptors else None
        return None if found in self.decryptors.values() else found

    # DTLS 1.3.

    def open_unified(self, decryption: Any, record: Record) -> tuple[int, int, int, bytes]:
        """Return epoch, number, content type and content of a record of DTLS 1.3. Raises DecryptionError."""
        role = record.role
        if record.missing:
            raise DecryptionError(MISSING_SEGMENT, f"{record.missing} bytes of the record")
        found = False
        for epoch in self._epochs(role, record.epoch):
            for one in self._keys(decryption, role, epoch):
                found = True
                opened = one.open(record.body, record.header)
                if opened is not None:
                    self.keys[role, epoch] = [one]
                    self._prove(role, epoch)
                    self.current[role] = max(self.current[role], epoch)
                    return epoch, *opened
        if not found:
            has_other = any(self.keys.values())
            raise DecryptionError(MISSING_LABEL if has_other else NO_SECRET, "no secret of this epoch")
        raise DecryptionError(WRONG_SECRET, f"a record of epoch {record.epoch} (its last two bits) opens with no key")

    def _epochs(self, role: int, bits: int) -> list[int]:
        """Return the epochs that a record can have, the likeliest first: the current one, those ahead, those before."""
        current = self.current[role]
        near = [epoch for epoch in range(max(1, current - MAX_EPOCHS), current + FARTHEST_EPOCH + 1) if epoch & 3 == bits]
        return sorted(near, key=lambda epoch: (epoch != current, epoch < current, abs(epoch - current)))

    def _keys(self, decryption: Any, role: int, epoch: int) -> list[EpochKeys]:
        """Return what may open the records of an epoch."""
        known = self.keys.get((role, epoch))
        if known:
            return known
        if epoch > APPLICATION:
            found = [one.following() for one in self._keys(decryption, role, epoch - 1)]
        else:
            found = self._given(decryption, role, epoch)
        if found:
            _keep(self.keys, (role, epoch), found)
        return found

    def _given(self, decryption: Any, role: int, epoch: int) -> list[EpochKeys]:
        """Return the keys of an epoch whose secret is given, or follows from a pre-shared key."""
        keys = decryption.keys
        label = EARLY_LABEL if epoch == EARLY else (HANDSHAKE_LABELS if epoch == HANDSHAKE else APPLICATION_LABELS)[role]
        if epoch == EARLY and role:
            return []
        keylog = keys.material.keylog
        secrets = [] if keylog is None or not keys.client_random else keylog.candidates(keys.client_random, label)
        secrets = [keys.verified[label]] if label in keys.verified else list(reversed(secrets))[:MAX_CANDIDATES]
        if not secrets:
            state: ReadState = decryption.states[role]
            derived = state.decryptors[epoch - 1] if len(state.decryptors) >= epoch else None
            several = derived.candidates() if isinstance(derived, CandidateDecryptors) else [derived]
            secrets = list(dict.fromkeys(one.traffic_secret() for one in several if isinstance(one, Tls13Decryptor)))
        chosen = [keys.suite] if keys.suite is not None and epoch != EARLY else [suite(number) for number in keys.suites]
        found = []
        for secret in secrets:
            for one in dict.fromkeys(chosen):
                if one is None or not one.tls13:
                    continue
                try:
                    found.append(EpochKeys(one, secret))
                except DecryptionError as error:  # another hash length, or a cipher that is not available
                    if len(chosen) == 1:
                        keys.note(error.reason, error.detail)
        return found


def _keep(table: dict[tuple[int, int], Any], place: tuple[int, int], value: Any) -> None:
    """Keep the keys of an epoch, and forget the oldest ones of its role beyond MAX_EPOCHS."""
    table[place] = value
    listed = [one for one in table if one[0] == place[0]]
    if len(listed) > MAX_EPOCHS:
        del table[min(listed)]
