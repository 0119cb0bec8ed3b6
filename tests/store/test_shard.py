"""A process that reads a part of the sessions leaves holes and notes for what it cannot decide."""

import json
from pathlib import Path

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.sessions import record_text
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.shard import HOLE, RESUMES, Ended, NotedResumptions, Progress, Shard, Spent
from analyzer.tls.handshake.resumption import ResumableSession

CAPTURES = Path(__file__).parents[2] / "captures"


def ended(name: str, part: tuple[int, int], **engine: object) -> list[Ended]:
    reader = CaptureReader([str(CAPTURES / name / f"{name}.pcapng")])
    shard = Shard(reader, {"fields": False, **engine}, record_text(False, True), part, Progress(2))
    return [Ended._make(one) for turn in shard.turns() for one in turn.ended]


def test_notes_of_resumption_have_what_a_search_needs():
    noted = NotedResumptions(Engine())
    terms = (False, 0xC02F, 0, True, b"")
    noted.keep_id(b"id", ResumableSession(7, b"server", None, True))
    noted.keep_ticket(b"ticket", ResumableSession(8, b"server", b"name", client=b"there", terms=terms))
    assert noted.find(None, b"", b"server", None) is None
    assert noted.find(b"ticket", b"id", b"server", None).number == -1
    assert noted.find(None, b"id", b"server", b"name", b"here").number == -2
    assert noted.take() == [
        (0, 7, b"server", None, b"id", None, True, -1, b"", None),
        (0, 8, b"server", b"name", None, b"ticket", False, -1, b"there", terms),
        (0, 0, b"server", None, b"id", b"ticket", b""),
        (0, 1, b"server", b"name", b"id", None, b"here"),
    ]
    assert noted.take() == []


def test_a_process_among_several_leaves_holes():
    sessions = [one for part in range(2) for one in ended("tls12-ticket-resumption", (part, 2))]
    assert {one.id for one in sessions} == set(range(len(sessions)))
    assert any(RESUMES in one.holes and one.search >= 0 for one in sessions)
    for one in sessions:
        assert len(one.texts[0]) == len(one.holes) + 1
        assert json.loads(b"null".join(one.texts[0]))["id"] == one.id


def test_a_process_alone_knows_what_is_resumed():
    records = [json.loads(b"null".join(one.texts[0])) for one in ended("tls12-ticket-resumption", (0, 1))]
    assert any(record["resumes"] is not None for record in records)


def test_a_session_without_its_secrets_has_a_text_for_each_case():
    keylog = KeyLog()
    keylog.feed(b"CLIENT_RANDOM " + b"ab" * 32 + b" " + b"cd" * 48 + b"\n", "of another run")
    (one,) = ended("tls13-rsa", (0, 2), keylog=keylog)
    details = [json.loads(b"null".join(text))["decryption"]["detail"] for text in one.texts]
    assert details[0] == details[1]
    assert "nor for any session" not in details[0]
    assert "nor for any session" in details[2]


def test_what_is_spent_is_told():
    reader = CaptureReader([str(CAPTURES / "tls13-rsa" / "tls13-rsa.pcapng")])
    keylog = KeyLog()
    keylog.feed((CAPTURES / "tls13-rsa" / "tls13-rsa.keys").read_bytes(), "keys")
    last = list(Shard(reader, {"keylog": keylog}, record_text(False, True), (0, 2), Progress(2)).turns())[-1]
    assert Spent._make(last.spent) == Spent(0, 0, 0, 1, 0)
    assert last.is_last


def test_json_has_no_hole():
    assert HOLE not in json.dumps({"key": "\0"}).encode()
