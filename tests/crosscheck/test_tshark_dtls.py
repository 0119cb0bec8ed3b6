"""What tshark says of records of DTLS, in layers as pyshark makes them."""

from types import SimpleNamespace
from typing import Any

from analyzer.crosscheck.facts import CLOSED, HELLO_RETRY
from analyzer.crosscheck.tshark_dtls import LATE_FRAGMENT, DtlsFlights, as_tls

CLIENT, SERVER = ("192.0.2.9", 50000), ("192.0.2.1", 443)


def values(attribute: str, texts: list[str]) -> Any:
    return SimpleNamespace(fields=[SimpleNamespace(**{attribute: text}) for text in texts])


def layer(*messages: tuple[str, int, int, int, int, int], randoms: list[str] | None = None) -> Any:
    """A layer with these messages: title, type, number, length of the message, offset and length of the fragment."""
    opened = [one for one in messages if one[1] >= 0]
    names = ("type", "message_seq", "length", "fragment_offset", "fragment_length")
    fields = {f"dtls.handshake.{name}": values("show", [str(one[i + 1]) for one in opened]) for i, name in enumerate(names)}
    fields["dtls.handshake"] = values("showname", [one[0] for one in messages])
    fields["dtls.handshake.random"] = values("raw_value", randoms or [])
    return SimpleNamespace(_all_fields=fields)


def hello(random: str, number: int = 0) -> Any:
    return layer(("Handshake Protocol: Client Hello", 1, number, 200, 0, 200), randoms=[random])


def certificate(offset: int, size: int, mark: str = " (Fragment)") -> Any:
    return layer((f"Handshake Protocol: Certificate{mark}", 11, 2, 1000, offset, size))


FINISHED = ("Handshake Protocol: Finished", 20, 3, 12, 0, 12)
CLOSED_MESSAGE = ("Handshake Protocol: Encrypted Handshake Message", -1, 0, 0, 0, 0)


def test_a_message_that_is_sent_again_counts_once():
    flights = DtlsFlights()
    assert flights.read(hello("0a"), CLIENT) == ([("handshake", "client_hello")], [1])
    assert flights.read(hello("0a"), CLIENT) == ([], [])
    assert flights.read(hello("0a", 1), CLIENT) == ([("handshake", "client_hello")], [1])
    assert flights.read(layer(FINISHED), CLIENT) == ([("handshake", "finished")], [20])
    assert flights.read(layer(FINISHED), SERVER) == ([("handshake", "finished")], [20])
    assert flights.read(layer(FINISHED), CLIENT) == ([], [])


def test_another_random_begins_another_handshake():
    flights = DtlsFlights()
    for random in ("0a", "0b"):
        assert flights.read(hello(random), CLIENT)[1] == [1]
        assert flights.read(layer(FINISHED), SERVER)[1] == [20]
    assert flights.read(hello(""), CLIENT) == ([], [])  # without its content, it is the same


def test_a_server_hello_can_be_a_retry():
    retry = layer(("Handshake Protocol: Hello Retry Request", 2, 0, 135, 0, 135), randoms=[HELLO_RETRY])
    assert DtlsFlights().read(retry, SERVER) == ([("handshake", "hello_retry_request")], [2])


def test_a_message_is_where_its_last_fragment_is():
    flights = DtlsFlights()
    assert flights.read(certificate(0, 500), SERVER) == ([], [])
    assert flights.read(certificate(500, 500, " (Reassembled)"), SERVER) == ([("handshake", "certificate")], [11])


def test_a_fragment_behind_the_end_of_its_message_is_late():
    flights = DtlsFlights()
    flights.read(certificate(500, 500), SERVER)
    assert flights.read(certificate(0, 500), SERVER) == ([(LATE_FRAGMENT, "certificate")], [])
    assert flights.read(certificate(0, 500), CLIENT) == ([], [])


def test_a_fragment_that_tshark_does_not_place_has_no_name():
    unplaced = layer(("Handshake Protocol", 11, 2, 1000, 0, 500))
    assert DtlsFlights().read(unplaced, SERVER) == ([], [])


def test_what_is_closed_has_no_type():
    found = [("handshake", "finished"), ("handshake", CLOSED)]
    assert DtlsFlights().read(layer(FINISHED, CLOSED_MESSAGE), CLIENT) == (found, [20])
    assert DtlsFlights().read(layer(("Handshake Protocol", -1, 0, 0, 0, 0)), CLIENT) == ([("handshake", CLOSED)], [])


def test_a_layer_gets_the_names_of_tls():
    named = as_tls(SimpleNamespace(_all_fields={"dtls.handshake.ja3": 1, "udp.srcport": 2}))
    assert named._all_fields == {"tls.handshake.ja3": 1, "udp.srcport": 2}
