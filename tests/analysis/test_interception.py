"""Interception is proven, excluded or possible by what both places show, and never by a guess."""

from dataclasses import replace

from two_taps import HOUR

from analyzer.analysis.clock_offset import ClockOffset
from analyzer.analysis.connection_trace import ConnectionTrace
from analyzer.analysis.interception import (
    CONNECTION,
    EXCLUDED,
    POSSIBLE,
    PROVEN,
    SERVER_NAME,
    SERVER_RANDOM,
    UNKNOWN,
    PlaceSession,
    join_by_connection,
    join_by_name,
    join_by_random,
    offset_by_names,
    overall,
)
from analyzer.analysis.joined_traces import CLIENT_RANDOM, SEQUENCE, JoinedTrace

SECOND = 1_000_000_000
KEY = bytes(12)
HONEST = PlaceSession(
    id=0,
    frame=1,
    key=KEY,
    at=HOUR,
    end=HOUR + 5 * SECOND,
    client_random=b"c" * 32,
    server_random=b"s" * 32,
    hello=b"hello",
    key_share=b"",
    certificates=("aa" * 32, "bb" * 32),
    issuer="CN=Honest CA",
    server_name="shop.example",
    version="TLS 1.2",
    cipher_suite="TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    ja4="t12d",
)
PROXY = replace(
    HONEST,
    client_random=b"p" * 32,
    server_random=b"q" * 32,
    hello=b"other",
    certificates=("cc" * 32,),
    issuer="CN=Proxy",
    ja4="t13d",
)


def clock(offset: int = 0) -> ClockOffset:
    return ClockOffset(offset, 1000, offset, 0, None, None, None, 0, 9, 1)


def test_equal_hellos_exclude():
    (pair,) = join_by_random([HONEST], [replace(HONEST, id=7)])
    assert (pair.a.id, pair.b.id, pair.by, pair.verdict, pair.differences) == (0, 7, CLIENT_RANDOM, EXCLUDED, [])


def test_hidden_certificates_do_not_change_that_in_tls13():
    hidden = replace(HONEST, certificates=None, issuer=None)
    (pair,) = join_by_random([HONEST], [hidden])
    assert pair.verdict == UNKNOWN
    (pair,) = join_by_random([replace(HONEST, version="TLS 1.3")], [replace(hidden, version="TLS 1.3")])
    assert pair.verdict == EXCLUDED


def test_a_session_without_a_certificate_has_a_secret_of_both_or_is_anonymous():
    resumed = replace(HONEST, certificates=(), issuer=None)
    for suite, verdict in ((HONEST.cipher_suite, EXCLUDED), ("TLS_DH_anon_WITH_AES_128_CBC_SHA", UNKNOWN), (None, UNKNOWN)):
        (pair,) = join_by_random([replace(resumed, cipher_suite=suite)], [replace(resumed, cipher_suite=suite)])
        assert pair.verdict == verdict


def test_another_certificate_or_hello_for_one_random_is_a_proof():
    (pair,) = join_by_random([HONEST], [replace(HONEST, certificates=("cc" * 32,), issuer="CN=Proxy")])
    assert pair.verdict == PROVEN
    assert [one.fact for one in pair.differences] == ["certificate", "issuer"]
    (pair,) = join_by_random([HONEST], [replace(HONEST, hello=b"x", server_random=b"x" * 32)])
    assert (pair.verdict, [one.fact for one in pair.differences]) == (PROVEN, ["server_random"])
    (pair,) = join_by_random([HONEST], [replace(HONEST, hello=b"another key share")])
    assert (pair.verdict, [one.fact for one in pair.differences]) == (PROVEN, ["server_hello"])


def test_a_missing_hello_leaves_it_unknown():
    (pair,) = join_by_random([HONEST], [replace(HONEST, hello=None, server_random=b"")])
    assert pair.verdict == UNKNOWN
    retried = replace(HONEST, hello=None, version="TLS 1.3")  # behind a HelloRetryRequest
    (pair,) = join_by_random([retried], [retried])
    assert pair.verdict == EXCLUDED
    (pair,) = join_by_random([retried], [replace(retried, certificates=None, issuer=None)])
    assert pair.verdict == UNKNOWN
    shared = replace(retried, key_share=b"k" * 32, certificates=None)
    for key_share, verdict in ((b"k" * 32, EXCLUDED), (b"p" * 32, UNKNOWN)):
        (pair,) = join_by_random([shared], [replace(shared, key_share=key_share)])
        assert pair.verdict == verdict


def test_sessions_without_a_random_are_not_joined_by_it():
    blind = replace(HONEST, client_random=b"", server_random=b"")
    assert join_by_random([blind], [blind]) == []


def test_a_missing_client_hello_is_made_up_for_by_the_server_random():
    late = replace(HONEST, client_random=b"", id=4)
    (pair,) = join_by_random([HONEST], [late])
    assert (pair.by, pair.verdict) == (SERVER_RANDOM, EXCLUDED)
    assert join_by_random([HONEST], [replace(HONEST, client_random=b"x" * 32)]) == []


def test_a_random_that_comes_twice_is_paired_by_the_server_random():
    other = replace(HONEST, id=1, server_random=b"t" * 32, hello=b"second")
    pairs = join_by_random([HONEST, other], [replace(other, id=5), replace(HONEST, id=6)])
    assert [(pair.a.id, pair.b.id, pair.verdict) for pair in pairs] == [(0, 6, EXCLUDED), (1, 5, EXCLUDED)]


def in_one_connection(same_numbers: bool | None) -> JoinedTrace:
    joined = JoinedTrace(ConnectionTrace(6, KEY, 1, 0), ConnectionTrace(6, KEY, 1, 0), SEQUENCE)
    joined.same_numbers = same_numbers
    return joined


def test_another_random_in_the_same_connection_is_a_proof():
    for same_numbers, verdict in ((True, PROVEN), (None, POSSIBLE), (False, POSSIBLE)):
        joined = in_one_connection(same_numbers)
        (pair,) = join_by_connection([(HONEST, joined)], [(PROXY, joined)])
        assert (pair.by, pair.verdict) == (CONNECTION, verdict)
    blind = replace(HONEST, client_random=b"")
    (pair,) = join_by_connection([(HONEST, joined)], [(blind, joined)])
    assert (pair.verdict, pair.differences) == (UNKNOWN, [])
    assert join_by_connection([(HONEST, joined)], [(PROXY, in_one_connection(True))]) == []


def test_name_and_time_are_possible_with_what_differs():
    late = replace(PROXY, id=3, at=PROXY.at + SECOND // 20 + 7 * HOUR, end=PROXY.end + 7 * HOUR)
    (pair,) = join_by_name([HONEST], [late], clock(7 * HOUR))
    assert (pair.by, pair.verdict) == (SERVER_NAME, POSSIBLE)
    assert [(one.fact, one.a, one.b) for one in pair.differences] == [
        ("certificate", "aa" * 32, "cc" * 32), ("issuer", "CN=Honest CA", "CN=Proxy"), ("ja4", "t12d", "t13d"),
    ]  # fmt: skip
    assert join_by_name([HONEST], [late], clock()) == []


def test_sessions_that_differ_in_nothing_are_other_sessions():
    assert join_by_name([HONEST], [replace(HONEST, client_random=b"other" * 6)], clock()) == []
    assert join_by_name([HONEST], [replace(HONEST, client_random=b"other" * 6, ja4="t13d")], clock()) == []
    hidden = replace(HONEST, certificates=None, issuer=None)
    (pair,) = join_by_name([hidden], [replace(hidden, client_random=b"other" * 6, ja4="t13d")], clock())
    assert [one.fact for one in pair.differences] == ["ja4"]


def test_another_name_or_a_later_session_is_not_paired():
    assert join_by_name([HONEST], [replace(PROXY, server_name="other.example")], clock()) == []
    assert join_by_name([HONEST], [replace(PROXY, server_name=None)], clock()) == []
    after = replace(PROXY, at=HONEST.end + SECOND, end=HONEST.end + 2 * SECOND)
    assert join_by_name([HONEST], [after], clock()) == []


def test_each_session_is_paired_once_with_the_nearest():
    mine = [replace(HONEST, id=n, at=HOUR + n * SECOND, end=HOUR + 60 * SECOND) for n in range(4)]
    theirs = [replace(PROXY, id=n, at=one.at + 50_000_000, end=one.end) for n, one in enumerate(mine)]
    assert [(pair.a.id, pair.b.id) for pair in join_by_name(mine, theirs[::-1], clock())] == [(n, n) for n in range(4)]


def test_an_offset_that_many_names_agree_on():
    starts = (0, 3, 10, 70)
    mine = [replace(HONEST, id=n, at=at * SECOND, server_name=f"{n}.example") for n, at in enumerate(starts)]
    theirs = [
        replace(PROXY, id=n, at=one.at + 9 * HOUR + n * 1_000_000, server_name=one.server_name) for n, one in enumerate(mine)
    ]
    found = offset_by_names(mine, [*theirs, replace(PROXY, id=9, at=5, server_name="0.example")])
    assert found is not None
    assert (found.by, found.n_samples, found.uncertainty) == ("names", 4, None)
    assert abs(found.offset - 9 * HOUR) < 10_000_000
    assert offset_by_names(mine[:3], [theirs[0], replace(theirs[1], at=0), replace(theirs[2], at=99 * HOUR)]) is None
    assert offset_by_names([], theirs) is None


def test_the_worst_verdict_is_that_of_all():
    assert overall([EXCLUDED, POSSIBLE, EXCLUDED]) == POSSIBLE
    assert overall([EXCLUDED, UNKNOWN]) == EXCLUDED
    assert overall([]) == UNKNOWN
