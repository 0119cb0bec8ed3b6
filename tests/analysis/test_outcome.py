"""What becomes of sessions: each way in which a connection can end, played on the wire."""

from pathlib import Path

import pytest
from damage import frames_of, records_of
from wire import ACK, ADDRESSES, CLIENT, SERVER, Wire, flights, hello, outcome, play, short

from analyzer.codec.codes import codes

ALERT = bytes.fromhex("15030300020228")


def alert(description: int) -> bytes:
    """A fatal alert in plaintext."""
    return bytes([21, 3, 3, 0, 2, 2, description])


def spoken(wire: Wire, n: int | None = None, version: str = "TLSv1_3") -> Wire:
    """The first flights of a session."""
    for side, data in flights(version)[:n]:
        wire.say(side, data)
    return wire


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("end", ["fin", "server", "rst", "open"])
def test_a_whole_session_is_established_however_it_ends(tmp_path: Path, version: str, end: str):
    wire = spoken(Wire().open(), version=version)
    wire = {"fin": wire.close, "server": wire.close, "rst": wire.rst, "open": wire.ack}[end](end == "server")
    found = outcome(tmp_path, wire)
    assert (found["result"], found["cause"], found["detail"], found["advice"]) == ("established", None, None, None)
    assert found["ended_by"] == {"fin": "client", "server": "server", "rst": "client", "open": None}[end]
    assert found["step"] == "application_data"
    assert found["durations"]["tcp"] == 0.001
    assert found["durations"]["hello"] > 0
    assert (found["durations"]["handshake"] is None) == (version == "TLSv1_3")


def test_a_reset_after_the_hello(tmp_path: Path):
    found = outcome(tmp_path, Wire().open().say(CLIENT, hello()).rst(SERVER))
    assert short(found) == ("failed", "server", "client_hello", "reset_by_peer")
    assert found["frames"] == [4, 6]
    assert found["certainty"] == "certain"


@pytest.mark.parametrize(("hops", "certainty"), [(61, "likely"), (255 - 12, "possible")])
def test_a_reset_of_somebody_between(tmp_path: Path, hops: int, certainty: str):
    found = outcome(tmp_path, Wire().open().say(CLIENT, hello()).rst(SERVER, hops=hops))
    assert short(found) == ("failed", "between", "client_hello", "reset_between")
    assert found["certainty"] == certainty
    assert f"time to live {hops}" in found["detail"]


@pytest.mark.parametrize(("identification", "certainty", "said"), [(0x9000, "likely", "not in"), (None, "possible", "next")])
def test_the_identification_of_a_reset_counts(tmp_path: Path, identification: int | None, certainty: str, said: str):
    wire = Wire().open().say(CLIENT, hello())
    wire.identifications[SERVER] = 0x0100
    wire.say(SERVER, flights()[1][1][:600], size=100)
    if identification is not None:
        wire.identifications[SERVER] = identification
    found = outcome(tmp_path, wire.rst(SERVER, hops=51))
    assert (found["cause"], found["certainty"]) == ("reset_between", certainty)
    assert said in found["detail"].split("IP identification")[1]


def test_the_identification_of_a_reset_alone_proves_nothing(tmp_path: Path):
    wire = Wire().open().say(CLIENT, hello())
    wire.identifications[SERVER] = 0x0100
    wire.say(SERVER, flights()[1][1][:600], size=100)
    wire.identifications[SERVER] = 0x9000
    assert outcome(tmp_path, wire.rst(SERVER))["cause"] == "reset_by_peer"


def test_a_reset_after_which_its_sender_goes_on(tmp_path: Path):
    wire = Wire().open().say(CLIENT, hello()).rst(SERVER)
    wire.packet(SERVER, ACK, flights()[1][1][:1000])
    wire.next[SERVER] += 1000
    wire.rst(CLIENT).rst(CLIENT)
    found = outcome(tmp_path, wire)
    assert (found["result"], found["ended_by"], found["cause"]) == ("failed", "between", "reset_between")
    assert found["certainty"] == "certain"


def test_a_reset_sooner_than_an_answer_can_come(tmp_path: Path):
    found = outcome(tmp_path, Wire().syn().wait(0.08).accept().ack(CLIENT).say(CLIENT, hello()).rst(SERVER))
    assert (found["cause"], found["certainty"]) == ("reset_between", "possible")
    assert "came 2.0 ms after what it answers, and a round trip takes 81.0 ms" in found["detail"]


def test_a_path_that_was_slow_for_the_first_packet_only(tmp_path: Path):
    """A later answer was quick."""
    wire = Wire().syn().wait(0.08).accept().ack(CLIENT)
    found = outcome(tmp_path, spoken(wire, 3, "TLSv1_2").rst(SERVER))
    assert short(found)[1::2] == ("server", "reset_by_peer")


def test_how_long_a_round_trip_takes_is_not_known_where_the_syn_was_lost(tmp_path: Path):
    wire = Wire().syn().wait(1).syn().accept().ack(CLIENT).say(CLIENT, hello()).rst(SERVER)
    assert short(outcome(tmp_path, wire)) == ("failed", "server", "client_hello", "reset_by_peer")


def test_a_reset_while_a_request_waits(tmp_path: Path):
    wire = spoken(Wire().open(), 4, "TLSv1_2").say(CLIENT, bytes.fromhex("1703030040") + bytes(64)).rst(SERVER)
    found = outcome(tmp_path, wire)
    assert short(found) == ("failed", "server", "application_data", "reset_by_peer")


def test_closed_in_the_handshake(tmp_path: Path):
    assert short(outcome(tmp_path, Wire().open().say(CLIENT, hello()).close(SERVER))) == (
        "failed", "server", "client_hello", "closed_without_alert",
    )  # fmt: skip
    assert short(outcome(tmp_path, spoken(Wire().open(), 2, "TLSv1_2").close(SERVER)))[:2] == ("failed", "server")


def test_a_silent_peer(tmp_path: Path):
    found = outcome(tmp_path, Wire().open().say(CLIENT, hello()).wait(30).close(CLIENT))
    assert short(found) == ("failed", "client", "client_hello", "peer_silent")
    assert "said nothing for 30.0 s" in found["detail"]
    wire = Wire().open().say(CLIENT, hello())
    later = Wire(source=50001, start=wire.at + 40 * 10**9).open()
    (record,) = play(tmp_path, wire, later)["records"]
    assert short(record["outcome"]) == ("abandoned", "nobody", "client_hello", "peer_silent")
    assert record["outcome"]["certainty"] == "likely"


def test_a_capture_without_acknowledgements_shows_no_silent_peer(tmp_path: Path):
    wire = spoken(Wire().open(), 2)
    wire.frames = [(at, frame) for at, frame in wire.frames if frame[54:]]  # somebody kept the packets with data alone
    later = Wire(source=50001, start=wire.at + 40 * 10**9).open()
    record = play(tmp_path, wire, later)["records"][0]
    assert short(record["outcome"])[0::3] == ("unknown", "capture_incomplete")


@pytest.mark.parametrize(("pause", "cause"), [(0.1, "capture_incomplete"), (3, "packets_lost_on_path")])
def test_bytes_are_lost_on_the_path_only_if_their_receiver_had_the_time_to_acknowledge_them(
    tmp_path: Path, pause: float, cause: str
):
    wire = Wire().open().say(CLIENT, hello())
    wire.next[SERVER] += 700  # not in the capture
    wire.packet(SERVER, ACK, bytes(500))
    wire.ack(CLIENT)
    later = Wire(source=50001, start=wire.at + int(pause * 10**9)).open()
    assert play(tmp_path, wire, later)["records"][0]["outcome"]["cause"] == cause


def test_an_alert_in_answer_to_an_empty_certificate_is_known_by_its_size():
    [record] = records_of(frames_of("alert-certificate-required"))
    assert short(record["outcome"]) == ("failed", "server", "client_certificate", "client_certificate_missing")
    assert record["outcome"]["certainty"] == "likely"
    [record] = records_of(frames_of("tls13-client-certificate"))
    assert short(record["outcome"])[0::3] == ("established", None)


def sealed(n: int) -> bytes:
    """A record whose content is encrypted."""
    return bytes([23, 3, 3]) + n.to_bytes(2) + bytes(n)


@pytest.mark.parametrize(("certificate", "cause"), [(25, "client_certificate_missing"), (800, "client_certificate_refused")])
def test_a_request_that_meets_a_server_that_has_left(tmp_path: Path, certificate: int, cause: str):
    """The alert of the server and the request of the client were on the way at the same time."""
    wire = spoken(Wire().open(), 2).say(CLIENT, sealed(certificate) + sealed(53))
    wire.say(SERVER, sealed(19)).say(CLIENT, sealed(40)).fin(CLIENT).rst(SERVER)
    assert short(outcome(tmp_path, wire)) == ("failed", "server", "client_certificate", cause)


def test_a_short_answer_is_no_alert(tmp_path: Path):
    wire = spoken(Wire().open(), 2).say(CLIENT, sealed(800) + sealed(53))
    wire.say(CLIENT, sealed(40)).say(SERVER, sealed(19)).fin(CLIENT).rst(SERVER)
    assert short(outcome(tmp_path, wire))[::3] == ("established", None)


def answered(more: bytes = b"") -> Wire:
    """A connection of TLS 1.3 up to the ServerHello, and what comes behind it."""
    answer = flights()[1][1]
    hello_record = answer[: 5 + int.from_bytes(answer[3:5])]
    return spoken(Wire().open(), 1).say(SERVER, hello_record + bytes.fromhex("140303000101") + more)


@pytest.mark.parametrize(
    "wire", [answered(sealed(19)).close(SERVER), answered(sealed(19)).close(CLIENT), answered(sealed(19)).rst(CLIENT)],
)  # fmt: skip
def test_an_alert_in_the_place_of_the_extensions(tmp_path: Path, wire: Wire):
    """Whoever is the first to close behind it."""
    assert short(outcome(tmp_path, wire)) == ("failed", "server", "server_hello", "other_alert")


def test_an_alert_behind_the_end_of_the_client_is_not_why_it_left(tmp_path: Path):
    wire = answered().fin(CLIENT).say(SERVER, sealed(19)).fin(SERVER)
    assert short(outcome(tmp_path, wire)) == ("failed", "client", "server_hello", "closed_without_alert")


def test_a_capture_that_ends_too_early_blames_nobody(tmp_path: Path):
    found = outcome(tmp_path, Wire().open().say(CLIENT, hello()))
    assert short(found) == ("unknown", None, "client_hello", "capture_incomplete")


def test_a_capture_that_begins_late_or_lacks_bytes_blames_nobody(tmp_path: Path):
    wire = spoken(Wire().open(), 2, "TLSv1_2").close(SERVER)
    del wire.frames[5:7]
    assert short(outcome(tmp_path, wire))[0::3] == ("unknown", "capture_incomplete")
    late = spoken(Wire().open(), version="TLSv1_2").close(CLIENT)
    del late.frames[:12]
    assert outcome(tmp_path, late)["cause"] is None


def test_lost_on_the_path(tmp_path: Path):
    first = flights("TLSv1_2")[1][1]
    wire = Wire().open().say(CLIENT, hello("TLSv1_2")).say(SERVER, first[:1400], arrives=False)
    wire.again(SERVER, len(first[:1400]), 5).wait(5).fin(CLIENT)
    found = outcome(tmp_path, wire)
    assert (found["result"], found["cause"]) == ("failed", "packets_lost_on_path")
    wire = Wire().open().say(CLIENT, hello(), arrives=False).again(CLIENT, len(hello()), 4)
    assert short(outcome(tmp_path, wire)) == ("abandoned", "nobody", "client_hello", "packets_lost_on_path")


def test_large_segments_alone_are_lost(tmp_path: Path):
    wire = Wire().open().say(CLIENT, hello()).say(SERVER, flights()[1][1][:5] + bytes(1395), arrives=False)
    found = outcome(tmp_path, wire.again(SERVER, 1400, 5).wait(9).rst(CLIENT))
    assert (found["result"], found["ended_by"], found["cause"]) == ("failed", "client", "packets_lost_on_path")
    wire = Wire().open().say(CLIENT, hello()).say(SERVER, flights()[1][1][:5] + bytes(1395), arrives=False)
    found = outcome(tmp_path, wire.again(SERVER, 1400, 5).wait(9).fin(CLIENT))
    assert found["cause"] == "packets_lost_on_path"
    assert "packets of this size are lost" in found["detail"]


@pytest.mark.parametrize(
    ("said", "name"),
    [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"), (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"), (b"\0\1\2\3\4\5\6", "no TLS")],
)
def test_a_server_that_speaks_no_tls(tmp_path: Path, said: bytes, name: str):
    found = outcome(tmp_path, Wire().open().say(CLIENT, hello()).say(SERVER, said).close(SERVER))
    assert short(found) == ("failed", "server", "client_hello", "peer_speaks_no_tls")
    assert name in found["detail"]
    assert found["frames"] == [4, 6]


def test_a_client_that_speaks_no_tls(tmp_path: Path):
    wire = Wire().open().say(CLIENT, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").say(SERVER, alert(70)).close(SERVER)
    assert short(outcome(tmp_path, wire)) == ("failed", "server", "before_tls", "client_speaks_no_tls")


def test_a_client_that_leaves_before_its_hello(tmp_path: Path):
    wire = Wire().open().fin(CLIENT).say(SERVER, alert(50)).fin(SERVER).ack(CLIENT)
    assert short(outcome(tmp_path, wire)) == ("failed", "client", "tcp", "closed_without_alert")


def test_a_client_whose_hello_is_missing_has_not_left_before_it(tmp_path: Path):
    wire = Wire().open().say(CLIENT, hello()).fin(CLIENT).say(SERVER, alert(50)).fin(SERVER).ack(CLIENT)
    del wire.frames[3:5]
    assert "without sending a byte" not in str(outcome(tmp_path, wire))


def test_a_reset_behind_a_missing_fin_leaves_no_request_waiting(tmp_path: Path):
    """The answer can be missing with the FIN."""
    request = bytes.fromhex("1703030040") + bytes(64)
    wire = spoken(Wire().open(), 4, "TLSv1_2").say(CLIENT, request)
    n_frames = len(wire.frames)
    wire.fin(CLIENT).rst(CLIENT)
    assert outcome(tmp_path, wire)["cause"] is None
    del wire.frames[n_frames:-1]
    assert outcome(tmp_path, wire)["cause"] is None


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (10, "unexpected_message"), (20, "bad_record_mac"), (40, "no_common_cipher_suite"), (47, "illegal_parameter"),
        (51, "decrypt_error"), (70, "no_common_version"), (71, "no_common_cipher_suite"), (80, "internal_error"),
        (86, "fallback_refused"), (90, "user_canceled"), (112, "unrecognized_name"), (115, "psk_unknown"),
        (120, "no_common_alpn"), (50, "other_alert"), (109, "other_alert"),
    ],
)  # fmt: skip
def test_alerts_after_the_hello(tmp_path: Path, number: int, cause: str):
    found = outcome(tmp_path, Wire().open().say(CLIENT, hello()).say(SERVER, alert(number)).close(SERVER))
    assert short(found) == ("failed", "server", "client_hello", cause)
    assert found["frames"] == [4, 6]
    assert found["advice"] == codes("outcome_causes")[cause].advice


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (42, "certificate_unknown_issuer"), (46, "certificate_unknown_issuer"), (48, "certificate_unknown_issuer"),
        (45, "certificate_expired"), (44, "certificate_revoked"), (70, "no_common_version"), (71, "weak_parameters"),
    ],
)  # fmt: skip
def test_alerts_of_a_client_after_the_certificate(tmp_path: Path, number: int, cause: str):
    """The server's certificate has signed itself, so that is what a vague alert means."""
    found = outcome(tmp_path, spoken(Wire().open(), 2, "TLSv1_2").say(CLIENT, alert(number)).close(CLIENT))
    assert short(found)[:2] == ("failed", "client")
    assert found["cause"] == cause


def test_a_client_that_closes_because_of_the_certificate(tmp_path: Path):
    found = outcome(tmp_path, spoken(Wire().open(), 2, "TLSv1_2").close(CLIENT))
    assert (found["cause"], found["certainty"]) == ("certificate_unknown_issuer", "likely")


def test_a_client_that_resets_because_of_the_certificate(tmp_path: Path):
    found = outcome(tmp_path, spoken(Wire().open(), 2, "TLSv1_2").rst(CLIENT))
    assert (found["ended_by"], found["cause"], found["certainty"]) == ("client", "certificate_unknown_issuer", "likely")


def test_every_cause_has_its_texts_in_both_languages():
    english, chinese = codes("outcome_causes"), codes("outcome_causes", "zh")
    assert list(english) == list(chinese)
    assert len(english) == 41
    for code, one in english.items():
        assert one.title
        assert one.meaning
        assert one.advice or code == "capture_incomplete"


def test_the_same_bytes_from_several_processes(tmp_path: Path):
    wires = [spoken(Wire(source=50000 + n).open(), 2, "TLSv1_2").say(CLIENT, alert(46)).close(CLIENT) for n in range(5)] + [
        Wire(source=51000, port=8443).syn().rst(SERVER)
    ]
    alone, shared = play(tmp_path, *wires), play(tmp_path, *wires, arguments=("-j", "3"))
    assert alone["failures"] == shared["failures"]
    assert alone["records"] == shared["records"]
    assert alone["failures_in_all"] == 6
    assert alone["causes"] == {"certificate_unknown_issuer": 5, "connection_refused": 1}


def whole_session() -> Wire:
    """A session of TLS 1.2 that the client closes."""
    return spoken(Wire().open(), version="TLSv1_2").close(CLIENT)


def ways(wire: Wire, side: int) -> list[int]:
    """The places of the frames of a side."""
    return [place for place, (_, data) in enumerate(wire.frames) if data[26:30] == bytes(map(int, ADDRESSES[side].split(".")))]


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_who_ended_is_not_known_where_the_end_of_a_side_is_missing(tmp_path: Path, side: int):
    wire = whole_session()
    last = ways(wire, side)[-3:]
    wire.frames = [frame for place, frame in enumerate(wire.frames) if place not in last]
    found = outcome(tmp_path, wire)
    assert found["result"] == "established"
    assert found["ended_by"] in ({CLIENT: None, SERVER: "client"}[side], None)


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_the_missing_end_of_a_side_is_nobodys_failure(tmp_path: Path, side: int):
    wire = whole_session()
    kept = ways(wire, side)[:4]
    wire.frames = [frame for place, frame in enumerate(wire.frames) if place in kept or place not in ways(wire, side)]
    record = play(tmp_path, wire)["records"][0]
    assert record["established"] is None
    assert short(record["outcome"])[::3] == ("unknown", "capture_incomplete")
    assert "absent" not in record["authenticity"]["finished"].values()


def test_a_capture_that_begins_late_and_lacks_the_answer(tmp_path: Path):
    wire = whole_session()
    first = next(place for place in ways(wire, SERVER) if len(wire.frames[place][1]) > 54)
    wire.frames = wire.frames[2:first] + wire.frames[first + 1 :]
    record = play(tmp_path, wire)["records"][0]
    assert record["certificates"]["server"] is None
    assert record["chain"]["verdict"] == "unknown"
    assert record["authenticity"]["server_signature"] == "unverifiable"
    assert record["outcome"]["durations"] | {"total": None} == dict.fromkeys(("tcp", "hello", "handshake", "total"))


def test_half_an_answer_is_no_other_protocol(tmp_path: Path):
    wire = whole_session()
    server = [place for place in ways(wire, SERVER) if len(wire.frames[place][1]) > 54]
    place = server[0]
    at, data = wire.frames[place]
    number = int.from_bytes(data[38:42], "big")
    wire.frames = wire.frames[2:place]
    rest = Wire(start=at)
    rest.next[SERVER], rest.seen[SERVER] = number + 100, int.from_bytes(data[42:46], "big")
    rest.say(SERVER, data[154:], arrives=False)
    wire.frames += rest.frames
    record = play(tmp_path, wire)["records"][0]
    assert short(record["outcome"])[::3] == ("unknown", "capture_incomplete")


def test_who_ended_is_not_known_where_a_side_shows_nothing_but_its_last_acknowledgement(tmp_path: Path):
    wire = whole_session()
    client, server = ways(wire, CLIENT), ways(wire, SERVER)
    data = next(place for place in server if wire.frames[place][1][54:57] == b"\x17\3\3")
    wire.frames = [wire.frames[place] for place in sorted([data, server[-1], client[-1]])]
    assert outcome(tmp_path, wire)["ended_by"] is None


def with_end(side: int, *, reset: bool = False, lost: int = 1) -> Wire:
    """A session that a side ends with a FIN or RST, after records the last of which the capture has lost, `lost` in all."""
    wire = spoken(Wire().open(), version="TLSv1_2")
    wire.say(CLIENT, bytes.fromhex("1703030040") + bytes(64)).say(SERVER, bytes.fromhex("1703030040") + bytes(64))
    for _ in range(2):
        wire.say(side, bytes.fromhex("150303001a") + bytes(26))
    places = [place for place in ways(wire, side) if len(wire.frames[place][1]) > 54]
    for place in reversed(places[len(places) - lost :]):
        del wire.frames[place]
    return wire.rst(side) if reset else wire.close(side)


@pytest.mark.parametrize("side", [CLIENT, SERVER])
@pytest.mark.parametrize("reset", [False, True])
def test_an_end_is_not_known_where_the_bytes_before_it_are_missing(tmp_path: Path, side: int, reset: bool):
    record = play(tmp_path, with_end(side, reset=reset))["records"][0]
    assert record["established"] is True
    assert short(record["outcome"])[::3] == ("unknown", "capture_incomplete")
    assert "an alert may be among them" in record["outcome"]["detail"]


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_a_gap_elsewhere_leaves_the_end_known(tmp_path: Path, side: int):
    assert outcome(tmp_path, with_end(side, lost=0))["result"] == "established"
    wire = with_end(side, lost=0)
    places = [place for place in ways(wire, side) if len(wire.frames[place][1]) > 54]
    del wire.frames[places[-2]]
    assert outcome(tmp_path, wire)["result"] == "established"


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_hello_inside_which_the_capture_ends_is_listed_once(tmp_path: Path, n: int):
    wire = Wire().open().say(CLIENT, hello(), size=150)
    wire.frames = wire.frames[: 3 + n]
    [record] = play(tmp_path, wire)["records"]
    assert [message["type"] for message in record["handshake"]] == ["client_hello"]
    assert short(record["outcome"])[::3] == ("unknown", "capture_incomplete")
