"""Real programs whose connections fail have the right cause, side and step; those whose connections do not fail have none."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from endpoint_cases import Case, Pki, build_endpoint, failing, healthy, port_of, run_case
from faulty_path import path
from wire import run

PROGRAMS = ("openssl", "gnutls-cli", "gnutls-serv", "nginx", "curl", "go", "ip")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Case], dict[int, list[dict[str, Any]]]]:
    """The cases, and what was found for each by the port of its server: failures and records."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing and os.environ.get("CI") != "true":
        pytest.skip(f"not installed: {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("endpoints")
    pki = Pki(folder)
    build_endpoint(folder)
    cases = failing(pki, folder)
    cases += healthy(pki, folder, len(cases))
    try:
        with path() as made:
            with ThreadPoolExecutor(24) as pool:
                list(pool.map(lambda place: run_case(made, cases[place], port_of(cases[place], place)), range(len(cases))))
            capture = made.write(folder / "endpoints.pcap")
    except PermissionError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    trust = ("--trust", str(folder / "root.pem"))
    (summary,) = run(folder, "summary", str(capture), *trust)
    found: dict[int, list[dict[str, Any]]] = {}
    for failure in summary["failures"]:
        found.setdefault(failure["server"]["port"], []).append(failure["outcome"])
    for record in run(folder, "sessions", str(capture), *trust):
        if record["outcome"]["result"] == "established":
            found.setdefault(record["server"]["port"], []).append(record["outcome"])
    return cases, found


def test_failures_have_their_side_step_and_cause(outcomes: tuple[list[Case], dict[int, list[dict[str, Any]]]]):
    cases, found = outcomes
    wrong = {}
    for place, case in enumerate(cases):
        if case.expected is None:
            continue
        who, cause = case.expected
        known = found.get(port_of(case, place), [])
        fits = [
            one for one in known
            if one["cause"] == cause and who in (None, one["ended_by"]) and (not case.steps or one["step"] in case.steps)
        ]  # fmt: skip
        if not fits or len(fits) < len(known):
            shown = [
                (one["result"], one["ended_by"], one["step"], one["cause"], one["certainty"], one["detail"]) for one in known
            ]
            wrong[case.name] = (case.expected, shown)
    assert wrong == {}
    assert sum(case.expected is not None for case in cases) >= 40


def test_what_did_not_fail_has_no_cause(outcomes: tuple[list[Case], dict[int, list[dict[str, Any]]]]):
    cases, found = outcomes
    calm = {port_of(case, place): case.name for place, case in enumerate(cases) if case.expected is None}
    assert len(calm) >= 20
    wrong = {
        name: [(one["result"], one["cause"], one["detail"]) for one in found.get(port, [])]
        for port, name in calm.items()
        if not found.get(port) or any(one["result"] != "established" or one["cause"] for one in found[port])
    }
    assert wrong == {}
