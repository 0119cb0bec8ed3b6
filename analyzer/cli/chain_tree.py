"""Prints a validated chain as a tree: the root at the top, each certificate below its issuer, with a mark at each.

The lines below a certificate say what is wrong with it and what is known of its revocation. For the sender's own certificate,
they also say which transparency logs have promised to publish it. The verdict names the trust stores and their dates, because a
capture may be much older than the stores.
"""

from collections.abc import Sequence
from typing import Any

from analyzer.cli.output import Output
from analyzer.cli.table import wrap
from analyzer.store.chain_verdicts import ChainVerdict, Link
from analyzer.text.authentication_text import problem_title
from analyzer.text.chain_text import YOUNGER_ROOTS, chain_text, note_title, problem_style, titles_text, verdict_style
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, moment_text
from analyzer.text.language import Sentences, retold, say
from analyzer.text.message_summary import day
from analyzer.text.punctuation import beside, clauses, labelled
from analyzer.x509.certificate import certificate

_SIGNS = ("✓", "✗", "└─ ", "·")
_PLAIN_SIGNS = ("[ok]", "[!!]", "`- ", "-")
"""Marks for good and bad, the corner of a branch, the mark for neither. The second row is for encodings without the first."""

_SCT_WORDS: Sentences = {
    "verified": "published",
    "failed": "timestamp is false",
    "unknown_log": "timestamp of an unknown log",
    "unverifiable": "timestamp cannot be checked",
}


class ChainTree:
    """Prints validated chains. stores: as `Trust.record` returns them."""

    def __init__(self, output: Output, stores: Sequence[dict[str, Any]]) -> None:
        self._output = output
        self._stores = stores
        try:
            "".join(_SIGNS).encode(output.encoding)
            self._good, self._bad, self._corner, self._neutral = _SIGNS
        except (UnicodeEncodeError, LookupError):
            self._good, self._bad, self._corner, self._neutral = _PLAIN_SIGNS

    def print(self, judged: ChainVerdict, chain: Sequence[bytes]) -> None:
        """Print the verdict and the tree. chain: the certificates as they were sent."""
        verdict, younger = judged.verdict, _is_younger(judged)
        self._verdict(judged)
        path = list(reversed(judged.links))
        printed: set[int] = set()
        for depth, link in enumerate(path):
            printed |= self._link(judged, link, depth, chain, depth == 0 and verdict.trusted)
        indent = "  "
        for number, problem in enumerate(verdict.problems):
            if number not in printed:
                where = "" if problem.certificate is None else say("certificate {n}: ", n=problem.certificate)
                mark, style = self._problem_mark(problem.code, younger)
                self._mark(
                    indent, mark, style, labelled(problem_title(problem.code), f"{where}{retold(problem.detail)}"), style
                )
        for note in judged.record["notes"]:
            if note["code"] != "revocation_unknown":  # this note is printed below its certificate
                self._mark(indent, self._neutral, "dim", labelled(note_title(note["code"]), retold(note["detail"])), "dim")

    def _verdict(self, judged: ChainVerdict) -> None:
        valid = judged.record["verdict"] == "valid"
        unknown = judged.record["verdict"] == "unknown"
        against = say("without a name to judge it against") if judged.name is None else say("for {name}", name=judged.name)
        stores = say(" and ").join(
            beside(store["store"], clauses(count_text(store["roots"], "root"), store["date"])) for store in self._stores
        )
        codes, younger = [problem.code for problem in judged.verdict.problems], _is_younger(judged)
        titles = titles_text(codes, younger=younger)
        invalid = verdict_style(codes, younger=younger)
        text = say(
            "{state}; judged {against}, at {time} UTC, by the roots of {stores}",
            state=chain_text(judged.record)[0] if valid or unknown else say("invalid: {problems}", problems=titles),
            against=against,
            time=moment_text(judged.at)[:19],
            stores=stores,
        )
        style = "green" if valid else "yellow" if unknown else invalid
        mark = {"green": self._good, "red": self._bad}.get(style, self._neutral)
        self._mark("  ", mark, style, text, "")
        distance = roots_distance(self._stores, judged.at)
        if distance:
            self._mark("  ", self._neutral, "dim", distance, "dim")

    def _link(self, judged: ChainVerdict, link: Link, depth: int, chain: Sequence[bytes], root: bool) -> set[int]:
        """Print one certificate with its problems, revocation and timestamps. Return the indices of the printed problems."""
        place = chain.index(link.der) if link.der in chain else None
        read = certificate(link.der)
        problems = [
            (number, problem)
            for number, problem in enumerate(judged.verdict.problems)
            if place is not None and problem.certificate == place
        ]
        names = [say("sent as {n}", n=place) if place is not None else "" if root else say("not sent by this server or client")]
        if root:
            names.append(say("trusted root"))
        about = clauses(*names, say("until {day}", day=day(read.not_after)))
        indent = "  " + "   " * max(0, depth - 1)
        corner = self._corner if depth else ""
        younger = _is_younger(judged)
        worst = verdict_style([problem.code for _, problem in problems], younger=younger) if problems else "green"
        sign = {"green": self._good, "yellow": self._neutral, "red": self._bad}[worst]
        head = f"{harmless(read.subject or say('subject unreadable'))}  {say('({text})', text=about)}"
        self._mark(indent + corner, sign, worst, head, "")
        below = indent + " " * len(corner) + "  "
        for _, problem in problems:
            mark, style = self._problem_mark(problem.code, younger)
            self._mark(below, mark, style, labelled(problem_title(problem.code), retold(problem.detail)), style)
        self._revocation(link, below)
        if link is judged.links[0]:
            for sct in judged.scts:
                good = sct.status == "verified"
                mark, style = (
                    (self._good, "green") if good else (self._bad, "red") if sct.status == "failed" else (self._neutral, "dim")
                )
                self._mark(below, mark, style, labelled(say(_SCT_WORDS[sct.status]), retold(sct.detail)), "" if good else style)
        return {number for number, _ in problems}

    def _revocation(self, link: Link, below: str) -> None:
        revocation = link.revocation
        if revocation is None or revocation.status == "revoked":  # revoked is one of the problems
            return
        good = revocation.status == "good"
        words = say("not revoked") if good else say("revocation unknown")
        mark, style = (self._good, "green") if good else (self._neutral, "dim")
        self._mark(below, mark, style, labelled(words, retold(revocation.detail)), "" if good else "dim")

    def _problem_mark(self, code: str, younger: bool) -> tuple[str, str]:
        """Return the mark and the style of a problem."""
        style = problem_style(code, younger=younger)
        return (self._bad if style == "red" else self._neutral), style

    def _mark(self, indent: str, mark: str, style: str, text: str, text_style: str) -> None:
        """Print a mark, and a text beside it. The text is wrapped."""
        output = self._output
        room = max(24, output.width - len(indent) - len(mark) - 1)
        lead = indent + output.paint(mark, style) + " "
        for line in wrap(harmless(text), room):
            output.line(lead + output.paint(line, text_style))
            lead = " " * (len(indent) + len(mark) + 1)


def _is_younger(judged: ChainVerdict) -> bool:
    return any(note.code == YOUNGER_ROOTS for note in judged.verdict.notes)


def roots_distance(stores: Sequence[dict[str, Any]], at: int) -> str:
    """Return a sentence if the roots are years older or younger than the time of the verdict (two or more); else empty."""
    year = int(moment_text(at)[:4] or 0) if at >= 0 else 0
    years = max((int(store["date"][:4]) - year for store in stores), key=abs, default=0)
    if abs(years) < 2:
        return ""
    than = say("{n} years younger", n=years) if years > 0 else say("{n} years older", n=-years)
    return say(
        "these roots are {than} than that moment: some may have been unknown then, others no longer be in the store", than=than
    )
