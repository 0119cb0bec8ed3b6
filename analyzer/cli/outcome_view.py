"""Prints what became of a session, as the last part of `show`: what happened, who ended it, what shows it, what to do next."""

from typing import Any

from analyzer.cli.files import print_fact
from analyzer.cli.output import Output
from analyzer.text.escape import harmless
from analyzer.text.language import say
from analyzer.text.outcome_text import FAILURES, outcome_facts

_LABELS = ("result", "ended by", "last step", "what happened", "frames", "same server", "what it means", "what to do", "took")


def print_outcome(output: Output, outcome: dict[str, Any], of_server: tuple[int, int] | None = None) -> None:
    """Print the outcome of a session record, under its heading.

    of_server: how many connections to the same server went well, and how many failed; None if that is not known.
    """
    output.line()
    output.line(output.paint(say("Outcome"), "bold"))
    facts = outcome_facts(outcome, of_server)
    style = "alarm" if outcome["result"] in FAILURES else "green" if outcome["result"] == "established" else "yellow"
    for label in _LABELS:
        if label in facts:
            print_fact(output, label, harmless(facts[label]), style if label == "result" else "")
