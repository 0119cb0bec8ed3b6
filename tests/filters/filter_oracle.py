"""Wireshark as the judge of filters: whether it accepts an expression, and which frames of a capture pass.

`sharkd` answers in one process; it comes with Debian's tshark. `ANALYZER_TSHARK` names a newer tshark (4.6), which has the last
word; one run of it prints for each frame which of all filters it passes.
"""

import json
import os
import re
import subprocess
from functools import cache

NEWER = os.environ.get("ANALYZER_TSHARK")
"""A tshark 4.6, or None."""


class Sharkd:
    """One process of sharkd, with one capture loaded at a time."""

    def __init__(self):
        self._process = subprocess.Popen(
            ["sharkd", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._asked = 0

    def ask(self, method, **parameters):
        """The answer to a request: its result, or None for an error."""
        self._asked += 1
        request = {"jsonrpc": "2.0", "id": self._asked, "method": method, "params": parameters}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        while line := self._process.stdout.readline():
            if line.startswith("{"):
                answer = json.loads(line)
                return None if "error" in answer else answer["result"]
        raise EOFError(f"sharkd ended at {request}")

    def accepts(self, text):
        """Whether the expression is a filter."""
        return self.ask("check", filter=text) is not None

    def frames(self, path, texts):
        """The numbers of the frames that pass, for each expression."""
        self.ask("load", file=str(path))
        return {text: [row["num"] for row in self.ask("frames", filter=text)] for text in texts}

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def newer_accepts(text, path):
    """Whether the newer tshark accepts the expression."""
    return (
        subprocess.run([NEWER, "-n", "-r", str(path), "-c", "1", "-Y", text], capture_output=True, check=False).returncode == 0
    )


def newer_frames(path, texts, program=None, *options):
    """The numbers of the frames that pass in the newer tshark, or in another program, for each expression."""
    command = [program or NEWER, "-n", *options, "-r", str(path), "-T", "fields", "-E", "separator=/t"]
    for text in texts:
        command += ["-e", f"!!({text})"]
    rows = subprocess.run(command, capture_output=True, text=True, check=False)
    refused = rows.stderr.partition("Some fields aren't valid:")[2]
    if refused:
        plain = [text for text in texts if "ip_" not in text]
        if any(line.strip() and "ip_" not in line for line in refused.splitlines()) or len(plain) == len(texts):
            raise ValueError(f"no filters: {refused}")
        return newer_frames(path, plain, program, *options)  # a tshark without its plug-in of these functions
    found = {text: [] for text in texts}
    for number, row in enumerate(rows.stdout.split("\n")[:-1], 1):
        for text, cell in zip(texts, row.split("\t"), strict=True):
            if cell:
                found[text].append(number)
    return found


def newer_protocols(path, program=None, *options):
    """The names of the protocols in each frame, by the newer tshark or another program."""
    command = [program or NEWER, "-n", *options, "-r", str(path), "-T", "fields", "-e", "frame.protocols"]
    rows = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [row.split(":") for row in rows.split("\n")[:-1]]


@cache
def version():
    """The version of the installed tshark, as (4, 0)."""
    text = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.search(r"(\d+)\.(\d+)", text).groups()))
