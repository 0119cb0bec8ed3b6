"""Makes pending sessions without a capture: records in, and secrets when a test wants them."""

from sessions_by_hand import KEY, START, Hand

from analyzer.flows.flow import TCP, Flow
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.handshake.resumption import Resumptions
from analyzer.tls.pending import PendingSession, PendingSessions
from analyzer.tls.session import Session

RANDOM = b"C" * 32
SECRETS = f"CLIENT_RANDOM {RANDOM.hex()} {bytes(48).hex()}\n".encode()


class Waiting(Hand):
    """A pending session, in its own store unless one is given."""

    def __init__(self, store: PendingSessions | None = None, number: int = 0, mid_stream: bool = False) -> None:
        self.store = store or PendingSessions(KeyMaterial(keylog=KeyLog(), may_grow=lambda: True))
        super().__init__(self.store.material, mid_stream)
        flow = Flow(TCP, KEY, 1, START, mid_stream)
        self.session = Session(number, flow, self.store.material, Resumptions(), self.events)
        self.pending: PendingSession = self.store.begin(self.session)
        self.sink = self.pending

    def collect(self, secrets: bytes = SECRETS) -> None:
        """Read secrets."""
        assert self.store.material.keylog is not None
        self.store.material.keylog.feed(secrets)

    def queued(self) -> list[int]:
        """The content types of the queued records."""
        return [record.content_type for record in self.pending.queue]
