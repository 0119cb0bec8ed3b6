"""Trials against a second program: what tshark sees in the same captures, value by value (see `crosscheck`)."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from analyzer.capture.capture_reader import CaptureReader
from analyzer.crosscheck.second_opinion import SecondOpinion, Tally
from analyzer.crosscheck.tshark_process import TsharkRun
from analyzer.crosscheck.tshark_program import TsharkError, TsharkProgram
from analyzer.crosscheck.tshark_settings import FRAMES, arguments
from analyzer.engine import Engine, run
from analyzer.secrets.keylog import KeyLog
from analyzer.store.secret_files import add_secrets_of
from analyzer.validation.material import KnownCapture, Material
from analyzer.validation.validation_trial import CannotRunError, Trial, Value, value

LEAST_AGREEMENT = 99
"""Percent of the values of all captures together that have to be the same, or to differ for a known reason."""


class SecondProgram:
    """What tshark was asked so far. program: None if there is none. tallies: by the names of captures."""

    def __init__(self, program: TsharkProgram | None, timeout: float) -> None:
        """timeout: seconds to wait for tshark at most."""
        self.program = program
        self._timeout = timeout
        self.tallies: dict[str, Tally] = {}

    def trials(self, material: Material) -> Iterator[Trial]:
        """Yield a trial for each capture, of TLS over TCP, QUIC and DTLS, and one for all together."""
        for one in material.captures:
            yield Trial("R16", "tshark", one.file_name, partial(self._compare, one))
        yield Trial("R16", "tshark_in_all", "", self._in_all)

    def facts(self) -> dict[str, Any] | None:
        """Return what was compared in all; None if there is no tshark."""
        if self.program is None:
            return None
        tallies = self.tallies.values()
        differences = [told.record(name) for name, tally in sorted(self.tallies.items()) for told in tally.differences]
        return {
            "tshark": self.program.version_text,
            "captures": len(self.tallies),
            "sessions": sum(tally.sessions for tally in tallies),
            "compared": sum(tally.n_compared for tally in tallies),
            "agreed": sum(tally.n_agreed for tally in tallies),
            "explained": sum(tally.explained for tally in tallies),
            "differences": differences,
        }

    def _compare(self, one: KnownCapture) -> Sequence[Value]:
        if self.program is None:
            raise CannotRunError("no_tshark")
        tally, reader = Tally(), CaptureReader([one.path])
        keylog = KeyLog()
        keylog.feed(one.keylog, "given")
        keylog.close("given")
        try:
            with TsharkRun(self.program, one.path, arguments(one.keylog_path), FRAMES, self._timeout) as tshark:
                opinion = SecondOpinion(tshark, lambda: reader.frame.number, tally)
                engine = Engine(detailed=True, fields=False, keylog=add_secrets_of([one.path], keylog))
                run(reader, engine, [opinion])
        except TsharkError as error:
            raise CannotRunError("tshark_failed") from error
        self.tallies[one.file_name] = tally
        unexplained = [
            f"{told.difference.field}:{told.session}:{told.difference.frame}"
            for told in tally.differences
            if told.reason is None
        ]
        return [
            value("sessions", len(one.sessions), tally.sessions),
            value("values_were_compared", True, tally.n_compared > 0),
            value("unexplained_differences", [], unexplained),
        ]

    def _in_all(self) -> Sequence[Value]:
        facts = self.facts()
        if facts is None:
            raise CannotRunError("no_tshark")
        if not facts["compared"]:
            raise CannotRunError("tshark_failed")
        alike = facts["agreed"] + facts["explained"]
        return [value(f"agreement_of_{LEAST_AGREEMENT}_percent", True, 100 * alike >= LEAST_AGREEMENT * facts["compared"])]
