"""What tshark says of packets of QUIC, in layers as pyshark makes them."""

from types import SimpleNamespace
from typing import Any

import pytest

from analyzer.crosscheck.quic_facts import connection_number, read_http3, read_quic


def layer(**fields: list[str]) -> Any:
    """A layer; `__` in a name stands for `.`."""
    names = {name.replace("__", "."): values for name, values in fields.items()}
    return SimpleNamespace(
        _all_fields={
            name: SimpleNamespace(fields=[SimpleNamespace(show=one) for one in shown]) for name, shown in names.items()
        }
    )


def test_the_number_of_the_connection_is_in_the_first_packet():
    assert connection_number([layer(quic__connection__number=["3"]), layer()]) == 3
    assert connection_number([layer(), layer()]) is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [("server_hello", ("quic_version", "QUIC 2")), ("client_hello", ("offered quic_version", "QUIC 2"))],
)
def test_the_version_is_that_of_the_packet_with_the_hello(message: str, expected: tuple[str, str]):
    packet = layer(quic__version=["0x6b3343cf"])
    assert read_quic(packet, [("handshake", message)]) == [expected]
    assert read_quic(packet, [("handshake", "finished")]) == []


def test_ids_are_those_that_a_sender_names_and_that_its_peer_uses():
    packet = layer(quic__token_length=["0"], quic__scid=["0a:0b", ""], quic__dcid=["0c"], quic__nci__connection_id=["0d"])
    assert read_quic(packet, []) == [("connection_ids", "0a0b"), ("connection_ids", "0d"), ("reached", "0c")]
    assert read_quic(layer(quic__dcid=["0c"]), []) == []  # not an Initial


def test_a_close_can_be_an_alert():
    assert read_quic(layer(quic__cc__error_code__tls_alert=["42"]), []) == [("alerts", "fatal bad_certificate")]


def test_requests_and_statuses_of_http3():
    request = layer(http3__headers__method=["GET"], http3__headers__path=["/a"], http3__headers__authority=["b"])
    assert read_http3(request) == [("requests", "GET /a")]
    connect = layer(http3__headers__method=["CONNECT"], http3__headers__authority=["b:443"])
    assert read_http3(connect) == [("requests", "CONNECT b:443")]
    assert read_http3(layer(http3__headers__status=["200"])) == [("statuses", "200")]
