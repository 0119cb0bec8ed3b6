"""Prints two captures compared, as tables for people: what was compared as what, then two places or two times."""

from typing import Any

from analyzer.cli.files import print_fact
from analyzer.cli.output import Output
from analyzer.cli.two_places_text import print_places
from analyzer.cli.two_times_text import print_times
from analyzer.store.compare_modes import PLACES
from analyzer.store.compare_schema import ASKED
from analyzer.text.formatting import count_text
from analyzer.text.language import Sentences, say
from analyzer.text.punctuation import clauses

WHY: Sentences = {
    "common_connections": "one traffic at two places: both have connections in common",
    "nothing_common": "two times: no connection is in both (--places compares them as two places)",
    PLACES: "one traffic at two places, as asked",
    "times": "two times, as asked",
}


def print_comparison(output: Output, record: dict[str, Any]) -> None:
    """Print the record of `compare`."""
    why = record["mode"] if record["why"] == ASKED else record["why"]
    output.line(output.paint(say(WHY[why]), "bold"))
    for name in ("a", "b"):
        print_fact(output, name.upper(), _capture_text(record[name]))
    if record["mode"] == PLACES:
        print_places(output, record)
    else:
        print_times(output, record)


def _capture_text(one: dict[str, Any]) -> str:
    files = one["captures"]
    named = files[0] if len(files) == 1 else say("{first} and {n} more", first=files[0], n=len(files) - 1)
    parts = [named, count_text(one["frames"], "frame"), count_text(one["sessions"], "TLS session")]
    if one["first_time"] is not None:
        parts.append(say("from {first} to {last}", first=_moment(one["first_time"]), last=_moment(one["last_time"])))
    left_out = sum(n or 0 for n in one["left_out"].values())
    if left_out:
        parts.append(say("{n:,} beyond the limits are not compared", n=left_out))
    return clauses(*parts)


def _moment(text: str) -> str:
    return f"{text[:10]} {text[11:19]}"
