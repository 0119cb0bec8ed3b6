"""Writes what stood before TLS as a line for each protocol: the real client, the target of a proxy, the names of hosts."""

from typing import Any

from analyzer.text.formatting import count_text, endpoint_text
from analyzer.text.language import say
from analyzer.text.punctuation import apart, clauses, labelled

_NAMES = {
    "proxy": "PROXY", "socks": "SOCKS", "http_connect": "HTTP CONNECT", "sieve": "ManageSieve", "postgresql": "PostgreSQL",
    "mysql": "MySQL",
}  # fmt: skip


def before_text(before: list[dict[str, Any]] | None) -> str:
    """Return what stood before TLS in one line, from the key of a record; empty if nothing did, or if it is not known."""
    return apart(before_lines(before))


def before_lines(before: list[dict[str, Any]] | None) -> list[str]:
    """Return a line for each protocol: `PROXY 1: real client 203.0.113.77:55555, to 10.0.0.9:443`. They come from the wire."""
    return [_line(entry) for entry in before or []]


def _line(entry: dict[str, Any]) -> str:
    if entry["protocol"] == "unknown":
        sizes = {side: count_text(n, "byte") for side, n in entry["bytes"].items()}
        return say("unknown: {client} of the client, {server} of the server", client=sizes["client"], server=sizes["server"])
    name = _NAMES.get(entry["protocol"], entry["protocol"].upper())
    title = f"{name} {entry['version']}" if entry["version"] else name
    parts = []
    if entry["client"] is not None:
        parts.append(say("real client {end}", end=_end(entry["client"])))
    if entry["server"] is not None:
        parts.append(say("to {end}", end=_end(entry["server"])))
    if entry["target"] is not None:
        host, port = entry["target"]["host"], entry["target"]["port"]
        parts.append(say("to {end}", end=host if port is None else endpoint_text(host, port)))
    if entry["user"] is not None:
        parts.append(say("user {name}", name=entry["user"]))
    if entry["user_agent"] is not None:
        parts.append(say("user agent {name}", name=entry["user_agent"]))
    if entry["client_name"] is not None:
        parts.append(say("client {name}", name=entry["client_name"]))
    if entry["server_name"] is not None:
        parts.append(say("server {name}", name=entry["server_name"]))
    if entry["status"] is not None:
        parts.append(say("answer {number}", number=entry["status"]))
    parts += [f"{key} {value}" for key, value in entry["details"].items()]
    return labelled(title, clauses(*parts)) if parts else title


def _end(end: dict[str, Any]) -> str:
    return endpoint_text(end["address"], end["port"])
