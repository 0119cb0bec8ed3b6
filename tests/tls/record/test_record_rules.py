"""Each rule of the record layer with what breaks it and what does not; `test_record_check` has the sessions."""

import pytest

from analyzer.tls.record.record_rules import (
    CLOSED,
    FAILED,
    after_end,
    change_fault,
    empty,
    ending,
    heartbeat_fault,
    inner_type,
    interleaved,
    longest_on_the_wire,
    too_long,
    wrong_version,
)


@pytest.mark.parametrize(
    ("alert", "tls13", "wanted"),
    [
        ((1, 0), False, CLOSED), ((2, 0), True, CLOSED), ((2, 40), False, FAILED), ((1, 40), False, 0), ((1, 40), True, FAILED),
        ((1, 90), True, 0), ((1, 90), False, 0), ((1, 112), False, 0),
    ],
)  # fmt: skip
def test_how_an_alert_ends_a_side(alert: tuple[int, int], tls13: bool, wanted: int):
    assert ending(*alert, tls13) == wanted


@pytest.mark.parametrize(
    ("longest", "encrypted", "tls13", "compressed", "wanted"),
    [
        (16384, False, False, False, 16384), (16384, True, True, False, 16640), (16384, True, False, False, 18432),
        (512, False, False, False, 512), (512, True, False, False, 832), (512, True, False, True, 1856),
    ],
)  # fmt: skip
def test_how_long_a_record_can_be(longest: int, encrypted: bool, tls13: bool, compressed: bool, wanted: int):
    assert longest_on_the_wire(longest, encrypted, tls13, compressed) == wanted


def test_a_change_of_ciphers():
    assert change_fault(0, b"\1", 1, False) is None
    for body, finished in ((b"\2", False), (b"\1\1", False), (b"", False), (b"\1", True)):
        found = change_fault(1, body, len(body), finished)
        assert found is not None
        assert found[:2] == ("bad_change_cipher_spec", "medium")


def test_the_type_inside_a_record():
    assert [inner_type(0, number) for number in (21, 22, 23, 24)] == [None] * 4
    assert [(inner_type(0, number) or ("",))[0] for number in (20, 99)] == ["bad_change_cipher_spec", "unexpected_record"]


def test_heartbeats():
    assert heartbeat_fault(0, True, True) is None
    assert heartbeat_fault(0, True, False) != heartbeat_fault(0, False, False) is not None


def test_sentences():
    assert empty(0, 21)[2] == "the client sent a record of type alert without content: an empty fragment"
    assert wrong_version(1, 0x0301, 0x0303)[2].startswith("a record of the server has the version 0x0301")
    assert (
        too_long(0, 20000, 16640)[2]
        == "the client sent a record of 20000 bytes on the wire, and no more than 16640 are allowed"
    )
    assert interleaved(0, 23)[1] == "medium"
    assert [after_end(0, how, 23)[1] for how in (CLOSED, FAILED)] == ["low", "medium"]
