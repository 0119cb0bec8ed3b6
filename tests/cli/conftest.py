import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Ran:
    """The result of a run of the command."""

    status: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def complaint(self) -> str:
        """The one line on standard error."""
        lines = self.err.decode().splitlines()
        assert len(lines) == 1, lines
        return lines[0]


Run = Callable[..., Ran]


def placeless(text: bytes) -> list[dict[str, Any]]:
    """Records in JSON, or entries of a manifest, without what says in which file they are."""
    listed = json.loads(text)["files"] if text.startswith(b'{"format"') else map(json.loads, text.splitlines())
    return [{key: value for key, value in one.items() if key not in ("capture", "frame_in_capture")} for one in listed]


@pytest.fixture(scope="session")
def run(repository: Path) -> Run:
    """Run `analyzer` with these arguments in its own process."""

    def run(*arguments: object, stdin: bytes = b"", columns: int | None = None) -> Ran:
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
        if columns is not None:
            environment["COLUMNS"] = str(columns)
        command = [sys.executable, "-m", "analyzer", *map(str, arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True, cwd=repository, env=environment, timeout=180)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def demo(repository: Path) -> Path:
    return repository / "captures" / "demo.pcapng"


@pytest.fixture(scope="session")
def captures(repository: Path) -> Path:
    return repository / "captures"


def pcap(*packets: bytes) -> bytes:
    """A capture of Ethernet frames, a second apart."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    return head + b"".join(struct.pack("<IIII", at, 0, len(one), len(one)) + one for at, one in enumerate(packets, 1))


def tcp(payload: bytes, source_port: int = 40000, destination_port: int = 443, sequence: int = 1) -> bytes:
    """A frame with a TCP segment from 192.0.2.1 to 192.0.2.2, checksums left at zero."""
    header = struct.pack("!HHIIBBHHH", source_port, destination_port, sequence, 1, 0x50, 0x18, 1000, 0, 0)
    n_bytes = 20 + len(header) + len(payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, n_bytes, 1, 0, 64, 6, 0, b"\xc0\x00\x02\x01", b"\xc0\x00\x02\x02")
    return b"\x02\0\0\0\0\x01" + b"\x02\0\0\0\0\x02" + b"\x08\0" + ip + header + payload


def client_hello(server_name: bytes, alpn: bytes = b"h2") -> bytes:
    """A record with a ClientHello of TLS 1.2 that asks for this server."""
    name = struct.pack("!HBH", len(server_name) + 3, 0, len(server_name)) + server_name
    protocols = struct.pack("!HB", len(alpn) + 1, len(alpn)) + alpn
    extensions = struct.pack("!HH", 0, len(name)) + name + struct.pack("!HH", 16, len(protocols)) + protocols
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\xc0\x2f" + b"\x01\0" + struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack("!H", len(message)) + message
