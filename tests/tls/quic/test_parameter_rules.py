"""Transport parameters that RFC 9000 does not allow."""

from types import SimpleNamespace
from typing import Any

import pytest

from analyzer.secrets.quic_versions import VERSION_1
from analyzer.tls.quic.parameter_rules import parameter_problems
from analyzer.tls.quic.transport_facts import TransportFacts

ORIGINAL, CLIENT_ID, SERVER_ID, RETRY_ID = b"original", b"client", b"server", b"retry"
GOOD: tuple[list[tuple[int, Any]], list[tuple[int, Any]]] = (
    [(0x03, 1200), (0x0A, 20), (0x0B, 16383), (0x0E, 2), (0x08, 1 << 60), (0x0F, CLIENT_ID)],
    [(0x00, ORIGINAL), (0x02, bytes(16)), (0x0F, SERVER_ID)],
)


def problems(client: list[tuple[int, Any]], server: list[tuple[int, Any]] | None, retries: int = 0) -> list[str]:
    facts = TransportFacts(VERSION_1, ORIGINAL)
    facts.add_id(0, CLIENT_ID)
    for frame in range(retries):
        facts.retries.append(frame + 2)
        facts.add_id(1, RETRY_ID)
    facts.add_id(1, SERVER_ID)
    for role, listed in enumerate((client, server)):
        if listed is not None:
            given = [SimpleNamespace(id=number, value=value) for number, value in listed]
            facts.parameters[role] = SimpleNamespace(transport_parameters=given)
    return list(parameter_problems(facts))


def test_what_is_allowed() -> None:
    assert problems(*GOOD) == []
    assert problems(GOOD[0], None) == []
    assert problems(GOOD[0], [(0x00, b"another"), (0x0F, SERVER_ID), (0x10, ORIGINAL)]) == []  # the Retry is not there


@pytest.mark.parametrize(
    ("added", "word"),
    [
        ((0x03, 1199), "max_udp_payload_size with the value 1199"),
        ((0x0A, 21), "ack_delay_exponent with the value 21"),
        ((0x0B, 16384), "max_ack_delay with the value 16384"),
        ((0x0E, 1), "active_connection_id_limit with the value 1"),
        ((0x09, (1 << 60) + 1), "initial_max_streams_uni with the value"),
        ((0x00, b""), "original_destination_connection_id, which only a server has"),
    ],
    ids=["payload", "exponent", "delay", "limit", "streams", "of-servers"],
)
def test_a_value_of_the_client(added: tuple[int, Any], word: str) -> None:
    (problem,) = problems([one for one in GOOD[0] if one[0] != added[0]] + [added], GOOD[1])
    assert word in problem


def test_connection_ids() -> None:
    assert "more than once" in problems([*GOOD[0], (0x0E, 2)], GOOD[1])[0]
    assert "no transport parameter initial_source" in problems(GOOD[0][:-1], GOOD[1])[0]
    assert "original_destination_connection_id" in problems(GOOD[0], [(0x00, b"another"), (0x0F, SERVER_ID)])[0]
    assert "initial_source_connection_id of the server" in problems(GOOD[0], [(0x00, ORIGINAL), (0x0F, b"x")])[0]


def test_the_parameters_behind_a_retry() -> None:
    client, server = GOOD
    assert problems(client, [*server, (0x10, RETRY_ID)], 1) == []
    assert "no transport parameter retry_source_connection_id" in problems(client, server, 1)[0]
    assert "retry_source_connection_id of the server is 78" in problems(client, [*server, (0x10, b"x")], 1)[0]
    assert "no transport parameter original_destination" in problems(client, [*server[1:], (0x10, RETRY_ID)], 1)[0]


def test_the_parameters_without_a_retry() -> None:
    client, server = GOOD
    (problem,) = problems(client, [*server, (0x10, RETRY_ID)])
    assert problem == "the server sends the transport parameter retry_source_connection_id, but has sent no Retry"
    assert "no transport parameter original_destination" in problems(client, server[1:])[0]
