"""The facts that tshark gives of QUIC connections, from the packets that pyshark makes of its PDML.

A layer `quic` is one packet of a datagram, with the TLS messages that it completes: their layer `tls` stands inside, and
pyshark makes no layer of it, so that its fields are among those of the packet. A connection has a number,
`quic.connection.number`, which stands in the first packet of a datagram only, and not where tshark cannot tell whose datagram
it is. Addresses can change; who sent is told by the address of the peer, which stayed.
"""

from typing import Any

from analyzer.codec.registry import registry

QUIC_VERSION, CONNECTION_IDS = "quic_version", "connection_ids"
"""The fields that only QUIC has."""

REACHED = "reached"
"""What the ID is called to which an Initial goes: it is one of the peer, but for the client's first one."""

OFFERED = "offered "
"""Begins the name of the version of a ClientHello's packet: it is compared if no ServerHello follows."""

_VERSIONS = registry("quic_versions")
_FATAL = registry("alert_levels").name(2)
_DESCRIPTIONS = registry("alert_descriptions").names

Found = list[tuple[str, str]]


def shown(layer: Any, name: str) -> list[str]:
    """Return the values of all fields of that name, as they are shown."""
    container = layer._all_fields.get(name)
    return [] if container is None else [one.show or "" for one in container.fields]


def connection_number(layers: list[Any]) -> int | None:
    """Return the number of the connection of a datagram's packets; None if tshark does not know it."""
    numbers = [text for layer in layers for text in shown(layer, "quic.connection.number")]
    return int(numbers[0]) if numbers else None


def read_quic(layer: Any, messages: Found) -> Found:
    """Return what a packet says beside its TLS messages. messages: those."""
    found: Found = []
    names = {text for name, text in messages if name == "handshake"}
    for text in shown(layer, "quic.version")[:1]:
        if "server_hello" in names or "hello_retry_request" in names:
            found.append((QUIC_VERSION, _VERSIONS.name(int(text, 0))))
        elif "client_hello" in names:
            found.append((OFFERED + QUIC_VERSION, _VERSIONS.name(int(text, 0))))
    for name in ("quic.scid", "quic.nci.connection_id"):
        found += [(CONNECTION_IDS, text.replace(":", "")) for text in shown(layer, name) if text]
    if shown(layer, "quic.token_length"):
        found += [(REACHED, text.replace(":", "")) for text in shown(layer, "quic.dcid") if text]
    for text in shown(layer, "quic.cc.error_code.tls_alert"):
        found.append(("alerts", f"{_FATAL} {_DESCRIPTIONS[int(text, 0)]}"))
    return found


def read_http3(layer: Any) -> Found:
    """Return the requests and statuses of a layer `http3`, which is one stream of a datagram."""
    methods = shown(layer, "http3.headers.method")
    paths = shown(layer, "http3.headers.path") or shown(layer, "http3.headers.authority")
    found = [("requests", f"{method} {path}") for method, path in zip(methods, paths, strict=False)]
    return found + [("statuses", text) for text in shown(layer, "http3.headers.status")]
