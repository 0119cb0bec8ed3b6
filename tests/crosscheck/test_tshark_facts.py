"""What tshark says of a stream: a second session on the same connection is another one."""

from analyzer.crosscheck.facts import Fact
from analyzer.crosscheck.tshark_facts import StreamFacts

CLIENT, SERVER = ("192.0.2.9", 50000), ("192.0.2.1", 443)
FIRST, ANSWER = ("handshake", CLIENT, Fact("client_hello", 4)), ("handshake", SERVER, Fact("server_hello", 5))
SECOND, REST = ("handshake", CLIENT, Fact("client_hello", 16)), ("alerts", SERVER, Fact("warning close_notify", 27))


def stream() -> StreamFacts:
    length = {CLIENT: Fact("600", 29), SERVER: Fact("2000", 30)}
    return StreamFacts(
        7, frozenset((CLIENT, SERVER)), 4, 30, [FIRST, ANSWER, SECOND, REST], [(CLIENT, 4), (CLIENT, 16)], length
    )


def test_a_stream_is_cut_at_the_hello_behind_a_frame():
    whole = stream()
    later = whole.split(15)
    assert later is not None
    assert (whole.found, whole.hellos, whole.length, whole.last_frame) == ([FIRST, ANSWER], [(CLIENT, 4)], {}, 15)
    assert (later.number, later.first_frame, later.last_frame) == (7, 16, 30)
    assert (later.found, later.hellos) == ([SECOND, REST], [(CLIENT, 16)])
    assert later.facts(CLIENT).scalars["server_bytes"] == Fact("2000", 30)


def test_without_a_later_hello_nothing_is_cut():
    whole = stream()
    assert whole.split(16) is None
    assert whole == stream()


def test_the_client_is_who_sent_the_hello():
    assert stream().client == CLIENT
    assert StreamFacts(7, frozenset((CLIENT, SERVER)), 4).client is None
