"""Connections at regular intervals are found, and other ones are not."""

import random

import pytest

from analyzer.analysis.regular_connections import LEAST_CONNECTIONS, MAX_REPORTED, Opened, regular_connections

SECOND = 1_000_000_000


def opened(times: list[float]) -> list[Opened]:
    return [Opened(int(at * SECOND), number + 1, None) for number, at in enumerate(times)]


def found(times: list[float]):
    return regular_connections([("10.0.0.1", "192.0.2.1", 443, opened(times))])


def test_a_beacon_with_jitter():
    chance = random.Random(7)
    at, times = 0.0, []
    for _ in range(40):
        times.append(at)
        at += 60 * chance.uniform(0.95, 1.05)
    (finding,) = found(times)
    assert (finding.code, finding.severity, finding.count, len(finding.occurrences)) == ("repeated_connections", "info", 40, 40)
    assert "40 times to port 443 of 192.0.2.1, every 5" in finding.detail or "every 6" in finding.detail


def test_a_beacon_that_missed_some():
    assert len(found([60.0 * number for number in range(30) if number not in (7, 19)])) == 1


@pytest.mark.parametrize("n_connections", [LEAST_CONNECTIONS - 1, LEAST_CONNECTIONS])
def test_enough_connections_are_needed(n_connections: int):
    assert len(found([10.0 * number for number in range(n_connections)])) == (n_connections >= LEAST_CONNECTIONS)


def test_bursts_and_load_tests_are_not_regular():
    chance = random.Random(3)
    assert not found([0.01 * number for number in range(1000)])
    for _ in range(300):
        at, times = 0.0, []
        for _ in range(12):
            times.append(at)
            at += chance.expovariate(1 / 30)
        assert not found(times)
    assert not found([burst * 100 + 0.2 * number for burst in range(5) for number in range(6)])


def test_without_times_nothing_is_said():
    assert not regular_connections([("10.0.0.1", "192.0.2.1", 443, [Opened(-1, number, None) for number in range(9)])])


def test_the_most_connections_come_first_and_not_all():
    groups = [(f"10.0.0.{n}", "192.0.2.1", 443, opened([9.0 * i for i in range(6 + n)])) for n in range(2 * MAX_REPORTED)]
    counts = [finding.count for finding in regular_connections(groups)]
    assert counts == sorted(counts, reverse=True)
    assert len(counts) == MAX_REPORTED
