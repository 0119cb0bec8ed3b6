"""Rows of QUIC in the packet list: the words of Wireshark, behind what a packet completed."""

import json
from pathlib import Path

import pytest

from .conftest import Run

CAPTURES = Path(__file__).parents[2] / "captures"

WIRESHARK = {
    ("quic-http3", 7): "Protected Payload (KP0), DCID=6e22bf94e8068739, PKN: 4, ACK",
    ("quic-retry", 1): "Initial, DCID=3847603a9dd2f785, SCID=6240be13375dbccd, PKN: 0, CRYPTO",
    ("quic-retry", 2): "Retry, DCID=6240be13375dbccd, SCID=4912fea87d093cb3",
    ("quic-retry", 3): "Initial, DCID=4912fea87d093cb3, SCID=6240be13375dbccd, PKN: 1, CRYPTO",
    ("quic-version-negotiation", 1): "Forcing Version Negotiation, DCID=af6a4f1c2bc6e1a1, SCID=f7e1d5cd9ee003d2",
    ("quic-version-negotiation", 2): "Version Negotiation, DCID=f7e1d5cd9ee003d2, SCID=af6a4f1c2bc6e1a1",
    ("quic-early-data", 5): "Protected Payload (KP0), DCID=ff15ea3ed49d54af, PKN: 4, NCI, NCI, NCI, NCI, NCI, NCI, NCI",
    ("quic-early-data", 6): "DCID=7783ddd2d5cd56b9, PKN: 3, DONE, NCI, NCI, NCI, NCI, NCI, NCI, NCI, CRYPTO",
}
"""What tshark 4.6.9 writes for frames of captures."""


def rows(run: Run, name: str, keys: bool = True) -> list[dict[str, object]]:
    (capture,) = (CAPTURES / name).glob("*.pcap*")
    (key_log,) = (CAPTURES / name).glob("*.keys")
    out = run("packets", "--format", "json", capture, *(("-k", key_log) if keys else ())).out
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(("name", "frame"), WIRESHARK)
def test_packets_are_called_as_wireshark_calls_them(run: Run, name: str, frame: int):
    row = rows(run, name)[frame - 1]
    assert row["protocol"] == "QUIC"
    assert str(row["info"]).endswith(WIRESHARK[name, frame])


def test_what_a_packet_completes_comes_first(run: Run):
    found = [str(row["info"]) for row in rows(run, "quic-http3")]
    assert found[0].startswith("Client Hello (SNI=www.example), Initial, DCID=accf68a7e33e533e")
    assert found[1].startswith("Server Hello, Encrypted Extensions, Initial, ")
    assert found[16].startswith("HTTP/3 GET /, Protected Payload (KP0), ")
    assert found[18].startswith("HTTP/3 200, Protected Payload (KP0), ")


def test_without_keys_sealed_packets_have_their_kind_and_connection(run: Run):
    found = rows(run, "quic-loss", keys=False)
    assert {row["protocol"] for row in found} == {"QUIC"}
    assert found[2]["info"] == "Handshake, DCID=ae19ef2a36cb5a1a, SCID=52de1c46b1aca907"
    assert found[6]["info"] == "Protected Payload, DCID=ae19ef2a36cb5a1a"


def test_dns_over_quic_is_named(run: Run):
    found = [str(row["info"]) for row in rows(run, "quic-doq")]
    assert [info.partition(", ")[0] for info in found if info.startswith("Standard")] == [
        "Standard query A www.example",
        "Standard query response A www.example",
        "Standard query AAAA www.example",
        "Standard query response AAAA www.example",
    ]
