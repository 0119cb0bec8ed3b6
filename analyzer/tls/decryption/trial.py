"""Trial decryption: finds secrets by trying them, if no hello in the capture shows to which session they belong.

A key log names sessions by the client random. This name is not known if the ClientHello is missing, or if the server accepted
Encrypted Client Hello and the inner hello could not be decrypted. If the ServerHello is missing, the suite of the secrets is
not known. But only with the right secret and suite the tag of a record is correct. So the candidates are tried on the first
encrypted records. This is possible in TLS 1.3, because its traffic secrets need no other input. All trials of a run share one
limit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.labels import APPLICATION_LABELS, HANDSHAKE_LABELS
from analyzer.secrets.record_protection import open_tls13
from analyzer.secrets.suite_interface import hash_function
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.decryption.read_state import APPLICATION, PROTECTED
from analyzer.tls.limits import FIRST_RECORDS, MAX_TRIAL_RECORDS
from analyzer.tls.record.content_types import APPLICATION_DATA
from analyzer.tls.suites import Suite, suite

LABELS = (
    (PROTECTED, HANDSHAKE_LABELS),
    (APPLICATION, APPLICATION_LABELS),
)
"""The epochs of a role, with the labels of their secrets: the client's and the server's."""


@dataclass(frozen=True, slots=True)
class Found:
    """What decrypted a record.

    It has client random and suite of its session, the number of the suite, the epoch of the role, and the sequence number of
    the record.
    """

    random: bytes
    suite: Suite
    number: int
    epoch: int
    sequence: int


class TrialDecryption:
    """The trials of one session.

    left: number of records on which secrets will still be tried. random: of the ClientHello, if only the suite is missing.
    """

    __slots__ = ("_draft", "_material", "_random", "_suites", "left")

    def __init__(self, material: KeyMaterial, suites: Sequence[int], draft: int, random: bytes | None = None) -> None:
        self._material = material
        self._suites = [(number, one) for number in dict.fromkeys(suites) if (one := suite(number)) is not None and one.tls13]
        self._draft = draft
        self._random = random
        self.left = MAX_TRIAL_RECORDS

    def look(self, role: int, content_type: int, version: int, body: bytes) -> Found | None:
        """Try the candidates on a record of a role; 0 is the client."""
        if self.left == 0 or content_type != APPLICATION_DATA or not self._suites or self._material.trials <= 0:
            return None
        self.left -= 1
        reach = 1 if self._random is None else FIRST_RECORDS
        for epoch, labels in LABELS:
            if epoch != PROTECTED and self._random is None:
                break
            for random, secret in self._candidates(labels[role]):
                for number, offered in self._suites:
                    if self._material.trials <= 0:
                        return None
                    self._material.trials -= 1
                    sequence = self._fits(offered, secret, version, body, reach)
                    if sequence is not None:
                        return Found(random, offered, number, epoch, sequence)
        return None

    def _candidates(self, label: str) -> Iterator[tuple[bytes, bytes]]:
        keylog, random = self._material.keylog, self._random
        if keylog is None:
            return iter(())
        if random is None:
            return keylog.sessions(label)
        return ((random, secret) for secret in keylog.candidates(random, label))

    def _fits(self, chosen: Suite, secret: bytes, version: int, body: bytes, reach: int) -> int | None:
        """Return the sequence number of the record with this secret; None if the secret does not fit."""
        try:
            if hash_function(chosen.prf_hash)(b"").digest_size != len(secret):
                return None
            decryptor = open_tls13(chosen, secret, draft=self._draft)
            for sequence in range(reach):
                if decryptor.open_at(sequence, APPLICATION_DATA, version, body) is not None:
                    return sequence
        except DecryptionError:  # a cipher that is not available, or a record too short for a tag
            return None
        return None
