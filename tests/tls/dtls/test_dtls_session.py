"""Records of a stranger cost a DTLS session nothing, and say nothing about it."""

from pathlib import Path
from typing import Any

import pytest
from dtls_injection import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, CLIENT, HANDSHAKE, SERVER, Talk, message, plain

RUBBISH = bytes(range(60))
GAVE_UP = b"\2\x28"
"""The fatal alert handshake_failure."""

SHOWN = (
    "version", "cipher_suite", "group", "established", "ja3", "ja3s", "server_name", "chain", "certificates", "authenticity",
    "resumed", "resumption", "decryption",
)  # fmt: skip


def facts(record: dict[str, Any]) -> dict[str, Any]:
    """What a session record shows that does not depend on frames, with its result and findings."""
    shown: dict[str, Any] = {key: record[key] for key in SHOWN}
    shown["result"] = record["outcome"]["result"], record["outcome"]["cause"]
    shown["findings"] = sorted((one["severity"], one["code"]) for one in record["findings"] if one["code"] != "ignored_alert")
    return shown


@pytest.mark.parametrize("name", ["dtls12-cookie", "dtls12-psk", "dtls10-rsa"])
@pytest.mark.parametrize("epoch", [1, 2, 5])
def test_a_record_of_any_epoch_before_the_keys_are_used(name: str, epoch: int, tmp_path: Path):
    """The keys of an epoch are bound to it by a record that opens."""
    for keys in (True, False):
        (honest,) = Talk(name).read(tmp_path, keys)
        for place in range(2, len(honest["handshake"])):
            talk = Talk(name)
            if place < len(talk.packets):
                talk.insert(place, place % 2, plain(HANDSHAKE, RUBBISH, 3, epoch))
                (found,) = talk.read(tmp_path, keys)
                if keys or epoch > 2:
                    assert facts(found) == facts(honest)
                assert facts(found)["findings"] == facts(honest)["findings"]


@pytest.mark.parametrize("first", [0x2C, 0x2D, 0x2E, 0x2F])
def test_a_record_with_a_unified_header(first: int, tmp_path: Path):
    (honest,) = Talk("dtls13-cookie").read(tmp_path)
    for place in (2, 5, 10, 17):
        for role in (CLIENT, SERVER):
            talk = Talk("dtls13-cookie")
            talk.insert(place, role, bytes((first, 0, 7, 0, len(RUBBISH))) + RUBBISH)
            (found,) = talk.read(tmp_path)
            assert facts(found) == facts(honest)


@pytest.mark.parametrize("name", ["dtls12-cookie", "dtls13-cookie"])
@pytest.mark.parametrize("role", [CLIENT, SERVER])
@pytest.mark.parametrize("alert", [GAVE_UP, b"\1\0"], ids=["handshake_failure", "close_notify"])
def test_an_alert_behind_which_its_role_goes_on(name: str, role: int, alert: bytes, tmp_path: Path):
    """It counts for nothing, and no packet behind it is lost."""
    for keys in (True, False):
        (honest,) = Talk(name).read(tmp_path, keys)
        for place in (1, 2, 3, 4):
            talk = Talk(name)
            talk.insert(place, role, plain(ALERT, alert, 50))
            (found,) = talk.read(tmp_path, keys)
            assert facts(found) == facts(honest)
            told = [one["code"] for one in found["findings"] if one["code"] == "ignored_alert"]
            injected = [one for one in found["alerts"] if one["injected"]]
            dropped = (name, role, place) == ("dtls13-cookie", SERVER, 4)  # behind its ServerHello: not a plaintext record
            assert len(told) == len(injected) == (0 if dropped else 1)


def test_an_alert_behind_which_nothing_comes(tmp_path: Path):
    """A server that cannot agree sends nothing else."""
    talk = Talk("dtls12-cookie")
    talk.insert(3, SERVER, plain(ALERT, GAVE_UP, 1))
    del talk.packets[4:]
    (found,) = talk.read(tmp_path)
    assert found["established"] is False
    assert found["outcome"]["result"] == "failed"
    assert [one["code"] for one in found["findings"] if one["severity"] == "medium"] == ["fatal_alert"]


@pytest.mark.parametrize("name", ["dtls12-cookie", "dtls12-resumption", "dtls13-cookie", "dtls13-loss"])
@pytest.mark.parametrize("body", [b"\1", b"\2", b""], ids=["1", "2", "empty"])
def test_a_change_cipher_spec(name: str, body: bytes, tmp_path: Path):
    """DTLS 1.3 drops it (RFC 9147 section 5); up to 1.2, the first record with other keys shows whether it was its role's."""
    for keys in (True, False):
        sessions = [facts(one) for one in Talk(name).read(tmp_path, keys)]
        for place in (1, 3, 4, 5):
            for role in (CLIENT, SERVER):
                talk = Talk(name)
                talk.insert(place, role, plain(CHANGE_CIPHER_SPEC, body, 50))
                assert [facts(one) for one in talk.read(tmp_path, keys)] == sessions


@pytest.mark.parametrize("name", ["dtls12-cookie", "dtls13-cookie"])
def test_a_message_far_ahead(name: str, tmp_path: Path):
    """What waits for messages that never come does not keep the real records back."""
    (honest,) = Talk(name).read(tmp_path)
    for place in (3, 4):
        for role in (CLIENT, SERVER):
            talk = Talk(name)
            talk.insert(place, role, plain(HANDSHAKE, message(11, 20, RUBBISH)))
            assert facts(talk.read(tmp_path)[0]) == facts(honest)


def test_forged_alerts_of_both_sides_do_not_end_a_session(tmp_path: Path):
    """Nobody without the keys can tell them from real ones, but the session goes on behind them."""
    for keys in (True, False):
        (honest,) = Talk("dtls12-cookie").read(tmp_path, keys)
        talk = Talk("dtls12-cookie")
        for role in (CLIENT, SERVER):
            talk.insert(6, role, plain(ALERT, RUBBISH[:26], 40, 1))
        (found,) = talk.read(tmp_path, keys)
        assert found["last_frame"] == honest["last_frame"] + 2
        assert found["established"] is True
        if keys:
            assert facts(found) == facts(honest)


@pytest.mark.parametrize("name", ["dtls12-cookie", "dtls13-cookie"])
@pytest.mark.parametrize("seconds", [1, 30])
def test_an_alert_in_a_pause(name: str, seconds: int, tmp_path: Path):
    """In plaintext it is nobody's behind the handshake."""
    (honest,) = Talk(name).read(tmp_path)
    for role in (CLIENT, SERVER):
        talk = Talk(name)
        place = 6 if name == "dtls12-cookie" else 20
        talk.insert(place, role, plain(ALERT, GAVE_UP, 50))
        behind = [(at + seconds * 1_000_000, frame) for at, frame in talk.packets[place + 1 :]]
        talk.packets[place + 1 :] = behind
        (found,) = talk.read(tmp_path)
        assert facts(found) == facts(honest)


def test_a_message_that_the_capture_lacks_in_part_is_a_gap(tmp_path: Path):
    """No peer is blamed for it."""
    talk = Talk("dtls12-fragments")
    for place in range(talk.first(11), len(talk.packets)):
        few = Talk("dtls12-fragments")
        del few.packets[place]
        for keys in (True, False):
            for record in few.read(tmp_path, keys):
                assert "message_problem" not in [one["code"] for one in record["findings"]]


@pytest.mark.parametrize("content_type", [ALERT, HANDSHAKE, APPLICATION_DATA, 24, 25, 26])
@pytest.mark.parametrize("epoch", [0, 1])
def test_empty_records_and_unknown_types(content_type: int, epoch: int, tmp_path: Path):
    for name in ("dtls12-cookie", "dtls13-cookie"):
        (honest,) = Talk(name).read(tmp_path)
        for place in (2, 4, 7):
            for body in (b"", RUBBISH):
                talk = Talk(name)
                talk.insert(place, place % 2, plain(content_type, body, 40, epoch))
                assert facts(talk.read(tmp_path)[0]) == facts(honest)
