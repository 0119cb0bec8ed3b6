"""Which keys open the records of DTLS: pre-shared keys, and early data, with talks out of the key schedule and captures."""

from pathlib import Path
from typing import Any

import pytest
from conversations import read_sessions
from dtls_injection import Talk
from dtls_talks import CLIENT, DATA, EARLY, IDENTITY, KEY, LABELS, SERVER, DtlsTalk, extension

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record

CAPTURES = Path(__file__).parents[3] / "captures"
CAPTURED_KEY = {b"Client_identity": bytes.fromhex("0123456789abcdef0123456789abcdef")}


def record_of(path: Path, keys: bytes = b"", **given: Any) -> dict[str, Any]:
    """The record of the only session of a capture. keys: a key log."""
    engine = Engine(**given)
    if keys:
        engine.material.keylog = KeyLog()
        engine.material.keylog.take(keys, "keys")
    (session,) = read_sessions(CaptureReader([str(path)]), engine)
    return session_record(session, False)


def early_talk(accepted: bool = True) -> DtlsTalk:
    """Early data, a handshake, and data of both sides."""
    talk = DtlsTalk((b"", b""), EARLY)
    talk.seal(CLIENT, DATA, b"early request", 1)
    talk.shake_hands(extension(42, b"") if accepted else b"")
    talk.seal(CLIENT, DATA, b"hello")
    talk.seal(SERVER, DATA, b"world!")
    return talk


def test_the_talk_is_sealed_as_the_rfc_says(tmp_path: Path) -> None:
    """With all secrets both Finished agree, whose keys and transcript the talk derives in its own way."""
    talk = early_talk()
    record = record_of(talk.write(tmp_path / "a.pcapng"), talk.key_log())
    assert record["decryption"]["status"] == "decrypted"
    assert record["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
    assert record["decryption"]["bytes"] == {"client": 18, "server": 6}
    assert (record["version"], record["resumption"], record["established"]) == ("DTLS 1.3", "psk", True)


@pytest.mark.parametrize("loses_hello", [False, True])
def test_early_data_opens_with_its_own_secret_alone(tmp_path: Path, loses_hello: bool) -> None:
    """Also where no ServerHello is in the capture."""
    talk = early_talk()
    if loses_hello:
        talk.packets = talk.packets[:2]
    record = record_of(talk.write(tmp_path / "a.pcapng"), talk.key_log(LABELS[0]))
    assert record["decryption"]["bytes"] == {"client": 13, "server": 0}


def test_without_its_secret_early_data_hides_nothing_of_the_handshake(tmp_path: Path) -> None:
    talk = early_talk()
    record = record_of(talk.write(tmp_path / "a.pcapng"), talk.key_log(*LABELS[1:]))
    assert (record["decryption"]["status"], record["decryption"]["failed"]) == ("partial", 1)
    assert record["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
    assert record["authenticity"]["client_signature"] == "absent"


def test_early_data_that_the_server_rejects_is_not_what_the_session_carried(tmp_path: Path) -> None:
    talk = early_talk(accepted=False)
    record = record_of(talk.write(tmp_path / "a.pcapng"), talk.key_log())
    assert "early_data_rejected" in {one["code"] for one in record["findings"]}


def test_a_pre_shared_key_alone_opens_a_session_without_a_key_share(tmp_path: Path) -> None:
    path = early_talk().write(tmp_path / "a.pcapng")
    record = record_of(path, psks={IDENTITY: KEY})
    assert (record["decryption"]["status"], record["decryption"]["records"]) == ("decrypted", 6)
    assert record["decryption"]["bytes"] == {"client": 18, "server": 6}
    assert record["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
    for wrong in ({IDENTITY: KEY[::-1]}, {b"another": KEY}):
        assert record_of(path, psks=wrong)["decryption"]["status"] == "none"


def test_a_second_hello_after_early_data_is_read(tmp_path: Path) -> None:
    """A HelloRetryRequest rejects early data; what follows in plaintext is still the client's."""
    talk = early_talk()
    first = talk.packets[0][1]
    talk.packets = talk.packets[:2]
    retry = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
    body = b"\xfe\xfd" + retry + b"\0\x13\1\0" + b"\0\x06" + extension(43, b"\xfe\xfc")
    talk.numbers.clear()
    talk.sequences = [1, 0]
    talk.say(SERVER, talk.message(SERVER, 2, body))
    talk.numbers[CLIENT, 0] = 0
    talk.say(CLIENT, talk.message(CLIENT, 1, first[42 + 25 :]))
    record = record_of(talk.write(tmp_path / "a.pcapng"))
    assert [one["type"] for one in record["handshake"]] == ["client_hello", "hello_retry_request", "client_hello"]


def test_a_recorded_session_of_dtls_1_2_opens_with_its_pre_shared_key() -> None:
    path = CAPTURES / "dtls12-psk" / "dtls12-psk.pcapng"
    record = record_of(path, psks=CAPTURED_KEY)
    assert record["decryption"]["status"] == "decrypted"
    assert record["decryption"]["bytes"] == {"client": 18, "server": 20}
    assert record["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
    assert record_of(path, psks={b"Client_identity": b"wrong"})["decryption"]["status"] == "none"


def test_with_a_key_share_a_pre_shared_key_does_not_open_a_recorded_session_of_dtls_1_3() -> None:
    """The binder of wolfSSL's hello, after a HelloRetryRequest, shows that the key is right; the group's secret is missing."""
    path = CAPTURES / "dtls13-psk" / "dtls13-psk.pcapng"
    record = record_of(path, psks=CAPTURED_KEY)
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("none", "ephemeral_key_exchange")
    assert record_of(path, psks={b"Client_identity": b"wrong"})["decryption"]["reason"] == "no_secret"


@pytest.mark.parametrize("label", ["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"])
def test_a_key_update_where_key_logs_contradict_each_other(label: str, tmp_path: Path):
    """One of several secrets opened the epoch before; the next one follows from that."""
    name = "dtls13-key-update"
    (honest,) = Talk(name).read(tmp_path)
    talk = Talk(name)
    line = next(one for one in (CAPTURES / name / f"{name}.keys").read_bytes().splitlines() if one.startswith(label.encode()))
    for wrong in (bytes(48), bytes(47) + b"\1"):
        words = line.split()
        talk.keys.take(b" ".join((*words[:2], wrong.hex()[: len(words[2])].encode())) + b"\n", "others")
    (found,) = talk.read(tmp_path)
    for key in ("decryption", "established", "authenticity"):
        assert found[key] == honest[key]
