"""Prints the handshake of a session in six numbered steps, before the ladder: `analyzer show --explain`."""

from collections.abc import Sequence
from typing import Any

from analyzer.cli.output import Output
from analyzer.cli.table import pad, wrap
from analyzer.store.chain_verdicts import ChainVerdict
from analyzer.text.chain_text import chain_text
from analyzer.text.handshake_steps import Step
from analyzer.text.language import say
from analyzer.text.six_steps import WAYS, six_steps, way_of
from analyzer.tls.session import Session

_INDENT = 5
_LABEL = 16


def print_six_steps(
    output: Output,
    session: Session,
    record: dict[str, Any],
    steps: Sequence[Step],
    judged: ChainVerdict | None,
    resumed: str | None,
) -> None:
    """Print the six steps. judged: the verdict on the server's chain, None without one. resumed: see `six_steps`."""
    output.line()
    title, way = say("The handshake in six steps"), say(WAYS[way_of(session)])
    output.line(output.paint(title, "bold") + output.paint(f"  {way}", "dim"))
    for number, step in enumerate(six_steps(session, record, steps, _verdict_text(judged), resumed), 1):
        output.line()
        frames = sorted({min(step.frames), max(step.frames)}) if step.frames else []
        where = say("frame {n}", n="-".join(map(str, frames))) if frames else ""
        output.line(
            f"  {output.paint(f'{number}  {step.title}', 'bold')}" + (output.paint(f"  {where}", "dim") if where else "")
        )
        for line in wrap(step.sentence, min(96, output.width - _INDENT)):
            output.line(" " * _INDENT + line)
        for label, value in step.facts:
            for line in wrap(value, max(24, output.width - _INDENT - _LABEL)):
                output.line(" " * _INDENT + output.paint(pad(label, _LABEL), "dim") + output.paint(line, "cyan"))
                label = ""


def _verdict_text(judged: ChainVerdict | None) -> str:
    if judged is None:
        return ""
    if judged.record["verdict"] != "invalid":
        return chain_text(judged.record)[0]
    return say("invalid: {problems}", problems=chain_text(judged.record)[0])
