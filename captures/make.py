"""Make the demonstration captures: `python captures/make.py [NAME...]`, all of them without a name.

Each scene is a function whose docstring tells what its capture shows. A capture that cannot be made on this machine
(an OpenSSL too old, no nginx, no right to sniff) is skipped with the reason, and what is there of it stays as it is.
"""

from __future__ import annotations

import argparse
import inspect
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import scenes_dtls
import scenes_encrypted_hello
import scenes_loopback
import scenes_network
import scenes_quic
import scenes_tls
from scene import Scene, UnavailableError
from scene_demo import demo

_HERE = Path(__file__).resolve().parent

# 2026-11-02T09:00:00Z, ns since the epoch: when the captures made packet by packet say they were taken.
_START = 1_793_610_000_000_000_000

_SCENES = (
    demo,
    *scenes_tls.SCENES,
    *scenes_encrypted_hello.SCENES,
    *scenes_network.SCENES,
    *scenes_quic.SCENES,
    *scenes_dtls.SCENES,
    *scenes_loopback.SCENES,
)


def scenes() -> dict[str, Callable[[Scene], None]]:
    """Every scene by the name of its capture."""
    return {scene.__name__.replace("_", "-"): scene for scene in _SCENES}


def make(name: str, function: Callable[[Scene], None]) -> None:
    """Make one capture in a folder aside, and move it to its place when it is whole."""
    with tempfile.TemporaryDirectory() as aside:
        scene = Scene(name, Path(aside, name), _START)
        function(scene)
        description = " ".join(inspect.cleandoc(function.__doc__ or "").split())
        scene.save(description)
        target = _HERE / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(Path(aside, name), target)
        if scene.beside_folder:
            file = f"{name}.{scene.suffix}"
            (target / file).replace(_HERE / file)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a capture; all without a name")
    wanted = parser.parse_args().names
    known = scenes()
    for name in wanted:
        if name not in known:
            parser.error(f"there is no capture {name}; there are {', '.join(known)}")
    for name in wanted or known:
        try:
            make(name, known[name])
        except UnavailableError as reason:
            sys.stderr.write(f"{name}: skipped: {reason}\n")
        else:
            sys.stderr.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
