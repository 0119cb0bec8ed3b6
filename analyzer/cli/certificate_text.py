"""Prints one certificate as text: its facts as lines, and every extension with its value. All text is made harmless here."""

from collections.abc import Iterator
from typing import Any

from analyzer.cli.files import print_fact
from analyzer.cli.message_fields import MAX_HEX
from analyzer.cli.output import Output
from analyzer.cli.table import pad, wrap
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, problem_text
from analyzer.text.language import Labelled, noted, say
from analyzer.text.message_summary import key_text
from analyzer.text.punctuation import clauses, listing

_NAME = 34

noted(  # parts of extensions, as they are named in Chinese
    (
        "ca", "path length", "key identifier", "not before", "not after", "permitted", "excluded", "full name", "relative name",
        "reasons", "crl issuer", "method", "location", "policy", "qualifiers", "organization", "numbers", "text",
        "issuer domain policy", "subject domain policy", "require explicit policy", "inhibit policy mapping", "statement",
        "type", "values", "scheme", "country", "reference", "template",
    )
)  # fmt: skip
"""Columns for the names of extensions; the value of an extension is printed beside its name."""


def print_certificate(output: Output, details: dict[str, Any], extensions: bool = True) -> None:
    """Print the result of `certificate_details`. Without `extensions`, print only what identifies the certificate."""
    names = details["subject_alt_names"]
    raw_key = details["type"] == "raw_public_key"
    facts: Labelled = {
        "subject": details["subject"],
        "issuer": details["issuer"],
        "serial": details["serial"],
        "valid": say("{first} to {last}", first=when(details["not_before"]), last=when(details["not_after"])),
        "names": None if names == [] else listing(names) if names is not None else say("unreadable"),
        "public key": _key(details["public_key"]),
        "signed with": details["signature_algorithm"],
        "SHA-256": details["sha256"],
        "SHA-1": details["sha1"],
        "key SHA-256": (details["public_key"] or {}).get("sha256"),
        "size": count_text(details["size"], "byte"),
    }
    if raw_key:
        print_fact(output, "  kind", say("a raw public key (RFC 7250): no name, no issuer, no time"))
    if raw_key or not extensions:
        for label in ("SHA-1", "key SHA-256"):
            del facts[label]
    for label, value in facts.items():
        if raw_key and label not in ("public key", "SHA-256", "size"):
            continue
        if value is not None or label != "names":
            print_fact(output, "  " + label, harmless(str(value or say("unreadable"))))
    if extensions:
        for extension in details["extensions"] or ():
            _print_extension(output, extension)
    for problem in details["problems"]:
        print_fact(output, "  problem", problem_text(problem["field"], problem["offset"], problem["detail"]), "yellow")


def when(time: str | None) -> str:
    """Return a time in RFC 3339 as text, to the second; `unreadable` if there is none."""
    return f"{time[:19].replace('T', ' ')} UTC" if time else say("unreadable")


def lines(value: Any) -> list[str]:
    """Return the text of an extension, from its JSON value: one line, or one line for each structure of a list."""
    if isinstance(value, list) and any(isinstance(part, dict) for part in value):
        return [_text(part) for part in value]
    return [_text(value)]


def _key(key: dict[str, Any] | None) -> str:
    if key is None:
        return say("unreadable")
    exponent = key.get("exponent")
    unusual = say(", exponent {n}", n=exponent) if exponent not in (None, 65537) else ""
    return (key_text(key) if "type" in key else say("of a type that is unreadable")) + unusual


def _print_extension(output: Output, extension: dict[str, Any]) -> None:
    name = harmless(extension["name"]) + (say(", critical") if extension["critical"] else "")
    said = [] if extension["value"] is None else lines(extension["value"])
    if extension["hex"] is not None:
        said.append(_hex(extension["hex"]))
    n_said = len(said)
    said += [
        say("problem: {problem}", problem=problem_text(one["field"], one["offset"], one["detail"]))
        for one in extension["problems"]
    ]
    label = pad(name, _NAME)
    room = max(24, output.width - 4 - len(label))
    for number, text in enumerate(said or [""]):
        style = "yellow" if said and number >= n_said else ""
        for line in wrap(harmless(text), room):
            output.line("    " + output.paint(label, "dim") + output.paint(line, style))
            label = " " * _NAME


def _text(value: Any) -> str:
    if isinstance(value, dict):
        if "log_id" in value:  # a certificate timestamp: show only its log and time
            return say("log {log}…, {time}", log=value["log_id"][:16], time=when(value["time"]))
        return clauses(*_parts(value)) or say("(nothing)")
    if isinstance(value, list):
        return listing(map(_text, value)) or say("(nothing)")
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    return _hex(str(value))


def _parts(value: dict[str, Any]) -> Iterator[str]:
    for name, part in value.items():
        if part is None or part == [] or part == "":
            continue
        yield f"{say(name.replace('_', ' '))} {_text(part)}"


def _hex(text: str) -> str:
    if len(text) > MAX_HEX and not text.strip("0123456789abcdef"):
        return say("{hex}… ({n:,} bytes)", hex=text[:MAX_HEX], n=len(text) // 2)
    return text
