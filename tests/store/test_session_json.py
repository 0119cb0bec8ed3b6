"""A session as a line of JSON: it is the record of `session_record`, byte for byte, for every kind of session."""

import gc
from pathlib import Path
from typing import Any

import orjson
import pytest
from conversations import Tap, packetise, read_sessions, talk

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.chain_verdicts import NO_VERDICTS, Chains
from analyzer.store.session_json import keep, session_json
from analyzer.store.session_record import session_record
from analyzer.tls.events import SessionEnded
from analyzer.tls.session import Session

CAPTURES = Path(__file__).parents[2] / "captures"


def assert_same(sessions: list[Session]) -> None:
    chains = Chains()
    for session in sessions:
        for messages in (False, True):
            assert session_json(session, messages, chains) == orjson.dumps(session_record(session, messages, chains))


def sessions_of(path: Path, keys: Path | None) -> list[Session]:
    keylog = None
    if keys is not None:
        keylog = KeyLog()
        keylog.take(keys.read_bytes(), str(keys))
    return read_sessions(CaptureReader([str(path)]), Engine(keylog=keylog))


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("**/*.pcapng")), ids=lambda path: path.stem)
@pytest.mark.parametrize("decrypted", [False, True])
def test_a_line_is_the_record(path: Path, decrypted: bool) -> None:
    sessions = sessions_of(path, next(iter(sorted(path.parent.glob(f"**/{path.stem}.keys"))), None) if decrypted else None)
    assert sessions or path.stem == "datagrams"
    assert_same(sessions)


@pytest.mark.corpus
def test_lines_of_the_corpus_are_the_records(corpus: Path) -> None:
    paths = sorted([*corpus.glob("zeek/*/*.pcap*"), *corpus.glob("ja4/*.pcap*")])
    assert len(paths) > 100
    for path in paths:
        assert_same(sessions_of(path, None))


def session(flights: Any) -> Session:
    tap = Tap()
    tap.feed(*packetise(flights))
    (found,) = tap.close()
    return found


@pytest.mark.parametrize("flights", [talk("TLSv1_2"), talk("TLSv1_3"), talk("TLSv1_2")[:1], talk("TLSv1_3")[1:2]])
def test_parts_of_a_session_and_sessions_without_time(flights: Any) -> None:
    one = session(flights)
    assert_same([one])
    one.flow.start = one.flow.end = -1
    for message in one.log.messages:
        message.at = -1
    assert b'"start_time":null,"end_time":null' in session_json(one, False, NO_VERDICTS)
    assert session_json(one, False, NO_VERDICTS) == orjson.dumps(session_record(one, False, NO_VERDICTS))


def test_a_server_name_of_any_bytes() -> None:
    side, hello = talk()[0]
    for name in (b"\xff\xfe\0\x1b[31m12", b'ex"te\\t.test', "\u202eexampl\u00e9".encode()):
        assert_same([session([(side, hello.replace(b"example.test", name.ljust(12)[:12]))])])


def test_the_caller_may_know_what_a_session_resumes() -> None:
    one = session(talk())
    assert b'"resumes":7,"ja3":' in session_json(one, False, NO_VERDICTS, b"7")
    assert b'"resumes":null,"ja3":' in session_json(one, False, NO_VERDICTS)


def test_a_full_memory_begins_anew() -> None:
    memory: dict[int, int] = {}
    for number in range(10_000):
        keep(memory, number, number)
        assert memory[number] == number
        assert len(memory) <= 4096


def test_few_reasons_are_remembered_of_those_that_name_a_session() -> None:
    """With a key log, each session that is not decrypted has its own reason, which names its random."""
    tap, flights = Tap(), talk()
    other = KeyLog()
    other.feed(f"CLIENT_RANDOM {'00' * 32} {'00' * 48}\n".encode())
    tap.engine = Engine(keylog=other)
    for number in range(900):
        hello = bytearray(flights[0][1])
        hello[11:15] = number.to_bytes(4, "big")  # of the random
        tap.feed(*packetise(((0, bytes(hello)), *flights[1:]), ports=(20_000 + number, 443)))
        tap.take()
    tap.engine.close()
    tap.take()
    ended = [event.ended for event in tap.events if isinstance(event, SessionEnded)]
    assert len({session_json(session, False, NO_VERDICTS) for session in ended}) == 900
    del ended
    tap.events.clear()
    kept = [one for one in gc.get_objects() if type(one) is dict and "records" in one and one.get("reason") == "no_secret"]
    assert 0 < len(kept) <= 256 + 512
