"""Writes the results of decryption and of handshake authentication as text: the status, the reason, and what to do next."""

from collections.abc import Iterator
from typing import Any

from analyzer.analysis.decryption_failure import CAUSES
from analyzer.text.formatting import count_text
from analyzer.text.language import ENGLISH, Sentences, noted, retold, say, spoken, translated_codes
from analyzer.text.punctuation import apart, beside

STATUSES: Sentences = {
    "decrypted": "decrypted",
    "partial": "decrypted in part",
    "none": "not decrypted",
    "not_needed": "nothing was encrypted",
}

Marked = tuple[str, str]
"""A sentence, and the style in which it is printed."""

_SIGNATURE_WORDS: dict[str, Marked] = {
    "verified": (noted("the signature verifies with the certificate sent"), "green"),
    "failed": (noted("the signature does NOT verify with the certificate sent"), "alarm"),
    "unverifiable": (noted("the signature could not be checked"), "yellow"),
}
_FINISHED_WORDS: dict[str, Marked] = {
    "verified": (noted("agrees with the supplied secrets and all messages before it"), "green"),
    "failed": (noted("does NOT agree with the supplied secrets and the messages before it"), "alarm"),
    "unverifiable": (noted("it could not be checked"), "yellow"),
}


def decryption_text(decryption: dict[str, Any], protocol: str = "tls") -> str:
    """Return one line that says whether a session's records were decrypted; of `quic`, its packets."""
    words = say(STATUSES[decryption["status"]])
    if decryption["records"]:
        words += say(
            ": {records} opened, consistent with the supplied secrets",
            records=count_text(decryption["records"], "packet" if protocol == "quic" else "record"),
        )
    if decryption["failed"]:
        words += say(", {n:,} did not", n=decryption["failed"])
    return words


def decryption_failure_text(decryption: dict[str, Any]) -> list[str]:
    """Return why not everything was decrypted, and what to do next; empty if there is no such reason."""
    reason = decryption["reason"]
    if reason is None:
        return []
    detail = decryption["detail"]
    shown = retold(detail) if detail and detail != CAUSES[reason][0] else ""
    advice = advice_text(decryption)
    return [say("Because {why}. {advice}", why=beside(cause_text(reason)[0], shown), advice=advice)]


def advice_text(decryption: dict[str, Any]) -> str:
    """Return what to do next for a session that did not decrypt: for its secrets, or else for its reason."""
    advice: str | None = decryption.get("advice")
    general = cause_text(decryption["reason"])[1]
    return general if advice is None or advice == CAUSES[decryption["reason"]][1] else retold(advice)


def cause_text(reason: str) -> tuple[str, str]:
    """Return the meaning of a reason for failed decryption, and what to do next."""
    cause = translated_codes("decryption_failures")[reason]
    return cause.title, cause.advice


def problem_title(code: str) -> str:
    """Return a problem or note of a chain in a few words: its code without underscores, or the title in another language."""
    return code.replace("_", " ") if spoken() == ENGLISH else translated_codes("chain_problems")[code].title


def authenticity_text(record: dict[str, Any]) -> Iterator[Marked]:
    """Yield what a handshake proves, one sentence at a time, each with a style."""
    authenticity = record["authenticity"]
    server, client = authenticity["server_signature"], authenticity["client_signature"]
    if server == "verified":
        yield say("handshake authentic: the server's signature verifies with the certificate that it sent"), "green"
    elif server == "failed":
        yield say("handshake NOT authentic: the server's signature does not verify with the certificate that it sent"), "alarm"
    if client == "verified":
        yield say("client authentic: its signature verifies with the certificate that it sent"), "green"
    elif client == "failed":
        yield say("client NOT authentic: its signature does not verify with the certificate that it sent"), "alarm"
    finished = authenticity["finished"]
    failed = [who for who in ("client", "server") if finished[who] == "failed"]
    if failed:
        yield say("Finished of the {sides}: does NOT agree with the supplied secrets", sides=_sides(failed)), "alarm"
    verified = [who for who in ("client", "server") if finished[who] == "verified"]
    if verified:
        yield say("Finished of the {sides}: consistent with the supplied secrets", sides=_sides(verified)), "green"
    if authenticity["detail"]:
        yield _detail_text(authenticity["detail"]), "dim"


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
    return None if words is None else (say(words[0]), words[1])


def _sides(names: list[str]) -> str:
    return say(" and the ").join(map(say, names))


def _detail_text(detail: str) -> str:
    return _grouped(detail) if spoken() == ENGLISH else apart(map(retold, detail.split("; ")))


def _grouped(detail: str) -> str:
    """Return `detail` with the parts that have the same cause grouped together."""
    causes: dict[str, list[str]] = {}
    for part in detail.split("; "):
        what, found, why = part.partition(": ")
        causes.setdefault(why if found else "", []).append(what)
    return "; ".join(", ".join(whats) + (f": {why}" if why else "") for why, whats in causes.items())
