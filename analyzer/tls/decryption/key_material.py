"""Holds the secrets of a run, defines reasons why a session cannot be decrypted, and the interface of a data reader."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from analyzer.flows.flow import Flow
from analyzer.tls.limits import MAX_ATTEMPTS_IN_ALL, MAX_TRIALS

if TYPE_CHECKING:
    from analyzer.secrets.keylog import KeyLog
    from analyzer.secrets.private_keys import PrivateKey

NO_SECRET, MISSING_LABEL, NO_HANDSHAKE, KEY_UPDATE_MISSED = "no_secret", "missing_label", "no_handshake", "key_update_missed"
EPHEMERAL = "ephemeral_key_exchange"
"""Reasons in addition to those of `DecryptionError`.

no_secret: no secret belongs to this session. missing_label: some of its labels are missing. no_handshake: its handshake is not
in the capture. key_update_missed: keys changed in a gap. ephemeral_key_exchange: with this key exchange the given keys lead to
no secret, but a key log would.
"""

NOT_ENCRYPTED = "not_encrypted"
"""The reason of a session in which a side sent in plaintext what it had to encrypt: its data is nobody's word."""

ECH_INNER_UNKNOWN, RESUMED_OUTSIDE = "ech_inner_unknown", "resumed_outside"
"""Two more reasons.

ech_inner_unknown: the server accepted Encrypted Client Hello, and no secret is logged with the random of the inner hello.
resumed_outside: the session resumes one that is not in the capture.
"""


class Application(Protocol):
    """Reads the application data of a session; role 0 is the client.

    gap: bytes are missing; `length` is None if their number is not known; `why` is a reason of `DecryptionError` or of this
    module.
    """

    @property
    def findings(self) -> Sequence[Any]: ...  # noqa: D102
    def feed(self, side: int, data: bytes, frame: int, at: int) -> None: ...  # noqa: D102
    def gap(self, side: int, length: int | None, why: str | None = None) -> None: ...  # noqa: D102
    def close(self, at: int) -> None: ...  # noqa: D102
    def record(self) -> list[dict[str, Any]]: ...  # noqa: D102


class StreamApplication(Application, Protocol):
    """Reads the application data of a session whose transport has streams, which is QUIC (RFC 9000 section 2).

    feed_stream: the next bytes of a role in a stream, in order; end: it sends no more in it. gap_stream: bytes are missing at
    this place of a stream, as in `gap`. reset_stream: the sender gives up a stream; stop_stream: `role` reads no more of it;
    both with the code of the application. feed_datagram: a datagram (RFC 9221), which belongs to no stream.
    """

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None: ...  # noqa: D102
    def gap_stream(self, stream: int, role: int, length: int | None, why: str | None = None) -> None: ...  # noqa: D102
    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None: ...  # noqa: D102
    def stop_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None: ...  # noqa: D102
    def feed_datagram(self, role: int, data: bytes, frame: int, at: int) -> None: ...  # noqa: D102


class InnerData(Protocol):
    """Searches the application data of a session for TLS that it carries; role 0 is the client.

    feed: the next bytes of a role; alpn: the agreed protocol. miss: bytes of it are missing here. Both return whether more is
    wanted. close: the session has ended.
    """

    def feed(self, role: int, data: bytes, alpn: bytes | None, frame: int, at: int) -> bool: ...  # noqa: D102
    def miss(self, role: int) -> bool: ...  # noqa: D102
    def close(self, at: int) -> None: ...  # noqa: D102


class InnerSearch(Protocol):
    """Searches the sessions of a run for TLS in their data. n_begun: how many streams inside sessions were followed.

    open: returns what searches the data of a session, from its flow and its log; None if it is not searched.
    """

    n_begun: int

    def open(self, flow: Flow, log: Any) -> InnerData | None: ...  # noqa: D102


class KeyMaterial:
    """All secrets that can decrypt the sessions of a run.

    They are key logs, which can grow, RSA private keys, and external PSKs by identity.

    application: creates the reader of a session's application data when there is any data, from the agreed protocol (RFC
    7301); None if the data is not read. may_grow: returns whether secrets can still come while frames are read, so that
    sessions without secrets should be kept pending; None: they cannot. longest_wait: nanoseconds that such a session waits
    while it is open, and again when it has ended; 0: as long as the limits of `pending` allow. matched: number of sessions
    with any secret in the key logs. trials: how many secrets may still be tried on sessions whose name is not known.
    attempts: how many more attempts are allowed to decrypt records far after a gap. inner: searches the data of decrypted
    sessions for TLS; None if nothing does.
    """

    __slots__ = (
        "application", "attempts", "inner", "keylog", "longest_wait", "matched", "may_grow", "private_keys", "psks", "trials",
    )  # fmt: skip

    def __init__(
        self,
        application: Callable[[bytes | None], Application] | None = None,
        keylog: "KeyLog | None" = None,
        private_keys: "Sequence[PrivateKey]" = (),
        psks: Mapping[bytes, bytes] | None = None,
        may_grow: Callable[[], bool] | None = None,
        longest_wait: int = 0,
    ) -> None:
        self.application = application
        self.keylog = keylog
        self.inner: InnerSearch | None = None
        self.matched = 0
        self.trials = MAX_TRIALS
        self.attempts = MAX_ATTEMPTS_IN_ALL
        self.private_keys = private_keys
        self.psks = psks or {}
        self.may_grow = may_grow
        self.longest_wait = longest_wait

    @property
    def given(self) -> bool:
        """Whether there are any secrets now."""
        return self.keylog is not None or bool(self.private_keys) or bool(self.psks)
