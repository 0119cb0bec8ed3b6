"""Writes the results of decryption and of handshake authentication as text: the status, the reason, and what to do next."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from analyzer.analysis.decryption_failure import CAUSES
from analyzer.cli.escape import harmless
from analyzer.cli.formatting import count_text
from analyzer.cli.output import Output
from analyzer.cli.table import wrap

_STATUS = {
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
    words = _STATUS[decryption["status"]]
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


class Decryptions:
    """Counts the decryption results of the sessions of a run, and prints the counts with the reasons."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self._examples: dict[str, tuple[int, str]] = {}
        self._given = False

    def take(self, record: dict[str, Any], given: bool) -> None:
        """Take a session's record. given: whether any secrets were given."""
        decryption = record["decryption"]
        self._given = self._given or given
        self.statuses[decryption["status"]] += 1
        reason = decryption["reason"]
        if reason is not None:
            self.reasons[reason] += 1
            self._examples.setdefault(reason, (record["id"], decryption["detail"] or ""))

    def print(self, output: Output) -> None:
        """Print the counts, and a sentence for each reason. Print nothing if no secrets were given or nothing was encrypted."""
        encrypted = self.statuses.total() - self.statuses["not_needed"]
        if not self._given or not encrypted:
            return
        output.line()
        counts = [f"{self.statuses[s]:,} {_STATUS[s]}" for s in ("decrypted", "partial", "none") if self.statuses[s]]
        output.line(output.paint("Decryption", "bold") + output.paint(f"  {', '.join(counts)}", "dim"))
        for reason, count in self.reasons.most_common():
            meaning, advice = CAUSES[reason]
            number, detail = self._examples[reason]
            shown = f" (session {number}: {detail})" if detail else f" (session {number})"
            lines = wrap(harmless(f"{count_text(count, 'session')}: {meaning}{shown}. {advice}"), output.width - 2)
            for line in lines:
                output.line("  " + line)
