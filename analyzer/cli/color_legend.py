"""Prints what the colours of the packet list mean: the rules in their order, each in its colours."""

from analyzer.cli.output import Output
from analyzer.cli.table import cut, pad
from analyzer.filters.coloring import coloring_rules
from analyzer.text.language import say

_NAME = 34
"""Columns of the names of rules."""


def print_legend(output: Output) -> None:
    """Print the legend behind what was printed before."""
    output.line()
    output.line(output.paint(say("colours: the first rule that passes gives them"), "bold"))
    for rule in coloring_rules():
        text = cut(rule.text, output.width - _NAME - 4) if output.fitted else rule.text
        output.line(f"  {output.paint(pad(f' {rule.name} ', _NAME), rule.style)}  {text}")
