"""Sessions of current clients and servers break no rule: nothing that is told of them is above `info`.

Every rule of conformance is one that some program could be accused of by mistake. So real endpoints speak here, in all the ways
of a handshake that they can, and each recording is read with its secrets and without.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import pytest
import recorded_libraries as libraries
import recorded_programs as programs
from conversations import Segment, Tap, packetise, read_sessions
from recordings import CannotRecordError, Recording
from sessions_by_hand import capture_of, keylog_of

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record

Maker = Callable[[], Iterator[Recording]]

MAKERS: dict[Maker, tuple[int, tuple[str, ...]]] = {
    programs.openssl_recordings: (33, ("openssl",)),
    programs.typed_recordings: (4, ("openssl",)),
    programs.gnutls_recordings: (10, ("gnutls-cli", "gnutls-serv")),
    programs.compressed_recordings: (3, ("gnutls-cli", "gnutls-serv")),
    programs.crossed_recordings: (11, ("openssl", "gnutls-cli", "gnutls-serv")),
    programs.hybrid_recordings: (2, ("openssl",)),
    programs.curl_recordings: (7, ("curl", "nginx")),
    programs.chromium_recordings: (2, ("chromium", "nginx")),
    libraries.python_recordings: (11, ()),
    libraries.go_recordings: (12, ("go",)),
    libraries.ech_recordings: (3, ("go",)),
    libraries.java_recordings: (4, ("java", "javac", "openssl")),
}
"""How many recordings each function makes, and the programs that it needs."""

WANTED = 60

FEATURES = {
    "retry": "hello_retry_request",
    "mutual": "certificate_verify",
    "compressed": "compressed_certificate",
    "early data": "end_of_early_data",
    "key update": "key_update",
    "by ticket": "new_session_ticket",
}
"""Words in the names of recordings, and the message that shows that it was done. A refusal has its own row below."""


@cache
def made(maker: Maker) -> tuple[Recording, ...]:
    """The recordings, made once."""
    return tuple(maker())


@pytest.fixture
def recordings(request: pytest.FixtureRequest, require_peers: Callable[..., None]) -> tuple[Recording, ...]:
    require_peers(*MAKERS[request.param][1])
    try:
        return made(request.param)
    except CannotRecordError as reason:
        pytest.skip(str(reason))


every = pytest.mark.parametrize(
    "recordings", MAKERS, indirect=True, ids=lambda maker: maker.__name__.removesuffix("_recordings")
)


@every
@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "not keyed"])
def test_nothing_above_info(recordings: tuple[Recording, ...], keyed: bool):
    told = [
        (recording.name, session.id, finding["code"], finding["severity"], finding["detail"])
        for recording in recordings
        for session in recording.sessions(keyed)
        for finding in session_record(session, messages=False)["findings"]
        if finding["severity"] != "info"
    ]
    assert told == []


@every
def test_the_recordings_are_what_they_say(recordings: tuple[Recording, ...], request: pytest.FixtureRequest):
    n_wanted = MAKERS[request.node.callspec.params["recordings"]][0]
    assert len({recording.name for recording in recordings}) == len(recordings) == n_wanted
    for recording in recordings:
        records = [session_record(session, messages=False) for session in recording.sessions(bool(recording.keylog))]
        assert len(records) == len(recording.connections)
        assert all(record["established"] for record in records), recording.name
        if recording.keylog:
            assert {record["decryption"]["status"] for record in records} == {"decrypted"}, recording.name
        seen = [entry["type"] for record in records for entry in record["handshake"]]
        for word, message in FEATURES.items():
            if word in recording.name and recording.keylog and "refused" not in recording.name and " or " not in recording.name:
                assert message in seen, recording.name
        if "resumption" in recording.name and "refused" not in recording.name:
            assert [record["resumed"] for record in records] == [False] + [True] * (len(records) - 1), recording.name
        if "renegotiation" in recording.name or "rehandshake" in recording.name:
            assert seen.count("client_hello") == 2, recording.name
        if "Encrypted" in recording.name:
            assert records[0]["ech"]["status"] == ("rejected" if "reject" in recording.name else "accepted")


def test_there_are_sixty(require_peers: Callable[..., None]):
    counts, reasons = [], []
    for maker, (_, peers) in MAKERS.items():
        try:
            require_peers(*peers)
            counts.append(len(made(maker)))
        except pytest.skip.Exception as reason:
            reasons.append(str(reason))
        except CannotRecordError as reason:
            reasons.append(str(reason))
    if sum(counts) < WANTED and len(reasons) > 0:
        pytest.skip(f"{sum(counts)} recordings only: {'; '.join(dict.fromkeys(reasons))}")
    assert sum(counts) >= WANTED


@pytest.mark.parametrize("name", ["tls13-x25519mlkem768", "ech-accepted", "ech-hello-retry-request", "ech-rejected"])
@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "not keyed"])
def test_what_other_versions_of_the_peers_have_recorded(name: str, keyed: bool):
    engine = Engine(keylog=keylog_of(name) if keyed else None)
    (session,) = read_sessions(CaptureReader([str(capture_of(name))]), engine)
    told = [finding["code"] for finding in session_record(session, messages=False)["findings"] if finding["severity"] != "info"]
    assert told == (["fatal_alert"] if name == "ech-rejected" and keyed else [])


LOSSES = ("gap", "one_side_only", "lost_on_path", "header_table_lost")
"""What may be told above `info` of a session of which the capture has not all packets."""


@pytest.mark.parametrize("seed", range(60))
def test_nobody_is_blamed_for_packets_that_the_capture_lost(seed: int):
    choice = random.Random(seed)
    recording = choice.choice(made(libraries.python_recordings))
    for keyed in (True, False):
        tap = Tap()
        keylog = KeyLog()
        keylog.feed(recording.keylog.encode())
        tap.engine = Engine(keylog=keylog if keyed else None)
        for number, flights in enumerate(recording.connections):
            segments = packetise(flights, ports=(50_000 + number, 443), mss=choice.choice((100, 536, 1400)))
            tap.feed(*lossy(segments, choice))
        told = [finding for session in tap.close() for finding in session_record(session, messages=False)["findings"]]
        assert [one for one in told if one["severity"] != "info" and one["code"] not in LOSSES] == []


def lossy(segments: list[Segment], choice: random.Random) -> list[Segment]:
    """Segments of which some are lost: single ones, the first or last ones, a side, several together, or the ends of some."""
    place = choice.randrange(1, len(segments))
    kept = {
        "single": [one for one in segments if choice.random() > 0.1],
        "first": segments[place:],
        "last": segments[:place],
        "side": [one for one in segments if one.side == place % 2],
        "several": [*segments[:place], *segments[place + choice.randrange(1, 6) :]],
        "ends": [replace(one, cut=min(len(one.payload), choice.choice((0, 0, 20, 60)))) for one in segments],
    }
    return kept[choice.choice(list(kept))]
