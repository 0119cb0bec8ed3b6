"""What QUIC sessions came to that did not just end well."""

from dataclasses import replace

from quic_talks import CLIENT, SERVER, V2, Sent, Talk, only, read_talk

from analyzer.analysis.outcome import outcome
from analyzer.analysis.outcome_facts import ABANDONED, ESTABLISHED, FAILED, UNKNOWN, Outcome


def outcome_of(sent: list[Sent], keys: bytes = b"", apart: int = 1) -> Outcome:
    tap = read_talk((), keys)
    for one in sent:
        tap.feed_bytes(one.frame(), one.cut)
        tap.at += apart * 1_000_000
    return outcome(only(tap))


def test_nobody_answers() -> None:
    talk = Talk()
    talk.client.connect(("10.0.0.2", 443), now=0)
    first = [Sent(CLIENT, data) for data, _ in talk.client.datagrams_to_send(0)]
    tries = list(first)
    while len(tries) < 4:
        at = talk.client.get_timer()
        assert at is not None
        talk.client.handle_timer(at)
        tries += [Sent(CLIENT, data) for data, _ in talk.client.datagrams_to_send(at)]
    known = outcome_of(tries[:4], apart=700)
    assert (known.result, known.cause, known.ended_by) == (ABANDONED, "no_answer", "nobody")
    assert known.detail == "the client sent 4 Initial packets in 2.1 s, and no packet came back"
    assert outcome_of(first).result == UNKNOWN  # the capture may end too early


def test_a_version_that_the_server_does_not_speak() -> None:
    talk = Talk(version=V2)
    talk.client.connect(("10.0.0.2", 443), now=0)
    ((data, _),) = talk.client.datagrams_to_send(0)
    ids = data[6:14], data[15:23]
    answer = b"\x80\0\0\0\0\x08" + ids[1] + b"\x08" + ids[0] + b"\0\0\0\1\x0a\x0a\x0a\x0a"
    known = outcome_of([Sent(CLIENT, data), Sent(SERVER, answer)])
    assert (known.result, known.cause) == (FAILED, "no_common_version")
    assert known.detail == "the client spoke QUIC 2, and the server offered QUIC 1, GREASE 0x0a0a0a0a"
    stranger = answer.replace(ids[0], b"12345678")
    assert outcome_of([Sent(CLIENT, data), Sent(SERVER, stranger)]).result == UNKNOWN


def test_the_server_closes_with_an_error() -> None:
    talk = Talk().connect().say(CLIENT, 0, b"question")
    assert talk.server is not None
    talk.server.close(error_code=1, frame_type=8, reason_phrase="out of memory")
    talk.carry(2)
    known = outcome_of(talk.sent, talk.keys)
    assert (known.result, known.cause, known.ended_by) == (FAILED, "internal_error", "server")
    assert known.detail is not None
    assert known.detail.endswith('with the code INTERNAL_ERROR: "out of memory"')


def test_an_alert_in_a_close() -> None:
    talk = Talk()
    talk.configuration.alpn_protocols = ["other"]
    talk.connect()
    known = outcome_of(talk.sent, talk.keys)
    assert (known.result, known.cause) == (FAILED, "no_common_alpn")


def test_a_stateless_reset() -> None:
    talk = Talk().connect().say(CLIENT, 0, b"question")
    assert talk.server is not None
    token = talk.server._host_cids[-1].stateless_reset_token
    reset = Sent(SERVER, b"\x41" + bytes(30) + token)
    known = outcome_of([*talk.sent, reset], talk.keys)
    assert (known.result, known.cause, known.ended_by) == (FAILED, "reset_by_peer", "server")
    plain = outcome_of([*talk.sent, replace(reset, payload=b"\x41" + bytes(46))], talk.keys)
    assert plain.result == ESTABLISHED
