"""A run that becomes another user needs nothing of Python and its packages that this user cannot read."""

import json
import lzma
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from live_network import Network

import analyzer
from analyzer.cli.later_imports import LATER, unreadable

ROOT = Path(analyzer.__file__).parents[1]
WORDS = [sys.executable, "-P", "-m", "analyzer", "live", "--user", "nobody"]


@pytest.fixture
def private_python(tmp_path: Path, open_folder: Path) -> dict[str, str]:
    """An environment in which all of Python but the analyzer is reached through a folder that only root may enter.

    The analyzer is reached through an open folder of its own, because beside it, where it is installed, are other packages.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "lib").mkdir()
    library = Path(os.__file__).parent
    (private / "lib" / library.name).symlink_to(library)
    (open_folder / "analyzer").symlink_to(Path(analyzer.__file__).parent)
    paths = [str(open_folder)]
    for number, folder in enumerate(one for one in sys.path if one.endswith("-packages")):
        (private / f"packages{number}").symlink_to(folder)
        paths.append(str(private / f"packages{number}"))
    return os.environ | {"PYTHONHOME": str(private), "PYTHONPATH": os.pathsep.join(paths)}


@pytest.mark.parametrize("name", ["demo.pcapng", "demo.pcapng.xz"])
def test_a_run_with_http2_and_certificates(demo: Path, private_python: dict[str, str], name: str):
    """The same records as those of root, from a capture with secrets, HTTP/2, content codings and chains."""
    data = demo.read_bytes()
    if name.endswith(".xz"):
        data = lzma.compress(data)
    words = [*WORDS, "-", "--format", "json", "--trust", str(demo.parent / "demo" / "demo.ca.pem")]
    done = subprocess.run(words, input=data, capture_output=True, check=False, env=private_python)
    own = subprocess.run(
        [*words[:5], *words[7:]], input=data, capture_output=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
    assert done.stdout == own.stdout
    assert "h2" in [json.loads(line)["alpn"] for line in done.stdout.splitlines()]


def test_mozillas_roots_that_cannot_be_read_are_named(demo: Path, private_python: dict[str, str]):
    done = subprocess.run([*WORDS, "-"], input=demo.read_bytes(), capture_output=True, check=False, env=private_python)
    assert (done.returncode, done.stdout) == (2, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"analyzer: user nobody cannot read {private_python['PYTHONHOME']}/packages")
    assert line.endswith("certifi/cacert.pem, where Mozilla's roots are; with --trust FILE they are not read")


def test_the_view_says_what_it_cannot_read(network: Network, demo: Path, private_python: dict[str, str]):
    ours, terminal = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as shown:
        words = [*WORDS, "lo", "--trust", str(demo.parent / "demo" / "demo.ca.pem")]
        done = subprocess.Popen(words, stdin=terminal, stdout=terminal, stderr=terminal, env=private_python)
        os.close(terminal)
        assert done.wait(60) == 2
        line = shown.read(10_000).decode()
    library = f"{private_python['PYTHONHOME']}/lib/{Path(os.__file__).parent.name}"
    assert line == f"analyzer: user nobody cannot read {library}, which the view needs; with --format there is none\r\n"


def test_what_is_imported_later_is_there():
    assert unreadable(True, True) is None
    words = [sys.executable, "-c", "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]", *LATER]
    subprocess.run(words, check=True)
