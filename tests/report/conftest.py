"""Facts of real captures, each made once."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

Facts = dict[str, Any]
FactsOf = Callable[..., Facts]

PATIENCE_MS = 180_000
"""Milliseconds that a browser may take for anything, on a busy machine."""


@pytest.fixture(scope="session")
def facts_of(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> FactsOf:
    """Return a function that gives the facts of a report: of captures under `captures/`, with further options.

    The result is shared by all tests, so nobody may change it.
    """

    @cache
    def facts_of(*words: str) -> Facts:
        target = tmp_path_factory.mktemp("facts") / "report.json"
        places = [str(repository / "captures" / word) if (repository / "captures" / word).exists() else word for word in words]
        command = [sys.executable, "-m", "analyzer", "report", *places, "-o", str(target)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONSAFEPATH": "1"}, capture_output=True)
        facts: Facts = json.loads(target.read_bytes())
        return facts

    return facts_of


@pytest.fixture(scope="session")
def demo_facts(facts_of: FactsOf) -> Facts:
    """The facts of the demonstration capture, which has its own secrets."""
    return facts_of("demo.pcapng")


@pytest.fixture(scope="session")
def failing_facts(facts_of: FactsOf) -> Facts:
    """The facts of a session that a client ended because it did not know the issuer."""
    return facts_of("alert-unknown-ca/alert-unknown-ca.pcapng")


@pytest.fixture(scope="module")
def browser(require_peers: Callable[..., None]) -> Iterator[Any]:
    """Chromium, driven by playwright."""
    require_peers("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        program = shutil.which("chromium")
        running = driver.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=PATIENCE_MS)
        yield running
        running.close()
