"""Determines the result of a client's offer of Encrypted Client Hello (RFC 9849), with the secrets of the key log.

Without secrets, an encrypted hello looks the same as GREASE, which is random bytes in the same form. The server's decision is
not visible either. A key log makes both visible. With ECH_SECRET and ECH_CONFIG the inner hello can be decrypted, and then the
server's answer shows whether it accepted it. If the secrets of TLS 1.3 are logged with the outer random, it did not. A client
whose hello was rejected ends the handshake with the alert ech_required; a client that sent GREASE continues. Only TLS 1.3 can
accept.
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

LABELS = ("ECH_SECRET", "ECH_CONFIG")
"""The labels of what a key log has for an offer: the KEM's shared secret, and the configuration (RFC 9850 section 2.3)."""

NOT_OPENED = "ECH_SECRET and ECH_CONFIG of the key log do not open the encrypted ClientHello"

ECH_REQUIRED = 121
"""The alert of a client that sent a real offer and was rejected."""

_OUTER = 0


class EchOffer:
    """An offer of Encrypted Client Hello.

    status: `offered` (no more is known), `accepted`, `rejected`, `grease`. public_name: of the configuration. outer_name,
    outer_random: server name and random of the outer hello. hellos: the inner ClientHello, and the second one after a
    HelloRetryRequest, with their headers, if they could be decrypted. body: the first one decoded. unopened: why secrets that
    the key log has for this offer do not open it, as a sentence without its full stop; "" without such secrets.
    """

    __slots__ = (
        "_recipient", "_retry", "body", "config_id", "hellos", "outer_name", "outer_random", "public_name", "status",
        "unopened",
    )  # fmt: skip

    def __init__(self, config_id: int, outer_name: bytes | None, outer_random: bytes) -> None:
        self.config_id = config_id
        self.outer_name = outer_name
        self.status = OFFERED
        self.public_name: bytes | None = None
        self.hellos: list[bytes] = []
        self.body: Any = None
        self._recipient: Recipient | None = None
        self.outer_random = outer_random
        self.unopened = ""
        self._retry = False

    @property
    def name(self) -> bytes | None:
        """The server name of the inner hello; None if it is not known."""
        return None if self.body is None else server_name(self.body)

    @property
    def random(self) -> bytes | None:
        """The client random of the inner hello; None if it is not known."""
        return self.hellos[0][RANDOM] if self.hellos else None

    def open(self, outer: bytes, keylog: "KeyLog") -> None:
        """Decrypt the inner hello of the first outer hello, if the key log has its secrets."""
        from analyzer.tls.handshake import encrypted_hello

        random = outer[RANDOM]
        if not keylog.knows(random):
            return
        secrets, logged_configs = (keylog.candidates(random, label) for label in LABELS)
        if not secrets or not logged_configs:
            if secrets or logged_configs:
                has, lacks = LABELS if secrets else LABELS[::-1]
                self.unopened = f"the key log has {has} for the encrypted ClientHello, and not {lacks}: it does not open"
            return
        try:
            offer = encrypted_hello.find_offer(outer)
        except DecryptionError as error:
            self.unopened = f"{NOT_OPENED}: {error.detail}"
            return
        configs: list[encrypted_hello.Config] = []
        for logged in logged_configs:
            try:
                configs += encrypted_hello.read_configs(logged)
            except DecryptionError:  # not an ECHConfig, in spite of its label
                continue
        if offer is None:
            return
        if not configs:
            self.unopened = f"{NOT_OPENED}: ECH_CONFIG has no configuration that can be read"
            return
        if all(config.config_id != offer.config_id for config in configs):
            why = f"the configuration has id {configs[0].config_id}, and the hello names {offer.config_id}"
            self.unopened = f"{NOT_OPENED}: {why}"
            return
        for config, secret in islice(product(reversed(configs), reversed(secrets)), MAX_CONFIGS):
            if config.config_id != offer.config_id:
                continue
            try:
                recipient = encrypted_hello.recipient(offer, config, secret)
                inner = encrypted_hello.open_inner(recipient, 0, outer, offer)
            except DecryptionError:
                continue
            self._recipient = recipient
            self.public_name = config.public_name
            self.hellos = [inner]
            self.body = ClientHello.read(inner[HEADER:])[0]
            return
        why = "they are of another configuration or another hello, or its bytes were changed on the way"
        self.unopened = f"{NOT_OPENED}: {why}"

    def open_second(self, outer: bytes) -> None:
        """Decrypt the inner hello of the second outer hello; empty where that is cut."""
        from analyzer.tls.handshake import encrypted_hello

        if self._recipient is None or len(self.hellos) != 1 or not outer:
            return
        try:
            offer = encrypted_hello.find_offer(outer)
            if offer is not None:
                self.hellos.append(encrypted_hello.open_inner(self._recipient, 1, outer, offer))
        except DecryptionError as error:  # the inner hello is not known, so the transcript is not known either
            self.unopened = f"the second encrypted ClientHello does not open with the secrets of the first: {error.detail}"

    def answer(self, raw: bytes, retry: bool, tls13: bool, chosen: Suite | None, transcript: Transcript) -> bool:
        """Process a ServerHello, or with `retry` a HelloRetryRequest. Returns True if the inner hello is used from now on.

        tls13, chosen: version and cipher suite of the answer. transcript: the handshake messages before it.
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
                messages = transcript.before_answer(hash_name, self.hellos)
                if messages is None:  # one of them is not in the capture
                    return False
                accepted = encrypted_hello.accepts(hash_name, random, messages, raw)
        except DecryptionError:  # a malformed answer, or an unsupported suite
            accepted = False
        self.status = ACCEPTED if accepted else REJECTED
        return accepted and not retry

    def take_extensions(self, extensions: Any) -> None:
        """Process the EncryptedExtensions: only a server that rejected the offer sends configurations for a retry."""
        if extension_body(extensions, ENCRYPTED_CLIENT_HELLO) is not None:
            self._retry = True

    def conclude(self, opened: bool, client_random: bytes, tls13: bool, required: bool, n_sent: int) -> None:
        """Set the final status at the end of the session.

        It depends on the random that names the session, and on what the client did after the answer.

        opened: whether records were decrypted; client_random: the random with which their secrets were logged. required:
        whether the client sent the alert ech_required. n_sent: how much application data it sent.
        """
        if self.status == OFFERED and opened:
            outer = client_random == self.outer_random or self._retry or required
            self.status = REJECTED if outer else ACCEPTED
        if self.status != REJECTED or self.hellos or (tls13 and not opened):
            return
        if n_sent and not required:
            self.status = GREASE


def find_ech_offer(offered: Any, hello: Any, raw: bytes, keylog: "KeyLog | None") -> EchOffer | None:
    """Return the offer of a first ClientHello, or None. It is decrypted if the key log has its secrets.

    offered: the body of the extension. hello, raw: the message decoded, and as received with its header.
    """
    config_id = getattr(getattr(offered, "body", None), "config_id", None)
    if getattr(offered, "type", None) != _OUTER or config_id is None:
        return None
    offer = EchOffer(config_id, server_name(hello), raw[RANDOM])
    if keylog is not None:
        offer.open(raw, keylog)
    return offer
