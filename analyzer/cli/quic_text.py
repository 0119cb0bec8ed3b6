"""Says in a line what QUIC shows beside TLS."""

from typing import Any

from analyzer.cli.rows import endpoint
from analyzer.text.language import say
from analyzer.text.punctuation import apart, clauses, labelled


def quic_text(quic: dict[str, Any] | None) -> str | None:
    """Return the text for the entry `quic` of a session record; None for a session without QUIC. It is not escaped."""
    if quic is None:
        return None
    parts = [" → ".join(quic["versions"])]
    if quic["offered_versions"] is not None:
        parts.append(say("the server offered {versions}", versions=clauses(*quic["offered_versions"])))
    if quic["retries"]:
        parts.append(say("after a Retry"))
    if len(quic["paths"]) > 1:
        ports = clauses(*(endpoint(path["client"]) for path in quic["paths"][:4]))
        parts.append(say("the client was at {n} addresses: {addresses}", n=len(quic["paths"]), addresses=ports))
    close = quic["close"]
    if close is not None:
        code = close["name"] or f"0x{close['code']:x}"
        text = (
            say("closed by the client with {code}", code=code)
            if close["from"] == "client"
            else say("closed by the server with {code}", code=code)
        )
        parts.append(labelled(text, close["reason"]) if close["reason"] else text)
    if quic["stateless_reset"] is not None:
        parts.append(say("ended by a stateless reset"))
    return apart(parts)
