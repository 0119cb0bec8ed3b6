"""Reads what a connection carried before TLS: who the real client is, where a proxy connected to, which dialogue asked for TLS.

A load balancer writes the address of its client in front (PROXY protocol). A client asks a proxy for a target (SOCKS: RFC 1928
and its forerunners; CONNECT: RFC 9110 section 9.3.6). Mail, directories, databases and remote desktops begin in plaintext and
then change to TLS (STARTTLS: RFC 3207, RFC 2595, RFC 4511 section 4.14, RFC 6120 section 5 and so on). They can stand behind
each other in one connection. Each reader takes the rest of both streams, and says how many bytes of each were its own. Nothing
protects these bytes: they are claims, not proofs.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from analyzer.analysis.binary_preambles import BINARY_READERS
from analyzer.analysis.line_dialogues import LINE_READERS
from analyzer.analysis.preamble import Entry, Read, entry
from analyzer.analysis.proxy_preambles import PROXY_READERS, http_request
from analyzer.flows.flow import Flow

MAX_ENTRIES = 8
"""Protocols that are listed, at most. Each takes at least one byte, so a stream of tiny ones would be a long list."""

UNKNOWN = "unknown"

_FIRST = frozenset({UNKNOWN, "proxy", "socks", "http_connect", "http"})
"""What is not believed behind missing bytes: an answer could be that to an earlier request, and content could look like it."""

_READERS = (*PROXY_READERS, *BINARY_READERS, *LINE_READERS, http_request)


NOTHING: list[Entry] = []
"""What stood before TLS that is the first of its connection. It must not be changed."""


def before_of(flow: Flow) -> list[Entry] | None:
    """Return what stood before the TLS of a flow; None where the capture does not show it. The list must not be changed."""
    kept = flow.before
    known = NOTHING if flow.carrier is None else flow.carrier.before
    if flow.mid_stream or (kept is None and flow.late):
        return None
    if kept is None:
        return known
    found = before_tls((side ^ kept.client, data) for side, data in (kept.before_loss() if kept.lossy else kept.pieces))
    if not kept.cut:
        return [*known, *found]
    found = [one for one in found if one["protocol"] != UNKNOWN]
    if not found and kept.lossy:  # a dialogue of lines is known by any of them
        all_kept = before_tls((side ^ kept.client, data) for side, data in kept.pieces)
        found = [one for one in all_kept if one["protocol"] not in _FIRST]
    return [*known, *found] or None


def before_tls(pieces: Iterable[tuple[int, bytes]]) -> list[Entry]:
    """Return what stood before TLS, in its order: entries with all keys of `preamble.KEYS`.

    pieces: role (0 the client) and bytes, as they came. Bytes that no reader knows are one last entry, of protocol `unknown`.
    """
    streams = [b"", b""]
    for role, data in pieces:
        streams[role] += data
    client, server = streams
    found: list[Entry] = []
    while (client or server) and len(found) < MAX_ENTRIES:
        read = _first(_READERS, client, server)
        if read is None:
            break
        one, n_client, n_server = read
        found.append(one | {"bytes": {"client": n_client, "server": n_server}})
        client, server = client[n_client:], server[n_server:]
    if client or server:
        found.append(entry(UNKNOWN) | {"bytes": {"client": len(client), "server": len(server)}})
    return found


def _first(readers: Sequence[Any], client: bytes, server: bytes) -> Read | None:
    for reader in readers:
        read: Read | None = reader(client, server)
        if read is not None and read[1] + read[2] > 0 and read[1] <= len(client) and read[2] <= len(server):
            return read
    return None
