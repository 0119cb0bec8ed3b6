from conversations import CLIENT, SERVER, Tap, packetise, talk

from analyzer.engine import Engine
from analyzer.engine.tcp_data import FollowedConnection
from analyzer.tls.events import SessionBegan


class Kept:
    """Keeps what one connection carried."""

    def __init__(self) -> None:
        self.first_frame = 0
        self.sent = [b"", b""]
        self.lost = [0, 0]
        self.reason = ""

    def begin(self, keys: tuple[bytes, bytes], frame: int) -> None:
        self.first_frame = frame

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        self.sent[side] += data

    def lose(self, side: int, n_bytes: int) -> None:
        self.lost[side] += n_bytes

    def finish(self, reason: str) -> None:
        self.reason = reason


def test_one_connection_is_passed_on_and_all_are_searched_for_tls():
    kept = Kept()
    tap = Tap()
    followed = FollowedConnection(1, kept)
    tap.engine = Engine(announces=True, dispatches=followed.dispatcher())
    flights = talk()
    for ports in ((50000, 443), (50001, 443), (50002, 443)):
        tap.feed(*packetise(flights, ports=ports))
    tap.close()
    assert followed.n_connections == 3
    assert kept.sent == [b"".join(data for at, data in flights if at == side) for side in (CLIENT, SERVER)]
    assert (kept.lost, kept.reason) == ([0, 0], "fin")
    began = [event for event in tap.events if isinstance(event, SessionBegan)]
    assert [event.flow.first_frame == kept.first_frame for event in began] == [False, True, False]
