"""Reads EAP of real programs (`vectors/nested`), also with packets left out."""

from pathlib import Path
from typing import Any

from conversations import read_sessions
from dtls_injection import HEAD, written

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record

VECTORS = Path(__file__).parent / "vectors" / "nested"
OVER_RADIUS, OVER_PORTS = "eapol-test-radius", "wpa-supplicant-hostapd"


def captured(name: str) -> list[tuple[int, bytes]]:
    """The packets of a capture, with their times."""
    packets = []
    for reader in CaptureReader([str(VECTORS / f"{name}.pcap")]).packet_readers():
        while reader.advance():
            packets.append((reader.frame.at // 1000, bytes(reader.frame.data[reader.frame.start : reader.frame.end])))
    return packets


def records(folder: Path, packets: list[tuple[int, bytes]], name: str) -> list[dict[str, Any]]:
    """The records of these packets, with the keys of a capture."""
    keys = KeyLog()
    keys.take((VECTORS / f"{name}.keys").read_bytes(), "keys")
    path = written(folder / "eap.pcap", HEAD, packets)
    return [session_record(one, False) for one in read_sessions(CaptureReader([str(path)]), Engine(keylog=keys))]


def severe(found: list[dict[str, Any]]) -> list[str]:
    """The details of findings that blame somebody."""
    told = {"gap", "message_problem"}  # a message that is not whole
    return [
        one["detail"] for record in found for one in record["findings"] if one["severity"] != "info" and one["code"] not in told
    ]
