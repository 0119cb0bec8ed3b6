import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

VECTORS = Path(__file__).parents[3] / "analyzer" / "validation" / "material" / "vectors"


@dataclass
class Seen:
    """A handshake message with its header as tshark saw it, and the values of its fields by tshark's names."""

    data: bytes
    dtls: bool
    fields: dict[str, list[str]] = field(default_factory=dict)

    @property
    def start(self):
        return 12 if self.dtls else 4

    def numbers(self, name):
        return [int(value, 0) for value in self.fields.get(name, [])]

    def words(self, name):
        return [value.encode() for value in self.fields.get(name, [])]


def collect(pairs, found):
    """Collect messages from tshark's JSON.

    One name can occur several times in it. The bytes come directly before the fields.
    """
    for index, (name, value) in enumerate(pairs):
        if name in ("tls.handshake_raw", "dtls.handshake_raw"):
            assert not isinstance(value[0], list)
            seen = Seen(bytes.fromhex(value[0]), name.startswith("dtls"))
            if index + 1 < len(pairs):
                flatten(pairs[index + 1][1], seen.fields)
            found.append(seen)
        elif isinstance(value, list):
            for part in [value] if value and isinstance(value[0], tuple) else value:
                if isinstance(part, list) and part and isinstance(part[0], tuple):
                    collect(part, found)


def flatten(value, fields):
    if isinstance(value, list):
        for part in value:
            if isinstance(part, tuple) and isinstance(part[1], str):
                fields.setdefault(part[0].removeprefix("d"), []).append(part[1])
            elif isinstance(part, tuple):
                flatten(part[1], fields)
            else:
                flatten(part, fields)


@pytest.fixture(scope="session")
def handshakes(corpus, require_peers):
    """A function: from the name of a capture to its complete handshake messages in plaintext, in order."""
    require_peers("tshark")

    def run(name):
        command = [
            "tshark",
            "-n",
            "-r",
            str(corpus / name),
            "-Y",
            "tls.handshake.type or dtls.handshake.type",
            "-T",
            "json",
            "-x",
        ]
        output = subprocess.run(command, capture_output=True, check=True).stdout
        found = []
        for packet in json.loads(output, object_pairs_hook=list):
            collect(packet, found)
        return [s for s in found if len(s.data) >= s.start and int.from_bytes(s.data[1:4], "big") == len(s.data) - s.start]

    return run


@pytest.fixture(scope="session")
def rfc8448():
    """The handshake messages of RFC 8448 by name, with their headers."""
    messages = {}
    name = ""
    for line in (VECTORS / "rfc8448.txt").read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        if len(line.split()[0]) == 1:  # a section; bytes have two digits
            name = line.split()[1]
            messages[name] = b""
        else:
            messages[name] += bytes.fromhex(line)
    return messages
