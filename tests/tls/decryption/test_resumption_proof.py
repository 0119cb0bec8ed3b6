"""Which session a resumed one continues: real endpoints; a ticket at another server; and secrets that fit or do not."""

from typing import Any

import pytest
from conversations import Segment, Tap, contexts, packetise
from keyed import Talk
from talks import client_of, talk_over

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record


def resumed_talk(version: str = "TLSv1_2") -> tuple[Talk, Talk]:
    """A session and one that resumes it, of real endpoints."""
    client, server = client_of(version), contexts.__wrapped__()[1]
    first, session = talk_over(client, server)
    return first, talk_over(client, server, session)[0]


def records_of(first: list[Segment], second: list[Segment], keys: str = "") -> list[dict[str, Any]]:
    """The records of two sessions, one after the other."""
    keylog = KeyLog()
    keylog.feed(keys.encode())
    tap = Tap()
    tap.engine = Engine(keylog=keylog if keys else None)
    tap.feed(*first)
    tap.feed(*second)
    return [session_record(session, False) for session in tap.close()]


def codes(record: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in record["findings"]]


@pytest.mark.parametrize("keyed", [False, True])
def test_the_same_parties_are_tied(keyed: bool):
    first, second = resumed_talk()
    later = packetise(second.flights, ports=(50001, 443))
    _, record = records_of(packetise(first.flights), later, first.keylog + second.keylog if keyed else "")
    assert (record["resumed"], record["resumes"]) == (True, 0)
    assert "copied_ticket" not in codes(record)


def test_at_another_server_only_secrets_tie():
    first, second = resumed_talk()
    later = packetise(second.flights, ports=(50001, 8443))
    for keys, tie in ((first.keylog + second.keylog, 0), (first.keylog, 0), ("", None)):
        _, record = records_of(packetise(first.flights), later, keys)
        assert (record["resumed"], record["resumes"]) == (True, tie)
        assert ("copied_ticket" in codes(record)) == (tie is None)


def test_secrets_that_do_not_fit_take_the_tie_away():
    first, second = resumed_talk()
    other = " ".join([*first.keylog.split()[:2], "00" * 48]) + "\n"
    later = packetise(second.flights, ports=(50001, 8443))
    _, record = records_of(packetise(first.flights), later, other)
    assert record["resumes"] is None
    assert record["decryption"]["status"] == "none"


def test_a_name_that_is_not_in_the_capture_neither_ties_nor_accuses():
    first, second = resumed_talk()
    segments = packetise(first.flights)
    hello = next(number for number, one in enumerate(segments) if one.payload)
    later = packetise(second.flights, ports=(50001, 443))
    _, record = records_of([*segments[:hello], *segments[hello + 1 :]], later)
    assert (record["resumed"], record["resumes"]) == (True, None)
    assert "copied_ticket" not in codes(record)
