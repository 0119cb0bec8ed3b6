"""Finds plaintext that a client sent behind its command to begin TLS, before the server agreed.

A server that keeps such bytes executes them as if they had come under TLS, although anybody on the path can insert them
(CVE-2011-0411). A client has to wait for the answer (RFC 3207 section 4.2, RFC 2595 section 3.1).
"""

from analyzer.analysis.line_dialogues import behind_command
from analyzer.flows.flow import Flow
from analyzer.tls.events import Finding

SHOWN = 32
"""Bytes that the finding shows."""


def starttls_injection(flow: Flow) -> list[Finding]:
    """Return the finding about what stood before the TLS of a flow; none where the capture does not show all of it."""
    kept = flow.before
    if kept is None or kept.cut or flow.mid_stream:
        return []
    rest = behind_command(b"".join(data for side, data in kept.pieces if side == kept.client))
    if not rest:
        return []
    frames = [frame for (side, _), frame in zip(kept.pieces, kept.frames, strict=True) if side == kept.client and frame]
    shown = ascii(rest[:SHOWN].decode("latin-1")) + ("…" if len(rest) > SHOWN else "")
    detail = f"{len(rest)} bytes of the client stand in plaintext behind its STARTTLS command, before TLS began: {shown}"
    return [Finding("plaintext_behind_starttls", "medium", detail, frames[len(frames) - 1 :])]
