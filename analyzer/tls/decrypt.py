"""What the secrets of one session open: the handshake heard, keys taken into use where each side changes them, records opened.

Up to TLS 1.2 a side's keys change with its ChangeCipherSpec, and both sides' come from one master secret (RFC 5246 section
6.3). In TLS 1.3 each side goes through phases of its own: early data (the client only), handshake, and after its Finished
application data, whose keys a KeyUpdate renews (RFC 9846 section 7). What the handshake said is in the session's transcript.
This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cython

from analyzer.codec.runner import extension_body
from analyzer.secrets import schedule
from analyzer.secrets.aead import Tls13Opener
from analyzer.secrets.compression import DEFLATE, Inflater
from analyzer.secrets.keylog import CLIENT_RANDOM, PREMASTER, KeyLog
from analyzer.secrets.opener import Opened, Opener
from analyzer.secrets.protection import open_tls12, open_tls13
from analyzer.secrets.refused import MISSING_SEGMENT, Refused
from analyzer.secrets.schedule import TLS_1_2, finished, finished_of, tls_version
from analyzer.tls.content_types import APPLICATION_DATA
from analyzer.tls.direction import APPLICATION, EARLY, PROTECTED, AnyOpener, Direction, PlainOpener
from analyzer.tls.inner_hello import OFFERED, InnerHello
from analyzer.tls.limits import LARGEST_PLAINTEXT, MAX_CANDIDATES, MAX_NAMED
from analyzer.tls.premaster import premasters
from analyzer.tls.psk import Bound, find_bound, selects
from analyzer.tls.search import Search
from analyzer.tls.secrets import (
    ECH_INNER_UNKNOWN,
    EPHEMERAL,
    KEY_UPDATE_MISSED,
    MISSING_LABEL,
    NO_HANDSHAKE,
    NO_SECRET,
    Application,
    Secrets,
)
from analyzer.tls.suites import Suite, suite
from analyzer.tls.transcript import Transcript

if TYPE_CHECKING:
    from analyzer.tls.session import Session

CLIENT_HELLO, SERVER_HELLO, END_OF_EARLY_DATA, CLIENT_KEY_EXCHANGE, FINISHED, KEY_UPDATE = 1, 2, 5, 16, 20, 24
TLS_1_3 = 0x0304

TRUNCATED_HMAC, ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET = 4, 22, 23

_EARLY_LABEL = "CLIENT_EARLY_TRAFFIC_SECRET"
_HANDSHAKE_LABELS = ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET")
_APPLICATION_LABELS = ("CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0")
_LABELS = (*_HANDSHAKE_LABELS, *_APPLICATION_LABELS)
_CLIENT = 0

UNOPENED = 3
"""Records behind a gap that open neither with the keys nor with those that follow, until keys are taken for changed twice."""

_OLD_LENGTHS = {"SHA": 20, "MD5": 16, "NULL": 0}


class Decryption:
    """One session's secrets at work; sides as the session has them, and `client` one of them.

    records, failed: encrypted records that opened, and that did not. sent: bytes of application data that each role (0
    client, 1 server) sent. reason: why something did not open, the first such; detail: what shows it, where more is known.
    holes: whether records are missing. early: whether the record opened last was early data. plain: whether records were
    read whose MAC nobody could check, for they are not encrypted. oversized: of each role the bytes of the first record
    longer than the other wants them. application: who takes the data, once there is any. client_random: the one that names
    the session in key logs. contradicted: labels of which the sources say several things; the one that opened the records
    is in use, and for labels of TLS 1.3 in `proven`. named: the client random of each handshake that is over, with its
    master secret, None where there was none or in TLS 1.3. earlier: the master secret of the session that this one may go
    back to, where that is known. ech: what becomes of an inner hello. trial: why the secrets had to be found by trial, and
    were; else "".
    """

    __slots__ = (
        "application", "bound", "cipher_suite", "client", "client_random", "contradicted", "detail", "directions", "earlier",
        "early", "ech", "exchanged", "extended", "failed", "holes", "limits", "master", "named", "outside", "oversized", "pair",
        "plain", "premasters", "proven", "reason", "records", "search", "secrets", "sent", "session_id", "suite", "suites",
        "tls13", "transcript", "trial", "truncated", "version", "zlib",
    )  # fmt: skip

    def __init__(self, secrets: Secrets, client: cython.int, transcript: Transcript) -> None:
        self.secrets = secrets
        self.transcript = transcript
        self.client = client
        self.directions = (Direction(self.secrets), Direction(self.secrets))
        self.records = 0
        self.failed = 0
        self.sent = [0, 0]
        self.reason: str | None = None
        self.detail = ""
        self.holes = False
        self.plain = False
        self.limits = [LARGEST_PLAINTEXT, LARGEST_PLAINTEXT]
        self.oversized = [0, 0]
        self.early = False
        self.application: Application | None = None
        self.version = 0
        self.tls13 = False
        self.suite: Suite | None = None
        self.cipher_suite = 0
        self.suites: Sequence[int] = ()
        self.contradicted: dict[str, None] = {}
        self.proven: dict[str, bytes] = {}
        self.named: dict[bytes, bytes | None] = {}
        self.client_random = b""
        self.ech: InnerHello | None = None
        self.bound: Bound | None = None
        self.search: Search | None = None
        self.trial = ""
        self.begin()

    def begin(self) -> None:
        """Be ready for a handshake; a renegotiation is one more."""
        if self.client_random and len(self.named) < MAX_NAMED:
            self.named[self.client_random] = self.master
        self.client_random = self.session_id = b""
        self.premasters: list[bytes] = []
        self.master: bytes | None = None
        self.earlier: bytes | None = None
        self.pair: tuple[Opener, Opener] | None = None
        self.exchanged = self.extended = self.outside = self.truncated = self.zlib = False
        direction: Direction
        for direction in self.directions:
            direction.changed = False

    # What the handshake says.

    def hear(self, side: cython.int, raw: bytes, whole: cython.bint) -> None:
        """Take a handshake message in plaintext, with its header; not `whole` where its end is missing."""
        number: cython.int = raw[0]
        if number == CLIENT_HELLO and not self.client_random:
            self.client_random = self.transcript.client_random
        elif number == CLIENT_KEY_EXCHANGE:
            self.exchanged = True
            if whole:
                self._exchange(raw)
        elif number == KEY_UPDATE and self.tls13:
            self._update(side)
        elif number == FINISHED and self.bound is not None and side != self.client:
            self._advance(self.bound)
        if number == END_OF_EARLY_DATA or (number == FINISHED and self.tls13):
            direction: Direction = self.directions[side]
            direction.phase = APPLICATION if number == FINISHED else PROTECTED

    def offer(self, suites: Sequence[int], ech: InnerHello | None) -> None:
        """Hear which suites the client offers, and whether it seals a hello: early data comes before anything is chosen."""
        self.suites = suites
        self.ech = ech
        keylog: KeyLog | None = self.secrets.keylog
        secrets: list[bytes] = []
        if keylog is not None:
            for name in (self.client_random, None if ech is None else ech.random):
                secrets += [] if name is None else keylog.candidates(name, _EARLY_LABEL)[:MAX_CANDIDATES]
        if not secrets and self.secrets.psks:
            hello, retried = self.transcript.hellos()
            if hello is not None:  # the first key that is offered protects early data
                secrets = [bound.early_traffic_secret(hello) for bound in self._bound(hello, retried) if bound.index == 0]
        if secrets and self.directions[self.client].phases == []:
            self._open_early(secrets)

    def agree(
        self, version: cython.int, tls13: cython.bint, chosen: Suite | None, hello: Any, raw: bytes, retry: cython.bint
    ) -> cython.bint:
        """Hear what the server has chosen; False where nothing of it can be opened."""
        self.version, self.tls13, self.suite = version, tls13, chosen
        self.cipher_suite = getattr(hello, "cipher_suite", None) or 0
        if retry:
            return True
        self.search = None
        if tls13:
            return self._agree13(raw)
        length = raw[38] if len(raw) > 38 else 0
        self.session_id = raw[39 : 39 + length]
        self.extended = extension_body(hello, EXTENDED_MASTER_SECRET) is not None
        self.outside = extension_body(hello, ENCRYPT_THEN_MAC) is not None
        self.truncated = extension_body(hello, TRUNCATED_HMAC) is not None
        self.zlib = getattr(hello, "legacy_compression_method", 0) == DEFLATE
        keylog: KeyLog | None = self.secrets.keylog
        if (
            self.secrets.private_keys
            or self.secrets.psks
            or self.earlier is not None
            or (chosen is not None and (chosen.key_exchange == "RSA" or chosen.mode == "null"))
        ):
            return True
        if self.records or (keylog is not None and (keylog.knows(self.client_random) or keylog.masters(b"", self.session_id))):
            return True
        self._lack()
        return False

    def change(self, side: cython.int) -> cython.bint:
        """Hear a ChangeCipherSpec, and take the new keys into use; False where there are none."""
        direction: Direction = self.directions[side]
        if self.tls13 or not self.version or direction.changed:
            return True
        direction.changed = True
        direction.phase = 0
        direction.misses = 0
        try:
            opener = self._opener12(side)
        except Refused as refused:
            self._note(refused.reason, refused.detail)
            direction.phases = [None]
            return True
        direction.phases = [opener]
        direction.inflater = Inflater() if self.zlib else None
        if opener is None:
            self._lack()
        return opener is not None or self.records > 0

    # Records.

    def protects(self, side: cython.int, content_type: cython.int) -> cython.bint:
        """Whether a record is encrypted."""
        if self.tls13 or not self.version:
            return content_type == APPLICATION_DATA
        direction: Direction = self.directions[side]
        return len(direction.phases) > 0

    def limit(self, role: cython.int, n_bytes: Any) -> None:
        """Hear how long the records may be that a role wants (RFC 8449); the other has to keep to it. None: it does not say."""
        if n_bytes is not None:
            self.limits[1 - role] = min(n_bytes, LARGEST_PLAINTEXT)

    def open(
        self,
        side: cython.int,
        content_type: cython.int,
        version: cython.int,
        body: bytes,
        missing: cython.longlong,
        frame: cython.longlong,
    ) -> Opened | None:
        """Open a record, of whose body so many bytes are missing; None where it does not open, which is counted."""
        direction: Direction = self.directions[side]
        early: cython.bint
        if not self.version and self.search is None and not direction.phases and self.secrets.keylog is not None:
            self.search = Search(self.secrets, self.suites, 0, self.client_random)
        if self.search is not None and missing == 0:
            self._look(self.search, side, content_type, version, body)
        if self.search is not None and self.version and not direction.phases:
            return None
        try:
            if missing > 0:
                raise Refused(MISSING_SEGMENT, f"{missing} bytes of the record")
            early = self.tls13 or not self.version
            opened = direction.open(content_type, version, body)
            if direction.inflater is not None:
                opened = opened[0], direction.inflater.inflate(opened[1])
        except Refused as refused:
            self.failed += 1
            if self.version:
                self._refuse(refused, side, frame)
            else:
                self._note(NO_HANDSHAKE)
            if missing > 0:
                self.lose(side, True)
            elif content_type == APPLICATION_DATA and self.application is not None:
                self.application.gap(side ^ self.client, None, refused.reason)
            return None
        self.early = early and direction.phase == EARLY
        self.records += 1
        plaintext: bytes = opened[1]
        limit: cython.Py_ssize_t = self.limits[side ^ self.client]
        if len(plaintext) > limit:
            self.oversized[side ^ self.client] = self.oversized[side ^ self.client] or len(plaintext)
        return opened

    @property
    def hopeless(self) -> bool:
        """Whether nothing will open any more."""
        searched = self.version and self.search is not None and self.search.left == 0
        return bool(searched) and not any(each.phases for each in self.directions)

    def carry(self, side: cython.int, data: bytes, session: "Session", frame: cython.longlong, at: cython.longlong) -> None:
        """Hand on application data of the session."""
        role: cython.int = side ^ self.client
        self.sent[role] += len(data)
        if self.application is None:
            self.application = self.secrets.application(session)
        self.application.feed(role, data, frame, at)

    def lose(self, side: cython.int, missing: cython.bint) -> None:
        """Hear that no record begins where one should; missing: because the capture lacks some."""
        direction: Direction = self.directions[side]
        direction.holed = True
        if direction.phases and missing:
            self.holes = True
        if direction.inflater is not None:
            direction.inflater.lose()
        if self.application is not None:
            self.application.gap(side ^ self.client, None, MISSING_SEGMENT if missing else None)

    def close(self, at: cython.longlong) -> None:
        """Hear that the session has ended; what only serves to open records is let go of."""
        if self.reason == MISSING_SEGMENT and self.tls13 and any(map(_lost_keys, self.directions)):
            self.reason = KEY_UPDATE_MISSED
        if self.application is not None:
            self.application.close(at)
        direction: Direction
        for direction in self.directions:
            direction.phases = []
            direction.inflater = None
        self.begin()

    def findings(self) -> list[tuple[str, str, str]]:
        """What is odd about the secrets: code, severity, sentence."""
        found = []
        if self.contradicted:
            detail = f"key logs contradict each other on {', '.join(self.contradicted)}; each was tried on the records"
            found.append(("conflicting_secrets", "medium", detail))
        if self.directions[0].limited or self.directions[1].limited:
            detail = "the search for a record's number behind a gap ended early: the sessions of this run used up its limit"
            found.append(("limit", "medium", detail))
        if self.trial:
            found.append(("found_by_trial", "info", self.trial))
        return found

    @property
    def status(self) -> str:
        """`decrypted`, `partial` or `none`, of a session that has encrypted records."""
        if self.records == 0:
            return "none"
        return "partial" if self.failed or self.holes else "decrypted"

    # Keys.

    def _note(self, reason: str, detail: str = "") -> None:
        if self.reason is None:
            self.reason = reason
            self.detail = detail

    def _lack(self) -> None:
        """Note that up to TLS 1.2 no master secret can be had."""
        keylog = self.secrets.keylog
        if keylog is None or not keylog.knows(self.client_random):
            self._note(NO_SECRET)
            return
        found = keylog.secrets(self.client_random)
        self._note(MISSING_LABEL, f"the key log has {', '.join(found)} of this session, and not {CLIENT_RANDOM}")

    def _refuse(self, refused: Refused, side: int, frame: int) -> None:
        """Note why a record did not open."""
        if self.reason is None:
            who = "client" if side == self.client else "server"
            self._note(refused.reason, f"a record of the {who} in frame {frame}: {refused.detail}")

    def _draft(self) -> cython.int:
        """The number of the draft, 0 for the RFC; what experiments spoke is like draft 22."""
        if self.version >> 8 == 0x7F:
            return self.version & 0xFF
        return 22 if self.version >> 8 == 0x7E else 0

    def _agree13(self, raw: bytes) -> cython.bint:
        """Take the secrets of TLS 1.3 into use; raw: the ServerHello, empty where it is missing. False without secrets."""
        keylog: KeyLog | None = self.secrets.keylog
        found: dict[str, list[bytes]] = {} if keylog is None else keylog.by_label(self.client_random)
        lacking = [label for label in _LABELS if label not in found]
        if self.suite is None or len(lacking) == len(_LABELS):
            return self.suite is not None and (self._agree_psk(raw, self.suite) or self._seek(list(found)))
        self.secrets.matched += 1
        if lacking:
            self._note(MISSING_LABEL, f"the key log has {', '.join(found)} of this session, and not {', '.join(lacking)}")
        side: cython.int
        for side in range(2):
            role: cython.int = side ^ self.client
            direction: Direction = self.directions[side]
            direction.phases = [
                direction.phases[EARLY] if direction.phases else None,
                self._opener13(_HANDSHAKE_LABELS[role], found),
                self._opener13(_APPLICATION_LABELS[role], found),
            ]
            if direction.phase == EARLY and direction.phases[EARLY] is None:
                direction.phase = PROTECTED
        return True

    def _seek(self, labels: list[str]) -> bool:
        """Search for the secrets by trial, where no hello may name them; False where that is pointless. labels: there are."""
        lost = not self.client_random
        sealed = self.ech is not None and self.ech.status == OFFERED
        if self.secrets.keylog is not None and (lost or sealed):
            self.search = Search(self.secrets, [self.cipher_suite], self._draft())
        if self.client_random != self.transcript.client_random:
            inner = f"{self.client_random.hex()[:16]}…"
            self._note(
                ECH_INNER_UNKNOWN, f"the server took the inner hello, and the key log has nothing for its random {inner}"
            )
        elif labels:
            self._note(MISSING_LABEL, f"the key log has {', '.join(labels)} of this session, and not {', '.join(_LABELS)}")
        elif self.search is None:
            self._note(NO_SECRET)
        return self.search is not None

    def _look(self, search: Search, side: int, content_type: int, version: int, body: bytes) -> None:
        """Try the search on a record; what it finds is taken into use."""
        found = search.look(side ^ self.client, content_type, version, body)
        if found is None:
            return
        if self.client_random != found.random:
            what = "Encrypted Client Hello hides the random" if self.client_random else "the ClientHello is not in the capture"
            self.transcript.lose_hellos()
        else:
            what = "the ServerHello is not in the capture"
        self.trial = f"{what}: the secrets were found by trying those of the key log on the first records"
        self.search = None
        self.reason, self.detail = None, ""
        self.client_random, self.suite, self.cipher_suite = found.random, found.suite, found.number
        self.version, self.tls13 = self.version or TLS_1_3, True
        self._agree13(b"")
        direction = self.directions[side]
        direction.phase = found.phase
        opener = direction.phases[found.phase]
        if opener is not None:
            opener.sequence = found.sequence

    def _bound(self, hello: bytes, retried: tuple[bytes, bytes] | None) -> list[Bound]:
        try:
            return find_bound(hello, self.secrets.psks, retried)
        except Refused:  # a hello that has no such form binds no key
            return []

    def _agree_psk(self, raw: bytes, chosen: Suite) -> bool:
        """Take into use what a pre-shared key gives; False where there is none, or none that the server selected."""
        hello, retried = self.transcript.hellos()
        if not self.secrets.psks or hello is None or not raw:
            return False
        try:
            index, shares = selects(raw)
        except Refused:
            return False
        right = [one for one in self._bound(hello, retried) if one.index == index and one.hash_name == chosen.prf_hash]
        if not right:
            return False
        if shares:
            self._note(EPHEMERAL, "the pre-shared key is known, but with a key share (psk_dhe_ke) it opens early data alone")
            return bool(self.directions[self.client].phases)
        heard = self.transcript.through(SERVER_HELLO, chosen.prf_hash)
        if heard is None:
            return False
        self.bound = right[0]
        for role, secret in enumerate(self.bound.handshake_traffic_secrets(heard)):
            self.proven[_HANDSHAKE_LABELS[role]] = secret
            direction = self.directions[role ^ self.client]
            direction.phases = [*(direction.phases[:1] or [None]), open_tls13(chosen, secret, self._draft()), None]
            if direction.phases[EARLY] is None:
                direction.phase = PROTECTED
        return True

    def _advance(self, bound: Bound) -> None:
        """With the server's Finished the pre-shared key gives the secrets of application data too."""
        heard = None if self.suite is None else self.transcript.through(FINISHED, self.suite.prf_hash)
        if heard is None or self.suite is None:
            return
        for role, secret in enumerate(bound.application_traffic_secrets(heard)):
            phases = self.directions[role ^ self.client].phases
            phases[APPLICATION:] = [open_tls13(self.suite, secret, self._draft())]

    def _opener13(self, label: str, found: dict[str, Any]) -> Opener | None:
        """The opener of a label's records; where it has several secrets, which one is right will show."""
        secrets = found.get(label)
        if secrets is None or self.suite is None:
            return None
        openers: list[Opener] = []
        opening: list[bytes] = []
        for secret in secrets[:MAX_CANDIDATES]:
            try:
                openers.append(open_tls13(self.suite, secret, self._draft()))
                opening.append(secret)
            except Refused as refused:
                self._note(refused.reason, refused.detail)
        if len(secrets) > 1:
            self.contradicted[label] = None
        if len(openers) < 2:
            return openers[0] if openers else None
        return self._any13(label, openers, opening)

    def _any13(self, label: str, openers: list[Opener], secrets: list[bytes]) -> Opener:
        return AnyOpener(openers, lambda number: self.proven.update({label: secrets[number]}))

    def _open_early(self, secrets: list[bytes]) -> None:
        """Have early data tried with every suite that the secret may be for: the tag tells which one it is."""
        openers: list[Opener] = []
        for secret in secrets:
            for number in dict.fromkeys(self.suites):  # a hello can name one thirty thousand times
                offered = suite(number)
                if offered is None or not offered.tls13:
                    continue
                try:
                    openers.append(open_tls13(offered, secret))
                except Refused:  # of another hash, or of a cipher that nobody has
                    continue
        if openers:
            self.directions[self.client].phases = [AnyOpener(openers)]

    def _opener12(self, side: cython.int) -> Opener | None:
        """The opener of a side's records up to TLS 1.2; None without a secret."""
        if self.suite is None:
            return None
        if self.pair is None:
            masters = self._masters(self.suite)
            if not masters:
                self.plain = self.suite.mode == "null"
                return PlainOpener(_OLD_LENGTHS.get(self.suite.hash, 32)) if self.plain else None
            self.secrets.matched += 1
            self.master = masters[0]
            self.pair = self._pair(self.suite, masters)
        return self.pair[side ^ self.client]

    def _pair(self, chosen: Suite, masters: list[Any]) -> tuple[Opener, Opener]:
        """The openers of both roles; records show which of several master secrets is the right one."""
        client_random, server_random = self.transcript.client_random, self.transcript.server_random
        pairs = [
            open_tls12(chosen, self.version, master, client_random, server_random, self.outside, self.truncated)
            for master in masters
        ]
        return pairs[0] if len(pairs) == 1 else self._any12(pairs, masters)

    def _any12(self, pairs: list[tuple[Opener, Opener]], masters: list[bytes]) -> tuple[Opener, Opener]:
        self.contradicted[CLIENT_RANDOM] = None

        def choose(number: int) -> None:
            self.master = masters[number]

        return AnyOpener([pair[0] for pair in pairs], choose), AnyOpener([pair[1] for pair in pairs], choose)

    def _masters(self, chosen: Suite) -> list[bytes]:
        """All that may be the master secret, at most MAX_CANDIDATES."""
        keylog: KeyLog | None = self.secrets.keylog
        found: list[bytes] = []
        known = self.premasters
        if keylog is not None:
            found = keylog.masters(self.client_random, self.session_id)
            known = [*keylog.candidates(self.client_random, PREMASTER), *known]
        heard = self.transcript.before_change() if self.extended and known else None
        for premaster in known:
            if not self.extended:
                randoms = self.transcript.client_random, self.transcript.server_random
                found.append(schedule.master_secret(self.version, chosen.prf_hash, premaster, *randoms))
            elif heard is not None:
                found.append(schedule.extended_master_secret(self.version, chosen.prf_hash, premaster, heard))
        if not found and self.earlier is not None and not self.exchanged:
            found.append(self.earlier)  # a session that is resumed has the master secret of the first
        if known and not found:
            raise Refused(MISSING_SEGMENT, "a message that the extended master secret hangs on")
        return found if len(found) == 1 else list(dict.fromkeys(found))[:MAX_CANDIDATES]

    def _exchange(self, raw: bytes) -> None:
        """Find the premaster secret that a ClientKeyExchange leads to."""
        if self.suite is None or not (self.suite.key_exchange == "RSA" or self.secrets.psks):
            return
        offered = self.transcript.offered_version() or self.version
        try:
            self.premasters = premasters(self.secrets, self.suite, self.version, offered, raw)
        except Refused as refused:
            self._note(refused.reason)

    def _update(self, side: cython.int) -> None:
        opener = self._opener_of(side, APPLICATION)
        if opener is not None:
            opener.update()

    def _opener_of(self, side: cython.int, phase: cython.int) -> Opener | None:
        """The opener of a phase of TLS 1.3; None where its secret is not known."""
        direction: Direction = self.directions[side]
        return direction.phases[phase] if phase < len(direction.phases) else None

    # What a Finished must be.

    def verify_data(self, role: cython.int, heard: bytes) -> bytes | None:
        """The verify_data of a role's Finished behind these messages, or since TLS 1.2 their hash; None without a secret."""
        if self.suite is None:
            return None
        if not self.tls13:
            if self.master is None:
                return None
            if tls_version(self.version) < TLS_1_2:
                return finished(self.version, self.suite.prf_hash, self.master, role == _CLIENT, heard)
            return finished_of(self.version, self.suite.prf_hash, self.master, role == _CLIENT, heard)
        return self._finished(role ^ self.client, PROTECTED, heard)

    def verify_data_later(self, digest: bytes) -> bytes | None:
        """The verify_data of a client that authenticates after the handshake (RFC 9846 section 4.5.4), if known."""
        return self._finished(self.client, APPLICATION, digest)

    def _finished(self, side: cython.int, phase: cython.int, digest: bytes) -> bytes | None:
        opener = self._opener_of(side, phase)
        if not isinstance(opener, Tls13Opener):
            return None
        keyed: Tls13Opener = opener
        return keyed.verify_data(digest)


def _lost_keys(direction: Direction) -> bool:
    """Whether nothing opens any more behind a gap in the data, though the right secrets were there before it."""
    return direction.holed and direction.phase == APPLICATION and direction.misses >= UNOPENED
