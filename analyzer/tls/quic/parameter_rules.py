"""Checks the transport parameters of a connection against what RFC 9000 demands of them (sections 4.6, 7.3, 7.4 and 18.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from analyzer.codec.registry import registry
from analyzer.secrets.quic_versions import VERSION_1, VERSION_2
from analyzer.tls.quic.transport_facts import TransportFacts
from analyzer.tls.session_log import ROLES

_CLIENT, _SERVER = 0, 1
_ORIGINAL_ID, _RESET_TOKEN, _PREFERRED_ADDRESS, _SOURCE_ID, _RETRY_ID = 0x00, 0x02, 0x0D, 0x0F, 0x10
_OF_SERVERS = (_ORIGINAL_ID, _RESET_TOKEN, _PREFERRED_ADDRESS, _RETRY_ID)
_LARGEST = (1 << 62) - 1
_RANGES = {
    0x03: (1200, _LARGEST),
    0x08: (0, 1 << 60),
    0x09: (0, 1 << 60),
    0x0A: (0, 20),
    0x0B: (0, (1 << 14) - 1),
    0x0E: (2, _LARGEST),
}
"""The least and the largest value, by the number of a parameter."""


def parameter_problems(facts: TransportFacts) -> Iterator[str]:
    """Yield what is wrong with the transport parameters of both sides, as far as they are known."""
    for role in (_CLIENT, _SERVER):
        listed = getattr(facts.parameters[role], "transport_parameters", None)
        if listed is not None:
            values = {one.id: one.value for one in reversed(listed)}
            yield from _own_problems(role, listed, values)
            if facts.offered is None and facts.current in (VERSION_1, VERSION_2):
                yield from _id_problems(facts, role, values)


def _own_problems(role: int, listed: Any, values: dict[int | None, Any]) -> Iterator[str]:
    """Yield what shows in the parameters of one side alone."""
    who, names = ROLES[role], registry("quic_transport_parameters")
    numbers = [one.id for one in listed if one.id is not None]
    for number in dict.fromkeys(numbers):
        name, value = names.name(number), values[number]
        if numbers.count(number) > 1:
            yield f"the {who} sends the transport parameter {name} more than once"
        if role == _CLIENT and number in _OF_SERVERS:
            yield f"the client sends the transport parameter {name}, which only a server has"
        if number in _RANGES and isinstance(value, int) and not _RANGES[number][0] <= value <= _RANGES[number][1]:
            yield f"the {who} sends the transport parameter {name} with the value {value}"


def _id_problems(facts: TransportFacts, role: int, values: dict[int | None, Any]) -> Iterator[str]:
    """Yield where the connection IDs in the parameters of a side are not those of its packets."""
    who, names = ROLES[role], registry("quic_transport_parameters")
    expected = {_SOURCE_ID: facts.ids[role][:1] if role == _CLIENT else facts.ids[role]}
    if role == _SERVER and values.get(_RETRY_ID) != facts.original_id:  # else the capture lacks the Retry
        expected[_ORIGINAL_ID] = [facts.original_id]
        if facts.retries:
            expected[_RETRY_ID] = facts.ids[_SERVER]
        elif _RETRY_ID in values and values[_RETRY_ID] not in facts.ids[_SERVER]:  # else the capture lacks the Retry
            yield f"the server sends the transport parameter {names.name(_RETRY_ID)}, but has sent no Retry"
    for number, known in expected.items():
        name, value = names.name(number), values.get(number)
        if number not in values:
            yield f"the {who} sends no transport parameter {name}"
        elif isinstance(value, bytes) and known and value not in known:
            yield f"the transport parameter {name} of the {who} is {value.hex()}, not the connection ID of the packets"
