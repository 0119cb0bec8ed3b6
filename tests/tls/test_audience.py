"""Sessions told by envoys are the sessions themselves: all demonstration captures, in one, two and three parts."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from conversations import Tap, packetise, talk

from analyzer.capture.reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.record import json_line, session_record
from analyzer.tls.audience import Audience
from analyzer.tls.envoy import Router
from analyzer.tls.tidings import TidingsReader

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
NAMES = sorted(path.parent.name for path in CAPTURES.glob("*/*.pcap*"))


def keylog(name: str) -> KeyLog:
    log = KeyLog()
    for path in (CAPTURES / name).glob("*.keys"):
        log.feed(path.read_bytes())
    return log


def by_number(records: list[dict[str, Any]]) -> list[str]:
    return [json.dumps(record) for record in sorted(records, key=lambda record: int(record["id"]))]


def through_envoys(engine: Engine, name: str, n_processes: int, log: KeyLog | None) -> list[Any]:
    """The sessions of a capture, whose records `engine` reads and as many audiences hear of."""
    router = engine.sessions.router = Router(n_processes, log is not None)
    (path,) = (CAPTURES / name).glob("*.pcap*")
    audiences = [Audience(True, Engine(keylog=log).secrets) for _ in range(n_processes)]
    for walker in CaptureReader([str(path)]).walkers():
        engine.run(walker)
        for audience, tidings in zip(audiences, router.take(), strict=True):
            audience.hear(TidingsReader(bytearray(tidings)))
    engine.close()
    for audience, tidings in zip(audiences, router.take(), strict=True):
        audience.hear(TidingsReader(bytearray(tidings)))
    assert [audience.held for audience in audiences] == [0] * n_processes
    return [session for audience in audiences for session in audience.take()]


@pytest.mark.parametrize("n_processes", [1, 2, 3])
@pytest.mark.parametrize("keys", [False, True], ids=["without keys", "with keys"])
@pytest.mark.parametrize("name", NAMES)
def test_all_that_is_known_is_the_same(name: str, keys: bool, n_processes: int) -> None:
    (path,) = (CAPTURES / name).glob("*.pcap*")
    whole = Engine(keylog=keylog(name) if keys else None)
    for walker in CaptureReader([str(path)]).walkers():
        whole.run(walker)
    whole.close()
    wanted = [session_record(session, True) for session in whole.drain()]
    found = [
        session_record(session, True) for session in through_envoys(Engine(), name, n_processes, keylog(name) if keys else None)
    ]
    for record, other in zip(sorted(wanted, key=by_id), sorted(found, key=by_id), strict=True):
        if other["resumes"] == -1:  # of another process, perhaps: see `test_crew`
            assert record["version"].startswith("TLS 1.3")
            other["resumes"] = record["resumes"]
    assert by_number(found) == by_number(wanted)


def by_id(record: dict[str, Any]) -> int:
    return int(record["id"])


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_losses_and_conflicts_are_told(version: str) -> None:
    segments = packetise(talk(version), mss=300)
    changed = segments[8].__class__(**{**vars(segments[8]), "payload": bytes(len(segments[8].payload))})
    lossy = [*segments[:6], *segments[7:9], changed, *segments[9:12], *segments[14:-3]]
    plain, told = Tap(), Tap()
    router = told.engine.sessions.router = Router(1, False)
    for one in (plain, told):
        one.feed(*lossy)
        one.close()
    audience = Audience(True, told.engine.secrets)
    audience.hear(TidingsReader(bytearray(router.take()[0])))
    [session] = audience.take()
    [wanted] = plain.ended
    record = session_record(wanted, True)
    assert record["gaps"]
    assert {finding["code"] for finding in record["findings"]} >= {"conflicting_segments"}
    assert json_line(session_record(session, True)) == json_line(record)


def test_what_no_envoy_tells_is_refused() -> None:
    told = Tap()
    router = told.engine.sessions.router = Router(1, False)
    told.feed(*packetise(talk()[:2], fin=False))
    audience = Audience(False, told.engine.secrets)
    audience.hear(TidingsReader(bytearray(router.take()[0])))
    with pytest.raises(ValueError, match="no envoy tells of 15"):
        audience.hear(TidingsReader(bytearray(struct.pack("=7q", 15, 0, 1, 2, 0, 0, 0))))
