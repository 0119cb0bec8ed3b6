from conversations import SERVER, Tap, packetise
from keyed import page, talk_of, without

from analyzer.analysis.losses import Loss, Losses
from analyzer.engine import Engine
from analyzer.engine.data_streams import DataReader, DataStreams
from analyzer.secrets.keylog import KeyLog

TALK = talk_of((*page("/", b"x" * 60_000), *page("/", b"y" * 60_000)))


class Heard(DataReader):
    """Keeps what was lost, by when it was told."""

    def __init__(self, losses: Losses) -> None:
        super().__init__(losses)
        self.told: list[Loss] = losses.take()

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        self.told += self.losses.take()

    def close(self, at: int) -> None:
        self.told += self.losses.take()


class Streams(DataStreams):
    """Opens such a reader for each session."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Heard] = []

    def open(self, session: int, alpn: bytes | None, losses: Losses) -> DataReader:
        self.heard.append(Heard(losses))
        return self.heard[-1]


def losses_of(segments, keylog: str = TALK.keylog) -> list[Loss]:
    keys = KeyLog()
    keys.feed(keylog.encode())
    tap = Tap()
    tap.engine = Engine(detailed=True, keylog=keys)
    tap.feed(*segments)
    (session,) = tap.close()
    streams = Streams()
    streams.take(tap.events)
    (heard,) = streams.heard
    assert sum(loss.records for loss in heard.told) == session.decryption.failed
    return heard.told


def test_nothing_is_missing():
    assert losses_of(packetise(TALK.flights)) == []


def test_a_hole_in_one_record_has_its_size():
    assert losses_of(without(packetise(TALK.flights), SERVER, 40)) == [Loss(SERVER, 700, 1, "missing_segment")]


def test_two_holes_are_two_losses_where_data_came_between():
    found = losses_of(without(packetise(TALK.flights), SERVER, 40, 110))
    assert found == [Loss(SERVER, 700, 1, "missing_segment")] * 2


def test_a_hole_over_many_records_has_its_size_too():
    segments = packetise(TALK.flights)
    rest = without(segments, SERVER, *range(40, 110))
    n_bytes = sum(len(segment.payload) for segment in segments) - sum(len(segment.payload) for segment in rest)
    (found,) = losses_of(rest)
    assert (found.role, found.n_bytes, found.reason) == (SERVER, n_bytes, "missing_segment")


def test_records_under_a_wrong_secret_have_that_reason():
    words = [line.split() for line in TALK.keylog.splitlines() if not line.startswith("#")]
    wrong = [[label, random, "00" * 48 if label == "SERVER_TRAFFIC_SECRET_0" else secret] for label, random, secret in words]
    found = losses_of(packetise(TALK.flights), "".join(" ".join(line) + "\n" for line in wrong))
    assert {(loss.role, loss.n_bytes, loss.reason) for loss in found} == {
        (None, None, "wrong_secret"),
        (SERVER, None, "wrong_secret"),
    }
