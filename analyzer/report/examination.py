"""One examination of captures for a report: the listeners of its run, and the facts that come out of them."""

from collections.abc import Sequence
from typing import Any

from analyzer.capture.capture_reader import FileFacts
from analyzer.engine.run import Listener
from analyzer.report.capture_observations import CaptureWatch
from analyzer.report.collected_facts import TrafficCounter, result_facts
from analyzer.report.session_collector import SessionCollector
from analyzer.report.time_quality import ServerClocks, time_facts
from analyzer.report.traffic_series import TrafficSeries
from analyzer.store.chain_verdicts import Chains


class Examination:
    """Give `listeners` to the run of an engine that is `detailed`, and ask for the facts when it has ended.

    collected: the sessions. of_files: the listeners that look at the captures as files, which takes every frame.
    """

    def __init__(self, chains: Chains) -> None:
        self._clocks = ServerClocks()
        self.collected = SessionCollector(chains, self._clocks)
        self._counter = TrafficCounter()
        self._series = TrafficSeries()
        self._watch = CaptureWatch()
        self.of_files: Sequence[Listener] = (self._watch, self.collected.times)
        self.listeners: Sequence[Listener] = (
            chains,
            self._counter,
            self._series,
            self._watch,
            self.collected.times,
            self.collected,
        )

    def facts(
        self,
        files: Sequence[FileFacts],
        evidence: dict[str, Any],
        secrets_given: bool,
        forgotten: bool = False,
        stopped_after: int | None = None,
        unread: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Return the entries of the facts from `evidence` to `limits`.

        files: of the run. evidence: as `evidence_facts` makes it. secrets_given: whether there were any for the run.
        forgotten: see `Repetitions`, of the run. stopped_after, unread: see `limitations`.
        """
        self.collected.findings.take_files(files)
        traffic = self._counter.traffic
        self.collected.findings.take_traffic(traffic)
        self.collected.findings.take_capture(self.collected.capture_findings.findings(traffic, forgotten))
        return {
            "evidence": evidence,
            "time": time_facts(files, self._watch, self._clocks),
            "integrity": self._watch.observations(files),
            **result_facts(evidence, traffic, self._series, self.collected, secrets_given, stopped_after, unread),
        }
