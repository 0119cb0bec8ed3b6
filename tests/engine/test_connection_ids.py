"""Sessions of DTLS 1.3 that move to another port under an ID of NewConnectionId (RFC 9147 section 9)."""

from pathlib import Path
from typing import Any

import pytest
from conversations import ended, read_sessions
from dtls_talks import ACK, CLIENT, DATA, SERVER, DtlsTalk, sized

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.main import main
from analyzer.cli.sharing import can_share
from analyzer.engine import Engine, connection_ids
from analyzer.engine.connection_ids import KnownIds
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record
from analyzer.tls.dtls.hello_ids import HelloIds

NEW, LONGER = b"new-id-1", b"another-longer"


def announce(talk: DtlsTalk, role: int, *ids: bytes) -> None:
    """Let a role send a NewConnectionId."""
    talk.tell(role, 10, sized(b"".join(sized(one, 1) for one in ids), 2) + b"\1")


def moving_talk(port: int = 49202, ids: tuple[bytes, bytes] = (b"CCCCCCCC", b"SSSSSSSS")) -> DtlsTalk:
    """The client asks for IDs, moves to another port, and to a third one."""
    talk = DtlsTalk(ids, ports=(port, 4433)).shake_hands()
    talk.seal(CLIENT, DATA, b"hello")
    talk.tell(CLIENT, 9, b"\2")
    mark = port.to_bytes(2, "big")
    announce(talk, SERVER, NEW + mark, LONGER + mark)
    talk.seal(CLIENT, ACK, sized(b"", 2))
    talk.ports, talk.ids[SERVER] = (port + 100, 4433), LONGER + mark
    talk.seal(CLIENT, DATA, b"moved")
    talk.seal(SERVER, DATA, b"seen")
    talk.ports, talk.ids[SERVER] = (port + 200, 4433), NEW + mark
    talk.send(CLIENT, talk.record(CLIENT, DATA, b"moved ") + talk.record(CLIENT, DATA, b"again"))
    return talk


def records_of(talk: DtlsTalk, path: Path, keys: bytes | None = None) -> list[dict[str, Any]]:
    keylog = KeyLog()
    keylog.take(talk.key_log() if keys is None else keys, "keys")
    reader = CaptureReader([str(talk.write(path))])
    return [session_record(session, False) for session in read_sessions(reader, Engine(keylog=keylog))]


@pytest.mark.parametrize("own", [b"CCCCCCCC", b""], ids=["both", "only the server"])
def test_a_session_stays_one_and_opens(tmp_path: Path, own: bytes) -> None:
    talk = moving_talk(ids=(own, b"SSSSSSSS"))
    (record,) = records_of(talk, tmp_path / "a.pcapng")
    assert record["decryption"]["status"] == "decrypted"
    assert record["decryption"]["bytes"] == {"client": 21, "server": 4}
    assert (record["client"]["port"], record["last_frame"]) == (49202, len(talk.packets))
    assert [one["type"] for one in record["handshake"]][-2:] == ["request_connection_id", "new_connection_id"]
    (record,) = records_of(talk, tmp_path / "a.pcapng", b"")
    assert record["last_frame"] < len(talk.packets)


def test_the_client_announces_ids_too(tmp_path: Path) -> None:
    talk = DtlsTalk((b"C", b"S")).shake_hands()
    announce(talk, CLIENT, b"Cx", b"", b"Cxy")
    for one in (b"C", b"Cxy", b"Cx"):
        talk.ids[CLIENT] = one
        talk.seal(SERVER, DATA, b"1234")
    (record,) = records_of(talk, tmp_path / "a.pcapng")
    assert record["decryption"]["bytes"] == {"client": 0, "server": 12}
    assert record["decryption"]["failed"] == 0


def test_a_session_goes_on_where_it_moved_when_its_first_ports_are_idle(tmp_path: Path) -> None:
    talk = moving_talk()
    for _ in range(5):
        talk.at += 200_000_000_000
        talk.seal(CLIENT, DATA, b"12345")
    keylog = KeyLog()
    keylog.take(talk.key_log(), "keys")
    engine = Engine(keylog=keylog)
    for frames in CaptureReader([str(talk.write(tmp_path / "a.pcapng"))]).packet_readers():
        while engine.step(frames):
            engine.tick(engine.at)
    assert ended(engine.take()) == []
    engine.tick(talk.at + 301_000_000_000)
    (session,) = ended(engine.take())
    assert session_record(session, False)["decryption"]["bytes"] == {"client": 46, "server": 4}
    assert session.flow.closed == "idle"


def test_a_stranger_with_the_id_opens_nothing(tmp_path: Path) -> None:
    talk = moving_talk()
    talk.ports = (40000, 4433)
    for place in range(20):
        talk.send(CLIENT, b"\x3f" + LONGER + bytes((0, place, 0, 32)) + bytes(32))
    talk.ports, talk.ids[SERVER] = (49202, 4433), b"SSSSSSSS"
    talk.seal(CLIENT, DATA, b"back")
    (record,) = records_of(talk, tmp_path / "a.pcapng")
    assert record["decryption"]["bytes"] == {"client": 25, "server": 4}


@pytest.mark.parametrize("own", [b"CCCCCCCC", b""], ids=["both", "only the server"])
def test_a_stranger_with_the_id_of_a_hello_takes_nothing_away(tmp_path: Path, own: bytes) -> None:
    """What is sent between the first ports afterwards has no ID where only the server has one."""
    talk = DtlsTalk((own, b"SSSSSSSS")).shake_hands()
    for port in (40000, 40001):
        talk.ports = (port, 4433)
        talk.send(CLIENT, b"\x3fSSSSSSSS" + bytes((0, 1, 0, 32)) + bytes(32))
        talk.ports = (49202, 4433)
        talk.seal(SERVER, DATA, b"answer")
        talk.seal(CLIENT, DATA, b"question")
    talk.ports = (40002, 4433)  # and here the client moves indeed
    talk.seal(CLIENT, DATA, b"question")
    talk.seal(SERVER, DATA, b"answer")
    (record,) = records_of(talk, tmp_path / "a.pcapng")
    assert record["decryption"]["bytes"] == {"client": 24, "server": 18}


@pytest.mark.skipif(not can_share(), reason="processes share the work on Linux only")
def test_processes_that_share_a_capture_number_and_order_sessions_alike(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    talks = [moving_talk(40000 + place) for place in range(6)]
    for talk in talks:
        for role in (CLIENT, SERVER):
            talk.seal(role, 21, b"\1\0")
        talk.at += 1_000_000_000
        talk.seal(CLIENT, DATA, b"late")
    packets = [talk.packets[at] for at in range(max(len(talk.packets) for talk in talks)) for talk in talks]
    talks[0].packets = [(talks[0].at + place * 1_000_000, frame) for place, (_, frame) in enumerate(packets)]
    path, keys = talks[0].write(tmp_path / "a.pcapng"), tmp_path / "keys"
    keys.write_bytes(b"".join(talk.key_log() for talk in talks))
    printed = []
    for jobs in ("1", "2", "5"):
        assert main(["sessions", str(path), "-k", str(keys), "--format", "json", "-j", jobs]) == 0
        printed.append(capfd.readouterr().out)
    assert printed[0].count("\n") == 6
    assert printed[1:] == [printed[0]] * 2


def test_a_guest_that_another_one_follows_on_its_ports_is_not_lost(tmp_path: Path) -> None:
    """The ports on which it began were idle, so it has no others."""
    talks = [moving_talk(49202), moving_talk(49203)]
    for talk, later in zip(talks, (0, 1_000_000_000), strict=True):
        talk.at += later
        for _ in range(5):
            talk.at += 200_000_000_000
            talk.ports = (50000, 4433)
            talk.seal(CLIENT, DATA, b"12345")
    talks[0].packets = sorted(talks[0].packets + talks[1].packets)
    keys = b"".join(talk.key_log() for talk in talks)
    keylog = KeyLog()
    keylog.take(keys, "keys")
    engine = Engine(keylog=keylog)
    for frames in CaptureReader([str(talks[0].write(tmp_path / "a.pcapng"))]).packet_readers():
        while engine.step(frames):
            engine.tick(engine.at)
    engine.close()
    assert len(ended(engine.take())) == 2


def test_an_id_is_of_its_server_and_not_too_short(tmp_path: Path) -> None:
    """A datagram of SNMP begins as a record with a connection ID of one byte does."""
    snmp = bytes.fromhex("302a02010104067075626c6963a01d0204") + bytes(28)
    for known, ports in ((b"*", (161, 4433)), (b"*\2\1\1", (40000, 161))):
        talk = DtlsTalk((b"", known)).shake_hands()
        count = len(talk.packets)
        talk.ports = ports
        talk.send(CLIENT, snmp)
        (record,) = records_of(talk, tmp_path / "a.pcapng")
        assert record["last_frame"] == count


def test_the_longest_known_id_is_meant_and_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    known: KnownIds[tuple[int]] = KnownIds()
    monkeypatch.setattr(connection_ids, "MAX_IDS", 2)
    for number, one in enumerate((b"ab", b"abc", b"x")):
        known.add(one, (number,))
    assert known.find(b"\x30abcd", 0, 5) == (1,)
    assert known.find(b"..\x3fabx", 2, 6) == (0,)
    assert known.find(b"\x19" + bytes(10) + b"abc", 0, 14) == (1,)
    assert known.find(b"\x30x", 0, 2) is None
    assert known.find(b"\x2fab", 0, 3) is None
    assert known.find(b"\x16" + bytes(10) + b"abc", 0, 14) is None
    known.forget([b"ab", b"abc", b"nothing"], 1)  # the first one has another owner
    assert known.has(b"ab")
    assert known.find(b"\x30abcd", 0, 5) == (0,)


def test_an_id_ends_with_its_datagram() -> None:
    """What is behind it in the same bytes is of another packet."""
    ids = HelloIds()
    ids.asked, ids.settled = [None, b"ab"], True
    assert ids.announce(SERVER, b"abcd")
    assert [ids.length_in(SERVER, b"\x30abcd", 0, end) for end in (4, 5)] == [2, 4]
    assert [ids.is_named(SERVER, b"\x30abcd", 0, end) for end in (2, 3)] == [False, True]


def test_the_messages_are_shown_with_what_they_ask_for_and_give(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    talk = moving_talk()
    path, keys = talk.write(tmp_path / "a.pcapng"), tmp_path / "keys"
    keys.write_bytes(talk.key_log())
    assert main(["show", str(path), "0", "-k", str(keys)]) == 0
    shown = " ".join(capfd.readouterr().out.split())
    assert "RequestConnectionId (5 bytes)" in shown
    assert "IDs 2 The sender asks for more IDs" in shown
    assert f"usage cid_spare IDs {(NEW + bytes((192, 50))).hex()}, {(LONGER + bytes((192, 50))).hex()}" in shown
    assert "ended by" not in shown  # nobody has said that it ends
