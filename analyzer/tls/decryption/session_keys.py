"""Holds what is known of one session's secrets: their name, their version and suite, and why some are missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analyzer.secrets.decryption_error import WRONG_SECRET
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.labels import EARLY_LABEL
from analyzer.tls.decryption.key_material import MISSING_LABEL, NO_SECRET, KeyMaterial
from analyzer.tls.handshake.ech_offer import EchOffer
from analyzer.tls.handshake.transcript import Transcript
from analyzer.tls.limits import MAX_NAMED
from analyzer.tls.suites import Suite

if TYPE_CHECKING:
    import cython


class SessionKeys:
    """The secrets of one session, shared by its key schedules.

    material: what the run has. transcript: of the handshake. client_random: the name of the session in key logs. named: the
    client random of each finished handshake, with its master secret, None if there was none or in TLS 1.3. version, tls13,
    suite, cipher_suite: as chosen by the server, or found by trial decryption. suites: numbers of the cipher suites that the
    client offers. ech: its offer of Encrypted Client Hello. offers_early: whether it offers early data. contradicting_labels:
    labels for which the sources have different secrets; the secret that decrypted the records is in use, and for labels of TLS
    1.3 it is in `verified`. trial: why trial decryption was needed, if it found the secrets; else "". reason, detail: why
    decryption first failed, and the details.
    """

    __slots__ = (
        "cipher_suite", "client_random", "contradicting_labels", "detail", "ech", "material", "named", "offers_early", "reason",
        "suite", "suites", "tls13", "transcript", "trial", "verified", "version",
    )  # fmt: skip

    def __init__(self, material: KeyMaterial, transcript: Transcript) -> None:
        self.material = material
        self.transcript = transcript
        self.client_random = b""
        self.named: dict[bytes, bytes | None] = {}
        self.version = 0
        self.tls13 = False
        self.suite: Suite | None = None
        self.cipher_suite = 0
        self.suites: Sequence[int] = ()
        self.ech: EchOffer | None = None
        self.offers_early = False
        self.contradicting_labels: dict[str, None] = {}
        self.verified: dict[str, bytes] = {}
        self.trial = ""
        self.reason: str | None = None
        self.detail = ""

    def note(self, reason: str, detail: str = "") -> None:
        """Keep a reason why decryption fails. Only the first one is kept."""
        if self.reason is None:
            self.reason = reason
            self.detail = detail

    def note_early(self) -> None:
        """Note that the secret of the client's early data is missing."""
        keylog: KeyLog | None = self.material.keylog
        found = {} if keylog is None else keylog.by_label(self.client_random)
        if EARLY_LABEL in found:
            self.note(WRONG_SECRET, f"{EARLY_LABEL} of the key log fits no cipher suite that the client offers")
        elif found:
            self.note(MISSING_LABEL, f"the key log has {', '.join(found)} of this session, and not {EARLY_LABEL}")
        else:
            self.note(NO_SECRET, "no secret given opens its early data")

    def end_handshake(self, master: bytes | None) -> None:
        """Keep the client random of a finished handshake, and its master secret."""
        if self.client_random and len(self.named) < MAX_NAMED:
            self.named[self.client_random] = master
        self.client_random = b""

    def draft(self) -> cython.int:
        """Return the number of the draft of TLS 1.3, 0 for the RFC. The experimental versions (0x7Exx) are like draft 22."""
        if self.version >> 8 == 0x7F:
            return self.version & 0xFF
        return 22 if self.version >> 8 == 0x7E else 0
