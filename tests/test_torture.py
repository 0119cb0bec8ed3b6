"""Floods of two small sizes: twice the bytes are at most a little more than twice the work, and the limits have their names."""

import gc
from pathlib import Path

import pytest
from conversations import Tap
from quic_talks import Talk
from torture import CLIENT, FLOODS, MAX_RATIO, SERVER
from work import at_most

import analyzer
from analyzer.codec.build import build
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.chain_verdicts import default_chains
from analyzer.store.session_json import session_json
from analyzer.tls.events import SessionEnded
from analyzer.tls.quic.quic_connection import QuicConnection

SIZE = 200
PACKAGE = Path(analyzer.__file__).parent


def lines_for(name: str, n: int) -> int:
    """The lines of Python that run for a flood of this size, up to the records of its sessions."""
    flood, tap = FLOODS[name], Tap()
    keylog = KeyLog()
    if flood.keys is not None:
        keylog.feed(flood.keys())
        keylog.close()
    tap.engine = Engine(detailed=True, keylog=keylog)
    frames = list(flood.frames(n))
    with at_most(1 << 40) as work:
        for data in frames:
            tap.feed_bytes(data)
            tap.at += 10_000
        tap.engine.close()
        for event in tap.engine.take():
            if isinstance(event, SessionEnded):
                session_json(event.ended, True, default_chains())
    return work.n_lines


@pytest.mark.parametrize("name", FLOODS)
def test_twice_the_flood_is_twice_the_work(name: str) -> None:

    lines_for(name, 10)  # what is done once
    none, one, two = lines_for(name, 10), lines_for(name, SIZE), lines_for(name, 2 * SIZE)
    assert two - none <= MAX_RATIO * (one - none) + 2000
    if "not compiled" in build():
        assert one > none


@pytest.mark.parametrize("name", FLOODS)
def test_a_limit_is_where_it_is_said_to_be(name: str) -> None:
    place, _, limits = FLOODS[name].limit.partition(": ")
    text = (PACKAGE / place).read_text("utf-8")
    for limit in limits.split(", "):
        assert f"\n{limit} = " in text or f"\n{limit}: Final = " in text or f"\n{limit}," in text


@pytest.mark.parametrize("place", [0, 1])
def test_64_forged_initials_hide_no_connection(place: int) -> None:
    """They come before the first packet of the client, or between it and the server's answer."""
    talk = Talk().connect().say(CLIENT, 0, b"question").say(SERVER, 0, b"answer").close()
    tap = Tap()
    keylog = KeyLog()
    keylog.feed(talk.keys)
    keylog.close()
    tap.engine = Engine(keylog=keylog)
    frames = [one.frame() for one in talk.sent]
    for data in [*frames[:place], *FLOODS["forged_initials"].frames(64), *frames[place:]]:
        tap.feed_bytes(data)
        tap.at += 1_000_000
    opened = [record for record in tap.records() if record["decryption"]["status"] == "decrypted"]
    assert [record["server_name"] for record in opened] == ["quic.test"]


@pytest.mark.parametrize("name", sorted(FLOODS))
def test_every_flood_is_read_by_both_builds(name: str) -> None:
    tap, n_frames = Tap(), 0
    for data in FLOODS[name].frames(1000 if name == "crypto_flood" else 200):
        tap.feed_bytes(data)
        tap.at += 10_000
        n_frames += 1
    tap.engine.close()
    assert tap.engine.frames == n_frames


def test_a_connection_of_quic_is_freed_at_its_end_without_the_garbage_collector() -> None:
    frames = list(FLOODS["quic_connections"].frames(20))
    gc.collect()
    gc.disable()
    try:
        tap = Tap()
        for data in frames:
            tap.feed_bytes(data)
            tap.at += 10_000
        opened = sum(isinstance(one, QuicConnection) for one in gc.get_objects())
        tap.engine.close()
        tap.engine.take()
        left = sum(isinstance(one, QuicConnection) for one in gc.get_objects())
    finally:
        gc.enable()
    assert (opened, left) == (20, 0)


@pytest.mark.parametrize("name", ["flows", "quic_connections", "dtls_hellos_of_many"])
def test_open_sessions_count_against_the_memory_that_all_may_hold(name: str) -> None:
    tap = Tap()
    for data in FLOODS[name].frames(20):
        tap.feed_bytes(data)
        tap.at += 1_000_000
    assert tap.engine.dispatcher.held > 20 * 7000
    tap.engine.close()
    assert tap.engine.dispatcher.held == 0


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_flood_of_sessions_ends_old_ones_at_the_limit(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "not compiled" not in build():
        pytest.skip("limits of compiled modules are fixed")
    monkeypatch.setattr(f"analyzer.flows.{protocol}.HELD_TOTAL", 1_000_000)
    tap, most = Tap(), 0
    for data in FLOODS["flows" if protocol == "tcp" else "quic_connections"].frames(300):
        tap.feed_bytes(data)
        tap.at += 1_000_000
        most = max(most, tap.engine.dispatcher.held)
    assert most < 1_050_000
    tap.engine.close()
    ended = [event for event in tap.engine.take() if isinstance(event, SessionEnded)]
    assert len(ended) == 300
