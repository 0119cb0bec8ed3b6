"""Prints one certificate as text: its facts as lines, and every extension with its value. All text is made harmless here."""

from collections.abc import Iterator
from typing import Any

from analyzer.cli.files import print_fact
from analyzer.cli.message_fields import MAX_HEX
from analyzer.cli.output import Output
from analyzer.cli.table import pad, wrap
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text
from analyzer.text.message_summary import key_text

_NAME = 34
"""Columns for the names of extensions; the value of an extension is printed beside its name."""


def print_certificate(output: Output, details: dict[str, Any], extensions: bool = True) -> None:
    """Print the result of `certificate_details`. Without `extensions`, print only what identifies the certificate."""
    names = details["subject_alt_names"]
    raw_key = details["type"] == "raw_public_key"
    facts = {
        "subject": details["subject"],
        "issuer": details["issuer"],
        "serial": details["serial"],
        "valid": f"{when(details['not_before'])} to {when(details['not_after'])}",
        "names": None if names == [] else ", ".join(names) if names is not None else "unreadable",
        "public key": _key(details["public_key"]),
        "signed with": details["signature_algorithm"],
        "SHA-256": details["sha256"],
        "SHA-1": details["sha1"],
        "key SHA-256": (details["public_key"] or {}).get("sha256"),
        "size": count_text(details["size"], "byte"),
    }
    if raw_key:
        print_fact(output, "  kind", "a raw public key (RFC 7250): no name, no issuer, no time")
    if raw_key or not extensions:
        for label in ("SHA-1", "key SHA-256"):
            del facts[label]
    for label, value in facts.items():
        if raw_key and label not in ("public key", "SHA-256", "size"):
            continue
        if value is not None or label != "names":
            print_fact(output, "  " + label, harmless(str(value or "unreadable")))
    if extensions:
        for extension in details["extensions"] or ():
            _print_extension(output, extension)
    for problem in details["problems"]:
        print_fact(output, "  problem", f"{problem['field']} at byte {problem['offset']}: {problem['detail']}", "yellow")


def when(time: str | None) -> str:
    """Return a time in RFC 3339 as text, to the second; `unreadable` if there is none."""
    return f"{time[:19].replace('T', ' ')} UTC" if time else "unreadable"


def lines(value: Any) -> list[str]:
    """Return the text of an extension, from its JSON value: one line, or one line for each structure of a list."""
    if isinstance(value, list) and any(isinstance(part, dict) for part in value):
        return [_text(part) for part in value]
    return [_text(value)]


def _key(key: dict[str, Any] | None) -> str:
    if key is None:
        return "unreadable"
    exponent = key.get("exponent")
    unusual = f", exponent {exponent}" if exponent not in (None, 65537) else ""
    return (key_text(key) if "type" in key else "of a type that is unreadable") + unusual


def _print_extension(output: Output, extension: dict[str, Any]) -> None:
    name = harmless(extension["name"]) + (", critical" if extension["critical"] else "")
    said = [] if extension["value"] is None else lines(extension["value"])
    if extension["hex"] is not None:
        said.append(_hex(extension["hex"]))
    said += [f"problem: {one['field']} at byte {one['offset']}: {one['detail']}" for one in extension["problems"]]
    label = pad(name, _NAME)
    room = max(24, output.width - 4 - len(label))
    for text in said or [""]:
        style = "yellow" if text.startswith("problem: ") else ""
        for line in wrap(harmless(text), room):
            output.line("    " + output.paint(label, "dim") + output.paint(line, style))
            label = " " * _NAME


def _text(value: Any) -> str:
    if isinstance(value, dict):
        if "log_id" in value:  # a certificate timestamp: show only its log and time
            return f"log {value['log_id'][:16]}…, {when(value['time'])}"
        return ", ".join(_parts(value)) or "(nothing)"
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "(nothing)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _hex(str(value))


def _parts(value: dict[str, Any]) -> Iterator[str]:
    for name, part in value.items():
        if part is None or part == [] or part == "":
            continue
        yield f"{name.replace('_', ' ')} {_text(part)}"


def _hex(text: str) -> str:
    if len(text) > MAX_HEX and not text.strip("0123456789abcdef"):
        return f"{text[:MAX_HEX]}… ({len(text) // 2:,} bytes)"
    return text
