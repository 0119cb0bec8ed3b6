"""Decrypts the protected records of one session: uses new keys when a role changes them, and counts the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analyzer.flows.flow import Flow
from analyzer.secrets.compression import Inflater
from analyzer.secrets.decryption_error import MISSING_SEGMENT, DecryptionError
from analyzer.secrets.record_decryptor import Opened, RecordDecryptor
from analyzer.tls.decryption.key_material import KEY_UPDATE_MISSED, NO_HANDSHAKE, Application, InnerData, KeyMaterial
from analyzer.tls.decryption.read_state import APPLICATION, EARLY, PROTECTED, ReadState
from analyzer.tls.decryption.schedule12 import Schedule12
from analyzer.tls.decryption.schedule13 import Schedule13
from analyzer.tls.decryption.session_keys import SessionKeys
from analyzer.tls.events import Data, DataBegan, DataMissing
from analyzer.tls.handshake.authentication import FinishedKeys
from analyzer.tls.handshake.ech_offer import EchOffer
from analyzer.tls.handshake.hello_features import fragment_length, record_size_limit
from analyzer.tls.handshake.transcript import Transcript
from analyzer.tls.limits import LARGEST_PLAINTEXT
from analyzer.tls.messages.numbers import (
    CLIENT_HELLO,
    CLIENT_KEY_EXCHANGE,
    END_OF_EARLY_DATA,
    FINISHED,
    HEADER,
    KEY_UPDATE,
)
from analyzer.tls.record.content_types import APPLICATION_DATA
from analyzer.tls.record.record import Record
from analyzer.tls.session_log import ROLES, SessionLog
from analyzer.tls.suites import Suite

if TYPE_CHECKING:
    import cython

FAILED_AFTER_GAP = 3
"""Failed records after a gap from which on two key changes in the gap are assumed.

These records open neither with the current keys nor with the next ones.
"""

MAX_FRAMES = 16
"""Frames of too long records that are kept."""

_CLIENT, _SERVER = 0, 1


class Decryption(FinishedKeys):
    """The decryption state of one session.

    keys: what is known of the secrets, with `reason` and `detail`. states: the read state of each role. records, failed: number
    of protected records that were decrypted, and that were not; unanswered: of the latter, those before the ServerHello.
    sent: bytes of application data of each role. has_gaps: whether records are missing. early: whether the last decrypted
    record was early data. held: early data until the server has accepted or rejected it, which early_settled says. limits: how
    long the plaintext of a role's records can be; oversized: of those that were longer, the greatest length
    and the first frames. application:
    reader of the data, None if there is none; began: whether any data came. inner: searches the data for TLS, None if there is
    nothing to search. active: whether records are to be decrypted, so
    that their bodies are needed.
    """

    __slots__ = (
        "active", "application", "began", "early", "early_settled", "failed", "has_gaps", "held", "inner", "keys", "limits",
        "log", "oversized", "records", "schedule12", "schedule13", "sent", "states", "unanswered",
    )  # fmt: skip

    def __init__(self, material: KeyMaterial, transcript: Transcript, log: SessionLog, flow: Flow) -> None:
        self.keys = SessionKeys(material, transcript)
        self.log = log
        self.states = (ReadState(material), ReadState(material))
        self.schedule12 = Schedule12(self.keys)
        self.schedule13 = Schedule13(self.keys, self.states)
        self.records = 0
        self.failed = 0
        self.unanswered = 0
        self.sent = [0, 0]
        self.has_gaps = False
        self.early = False
        self.early_settled = False
        self.held: list[tuple[bytes, int, int]] = []
        self.limits = [LARGEST_PLAINTEXT, LARGEST_PLAINTEXT]
        self.oversized: list[tuple[int, list[int]] | None] = [None, None]
        self.application: Application | None = None
        self.inner: InnerData | None = None if material.inner is None else material.inner.open(flow, log)
        self.began = False
        self.active = True

    # Input from the handshake.

    def begin(self) -> None:
        """Prepare for a handshake, which can also be a renegotiation."""
        self.keys.end_handshake(self.schedule12.master)
        self.schedule12.begin()
        state: ReadState
        for state in self.states:
            state.changed = False

    def take_message(self, role: cython.int, raw: bytes, whole: cython.bint) -> None:
        """Take a handshake message in plaintext, with its header; `whole` is False if its end is missing."""
        number: cython.int = raw[0]
        keys: SessionKeys = self.keys
        if number == CLIENT_HELLO and not keys.client_random:
            keys.client_random = keys.transcript.client_random
        elif number == CLIENT_KEY_EXCHANGE:
            self.schedule12.exchanged = True
            if whole:
                self.schedule12.exchange(raw)
        elif number == KEY_UPDATE and keys.tls13:
            self.schedule13.update(role)
        elif number == FINISHED and role != _CLIENT and self.schedule13.bound is not None:
            self.schedule13.finish()
        if number == END_OF_EARLY_DATA or (number == FINISHED and keys.tls13):
            state: ReadState = self.states[role]
            state.epoch = APPLICATION if number == FINISHED else PROTECTED

    def offer(self, suites: Sequence[int], ech: EchOffer | None) -> None:
        """Note the suites that the client offers, by number, and its offer of Encrypted Client Hello."""
        self.keys.suites = suites
        self.keys.ech = ech
        self.schedule13.offer()

    def accept_inner(self, outer_random: bytes, inner_random: bytes) -> None:
        """Use the inner hello of Encrypted Client Hello from now on; its random names the session."""
        self.keys.named[outer_random] = None
        self.keys.client_random = inner_random

    def agree(
        self, version: cython.int, tls13: cython.bint, chosen: Suite | None, hello: Any, raw: bytes, retry: cython.bint
    ) -> cython.bint:
        """Note what the server has chosen. Returns False if nothing can be decrypted and records do not have to be read."""
        keys: SessionKeys = self.keys
        if keys.trial and tls13 and not retry:  # what opens records is right, and has counted them
            if chosen is keys.suite and keys.client_random == keys.transcript.client_random and _is_whole(raw):
                keys.trial = ""
            return self.active
        keys.version = version
        keys.tls13 = tls13
        keys.suite = chosen
        keys.cipher_suite = getattr(hello, "cipher_suite", None) or 0
        self.active = True
        if retry:  # a HelloRetryRequest rejects early data
            self.settle_early(False, None)
        else:
            self.schedule13.trial = None
            if not tls13:
                self.take_limits(hello)
            self.active = self.schedule13.agree(raw) if tls13 else self.schedule12.agree(hello, self.records > 0)
        return self.active

    def change(self, role: cython.int) -> cython.bint:
        """Process a ChangeCipherSpec: start to use the new keys. Returns False if there are none."""
        keys: SessionKeys = self.keys
        state: ReadState = self.states[role]
        if keys.tls13 or not keys.version or state.changed:
            return True
        state.changed = True
        state.epoch = 0
        state.n_failed = 0
        try:
            decryptor: RecordDecryptor | None = self.schedule12.decryptor(role)
        except DecryptionError as error:
            keys.note(error.reason, error.detail)
            state.decryptors = [None]
            return True
        state.decryptors = [decryptor]
        state.inflater = Inflater() if self.schedule12.deflate else None
        if decryptor is None:
            self.schedule12.note_missing()
        return decryptor is not None or self.records > 0

    def limit(self, role: cython.int, n_bytes: Any) -> None:
        """Note the record size that a role asks for (RFC 8449). It limits the other role; None: no such request."""
        if n_bytes is not None:
            self.limits[1 - role] = min(n_bytes, LARGEST_PLAINTEXT)

    def take_limits(self, answer: Any) -> None:
        """Note the record sizes that a ServerHello or EncryptedExtensions agrees on (RFC 8449 section 4, RFC 6066 section 4).

        What a client asks for counts only if the server answers it.
        """
        asked = record_size_limit(answer)
        if asked is None:
            self.limits = [fragment_length(answer), fragment_length(answer)]
        else:
            self.limit(_SERVER, asked)

    # Records.

    def protects(self, role: cython.int, content_type: cython.int) -> cython.bint:
        """Return whether a record is encrypted."""
        if self.keys.tls13 or not self.keys.version:
            return content_type == APPLICATION_DATA
        state: ReadState = self.states[role]
        return len(state.decryptors) > 0

    def open(self, record: Record) -> Opened | None:
        """Decrypt a record. Returns its inner content type and plaintext, or None if it fails, which is counted."""
        keys: SessionKeys = self.keys
        role: cython.int = record.role
        state: ReadState = self.states[role]
        early: cython.bint
        if not keys.version and self.schedule13.trial is None and not state.decryptors and keys.material.keylog is not None:
            self.schedule13.search()
        if self.schedule13.trial is not None and record.missing == 0:
            self.schedule13.look(role, record.content_type, record.version, record.body)
        if self.schedule13.trial is not None and keys.version and not state.decryptors:
            return None
        try:
            if record.missing > 0:
                raise DecryptionError(MISSING_SEGMENT, f"{record.missing} bytes of the record")
            early = keys.tls13 or not keys.version
            opened = state.open(record.content_type, record.version, record.body)
            if state.inflater is not None:
                opened = opened[0], state.inflater.inflate(opened[1])
        except DecryptionError as error:
            self.note_failure(record, error.reason, error.detail)
            return None
        self.early = early and state.epoch == EARLY
        self.records += 1
        plaintext: bytes = opened[1]
        limit: cython.Py_ssize_t = self.limits[role]
        if len(plaintext) > limit:
            longest, frames = self.oversized[role] or (0, [])
            self.oversized[role] = max(longest, len(plaintext)), [*frames, record.frame][:MAX_FRAMES]
        return opened

    def note_failure(self, record: Record, reason: str, detail: str) -> None:
        """Count a record that could not be decrypted, and note the reason."""
        keys: SessionKeys = self.keys
        self.failed += 1
        state: ReadState = self.states[record.role]
        if not keys.version and not state.decryptors:
            self.unanswered += 1
        elif keys.tls13 and record.role == _CLIENT and self.schedule13.lacks_early():
            keys.note_early()
        elif keys.reason is None:
            keys.note(reason, f"a record of the {ROLES[record.role]} in frame {record.frame}: {detail}")
        if record.missing > 0:
            self.lose(record.role, True)
        elif record.content_type == APPLICATION_DATA:
            self.miss(record.role, reason)

    def is_past_early_data(self) -> cython.bint:
        """Return whether the client has used the keys that follow those for early data."""
        state: ReadState = self.states[_CLIENT]
        return self.records > 0 and state.epoch != EARLY

    @property
    def exhausted(self) -> bool:
        """Whether no more records can be decrypted."""
        trial = self.schedule13.trial
        searched = self.keys.version and trial is not None and trial.left == 0
        return bool(searched) and not any(state.decryptors for state in self.states)

    def carry(self, role: cython.int, data: bytes, alpn: bytes | None, frame: cython.longlong, at: cython.longlong) -> None:
        """Pass on application data; alpn: the protocol that both sides agreed on."""
        self.sent[role] += len(data)
        if not self.began:
            self.began = True
            if self.log.events is not None:
                began = DataBegan(alpn, self.failed, self.keys.reason)
                began.frame = frame
                began.at = at
                self.log.emit(began)
        if self.log.events is not None:
            self.log.emit(Data(data, role, frame, at))
        if self.early and not self.early_settled:
            self.held.append((data, frame, at))
            return
        if len(self.held) > 0:
            self.settle_early(True, alpn)
        self.read(role, data, alpn, frame, at)

    def read(self, role: cython.int, data: bytes, alpn: bytes | None, frame: cython.longlong, at: cython.longlong) -> None:
        """Give application data to its reader, which the first data creates."""
        if self.application is None and self.keys.material.application is not None:
            self.application = self.keys.material.application(alpn)
        if self.application is not None:
            self.application.feed(role, data, frame, at)
        if self.inner is not None and not self.inner.feed(role, data, alpn, frame, at):
            self.inner = None

    def settle_early(self, accepted: cython.bint, alpn: bytes | None) -> None:
        """Take the server's answer to early data. What it rejects, nobody reads (RFC 9846 section 4.3.10).

        Where the answer is not seen, the early data counts: it is what the client asked.
        """
        held, self.held = self.held, []
        self.early_settled = True
        if accepted:
            for data, frame, at in held:
                self.read(_CLIENT, data, alpn, frame, at)
        elif len(held) > 0:
            n_bytes = sum([len(data) for data, _, _ in held])
            detail = f"the server rejected the client's early data, {n_bytes} bytes: no answer of this session belongs to it"
            self.log.add_finding("early_data_rejected", "info", detail, held[0][1])

    def lose(self, role: cython.int, missing: cython.bint) -> None:
        """Note that no record begins where one should; missing: because the capture lacks some."""
        state: ReadState = self.states[role]
        state.after_gap = True
        if state.decryptors and missing:
            self.has_gaps = True
        if state.inflater is not None:
            state.inflater.lose()
        self.miss(role, MISSING_SEGMENT if missing else None)

    def miss(self, role: cython.int, reason: str | None) -> None:
        """Report to the reader of the data that application data of a role is missing here."""
        if self.application is not None:
            self.application.gap(role, None, reason)
        if self.inner is not None and not self.inner.miss(role):
            self.inner = None
        if self.began and self.log.events is not None:
            self.log.emit(DataMissing(role, reason, self.failed))

    def close(self, at: cython.longlong) -> None:
        """Note that the session has ended, and free everything that is used only for decryption."""
        keys: SessionKeys = self.keys
        if self.unanswered and keys.version and keys.tls13 and keys.offers_early:
            keys.note_early()
        elif self.unanswered:
            keys.note(NO_HANDSHAKE)
        if keys.reason == MISSING_SEGMENT and keys.tls13 and any(map(_lost_keys, self.states)):
            keys.reason = KEY_UPDATE_MISSED
        if len(self.held) > 0:
            self.settle_early(True, None)
        if self.application is not None:
            self.application.close(at)
        if self.inner is not None:
            self.inner.close(at)
            self.inner = None
        state: ReadState
        for state in self.states:
            state.decryptors = []
            state.inflater = None
        self.begin()

    def findings(self) -> list[tuple[str, str, str]]:
        """Return findings about the secrets: code, severity, sentence."""
        keys: SessionKeys = self.keys
        found = []
        if keys.contradicting_labels:
            detail = f"key logs contradict each other on {', '.join(keys.contradicting_labels)}; each was tried on the records"
            found.append(("conflicting_secrets", "medium", detail))
        if self.states[0].limited or self.states[1].limited:
            detail = "the search for a record's number behind a gap ended early: the sessions of this run used up its limit"
            found.append(("limit", "medium", detail))
        if self.schedule13.misbound:
            detail = (
                "the server accepted a pre-shared key whose binder is wrong, which it has to check (RFC 9846 section 4.3.11)"
            )
            found.append(("wrong_binder", "medium", detail))
        if keys.trial:
            found.append(("found_by_trial", "info", keys.trial))
        return found

    @property
    def status(self) -> str:
        """`decrypted`, `partial` or `none`, for a session that has encrypted records."""
        if self.records == 0:
            return "none"
        return "partial" if self.failed or self.has_gaps else "decrypted"

    # Keys to check a Finished.

    def master_secret(self) -> bytes | None:
        """See `FinishedKeys.master_secret`."""
        return self.schedule12.master

    def verify_data(self, role: cython.int, preceding: bytes) -> bytes | None:
        """See `FinishedKeys.verify_data`."""
        if self.keys.tls13:
            return self.schedule13.verify_data(role, PROTECTED, preceding)
        return self.schedule12.verify_data(role, preceding)

    def verify_data_later(self, preceding: bytes) -> bytes | None:
        """See `FinishedKeys.verify_data_later`."""
        return self.schedule13.verify_data(_CLIENT, APPLICATION, preceding)


def _is_whole(raw: bytes) -> cython.bint:
    """Return whether a handshake message with its header has the length that its header says."""
    return len(raw) >= HEADER and len(raw) - HEADER == (raw[1] << 16 | raw[2] << 8 | raw[3])


def _lost_keys(state: ReadState) -> bool:
    """Return whether records fail after a gap in the data, although the secrets were right before it."""
    return state.after_gap and state.epoch == APPLICATION and state.n_failed >= FAILED_AFTER_GAP
