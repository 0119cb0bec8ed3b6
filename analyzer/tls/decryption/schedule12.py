"""The keys of one session up to TLS 1.2. Those of both roles come from one master secret, and change with ChangeCipherSpec.

The master secret is logged, or it comes from the premaster secret of the ClientKeyExchange (RFC 5246 section 8.1), or it is the
master secret of the session that is resumed. If both sides agree on it, the messages so far are included in its derivation (RFC
7627).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.runner import extension_body
from analyzer.secrets import key_schedule
from analyzer.secrets.compression import DEFLATE
from analyzer.secrets.decryption_error import MISSING_SEGMENT, UNSUPPORTED_CIPHER, DecryptionError
from analyzer.secrets.key_schedule import TLS_1_2, finished, finished_of, tls_version
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.labels import CLIENT_RANDOM, PREMASTER
from analyzer.secrets.record_decryptor import RecordDecryptor
from analyzer.secrets.record_protection import open_tls12
from analyzer.tls.decryption.key_material import MISSING_LABEL, NO_SECRET
from analyzer.tls.decryption.premaster import premasters
from analyzer.tls.decryption.read_state import CandidateDecryptors, UnprotectedReader
from analyzer.tls.decryption.session_keys import SessionKeys
from analyzer.tls.handshake.resumption import ResumableSession, Resumptions
from analyzer.tls.limits import MAX_CANDIDATES
from analyzer.tls.messages.numbers import ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET, TRUNCATED_HMAC
from analyzer.tls.suites import Suite

if TYPE_CHECKING:
    import cython

_MAC_LENGTHS = {"SHA": 20, "MD5": 16, "NULL": 0}
"""MAC length in bytes of suites without encryption, by hash; other hashes have 32."""


class Schedule12:
    """The key schedule of a handshake; `begin` prepares it for the next one.

    session_id: as the server gave it. premasters: possible premaster secrets. master: the master secret, when keys are in use.
    earlier: the master secret of the session that this one may resume. refused: why the keys given do not give the premaster
    secret, None if they do. pair: the decryptors of both roles. exchanged: whether a
    ClientKeyExchange came. extended, encrypt_then_mac, truncated_hmac, deflate: what the hellos agreed on. unverified: whether
    records without encryption were read whose MAC could not be checked.
    """

    __slots__ = (
        "deflate", "earlier", "encrypt_then_mac", "exchanged", "extended", "keys", "master", "pair", "premasters", "refused",
        "session_id", "truncated_hmac", "unverified",
    )  # fmt: skip

    def __init__(self, keys: SessionKeys) -> None:
        self.keys = keys
        self.unverified = False
        self.begin()

    def begin(self) -> None:
        """Prepare for a handshake, which can also be a renegotiation."""
        self.session_id = b""
        self.premasters: list[bytes] = []
        self.master: bytes | None = None
        self.earlier: bytes | None = None
        self.refused: DecryptionError | None = None
        self.pair: tuple[RecordDecryptor, RecordDecryptor] | None = None
        self.exchanged = self.extended = self.encrypt_then_mac = self.truncated_hmac = self.deflate = False

    def resume(self, found: ResumableSession, resumptions: Resumptions, hello: Any) -> None:
        """Note the session that this one may resume. Its secret counts if the key log has none for this session.

        hello: the ServerHello, which `agree` takes next.
        """
        keylog: KeyLog | None = self.keys.material.keylog
        session_id = getattr(hello, "legacy_session_id_echo", None) or b""
        if keylog is None or not keylog.masters(self.keys.client_random, session_id):
            self.earlier = resumptions.secret(found)

    def agree(self, hello: Any, opened: cython.bint) -> cython.bint:
        """Process a ServerHello. Returns False if nothing after it can be decrypted.

        opened: whether records were decrypted before it.
        """
        keys: SessionKeys = self.keys
        self.session_id = getattr(hello, "legacy_session_id_echo", None) or b""
        self.extended = extension_body(hello, EXTENDED_MASTER_SECRET) is not None
        self.encrypt_then_mac = extension_body(hello, ENCRYPT_THEN_MAC) is not None
        self.truncated_hmac = extension_body(hello, TRUNCATED_HMAC) is not None
        self.deflate = getattr(hello, "legacy_compression_method", 0) == DEFLATE
        chosen: Suite | None = keys.suite
        keylog: KeyLog | None = keys.material.keylog
        if (
            keys.material.private_keys
            or keys.material.psks
            or self.earlier is not None
            or (chosen is not None and (chosen.key_exchange == "RSA" or chosen.mode == "null"))
        ):
            return True
        if opened or (keylog is not None and (keylog.knows(keys.client_random) or keylog.masters(b"", self.session_id))):
            return True
        self.note_missing()
        return False

    def exchange(self, raw: bytes) -> None:
        """Process a complete ClientKeyExchange: find its premaster secret."""
        keys: SessionKeys = self.keys
        chosen: Suite | None = keys.suite
        if chosen is None or not (chosen.key_exchange == "RSA" or keys.material.psks):
            return
        offered = keys.transcript.offered_version() or keys.version
        try:
            self.premasters = premasters(keys.material, chosen, keys.version, offered, raw, keys.transcript.certificates[1])
        except DecryptionError as error:
            self.refused = error

    def decryptor(self, role: cython.int) -> RecordDecryptor | None:
        """Return the decryptor of a role's records after its ChangeCipherSpec; None without a secret.

        Raises DecryptionError.
        """
        keys: SessionKeys = self.keys
        chosen: Suite | None = keys.suite
        if chosen is None:
            return None
        if self.pair is None:
            masters = self.masters(chosen)
            if not masters:
                self.unverified = chosen.mode == "null"
                return UnprotectedReader(_MAC_LENGTHS.get(chosen.hash, 32)) if self.unverified else None
            keys.material.matched += 1
            self.master = masters[0]
            self.pair = self.make_pair(chosen, masters)
        return self.pair[role]

    def make_pair(self, chosen: Suite, masters: list[Any]) -> tuple[RecordDecryptor, RecordDecryptor]:
        """Return the decryptors of both roles. If there are several master secrets, the records show which one is right."""
        keys: SessionKeys = self.keys
        client_random, server_random = keys.transcript.client_random, keys.transcript.server_random
        pairs = [
            open_tls12(chosen, keys.version, master, client_random, server_random, self.encrypt_then_mac, self.truncated_hmac)
            for master in masters
        ]
        return pairs[0] if len(pairs) == 1 else self.candidates(pairs, masters)

    def candidates(
        self, pairs: list[tuple[RecordDecryptor, RecordDecryptor]], masters: list[bytes]
    ) -> tuple[RecordDecryptor, RecordDecryptor]:
        """Return decryptors that try several master secrets."""
        self.keys.contradicting_labels[CLIENT_RANDOM] = None

        def choose(number: int) -> None:
            self.master = masters[number]

        clients, servers = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        return CandidateDecryptors(clients, choose), CandidateDecryptors(servers, choose)

    def masters(self, chosen: Suite) -> list[bytes]:
        """Return all possible master secrets, the last one given first, at most MAX_CANDIDATES.

        Raises DecryptionError (missing_segment) if a message is missing that is needed to derive them.
        """
        keys: SessionKeys = self.keys
        keylog: KeyLog | None = keys.material.keylog
        found: list[bytes] = []
        known = self.premasters
        if keylog is not None:
            found = keylog.masters(keys.client_random, self.session_id)
            known = [*keylog.candidates(keys.client_random, PREMASTER), *known]
            if found and known and keys.transcript.before_change() is None:  # what shows extended_master_secret may be missing
                known = []
        preceding = keys.transcript.before_change() if self.extended and known else None
        for premaster in known:
            if not self.extended:
                randoms = keys.transcript.client_random, keys.transcript.server_random
                if len(randoms[0]) == 0 or len(randoms[1]) == 0:  # a hello is cut: so is what shows extended_master_secret
                    continue
                found.append(key_schedule.master_secret(keys.version, chosen.prf_hash, premaster, *randoms))
            elif preceding is not None:
                found.append(key_schedule.extended_master_secret(keys.version, chosen.prf_hash, premaster, preceding))
        if not found and self.earlier is not None and not self.exchanged:
            found.append(self.earlier)  # a resumed session has the master secret of the first session
        if known and not found:
            raise DecryptionError(MISSING_SEGMENT, "a message on which the extended master secret depends")
        return found if len(found) == 1 else list(dict.fromkeys(reversed(found)))[:MAX_CANDIDATES]

    def note_missing(self) -> None:
        """Note why there is no master secret, or no use for it."""
        keys: SessionKeys = self.keys
        keylog: KeyLog | None = keys.material.keylog
        named = keylog is not None and keylog.knows(keys.client_random)
        if keys.suite is None and self.has_secret():
            keys.note(UNSUPPORTED_CIPHER)
        elif keylog is not None and named:
            found = keylog.secrets(keys.client_random)
            keys.note(MISSING_LABEL, f"the key log has {', '.join(found)} of this session, and not {CLIENT_RANDOM}")
        elif self.refused is not None and (keylog is None or self.refused.reason != NO_SECRET):
            keys.note(self.refused.reason, self.refused.detail)
        else:
            keys.note(NO_SECRET)

    def has_secret(self) -> cython.bint:
        """Return whether the key log has a secret of this session that would be enough if its cipher suite were known."""
        keylog: KeyLog | None = self.keys.material.keylog
        if keylog is None:
            return False
        random = self.keys.client_random
        return len(keylog.masters(random, self.session_id)) > 0 or len(keylog.candidates(random, PREMASTER)) > 0

    def verify_data(self, role: cython.int, preceding: bytes) -> bytes | None:
        """Return the verify_data of a role's Finished; None without a secret.

        preceding: the messages before it, or in TLS 1.2 their hash.
        """
        chosen: Suite | None = self.keys.suite
        version: cython.int = self.keys.version
        if self.master is None or chosen is None:
            return None
        if tls_version(version) < TLS_1_2:
            return finished(version, chosen.prf_hash, self.master, role == 0, preceding)
        return finished_of(version, chosen.prf_hash, self.master, role == 0, preceding)
