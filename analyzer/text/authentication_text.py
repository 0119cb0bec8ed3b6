"""Writes the results of decryption and of handshake authentication as text: the status, the reason, and what to do next."""

from collections.abc import Iterator
from typing import Any

from analyzer.analysis.decryption_failure import CAUSES
from analyzer.text.formatting import count_text

STATUSES = {
    "decrypted": "decrypted",
    "partial": "decrypted in part",
    "none": "not decrypted",
    "not_needed": "nothing was encrypted",
}

Marked = tuple[str, str]
"""A sentence, and the style in which it is printed."""

_SIGNATURE_WORDS: dict[str, Marked] = {
    "verified": ("the signature verifies with the certificate sent", "green"),
    "failed": ("the signature does NOT verify with the certificate sent", "alarm"),
    "unverifiable": ("the signature could not be checked", "yellow"),
}
_FINISHED_WORDS: dict[str, Marked] = {
    "verified": ("agrees with the supplied secrets and all messages before it", "green"),
    "failed": ("does NOT agree with the supplied secrets and the messages before it", "alarm"),
    "unverifiable": ("it could not be checked", "yellow"),
}


def decryption_text(decryption: dict[str, Any]) -> str:
    """Return one line that says whether a session's records were decrypted."""
    words = STATUSES[decryption["status"]]
    if decryption["records"]:
        words += f": {count_text(decryption['records'], 'record')} opened, consistent with the supplied secrets"
    if decryption["failed"]:
        words += f", {decryption['failed']:,} did not"
    return words


def decryption_failure_text(decryption: dict[str, Any]) -> list[str]:
    """Return why not everything was decrypted, and what to do next; empty if there is no such reason."""
    reason = decryption["reason"]
    if reason is None:
        return []
    meaning, advice = CAUSES[reason]
    shown = f" ({decryption['detail']})" if decryption["detail"] and decryption["detail"] != meaning else ""
    return [f"Because {meaning}{shown}. {advice}"]


def authenticity_text(record: dict[str, Any]) -> Iterator[Marked]:
    """Yield what a handshake proves, one sentence at a time, each with a style."""
    authenticity = record["authenticity"]
    server, client = authenticity["server_signature"], authenticity["client_signature"]
    if server == "verified":
        yield "handshake authentic: the server's signature verifies with the certificate that it sent", "green"
    elif server == "failed":
        yield "handshake NOT authentic: the server's signature does not verify with the certificate that it sent", "alarm"
    if client == "verified":
        yield "client authentic: its signature verifies with the certificate that it sent", "green"
    elif client == "failed":
        yield "client NOT authentic: its signature does not verify with the certificate that it sent", "alarm"
    finished = authenticity["finished"]
    failed = [who for who in ("client", "server") if finished[who] == "failed"]
    if failed:
        yield f"Finished of the {' and the '.join(failed)}: does NOT agree with the supplied secrets", "alarm"
    verified = [who for who in ("client", "server") if finished[who] == "verified"]
    if verified:
        yield f"Finished of the {' and the '.join(verified)}: consistent with the supplied secrets", "green"
    if authenticity["detail"]:
        yield _grouped(authenticity["detail"]), "dim"


def check_text(authenticity: dict[str, Any], name: str, side: str) -> Marked | None:
    """Return the result of a message's check, and its style. None if the message has neither a signature nor verify_data.

    If a side made several signatures and one of them failed, the failure is shown at each of them.
    """
    if name == "finished":
        words = _FINISHED_WORDS.get(authenticity["finished"][side])
    elif name == "certificate_verify" or (name == "server_key_exchange" and authenticity["server_signature"] != "absent"):
        words = _SIGNATURE_WORDS.get(authenticity[f"{side}_signature"])
    else:
        return None
    return words


def _grouped(detail: str) -> str:
    """Return `detail` with the parts that have the same cause grouped together."""
    causes: dict[str, list[str]] = {}
    for part in detail.split("; "):
        what, found, why = part.partition(": ")
        causes.setdefault(why if found else "", []).append(what)
    return "; ".join(", ".join(whats) + (f": {why}" if why else "") for why, whats in causes.items())
