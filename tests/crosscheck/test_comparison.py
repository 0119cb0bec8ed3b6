"""Two sets of facts, field by field."""

from analyzer.crosscheck.comparison import compare, compare_lists
from analyzer.crosscheck.facts import Fact, Facts


def facts_of(**values: str) -> Facts:
    return Facts(scalars={name: Fact(text, 4) for name, text in values.items()})


def test_equal_facts_agree():
    ours = facts_of(version="TLS 1.3", ja3="ab")
    compared, differences = compare(ours, facts_of(version="TLS 1.3", ja3="ab"))
    assert compared == {"version": 1, "ja3": 1} | dict.fromkeys(compared, 0) | {"version": 1, "ja3": 1}
    assert differences == []


def test_a_value_that_one_has_is_a_difference_and_one_that_neither_has_is_not_counted():
    compared, differences = compare(facts_of(alpn="h2"), facts_of())
    assert compared.total() == 1
    [difference] = differences
    assert (difference.field, difference.ours, difference.tshark, difference.frame) == ("alpn", Fact("h2", 4), None, 4)


def test_what_this_tshark_does_not_have_is_not_compared():
    assert compare(facts_of(ja4="t13d"), facts_of(), frozenset({"ja4"}))[0].total() == 0
    assert compare(facts_of(ja4="t13d"), facts_of())[0].total() == 1


def test_lengths_are_compared_only_where_both_are_known():
    assert compare(facts_of(client_bytes="7"), facts_of())[0].total() == 0
    compared, differences = compare(facts_of(client_bytes="7"), facts_of(client_bytes="8"))
    assert (compared.total(), len(differences)) == (1, 1)


def test_lists_are_compared_item_by_item():
    ours = [Fact("client client_hello", 4), Fact("server server_hello", 6), Fact("server certificate", 6)]
    theirs = [Fact("server certificate", 7), Fact("client client_hello", 4)]
    n_compared, differences = compare_lists("handshake", ours, theirs)
    assert n_compared == 3
    assert [(one.ours, one.tshark) for one in differences] == [(ours[2], theirs[0]), (ours[1], None)]


def test_an_item_that_comes_twice_counts_twice():
    twice = [Fact("server new_session_ticket", 9)] * 2
    assert compare_lists("handshake", twice, twice) == (2, [])
    n_compared, [difference] = compare_lists("handshake", twice, twice[:1])
    assert (n_compared, difference.ours, difference.tshark) == (2, twice[0], None)


def test_encrypted_is_not_paired_with_the_other_side():
    n_compared, differences = compare_lists("alerts", [Fact("client encrypted", 9)], [Fact("server fatal x", 9)])
    assert n_compared == 2
    assert [(one.ours is None, one.tshark is None) for one in differences] == [(False, True), (True, False)]


def test_certificates_are_the_same_in_any_frame():
    assert compare_lists("certificates", [Fact("server ab", 6)], [Fact("server ab", 9)]) == (1, [])


def test_certificates_that_differ_have_their_frames():
    n_compared, differences = compare_lists(
        "certificates", [Fact("server ab", 6)] * 2, [Fact("server ab", 9), Fact("server cd", 9)]
    )
    assert n_compared == 2
    assert [(one.field, one.ours, one.tshark) for one in differences] == [
        ("certificates", Fact("server ab", 6), Fact("server cd", 9))
    ]
