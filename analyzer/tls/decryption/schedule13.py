"""The keys of one session in TLS 1.3: a secret for each role and epoch (RFC 9846 section 7.1).

Each role has its own epochs: early data (the client only), handshake, and after its Finished application data. A KeyUpdate
renews the keys of application data. The secrets are logged with the client random, or come from a pre-shared key, or must be
found by trial decryption if no hello in the capture names them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analyzer.secrets.aead import Tls13Decryptor
from analyzer.secrets.decryption_error import UNSUPPORTED_CIPHER, DecryptionError
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.labels import APPLICATION_LABELS, EARLY_LABEL, HANDSHAKE_LABELS, TRAFFIC_SECRETS
from analyzer.secrets.record_decryptor import RecordDecryptor
from analyzer.secrets.record_protection import open_tls13
from analyzer.tls.decryption.key_material import ECH_INNER_UNKNOWN, EPHEMERAL, MISSING_LABEL, NO_SECRET
from analyzer.tls.decryption.read_state import APPLICATION, EARLY, PROTECTED, CandidateDecryptors, ReadState
from analyzer.tls.decryption.session_keys import SessionKeys
from analyzer.tls.decryption.trial import TrialDecryption
from analyzer.tls.handshake.ech_offer import OFFERED
from analyzer.tls.limits import MAX_CANDIDATES
from analyzer.tls.messages.numbers import FINISHED, SERVER_HELLO, TLS_1_3
from analyzer.tls.suites import Suite, suite

if TYPE_CHECKING:
    import cython

    from analyzer.tls.decryption.external_psk import VerifiedPsk

_CLIENT, _SERVER = 0, 1


class Schedule13:
    """Starts to use the secrets of TLS 1.3, by filling the read state of each role.

    bound: the pre-shared key that the server selected, if it is known. trial: the trial decryption, while it runs. misbound:
    whether the server accepted a pre-shared key with a wrong binder.
    """

    __slots__ = ("bound", "keys", "misbound", "states", "trial")

    def __init__(self, keys: SessionKeys, states: tuple[ReadState, ReadState]) -> None:
        self.keys = keys
        self.states = states
        self.bound: VerifiedPsk | None = None
        self.trial: TrialDecryption | None = None
        self.misbound = False

    def offer(self) -> None:
        """Process what the client offers. Early data comes before the server has chosen anything."""
        keys: SessionKeys = self.keys
        keylog: KeyLog | None = keys.material.keylog
        secrets: list[bytes] = []
        if keylog is not None:
            for name in (keys.client_random, None if keys.ech is None else keys.ech.random):
                secrets += [] if name is None else list(reversed(keylog.candidates(name, EARLY_LABEL)))[:MAX_CANDIDATES]
        if not secrets and keys.material.psks:
            hello, retried = keys.transcript.hellos()
            if hello is not None:  # early data is protected with the first key offered
                secrets = [bound.early_traffic_secret(hello) for bound in self._bound(hello, retried) if bound.index == 0]
        client: ReadState = self.states[_CLIENT]
        if secrets and client.decryptors == []:
            self._open_early(client, secrets)

    def agree(self, raw: bytes) -> cython.bint:
        """Start to use the secrets; raw: the ServerHello, empty if it is missing. Returns False without secrets."""
        keys: SessionKeys = self.keys
        keylog: KeyLog | None = keys.material.keylog
        found: dict[str, list[bytes]] = {} if keylog is None else keylog.by_label(keys.client_random)
        lacking = [label for label in TRAFFIC_SECRETS if label not in found]
        if keys.suite is None or len(lacking) == len(TRAFFIC_SECRETS):
            if keys.suite is None and len(lacking) < len(TRAFFIC_SECRETS):
                keys.material.matched += 1
                keys.note(UNSUPPORTED_CIPHER)
            return keys.suite is not None and (self._agree_psk(raw, keys.suite) or self._start_trial(list(found)))
        keys.material.matched += 1
        if keys.material.psks and raw:
            self.misbound = self._is_misbound(raw, keys.suite, found)
        if lacking:
            keys.note(MISSING_LABEL, f"the key log has {', '.join(found)} of this session, and not {', '.join(lacking)}")
        role: cython.int
        for role in range(2):
            state: ReadState = self.states[role]
            state.decryptors = [
                state.decryptors[EARLY] if state.decryptors else None,
                self.decryptor(HANDSHAKE_LABELS[role], found),
                self.decryptor(APPLICATION_LABELS[role], found),
            ]
            if state.epoch == EARLY and state.decryptors[EARLY] is None:
                state.epoch = PROTECTED
        return True

    def search(self) -> None:
        """Start trial decryption, because the ServerHello is missing."""
        keys: SessionKeys = self.keys
        self.trial = TrialDecryption(keys.material, keys.suites, 0, keys.client_random)

    def look(self, role: cython.int, content_type: cython.int, version: cython.int, body: bytes) -> None:
        """Try the trial decryption on a record of a role. If it finds secrets, they are used from now on."""
        keys: SessionKeys = self.keys
        found = None if self.trial is None else self.trial.look(role, content_type, version, body)
        if found is None:
            return
        if keys.client_random != found.random:
            what = "Encrypted Client Hello hides the random" if keys.client_random else "the ClientHello is not in the capture"
            keys.transcript.lose_hellos()
        else:
            what = "the ServerHello is not in the capture"
        keys.trial = f"{what}: the secrets were found by trying those of the key log on the first records"
        self.trial = None
        keys.reason, keys.detail = None, ""
        keys.client_random, keys.suite, keys.cipher_suite = found.random, found.suite, found.number
        keys.version, keys.tls13 = keys.version or TLS_1_3, True
        self.agree(b"")
        state: ReadState = self.states[role]
        state.epoch = found.epoch
        decryptor = state.decryptors[found.epoch]
        if decryptor is not None:
            decryptor.sequence = found.sequence

    def finish(self) -> None:
        """Process the server's Finished: with a pre-shared key, the secrets of application data can now be derived."""
        keys: SessionKeys = self.keys
        bound = self.bound
        preceding = None if bound is None or keys.suite is None else keys.transcript.through(FINISHED, keys.suite.prf_hash)
        if bound is None or preceding is None or keys.suite is None:
            return
        role: cython.int
        for role, secret in enumerate(bound.application_traffic_secrets(preceding)):
            state: ReadState = self.states[role]
            state.decryptors[APPLICATION:] = [open_tls13(keys.suite, secret, keys.draft(), keys.transcript.dtls)]

    def update(self, role: cython.int) -> None:
        """Process a KeyUpdate of a role. In DTLS it begins an epoch, whose keys follow from those of the one before."""
        decryptor = None if self.keys.transcript.dtls else self.of_epoch(role, APPLICATION)
        if decryptor is not None:
            decryptor.update()

    def lacks_early(self) -> cython.bint:
        """Return whether the client may still send early data whose secret is not known."""
        state: ReadState = self.states[_CLIENT]
        if not self.keys.offers_early or self.of_epoch(_CLIENT, EARLY) is not None or state.epoch == APPLICATION:
            return False
        decryptor = self.of_epoch(_CLIENT, PROTECTED)
        return decryptor is None or decryptor.sequence == 0

    def of_epoch(self, role: cython.int, epoch: cython.int) -> RecordDecryptor | None:
        """Return the decryptor of an epoch of a role; None if its secret is not known."""
        state: ReadState = self.states[role]
        return state.decryptors[epoch] if epoch < len(state.decryptors) else None

    def verify_data(self, role: cython.int, epoch: cython.int, digest: bytes) -> bytes | None:
        """Return the verify_data of a Finished that a role sends in an epoch; None without a secret.

        digest: hash of the messages before it.
        """
        decryptor = self.of_epoch(role, epoch)
        if not isinstance(decryptor, Tls13Decryptor):
            return None
        keyed: Tls13Decryptor = decryptor
        return keyed.verify_data(digest)

    def decryptor(self, label: str, found: dict[str, Any]) -> RecordDecryptor | None:
        """Return the record decryptor for the secret with this label.

        If there are several secrets, the records show which one is right. The last one given is tried first.
        """
        keys: SessionKeys = self.keys
        secrets = found.get(label)
        if secrets is None or keys.suite is None:
            return None
        decryptors: list[RecordDecryptor] = []
        opening: list[bytes] = []
        for secret in list(reversed(secrets))[:MAX_CANDIDATES]:
            try:
                decryptors.append(open_tls13(keys.suite, secret, keys.draft(), keys.transcript.dtls))
                opening.append(secret)
            except DecryptionError as error:
                keys.note(error.reason, error.detail)
        if len(secrets) > 1:
            keys.contradicting_labels[label] = None
        if len(decryptors) < 2:
            return decryptors[0] if decryptors else None
        return self._candidates(label, decryptors, opening)

    def _candidates(self, label: str, decryptors: list[RecordDecryptor], secrets: list[bytes]) -> RecordDecryptor:
        return CandidateDecryptors(decryptors, lambda number: self.keys.verified.update({label: secrets[number]}))

    def _start_trial(self, labels: Sequence[str]) -> bool:
        """Start trial decryption if no hello can name the session. Returns False if it would be useless.

        labels: the labels that the key log has for this session.
        """
        keys = self.keys
        lost = not keys.client_random
        sealed = keys.ech is not None and keys.ech.status == OFFERED
        if keys.material.keylog is not None and (lost or sealed):
            self.trial = TrialDecryption(keys.material, [keys.cipher_suite], keys.draft())
        if keys.client_random != keys.transcript.client_random:
            inner = f"{keys.client_random.hex()[:16]}…"
            keys.note(ECH_INNER_UNKNOWN, f"the server took the inner hello, and the key log has nothing for its random {inner}")
        elif labels:
            keys.note(
                MISSING_LABEL, f"the key log has {', '.join(labels)} of this session, and not {', '.join(TRAFFIC_SECRETS)}"
            )
        elif self.trial is None:
            keys.note(NO_SECRET)
        return self.trial is not None

    def _bound(self, hello: bytes, retried: tuple[bytes, bytes] | None) -> list[VerifiedPsk]:
        from analyzer.tls.decryption.external_psk import verify_psks

        try:
            return verify_psks(hello, self.keys.material.psks, retried, self.keys.transcript.dtls)
        except DecryptionError:  # a malformed hello has no valid binder
            return []

    def _is_misbound(self, raw: bytes, chosen: Suite, found: dict[str, list[bytes]]) -> bool:
        """Return whether the server accepted a key that the logged secrets prove, and whose binder is wrong."""
        keys = self.keys
        hello, retried = keys.transcript.hellos()
        if hello is None or keys.ech is not None:
            return False
        from analyzer.tls.decryption.binder_check import accepts_wrong_binder

        preceding = keys.transcript.through(SERVER_HELLO, chosen.prf_hash)
        dtls = keys.transcript.dtls
        return accepts_wrong_binder((hello, retried), raw, keys.material.psks, found, chosen.prf_hash, preceding, dtls)

    def _agree_psk(self, raw: bytes, chosen: Suite) -> bool:
        """Start to use what a pre-shared key gives.

        Returns False if there is none, or if the server selected none of them.
        """
        keys = self.keys
        hello, retried = keys.transcript.hellos()
        if not keys.material.psks or hello is None or not raw:
            return False
        from analyzer.tls.decryption.external_psk import selects

        try:
            index, shares = selects(raw)
        except DecryptionError:
            return False
        right = [one for one in self._bound(hello, retried) if one.index == index and one.hash_name == chosen.prf_hash]
        if not right:
            return False
        if shares:
            keys.note(EPHEMERAL, "the pre-shared key is known, but with a key share (psk_dhe_ke) it opens early data alone")
            return bool(self.states[_CLIENT].decryptors)
        preceding = keys.transcript.through(SERVER_HELLO, chosen.prf_hash)
        if preceding is None:
            return False
        self.bound = right[0]
        for role, secret in enumerate(self.bound.handshake_traffic_secrets(preceding)):
            keys.verified[HANDSHAKE_LABELS[role]] = secret
            state = self.states[role]
            state.decryptors = [
                *(state.decryptors[:1] or [None]),
                open_tls13(chosen, secret, keys.draft(), keys.transcript.dtls),
                None,
            ]
            if state.decryptors[EARLY] is None:
                state.epoch = PROTECTED
        return True

    def _open_early(self, client: ReadState, secrets: list[bytes]) -> None:
        """Try early data with every suite that can belong to the secret: the tag shows which one is right."""
        decryptors: list[RecordDecryptor] = []
        for secret in secrets:
            for number in dict.fromkeys(self.keys.suites):  # a hello can contain one suite thirty thousand times
                offered = suite(number)
                if offered is None or not offered.tls13:
                    continue
                try:
                    decryptors.append(open_tls13(offered, secret, 0, self.keys.transcript.dtls))
                except DecryptionError:  # another hash length, or a cipher that is not available
                    continue
        if decryptors:
            client.decryptors = [CandidateDecryptors(decryptors)]
