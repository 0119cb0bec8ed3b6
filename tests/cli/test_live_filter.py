"""Display filters of `analyzer live`: rows, records and events of sessions that pass, and incidents for them."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from live_network import Network
from live_traffic import Site, fetch, live, make_site, openssl_server

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.arguments import parse
from analyzer.cli.filtered_frames import matches_of
from analyzer.cli.live_filter import LiveFilter, PassingSessions
from analyzer.cli.output import Output
from analyzer.engine import Engine, Listener
from analyzer.engine import run as run_engine
from analyzer.filters.compiled_filter import compile_filter
from analyzer.filters.field_table import field_table
from analyzer.store.chain_options import read_chains
from analyzer.tls.events import Event, SessionBegan, SessionEnded

from .conftest import Run

FILTERS = (
    "tls.handshake.type == 1",
    "tcp.port == 49206",
    'tls.handshake.type == 1 && tls.handshake.extensions_server_name contains "shop"',
    'analyzer.outcome.result == "failed"',
    'tcp.port == 443 && analyzer.version == "TLS 1.3"',
    "ipv6 && analyzer.established",
    "http",
    'http.request.method == "POST" && ip.src == 192.0.2.10',
    "tls.handshake.type#1 == 2 || @ip.version == 60",
    'tcp contains "shop.example" && analyzer.session',
    "tls.handshake.type == 20",
    "arp",
    "http2.headers.path && tcp.port == 443",
    "tls.record.length > 1000 and tcp.analysis.flags or tls.app_data",
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)


def test_the_same_sessions_pass_as_in_a_file(demo: Path):
    """A live run reads its packets once, a file is read several times. All filters look at one run."""
    engine, chains = Engine(detailed=True), read_chains()
    listeners = {text: LiveFilter(compile_filter(text, field_table()), engine, chains) for text in FILTERS}
    passed: dict[str, list[int]] = {text: [] for text in FILTERS}

    class Collector(Listener):
        def take(self, events: Sequence[Event]) -> None:
            for text, one in listeners.items():
                passed[text] += one.fresh

    run_engine(CaptureReader([str(demo)]), engine, [chains, *listeners.values(), Collector()])
    for text in FILTERS:
        matches = matches_of(parse(["sessions", str(demo), "-Y", text]), Output(None, (), "never"))
        assert matches is not None
        assert sorted(passed[text]) == sorted(matches.sessions), text
    assert [len(passed[text]) for text in FILTERS] == [8, 1, 2, 2, 4, 1, 5, 1, 7, 2, 6, 0, 1, 6]


def test_the_records_of_a_pipe(run: Run, demo: Path):
    done = run("live", "-", "--format", "json", "-Y", "http && tcp.port == 49206", stdin=demo.read_bytes())
    assert [json.loads(line)["id"] for line in done.out.splitlines()] == [1]
    assert "1 of 8 sessions that ended pass the filter http && tcp.port == 49206" in done.err.decode()


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("tls.record.length > 100", 8),
        ("tls.alert_message", 7),
        ('tls.alert_message.desc == 45 && analyzer.outcome.result == "failed"', 1),
        ("tls.app_data", 6),
        ("tcp.segment == 118", 1),
        ("tls.record && tcp.flags.push == 1", 8),
    ],
)
def test_records_of_tls_can_be_asked_for(run: Run, demo: Path, text: str, passed: int):
    done = run("live", "-", "--format", "json", "-Y", text, stdin=demo.read_bytes())
    assert f"{passed} of 8 sessions that ended pass the filter {text}" in done.err.decode()


def test_what_is_told_of_a_frame_at_several_times_is_one(run: Run, demo: Path):
    capture = demo.parent / "quic-http3" / "quic-http3.pcapng"
    words = ("-k", str(capture.with_suffix(".keys")), "-Y", "tls.handshake.extensions_server_name && quic.packet_number == 0")
    done = run("live", "-", "--format", "json", *words, stdin=capture.read_bytes())
    assert "1 of 1 session that ended pass" in done.err.decode()


def test_all_events_of_a_session_that_passes_are_told(run: Run, demo: Path):
    def events(*words: str) -> list[bytes]:
        lines = run("live", "-", "--events", *words, stdin=demo.read_bytes()).out.splitlines()
        return [line for line in lines if json.loads(line)["session"] == 1]

    told = events()
    assert len(told) > 20
    assert events("-Y", "analyzer.session == 1") == told


def test_rows_of_real_sessions(network: Network, site: Site):
    with (
        openssl_server(site) as port,
        openssl_server(site, 4435) as other,
        live("lo", "--format", "json", "-Y", f"tcp.port == {other}") as running,
    ):
        fetch(site, port)
        fetch(site, other)
        assert running.record()["server"]["port"] == other
        status, rest, err = running.stop()
    assert (status, rest) == (0, b"")
    assert "1 of 2 sessions that ended pass the filter" in err


def test_an_incident_for_a_session_that_passes(network: Network, site: Site, tmp_path: Path, run: Run):
    incidents = tmp_path / "incidents"
    incidents.mkdir()
    expression = 'tcp.dstport == 4435 && analyzer.outcome.result == "established"'
    words = ("lo", "--format", "json", "--trigger-filter", expression, "--incidents", incidents)
    with openssl_server(site) as port, openssl_server(site, 4435) as other, live(*words) as running:
        for one in (port, other):
            fetch(site, one)
            running.record()
        assert running.stop()[0] == 0
    (folder,) = incidents.iterdir()
    assert json.loads((folder / "manifest.json").read_bytes())["findings"] == [
        {"session": 1, "code": "passes_filter", "detail": expression}
    ]
    assert [json.loads(line)["id"] for line in (folder / "sessions.jsonl").read_bytes().splitlines()] == [0, 1]
    assert len(run("sessions", folder / "packets.pcapng", "--format", "json").out.splitlines()) == 2
    assert run("verify", folder).status == 0


class Seen(Listener):
    """Notes which events of sessions come."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.ended: list[int] = []

    def take(self, events: Sequence[Event]) -> None:
        self.began += [event.session for event in events if isinstance(event, SessionBegan)]
        self.ended += [event.session for event in events if isinstance(event, SessionEnded)]


def test_nothing_stays_of_sessions_that_have_ended(demo: Path):
    engine, chains = Engine(detailed=True), read_chains()
    compiled = compile_filter('tcp.port == 443 && analyzer.version == "TLS 1.3"', field_table())
    passes, seen = LiveFilter(compiled, engine, chains), Seen()
    run_engine(CaptureReader([str(demo)]), engine, [chains, passes, PassingSessions(passes, [seen], True)])
    assert sorted(seen.began) == sorted(seen.ended) == [0, 1, 2, 7]
    assert (passes.n_passed, passes.n_ended) == (4, 8)
    assert (passes.passed, passes.fresh, passes._open) == (set(), [], {})
    assert passes._n_held == sum(held.n_bytes for frames in passes._held.values() for _, held in frames)


def test_what_is_held_is_limited(demo: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.cli.live_filter.MOST_HELD", 1_000)
    engine, chains = Engine(detailed=True), read_chains()
    passes = LiveFilter(compile_filter("tcp.port == 443 && analyzer.session", field_table()), engine, chains)
    run_engine(CaptureReader([str(demo)]), engine, [chains, passes])
    assert passes._n_held <= 1_000
    assert len(passes.notes) == 1
    assert "packets are forgotten" in passes.notes[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-Y", "tcp.prot"], "did you mean tcp"),
        (["-Y", "ip.src == ${ip.src}"], "live has no selected packet"),
        (["--trigger-filter", "tcp.prot"], "did you mean tcp"),
        (["--trigger-filter", "ip.src == ${ip.src}"], "live has no selected packet"),
        (["--keep-before", "5s"], "--keep-before needs --trigger or --trigger-filter"),
    ],
)
def test_mistakes_are_said_before_anything_is_opened(words: list[str], said: str, run: Run):
    done = run("live", "nowhere0", *words)
    assert done.status == 2
    assert said in done.err.decode()


def test_a_filter_stands_for_the_id(run: Run, demo: Path):
    shown = run("show", demo, "-Y", "tcp.port == 49206")
    assert shown.out == run("show", demo, "1").out
    assert parse(["follow", "--filter=tls", str(demo)]).id == "(tls)"
    both = parse(["show", "-Ytls", str(demo), "1"])
    assert (both.filter, both.id) == ("tls", 1)
    several = run("show", demo, "-Y", "tls")
    assert several.status == 2
    assert "8 sessions pass (tls)" in several.complaint


@pytest.mark.parametrize("command", ["inventory", "keys"])
def test_other_commands_know_only_the_sessions_that_pass(command: str, run: Run, demo: Path):
    done = run(command, demo, "-Y", "tcp.port == 49206")
    assert done.status == 0
    assert b"www.shop.example" in done.out
    assert b"news.example" not in done.out
