"""Makes the tree of a validated certificate chain: the root at the top, each certificate below its issuer, with its result.

Of a certificate that was not sent, such as a root, the record has only the hash. Its subject is the issuer of the one below it,
because that is how a path is built (RFC 5280 section 6.1).
"""

from collections.abc import Sequence
from typing import Any

from analyzer.codec.codes import codes
from analyzer.report.document import Branch, Line, Mark, Piece, Quoted, Tree
from analyzer.report.fact_texts import in_language
from analyzer.report.pieces import Record, day, key_piece, moment, state_mark, stores_line
from analyzer.report.sentences import Sentences
from analyzer.text.chain_text import UNJUDGED

MOST_LINKS = 20
"""Certificates of a path that are shown."""

MOST_LINES = 12
"""Problems, notes and timestamps that are shown in one place."""

_UNTRUSTED = ("unknown_issuer", "self_signed")
_REVOCATION = {"good": "good", "revoked": "bad", "unknown": "unsure"}


def verdict_line(chain: Record, sentences: Sentences) -> Line:
    """Return the verdict on a chain with everything that it depends on: name, time, trust stores."""
    if chain["verdict"] == "absent":
        return [sentences.say("chain.absent")]
    mark = state_mark(chain["verdict"], sentences)
    why = next((note["detail"] for note in chain["notes"] if note["code"] in UNJUDGED), None)
    if chain["verdict"] == "unknown" and why:
        return [mark, sentences.colon, *in_language(why, sentences)]
    at = moment(chain["at"], sentences, 0)
    if chain["name"] is None:
        return sentences.line("chain.verdict_without_name", verdict=mark, at=at, stores=stores_line(chain["trust"], sentences))
    return sentences.line(
        "chain.verdict", verdict=mark, name=Quoted(chain["name"]), at=at, stores=stores_line(chain["trust"], sentences)
    )


def chain_tree(chain: Record, sent: Sequence[Record], caption: str, sentences: Sentences) -> Tree:
    """Return the tree of a chain. sent: the certificates as they were sent, the sender's own first.

    Certificates that are not on the path, and problems of the chain as a whole, are roots of their own.
    """
    places = {certificate["sha256"]: place for place, certificate in reversed(list(enumerate(sent)))}
    path = chain["path"][:MOST_LINKS]
    roots: list[Branch] = []
    below: tuple[Branch, ...] = ()
    for number, sha256 in enumerate(path):
        place = places.get(sha256)
        child = path[number - 1] if number else None
        name = _subject(place, child, sent, places)
        below = (_link(number, sha256, place, name, chain, sent, below, sentences),)
    roots += below
    told = {places[sha256] for sha256 in path if sha256 in places}
    for place, certificate in enumerate(sent[:MOST_LINKS]):
        if place not in told:
            about = sentences.say("chain.not_on_path", place=place, until=day(certificate["not_after"], sentences))
            line: list[Piece] = [*_name(certificate["subject"], sentences), *sentences.aside(about)]
            roots.append(Branch(line, _problems(chain, place, sentences)))
    whole = _problems(chain, None, sentences)
    notes: list[Line] = [
        [Mark(sentences.say("chain.note"), "plain"), " ", *in_language(note["detail"] or note["code"], sentences)]
        for note in chain["notes"]
        if note["code"] != "revocation_unknown"
    ]
    roots += [Branch(line) for line in [*whole, *notes[:MOST_LINES]]]
    return Tree(caption, roots)


def _subject(place: int | None, child: str | None, sent: Sequence[Record], places: dict[str, int]) -> str | None:
    if place is not None:
        return str(sent[place]["subject"]) if sent[place]["subject"] is not None else None
    above = places.get(child) if child is not None else None
    return None if above is None else sent[above]["issuer"]


def _name(subject: str | None, sentences: Sentences) -> list[Piece]:
    return [sentences.say("chain.unreadable") if subject is None else Quoted(subject)]


def _link(
    number: int,
    sha256: str,
    place: int | None,
    name: str | None,
    chain: Record,
    sent: Sequence[Record],
    below: tuple[Branch, ...],
    sentences: Sentences,
) -> Branch:
    problems = _problems(chain, place, sentences) if place is not None else []
    is_root = number == len(chain["path"]) - 1 and not any(one["code"] in _UNTRUSTED for one in chain["problems"])
    if place is not None:
        about = sentences.say("chain.sent", place=place, until=day(sent[place]["not_after"], sentences))
    else:
        about = sentences.say("chain.root_not_sent" if is_root else "chain.not_sent")
    kinds = {_kind(one["code"], chain) for one in chain["problems"] if place is not None and one["certificate"] == place}
    kind = "bad" if "bad" in kinds else "unsure"
    mark = Mark(sentences.say("chain.bad"), kind) if problems else Mark(sentences.say("chain.good"), "good")
    lines: list[Line] = problems
    if place is not None:
        key = _key(sent[place], sentences)
        lines = [*problems, *([key] if key else [])]
    lines = [*lines, *_revocation(chain, sha256, sentences)]
    if number == 0:
        lines = [*lines, *_timestamps(chain, sentences)]
    return Branch([mark, " ", *_name(name, sentences), *sentences.aside(about)], lines, below)


def _key(certificate: Record, sentences: Sentences) -> Line:
    key: dict[str, Any] | None = certificate["public_key"]
    if key is None:
        return []
    serial = Quoted(certificate["serial"] or "", code=True) if certificate["serial"] else sentences.say("unknown")
    return sentences.line(
        "chain.key", key=key_piece(key), algorithm=Quoted(certificate["signature_algorithm"] or "-"), serial=serial
    )


def _problems(chain: Record, place: int | None, sentences: Sentences) -> list[Line]:
    found = [one for one in chain["problems"] if one["certificate"] == place]
    return [
        [Mark(_problem(one["code"], sentences), _kind(one["code"], chain)), " ", *in_language(one["detail"] or "", sentences)]
        for one in found[:MOST_LINES]
    ]


def _kind(code: str, chain: Record) -> str:
    """Return the kind of mark of a problem.

    It is `unsure` for a rule that verifiers do not enforce, and for an issuer that is unknown by roots which are years younger
    than the capture.
    """
    younger = any(note["code"] == "younger_roots" for note in chain["notes"])
    return "unsure" if code == "non_conforming" or (younger and code == "unknown_issuer") else "bad"


def _problem(code: str, sentences: Sentences) -> str:
    """Return a problem in a few words: in English its code, else the registry's title."""
    return code.replace("_", " ") if sentences.language == "en" else codes("chain_problems", sentences.language)[code].title


def _revocation(chain: Record, sha256: str, sentences: Sentences) -> list[Line]:
    return [
        [
            Mark(sentences.say(f"revocation.{one['status']}"), _REVOCATION[one["status"]]),
            " ",
            *in_language(one["detail"], sentences),
        ]
        for one in chain["revocation"]
        if one["sha256"] == sha256
    ]


def _timestamps(chain: Record, sentences: Sentences) -> list[Line]:
    kinds = {"verified": "good", "failed": "bad"}
    return [
        [
            Mark(sentences.say(f"sct.{one['status']}"), kinds.get(one["status"], "unsure")),
            " ",
            *in_language(one["detail"], sentences),
        ]
        for one in chain["scts"][:MOST_LINES]
    ]
