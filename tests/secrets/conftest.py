"""Fixtures for real endpoints, created once; see endpoints.py."""

import sys
from functools import partial
from pathlib import Path

import pytest

# The folder cannot be a package, because Python has a module with its name.
sys.path.append(str(Path(__file__).parent))

import endpoints


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """A folder with keys and certificates."""
    return endpoints.make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def converse(keys, tmp_path_factory):
    """A function of cipher list, version and options: two endpoints exchange data in memory."""
    return partial(endpoints.converse, keys, tmp_path_factory.mktemp("logs") / "keys.log")


@pytest.fixture(scope="session")
def server(keys, tmp_path_factory):
    """A server process that talks to clients."""
    made = endpoints.Server(keys, tmp_path_factory.mktemp("server"))
    yield made
    made.close()
