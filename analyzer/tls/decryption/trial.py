"""Trial decryption: secrets found by trying them, where no hello in the capture says whose they are.

A key log names sessions by the client random. That is not known where the ClientHello is missing, nor where the server accepted
Encrypted Client Hello and the inner hello did not open; and where the ServerHello is missing, nobody says with which suite the
secrets are used. But only the right secret and suite make a record's tag agree, so the candidates can be tried on the first
records that are encrypted: in TLS 1.3, whose secrets need no other input than themselves. All trials of a run have one limit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.labels import APPLICATION_LABELS, HANDSHAKE_LABELS
from analyzer.secrets.record_protection import open_tls13
from analyzer.secrets.suite_interface import hash_function
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.decryption.read_state import APPLICATION, PROTECTED
from analyzer.tls.limits import FIRST_RECORDS, MAX_SEARCHED
from analyzer.tls.record.content_types import APPLICATION_DATA
from analyzer.tls.suites import Suite, suite

LABELS = (
    (PROTECTED, HANDSHAKE_LABELS),
    (APPLICATION, APPLICATION_LABELS),
)
"""The epochs of a role with the labels of their secrets, the client's and the server's."""


@dataclass(frozen=True, slots=True)
class Found:
    """What opened a record: client random and suite of its session, the suite's number, the role's epoch, the record's own."""

    random: bytes
    suite: Suite
    number: int
    epoch: int
    sequence: int


class TrialDecryption:
    """The trials of one session; left: on how many more records. random: of the ClientHello, if only the suite is missing."""

    __slots__ = ("_draft", "_material", "_random", "_suites", "left")

    def __init__(self, material: KeyMaterial, suites: Sequence[int], draft: int, random: bytes | None = None) -> None:
        self._material = material
        self._suites = [(number, one) for number in dict.fromkeys(suites) if (one := suite(number)) is not None and one.tls13]
        self._draft = draft
        self._random = random
        self.left = MAX_SEARCHED

    def look(self, role: int, content_type: int, version: int, body: bytes) -> Found | None:
        """Try the candidates on a record of a role, 0 the client."""
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
        """The number that the record has under this secret; None where it is another's."""
        try:
            if hash_function(chosen.prf_hash)(b"").digest_size != len(secret):
                return None
            decryptor = open_tls13(chosen, secret, draft=self._draft)
            for sequence in range(reach):
                if decryptor.open_at(sequence, APPLICATION_DATA, version, body) is not None:
                    return sequence
        except DecryptionError:  # a cipher that nobody has, or a record without room for a tag
            return None
        return None
