"""Tries an installed wheel, with nothing but the package and its dependencies: is it compiled, and does it read a capture?

python tests/try_installed.py captures/demo.pcapng
"""

import json
import subprocess
import sys
from pathlib import Path

SESSIONS = 8


def analyzer(*arguments: str) -> str:
    """Return what a command prints. It runs outside of any checkout in the working directory."""
    command = [sys.executable, "-P", "-m", "analyzer", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def validated() -> str:
    """Return what the wheel says of itself. There may be no tshark here: then one requirement is not run, and the status 1."""
    command = [sys.executable, "-P", "-m", "analyzer", "validate"]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, encoding="utf-8")
    assert done.returncode in (0, 1), done.stdout
    return done.stdout


def main() -> None:
    """Read the demonstration capture, as the first argument names it."""
    capture = str(Path(sys.argv[1]).resolve())
    version = analyzer("--version")
    assert "(compiled, " in version, version
    assert "Protocols" in analyzer(capture)
    sessions = [json.loads(line) for line in analyzer("sessions", capture, "--format", "json").splitlines()]
    assert len(sessions) == SESSIONS, len(sessions)
    assert any(session["decryption"]["status"] == "decrypted" for session in sessions)
    assert "R07  passed" in validated()
    print(version.strip())


if __name__ == "__main__":
    main()
