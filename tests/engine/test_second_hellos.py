"""A second ClientHello on the ports of one that nobody has answered: its answer is not held against the first one."""

from pathlib import Path
from typing import Any

import pytest
from dtls_injection import CAPTURED, Talk

SECOND = 1_000_000


def joined(first: str, second: str, seconds: float) -> Talk:
    """The first hello of one session, and all of another one on its ports, some seconds later."""
    talk, other = Talk(first), Talk(second)
    model = talk.packets[0][1]
    begin = talk.packets[0][0] + int(seconds * SECOND) - other.packets[0][0]
    ends = {0: model[26:38], 1: model[30:34] + model[26:30] + model[36:38] + model[34:36]}
    packets = [
        (begin + at, frame[:24] + bytes(2) + ends[other.role(place)] + frame[38:40] + bytes(2) + frame[42:])
        for place, (at, frame) in enumerate(other.packets)
    ]
    talk.packets = [talk.packets[0], *packets]
    talk.keys.take((CAPTURED / second / f"{second}.keys").read_bytes(), "keys")
    return talk


def told(record: dict[str, Any]) -> set[str]:
    return {one["code"] for one in record["findings"] if one["severity"] in ("medium", "high")}


@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize("seconds", [1, 3.5])
@pytest.mark.parametrize("second", ["dtls13-srtp", "dtls13-cookie", "dtls12-psk"])
def test_nobody_is_blamed_where_two_hellos_can_be_answered(second: str, seconds: float, keys: bool, tmp_path: Path):
    for record in joined("dtls12-client-certificate", second, seconds).read(tmp_path, keys):
        assert not told(record)
        assert record["authenticity"]["server_signature"] != "failed"
        assert record["established"] is not False


@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize("second", ["dtls13-srtp", "dtls13-cookie", "dtls12-psk"])
def test_a_client_that_sends_nothing_for_long_has_left(second: str, keys: bool, tmp_path: Path):
    """It would have sent its hello again; so what is answered is the second one."""
    (honest,) = Talk(second).read(tmp_path, keys)
    first, found = joined("dtls12-client-certificate", second, 30).read(tmp_path, keys)
    assert first["version"] is None
    assert not told(first)
    for key in ("version", "cipher_suite", "established", "ja3", "ja3s", "authenticity"):
        assert found[key] == honest[key]
    assert not told(found)
