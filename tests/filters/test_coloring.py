"""The colours of packets: Wireshark's default rules, as far as their fields are here."""

import pytest

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.filters.coloring import Coloring, coloring_rules


def names(path):
    """The name of the rule of each frame."""
    engine, found = Engine(detailed=True, in_order=False), {}
    coloring = Coloring(engine)
    for frames in CaptureReader([str(path)]).packet_readers():
        while engine.step(frames):
            rule = coloring.rule(frames.frame, engine.take())
            found[frames.frame.number] = None if rule is None else rule.name
    return found


def test_the_first_rule_that_passes_counts(repository):
    found = names(repository / "captures" / "demo.pcapng")
    expected = {1: "ARP", 5: "UDP", 9: "HTTP", 19: "TCP SYN/FIN", 22: "TCP", 208: "ICMP"}
    assert {number: found[number] for number in expected} == expected


def test_trouble_comes_first(repository):
    found = names(repository / "captures" / "tcp-trouble" / "tcp-trouble.pcapng")
    assert "Bad TCP" in found.values()


@pytest.mark.parametrize("rule", coloring_rules(), ids=lambda rule: rule.name)
def test_a_rule_has_two_colours_of_a_terminal(rule):
    numbers = rule.style.split(";")
    assert (numbers[:2], numbers[3:5]) == (["38", "5"], ["48", "5"])
    assert all(16 <= int(number) < 256 for number in (numbers[2], numbers[5]))
    assert numbers[2] != numbers[5]
