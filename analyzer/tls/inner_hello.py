"""What becomes of a client's offer of Encrypted Client Hello (RFC 9849): opened with the key log's secrets, accepted or not.

From outside nobody can tell a sealed hello from GREASE, random bytes in the same form, nor what the server made of it. A key
log tells: with ECH_SECRET and ECH_CONFIG the inner hello opens, and then the server's answer shows whether it took it; and if
the secrets of TLS 1.3 stand under the outer random, it did not. A client whose hello was rejected ends the handshake with the
alert ech_required, one that sent GREASE goes on; and only TLS 1.3 can accept.
"""

from itertools import islice, product
from typing import TYPE_CHECKING, Any

from analyzer.codec.runner import extension_body
from analyzer.secrets.refused import Refused
from analyzer.tls import learn
from analyzer.tls.limits import MAX_CONFIGS
from analyzer.tls.messages.hello import ClientHello
from analyzer.tls.transcript import RANDOM

if TYPE_CHECKING:
    from analyzer.secrets.hpke import Recipient
    from analyzer.secrets.keylog import KeyLog
    from analyzer.tls.session import Session

OFFERED, ACCEPTED, REJECTED, GREASE = "offered", "accepted", "rejected", "grease"

ENCRYPTED_CLIENT_HELLO = 0xFE0D

ECH_REQUIRED = 121
"""The alert of a client that offered for real and was rejected."""

_OUTER = 0
_HEADER = 4


class InnerHello:
    """An offer. status: `offered` (nobody knows more), `accepted`, `rejected`, `grease`. public_name: of the configuration.

    outer_name: the server name of the outer hello. hellos: the inner ClientHello, and the second after a HelloRetryRequest,
    with their headers, as far as they opened. body: the first one decoded.
    """

    __slots__ = ("_opening", "_outer_random", "_retry", "body", "config_id", "hellos", "outer_name", "public_name", "status")

    def __init__(self, config_id: int, outer_name: bytes | None, outer_random: bytes) -> None:
        self.config_id = config_id
        self.outer_name = outer_name
        self.status = OFFERED
        self.public_name: bytes | None = None
        self.hellos: list[bytes] = []
        self.body: Any = None
        self._opening: Recipient | None = None
        self._outer_random = outer_random
        self._retry = False

    @property
    def name(self) -> bytes | None:
        """The server name of the inner hello; None where it is not known."""
        return None if self.body is None else learn.server_name(self.body)

    @property
    def random(self) -> bytes | None:
        """The client random of the inner hello; None where it is not known."""
        return self.hellos[0][RANDOM] if self.hellos else None

    def open(self, outer: bytes, keylog: "KeyLog") -> None:
        """Open what the first outer hello has inside, where the key log has its secrets."""
        from analyzer.tls import ech

        random = outer[RANDOM]
        if not keylog.knows(random):
            return
        try:
            offer = ech.find_offer(outer)
        except Refused:
            return
        configs: list[ech.Config] = []
        for logged in keylog.candidates(random, "ECH_CONFIG"):
            try:
                configs += ech.read_configs(logged)
            except Refused:  # not an ECHConfig, whatever its line says
                continue
        for config, secret in islice(product(configs, keylog.candidates(random, "ECH_SECRET")), MAX_CONFIGS):
            if offer is None or config.config_id != offer.config_id:
                continue
            try:
                opening = ech.recipient(offer, config, secret)
                inner = ech.open_inner(opening, 0, outer, offer)
            except Refused:
                continue
            self._opening = opening
            self.public_name = config.public_name
            self.hellos = [inner]
            self.body = ClientHello.read(inner[_HEADER:])[0]
            return

    def open_second(self, outer: bytes) -> None:
        """Open what the second outer hello has inside."""
        from analyzer.tls import ech

        if self._opening is None or len(self.hellos) != 1:
            return
        try:
            offer = ech.find_offer(outer)
            if offer is not None:
                self.hellos.append(ech.open_inner(self._opening, 1, outer, offer))
        except Refused:  # what it sealed is not known, and neither is the transcript
            return

    def answer(self, session: "Session", raw: bytes, retry: bool) -> None:
        """Judge a ServerHello, or as `retry` a HelloRetryRequest; if it takes the inner hello, that is the session's hello."""
        if not session.tls13:
            self.status = REJECTED
            return
        random = self.random
        if random is None or session.suite is None or not session.suite.tls13:
            return
        from analyzer.tls import ech

        hash_name = session.suite.prf_hash
        try:
            if retry:
                accepted = ech.accepts_retry(hash_name, random, self.hellos[0], raw)
            else:
                heard = session.transcript.before_answer(hash_name, self.hellos)
                accepted = heard is not None and ech.accepts(hash_name, random, heard, raw)
        except Refused:  # an answer, or a suite, that has no such form
            accepted = False
        if not accepted:
            self.status = REJECTED
            return
        self.status = ACCEPTED
        if not retry:
            self._enter(session, random)

    def _enter(self, session: "Session", random: bytes) -> None:
        session.transcript.replace_hellos(self.hellos)
        session.decryption.named[self._outer_random] = None
        session.decryption.client_random = random
        session.offers = learn.offers(self.body)
        if self.name is not None:
            session.server_name = self.name

    def hear(self, extensions: Any) -> None:
        """Take the EncryptedExtensions: only a server that rejected sends configurations to try again with."""
        if extension_body(extensions, ENCRYPTED_CLIENT_HELLO) is not None:
            self._retry = True

    def conclude(self, session: "Session") -> None:
        """Judge the offer at the end of the session: which random named it, and what the client did after the answer, tell."""
        work = session.decryption
        opened = work is not None and work.records > 0
        required = any(alert.description == ECH_REQUIRED and alert.side == session.client for alert in session.alerts)
        if self.status == OFFERED and opened:
            outer = work.client_random == self._outer_random or self._retry or required
            self.status = REJECTED if outer else ACCEPTED
        if self.status != REJECTED or self.hellos or (session.tls13 and not opened):
            return
        said = work.sent[0] if session.tls13 else session.sides[session.client].n_application
        if said and not required:
            self.status = GREASE


def hear(session: "Session", body: Any, raw: bytes) -> None:
    """Take a ClientHello that offers Encrypted Client Hello, or the second one after such."""
    if session.ech is not None:
        session.ech.open_second(raw)
        return
    offer = session.offers[ENCRYPTED_CLIENT_HELLO]
    config_id = getattr(getattr(offer, "body", None), "config_id", None)
    if getattr(offer, "type", None) != _OUTER or config_id is None:
        return
    session.ech = InnerHello(config_id, learn.server_name(body), raw[RANDOM])
    if session.secrets is not None and session.secrets.keylog is not None:
        session.ech.open(raw, session.secrets.keylog)
