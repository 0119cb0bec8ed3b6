"""Writes what became of a connection in words: result, cause, who ended it, at which step, how long it took."""

from typing import Any

from analyzer.text.formatting import duration_text
from analyzer.text.language import Labelled, Sentences, noted, retold, say, translated_codes
from analyzer.text.punctuation import beside, clauses, labelled, listing

RESULTS: Sentences = {
    "established": "established",
    "failed": "failed",
    "abandoned": "abandoned",
    "unknown": "unknown",
}

WHO: Sentences = {
    "client": "the client",
    "server": "the server",
    "between": "somebody on the path",
    "nobody": "nobody",
}

STEPS: dict[str, str] = {
    "tcp": noted("the connection (TCP)"),
    "before_tls": noted("the dialogue before TLS"),
    "client_hello": "ClientHello",
    "hello_retry_request": "HelloRetryRequest",
    "server_hello": "ServerHello",
    "certificate": noted("the server's certificate"),
    "key_exchange": noted("the key exchange"),
    "client_certificate": noted("the client's certificate"),
    "finished": "Finished",
    "application_data": noted("application data"),
}

_TOOK: Sentences = {
    "tcp": "connection {time}",
    "hello": "answer to the ClientHello {time}",
    "handshake": "handshake {time}",
    "total": "in all {time}",
}

_CERTAINTIES = noted(("certain", "likely", "possible"))

FAILURES = frozenset({"failed", "abandoned"})
"""Results of a connection that did not do what it was for."""


def cause_title(cause: str) -> str:
    """Return a cause in a few words."""
    return translated_codes("outcome_causes")[cause].title


def outcome_text(outcome: dict[str, Any]) -> str:
    """Return result and cause in one line."""
    result = say(RESULTS[outcome["result"]])
    if outcome["cause"] is None:
        return result
    sure = "" if outcome["certainty"] == "certain" else say(outcome["certainty"])
    return labelled(result, beside(cause_title(outcome["cause"]), sure))


def outcome_facts(outcome: dict[str, Any], of_server: tuple[int, int] | None = None) -> dict[str, str]:
    """Return the lines about an outcome, by their labels: only those that say something.

    of_server: how many connections to the same server went well, and how many failed; None if that is not known.
    """
    cause, detail, who = outcome["cause"], outcome["detail"], outcome["ended_by"]
    meaning = "" if cause is None else translated_codes("outcome_causes")[cause].meaning
    advice = "" if cause is None else translated_codes("outcome_causes")[cause].advice
    frames = listing(map(str, outcome["frames"]))
    good, bad = of_server or (0, 0)
    known: Labelled = {
        "result": outcome_text(outcome),
        "ended by": "" if who is None else say(WHO[who]),
        "last step": say(STEPS[outcome["step"]]),
        "what happened": "" if detail is None else retold(detail),
        "frames": frames,
        "same server": server_text(good, good + bad) if outcome["result"] in FAILURES and good + bad > 1 else "",
        "what it means": meaning,
        "what to do": advice,
        "took": took_text(outcome["durations"]),
    }
    return {label: value for label, value in known.items() if value}


def took_text(durations: dict[str, float | None]) -> str:
    """Return how long the parts of a connection took."""
    parts = [
        say(_TOOK[name], time=duration_text(round(seconds * 1e9))) for name, seconds in durations.items() if seconds is not None
    ]
    return clauses(*parts)


def server_text(good: int, all_of_them: int) -> str:
    """Return how many of all connections to a server went well."""
    return say("of {all} connections to this server, {n} went well", all=f"{all_of_them:,}", n=f"{good:,}")
