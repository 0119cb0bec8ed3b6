"""Makes the entry `quic` of the session record: what QUIC shows beside TLS."""

from ipaddress import ip_address
from typing import Any

from analyzer.codec.registry import registry
from analyzer.packet.addresses import endpoints
from analyzer.tls.quic.transport_facts import LEVELS, Close, TransportFacts
from analyzer.tls.session_log import ROLES

CRYPTO_ERRORS = range(0x100, 0x200)
"""Transport codes that are alerts of TLS (RFC 9001 section 4.8)."""


def quic_record(facts: TransportFacts | None, alpn: bytes | None) -> dict[str, Any] | None:
    """Return the entry `quic`; None for a session without QUIC. alpn: the protocol inside, which names its codes."""
    if facts is None:
        return None
    versions = registry("quic_versions")
    offered = facts.offered
    return {
        "versions": [versions.name(number) for number in facts.versions],
        "offered_versions": None if offered is None else [versions.name(number) for number in offered],
        "retries": facts.retries,
        "original_connection_id": facts.original_id.hex(),
        "connection_ids": {role: [known.hex() for known in facts.ids[i]] for i, role in enumerate(ROLES)},
        "paths": [path_record(key, frame) for key, frame in facts.paths],
        "transport_parameters": {role: parameters_record(facts.parameters[i]) for i, role in enumerate(ROLES)},
        "packets": {
            role: {name: facts.n_packets(i, level) for level, name in enumerate(LEVELS)} for i, role in enumerate(ROLES)
        },
        "missing": {role: facts.missing(i) for i, role in enumerate(ROLES)},
        "unacknowledged": {role: facts.unacknowledged(i) for i, role in enumerate(ROLES)},
        "unopened": facts.strays,
        "key_updates": {role: facts.updates[i] for i, role in enumerate(ROLES)},
        "spin_bit": {role: None if not facts.marks.spins[i] else facts.marks.spins[i] == 3 for i, role in enumerate(ROLES)},
        "ecn": {role: ecn_record(facts.marks.reported[i]) for i, role in enumerate(ROLES)},
        "ecn_sent": {role: sent_ecn_record(facts.marks.seen[4 * i : 4 * i + 4]) for i, role in enumerate(ROLES)},
        "handshake_done": facts.done or None,
        "close": None if facts.close is None else close_record(facts.close, alpn),
        "stateless_reset": None if facts.reset is None else {"from": ROLES[facts.reset[0]], "frame": facts.reset[1]},
    }


def quic_facts(transport: Any) -> TransportFacts | None:
    """Return what the transport of a session shows if it is QUIC, else None."""
    return transport if isinstance(transport, TransportFacts) else None


def letter_of(transport: Any) -> str:
    """Return the letter that JA4 has for the transport of a session; None is TCP."""
    letter: str = "t" if transport is None else transport.letter
    return letter


def path_record(key: bytes, frame: int) -> dict[str, Any]:
    """Return one entry of `paths`, from the `Packet.key` of a packet from client to server."""
    client, server = endpoints(key)
    return {
        "client": {"address": client[0], "port": client[1]},
        "server": {"address": server[0], "port": server[1]},
        "frame": frame,
    }


def path_keys(record: dict[str, Any]) -> list[bytes]:
    """Return the `Packet.key` of each path over UDP from client to server, given a session record; none for TLS over TCP."""
    if record["protocol"] == "tls":
        return []
    found = []
    for path in [record] if record["quic"] is None else record["quic"]["paths"]:
        ends = path["client"], path["server"]
        addresses = b"".join(ip_address(end["address"]).packed for end in ends)
        found.append(addresses + b"".join(end["port"].to_bytes(2, "big") for end in ends))
    return found


def parameters_record(parameters: Any) -> list[dict[str, Any]] | None:
    """Return the transport parameters of a side, in order; None where they cannot be seen."""
    listed = getattr(parameters, "transport_parameters", None)
    if listed is None:
        return None
    names = registry("quic_transport_parameters")
    found = []
    for parameter in listed:
        value = parameter.json().get("value")
        found.append({"id": parameter.id, "name": None if parameter.id is None else names.name(parameter.id), "value": value})
    return found


def ecn_record(counts: tuple[int, int, int] | None) -> dict[str, int] | None:
    """Return the marks of congestion that a side reports; None where it reports none."""
    return None if counts is None else {"ect0": counts[0], "ect1": counts[1], "ce": counts[2]}


def sent_ecn_record(counts: list[int]) -> dict[str, int] | None:
    """Return how many packets of a side had each ECN codepoint, given in the order of their numbers; None for no packet."""
    return {"not_ect": counts[0], "ect0": counts[2], "ect1": counts[1], "ce": counts[3]} if any(counts) else None


def close_record(close: Close, alpn: bytes | None) -> dict[str, Any]:
    """Return the entry `close`."""
    name: str | None = None
    if not close.application:
        codes = registry("quic_transport_error_codes")
        if close.code in CRYPTO_ERRORS:
            name = f"CRYPTO_ERROR ({registry('alert_descriptions').name(close.code - CRYPTO_ERRORS.start)})"
        elif codes.known(close.code):
            name = codes.name(close.code)
    elif alpn is not None and alpn.startswith(b"h3") and registry("http3_error_codes").known(close.code):
        name = registry("http3_error_codes").name(close.code)
    return {
        "from": ROLES[close.role],
        "frame": close.frame,
        "kind": "application" if close.application else "transport",
        "code": close.code,
        "name": name,
        "reason": close.reason.decode("utf-8", "backslashreplace"),
    }
