"""What becomes of a client's offer of Encrypted Client Hello (RFC 9849): opened with the key log's secrets, accepted or not.

From outside nobody can tell a sealed hello from GREASE, random bytes in the same form, nor what the server made of it. A key
log tells: with ECH_SECRET and ECH_CONFIG the inner hello opens, and then the server's answer shows whether it took it; and if
the secrets of TLS 1.3 stand under the outer random, it did not. A client whose hello was rejected ends the handshake with the
alert ech_required, one that sent GREASE goes on; and only TLS 1.3 can accept.
"""

from itertools import islice, product
from typing import TYPE_CHECKING, Any

from analyzer.codec.runner import extension_body
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.tls.handshake.hello_features import server_name
from analyzer.tls.handshake.transcript import Transcript
from analyzer.tls.limits import MAX_CONFIGS
from analyzer.tls.messages.hello import ClientHello
from analyzer.tls.messages.numbers import ENCRYPTED_CLIENT_HELLO, HEADER, RANDOM
from analyzer.tls.suites import Suite

if TYPE_CHECKING:
    from analyzer.secrets.hpke import Recipient
    from analyzer.secrets.keylog import KeyLog

OFFERED, ACCEPTED, REJECTED, GREASE = "offered", "accepted", "rejected", "grease"

ECH_REQUIRED = 121
"""The alert of a client that offered for real and was rejected."""

_OUTER = 0


class EchOffer:
    """An offer of Encrypted Client Hello. status: `offered` (nobody knows more), `accepted`, `rejected`, `grease`.
    public_name: of the configuration.

    outer_name, outer_random: server name and random of the outer hello. hellos: the inner ClientHello, and the second after a
    HelloRetryRequest, with their headers, as far as they opened. body: the first one decoded.
    """

    __slots__ = ("_opening", "_retry", "body", "config_id", "hellos", "outer_name", "outer_random", "public_name", "status")

    def __init__(self, config_id: int, outer_name: bytes | None, outer_random: bytes) -> None:
        self.config_id = config_id
        self.outer_name = outer_name
        self.status = OFFERED
        self.public_name: bytes | None = None
        self.hellos: list[bytes] = []
        self.body: Any = None
        self._opening: Recipient | None = None
        self.outer_random = outer_random
        self._retry = False

    @property
    def name(self) -> bytes | None:
        """The server name of the inner hello; None where it is not known."""
        return None if self.body is None else server_name(self.body)

    @property
    def random(self) -> bytes | None:
        """The client random of the inner hello; None where it is not known."""
        return self.hellos[0][RANDOM] if self.hellos else None

    def open(self, outer: bytes, keylog: "KeyLog") -> None:
        """Open what the first outer hello has inside, where the key log has its secrets."""
        from analyzer.tls.handshake import encrypted_hello

        random = outer[RANDOM]
        if not keylog.knows(random):
            return
        try:
            offer = encrypted_hello.find_offer(outer)
        except DecryptionError:
            return
        configs: list[encrypted_hello.Config] = []
        for logged in keylog.candidates(random, "ECH_CONFIG"):
            try:
                configs += encrypted_hello.read_configs(logged)
            except DecryptionError:  # not an ECHConfig, whatever its line says
                continue
        for config, secret in islice(product(configs, keylog.candidates(random, "ECH_SECRET")), MAX_CONFIGS):
            if offer is None or config.config_id != offer.config_id:
                continue
            try:
                opening = encrypted_hello.recipient(offer, config, secret)
                inner = encrypted_hello.open_inner(opening, 0, outer, offer)
            except DecryptionError:
                continue
            self._opening = opening
            self.public_name = config.public_name
            self.hellos = [inner]
            self.body = ClientHello.read(inner[HEADER:])[0]
            return

    def open_second(self, outer: bytes) -> None:
        """Open what the second outer hello has inside."""
        from analyzer.tls.handshake import encrypted_hello

        if self._opening is None or len(self.hellos) != 1:
            return
        try:
            offer = encrypted_hello.find_offer(outer)
            if offer is not None:
                self.hellos.append(encrypted_hello.open_inner(self._opening, 1, outer, offer))
        except DecryptionError:  # what it sealed is not known, and neither is the transcript
            return

    def answer(self, raw: bytes, retry: bool, tls13: bool, chosen: Suite | None, transcript: Transcript) -> bool:
        """Judge a ServerHello, or as `retry` a HelloRetryRequest; True where the inner hello is from now on the one that
        counts.

        tls13, chosen: version and cipher suite of the answer. transcript: what the handshake said before it.
        """
        if not tls13:
            self.status = REJECTED
            return False
        random = self.random
        if random is None or chosen is None or not chosen.tls13:
            return False
        from analyzer.tls.handshake import encrypted_hello

        hash_name = chosen.prf_hash
        try:
            if retry:
                accepted = encrypted_hello.accepts_retry(hash_name, random, self.hellos[0], raw)
            else:
                heard = transcript.before_answer(hash_name, self.hellos)
                accepted = heard is not None and encrypted_hello.accepts(hash_name, random, heard, raw)
        except DecryptionError:  # an answer, or a suite, that has no such form
            accepted = False
        self.status = ACCEPTED if accepted else REJECTED
        return accepted and not retry

    def take_extensions(self, extensions: Any) -> None:
        """Take the EncryptedExtensions: only a server that rejected sends configurations to try again with."""
        if extension_body(extensions, ENCRYPTED_CLIENT_HELLO) is not None:
            self._retry = True

    def conclude(self, opened: bool, client_random: bytes, tls13: bool, required: bool, said: int) -> None:
        """Judge the offer at the end of the session: which random named it, and what the client did after the answer, tell.

        opened: whether records were decrypted; client_random: the one under which their secrets were. required: whether the
        client sent the alert ech_required. said: how much application data it sent.
        """
        if self.status == OFFERED and opened:
            outer = client_random == self.outer_random or self._retry or required
            self.status = REJECTED if outer else ACCEPTED
        if self.status != REJECTED or self.hellos or (tls13 and not opened):
            return
        if said and not required:
            self.status = GREASE


def find_ech_offer(offered: Any, hello: Any, raw: bytes, keylog: "KeyLog | None") -> EchOffer | None:
    """The offer of a first ClientHello, opened where the key log has its secrets; None for one that is none.

    offered: the body of the extension. hello, raw: the message decoded, and as it came with its header.
    """
    config_id = getattr(getattr(offered, "body", None), "config_id", None)
    if getattr(offered, "type", None) != _OUTER or config_id is None:
        return None
    offer = EchOffer(config_id, server_name(hello), raw[RANDOM])
    if keylog is not None:
        offer.open(raw, keylog)
    return offer
