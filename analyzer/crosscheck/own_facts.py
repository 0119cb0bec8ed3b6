"""Our own facts about a session, from its record: what `analyzer sessions --format json` prints."""

from typing import Any

from analyzer.crosscheck.facts import CLOSED, Fact, Facts

_OF_HELLOS = {"server_name": "client_hello", "ja3": "client_hello", "ja4": "client_hello"}
"""The message that a field is from; a ServerHello, for other fields."""

_CERTIFICATES = ("certificate", "compressed_certificate")
"""The messages that certificates come in."""


def own_facts(record: dict[str, Any], n_bytes: tuple[int, int] | None) -> Facts:
    """Return the facts of a record. n_bytes: of the client's and the server's stream; None where they are not whole."""
    facts = Facts()
    frames = {message["type"]: message["frame"] for message in reversed(record["handshake"])}
    answers = {**_OF_HELLOS, "group": "server_key_exchange"} if "server_key_exchange" in frames else _OF_HELLOS
    for name in ("version", "cipher_suite", "group", "server_name", "alpn", "ja3", "ja3s", "ja4"):
        if record[name] is not None:
            frame = frames.get(answers.get(name, "server_hello"), record["first_frame"])
            facts.scalars[name] = Fact(record[name], frame)
    if n_bytes is not None:
        for name, count in zip(("client_bytes", "server_bytes"), n_bytes, strict=True):
            facts.scalars[name] = Fact(str(count), record["last_frame"])
    if record["quic"] is not None:
        _add_quic(record["quic"], frames.get("server_hello", record["first_frame"]), record["first_frame"], facts)
    opened = record["decryption"]["status"] != "none"
    lists = facts.lists
    for message in record["handshake"]:
        seen = message["type"] if opened or not message["encrypted"] else CLOSED
        lists["handshake"].append(Fact(f"{message['from']} {seen}", message["frame"]))
    for alert in record["alerts"]:
        seen = CLOSED if alert["description"] is None else f"{alert['level']} {alert['description']}"
        lists["alerts"].append(Fact(f"{alert['from']} {seen}", alert["frame"]))
    for role in ("client", "server"):
        frame = next((one["frame"] for one in record["handshake"] if one["type"] in _CERTIFICATES and one["from"] == role), 0)
        for certificate in record["certificates"][role] or ():
            if certificate["sha256"] is not None:
                lists["certificates"].append(Fact(f"{role} {certificate['sha256']}", frame))
    for exchange in record["http"]:
        request, response = exchange["request"], exchange["response"]
        if request is not None and request["method"] is not None:
            lists["requests"].append(Fact(f"{request['method']} {request['path'] or request['authority']}", request["frame"]))
        if response is not None and response["status"] is not None:
            lists["statuses"].append(Fact(str(response["status"]), response["frame"]))
    return facts


def _add_quic(quic: dict[str, Any], chosen_in: int, first_frame: int, facts: Facts) -> None:
    """Add what only QUIC has. chosen_in: the frame in which the version is settled."""
    if quic["versions"]:
        facts.scalars["quic_version"] = Fact(quic["versions"][-1], chosen_in)
    for role, known in quic["connection_ids"].items():
        facts.lists["connection_ids"] += [Fact(f"{role} {one}", first_frame) for one in known if one]
