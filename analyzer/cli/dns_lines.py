"""Prints the messages of DNS over QUIC that a session carried: one line a query, one a response with its answers."""

from typing import Any

from analyzer.cli.output import Output
from analyzer.cli.table import wrap
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text
from analyzer.text.language import say
from analyzer.text.punctuation import clauses

SHOWN_MAX = 8
"""Answers of one response that are shown; `--format json` has up to 64."""


def print_dns(output: Output, messages: list[dict[str, Any]] | None) -> None:
    """Print the messages of a session's record; nothing if there are none."""
    if not messages:
        return
    output.line()
    output.line(output.paint("DNS", "bold"))
    for message in messages:
        for line in wrap(dns_text(message), output.width - 2):
            output.line("  " + line)


def dns_text(message: dict[str, Any]) -> str:
    """Return a message as a line: its frame and stream, what is asked for, and what was answered."""
    asked = clauses(*(f"{one['name']} {one['type']}" for one in message["questions"])) or "?"
    place = clauses(say("frame {n}", n=message["frame"]), say("stream {n}", n=message["stream"]))
    if not message["response"]:
        return f"{place}  {say('query {asked}', asked=harmless(asked))}"
    answers = message["answers"]
    shown = [f"{one['type']} {one['data']}" for one in answers[:SHOWN_MAX]]
    if len(answers) > SHOWN_MAX:
        shown.append(say("and {more}", more=count_text(len(answers) - SHOWN_MAX, "more answer", "more answers")))
    said = say("response {rcode} to {asked}", rcode=message["rcode"], asked=harmless(asked))
    return f"{place}  {said}" + (f"  {harmless(clauses(*shown))}" if shown else "")
