"""What a run has to open its sessions with, why a session may not open, and who takes what was inside."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from analyzer.tls.limits import MAX_ATTEMPTS_IN_ALL, MAX_TRIALS

if TYPE_CHECKING:
    from analyzer.secrets.keylog import KeyLog
    from analyzer.secrets.private_keys import PrivateKey

NO_SECRET, MISSING_LABEL, NO_HANDSHAKE, KEY_UPDATE_MISSED = "no_secret", "missing_label", "no_handshake", "key_update_missed"
EPHEMERAL = "ephemeral_key_exchange"
"""Reasons beside those of `DecryptionError`: no secret is of this session; some of its labels are missing; its handshake is
not in the capture; keys changed behind a gap; with this key exchange the keys given lead to no secret, and a key log
would."""

ECH_INNER_UNKNOWN, RESUMED_OUTSIDE = "ech_inner_unknown", "resumed_outside"
"""Two more: the server accepted Encrypted Client Hello, and no secret is logged under the random of the inner hello; the
session was resumed from one that is not in the capture."""


class Application(Protocol):
    """Who reads the application data of a session; role 0 is the client.

    gap: bytes are missing, None where nobody knows how many, and why: a reason of `DecryptionError` or of this module.
    """

    @property
    def findings(self) -> Sequence[Any]: ...  # noqa: D102
    def feed(self, side: int, data: bytes, frame: int, at: int) -> None: ...  # noqa: D102
    def gap(self, side: int, length: int | None, why: str | None = None) -> None: ...  # noqa: D102
    def close(self, at: int) -> None: ...  # noqa: D102
    def record(self) -> list[dict[str, Any]]: ...  # noqa: D102


class KeyMaterial:
    """All that may open the sessions of a run: key logs, which may grow, RSA private keys, and external PSKs by identity.

    application: makes the reader of a session's application data, given the protocol that both sides agreed on (RFC 7301),
    once there is any data; None where nobody reads it. may_grow: tells whether secrets may still come while frames are read,
    so that sessions without them had better wait; None: they may not. matched: sessions for which the key logs had anything.
    trials: how many secrets may still be tried on sessions that no hello names. attempts: how often one may still try to open
    a record far behind a gap.
    """

    __slots__ = ("application", "attempts", "keylog", "matched", "may_grow", "private_keys", "psks", "trials")

    def __init__(
        self,
        application: Callable[[bytes | None], Application] | None = None,
        keylog: "KeyLog | None" = None,
        private_keys: "Sequence[PrivateKey]" = (),
        psks: Mapping[bytes, bytes] | None = None,
        may_grow: Callable[[], bool] | None = None,
    ) -> None:
        self.application = application
        self.keylog = keylog
        self.matched = 0
        self.trials = MAX_TRIALS
        self.attempts = MAX_ATTEMPTS_IN_ALL
        self.private_keys = private_keys
        self.psks = psks or {}
        self.may_grow = may_grow

    @property
    def given(self) -> bool:
        """Whether there are any by now."""
        return self.keylog is not None or bool(self.private_keys) or bool(self.psks)
