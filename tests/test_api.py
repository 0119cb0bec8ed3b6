"""The Python interface: what it gives is what the commands print, and what it opens it closes."""

import copy
import gzip
import json
import os
import pickle
import re
import subprocess
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conversations import packetise, pcap, talk
from flights import flights
from hierarchy import hierarchy
from outputs import captures_in
from outputs import keys_of as keys_in_corpus

import analyzer
from analyzer import api
from analyzer.api.typed_record import ATTRIBUTES
from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.main import main
from analyzer.engine import Engine
from analyzer.engine.run import turns
from analyzer.store.chain_verdicts import Chains
from analyzer.store.schema import SESSION

CAPTURES = Path(__file__).resolve().parents[1] / "captures"
DEMO = CAPTURES / "demo.pcapng"
ROOTS = CAPTURES / "demo" / "demo.ca.pem"
SMALL = CAPTURES / "tls13-rsa" / "tls13-rsa.pcapng"
DEMONSTRATIONS = captures_in([str(CAPTURES)])


def printed(folder: Path, *arguments: object) -> list[dict[str, Any]]:
    """What a command prints as JSON."""
    output = folder / "printed.json"
    main([*map(str, arguments), "--format", "json", "-o", str(output)])
    return [json.loads(line) for line in output.read_bytes().splitlines()]


def keys_of(path: Path) -> list[str]:
    """The options that give a demonstration capture its keys; empty without any."""
    keys = path.with_suffix(".keys")
    return ["-k", str(keys)] if keys.is_file() else []


def open_files() -> set[str]:
    """The regular files and pipes that this process has open."""
    found = set()
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{descriptor}"))
        except OSError:
            continue
    return {name for name in found if name.endswith((".pcap", ".pcapng", ".keys", "fifo"))}


def same(value: Any, json_value: Any) -> bool:
    """Whether a value of an attribute says the same as the JSON."""
    if isinstance(value, api.Record):
        return all(same(getattr(value, ATTRIBUTES.get(key, key)), json_value[key]) for key in json_value)
    if isinstance(value, tuple):
        return len(value) == len(json_value) and all(map(same, value, json_value))
    return bool(value == (bytes.fromhex(json_value) if isinstance(value, bytes) else json_value))


# What it gives


@pytest.mark.filterwarnings("ignore::analyzer.CaptureWarning")
@pytest.mark.parametrize("messages", [False, True], ids=["", "messages"])
@pytest.mark.parametrize("keyed", [False, True], ids=["", "keys"])
@pytest.mark.parametrize("path", DEMONSTRATIONS, ids=lambda path: path.name)
def test_sessions_are_the_json_of_the_command(path: Path, keyed: bool, messages: bool, tmp_path: Path):
    keys = keys_of(path)
    if keyed and not keys:
        pytest.skip("no keys")
    compare_sessions(path, keys if keyed else [], messages, tmp_path)


@pytest.mark.corpus
@pytest.mark.filterwarnings("ignore::analyzer.CaptureWarning")
def test_sessions_of_the_corpus_are_the_json_of_the_command(tmp_path: Path, corpus: Path):
    compared = 0
    for path in captures_in([str(corpus)]):
        if path.stat().st_size < 1 << 20 and captured(path):
            compare_sessions(path, keys_in_corpus(path, corpus), False, tmp_path)
            compared += 1
    assert compared > 20


def captured(path: Path) -> bool:
    """Whether a file is a capture."""
    reader = CaptureReader([str(path)])
    return any(packet_reader.advance() for packet_reader in reader.packet_readers())


def compare_sessions(path: Path, keys: list[str], messages: bool, folder: Path) -> None:
    wanted = printed(folder, "sessions", path, *keys, *(["--messages"] if messages else []))
    sessions = list(analyzer.sessions(path, keylog=keys[1:], messages=messages))
    found = [session.to_dict() for session in reversed(sessions)][::-1]
    assert found == wanted
    assert all(list(one) == list(SESSION["properties"]) for one in found)
    again = list(analyzer.sessions(path, keylog=keys[1:], messages=messages))
    assert all(map(same, again, wanted))


@pytest.mark.parametrize("path", DEMONSTRATIONS, ids=lambda path: path.name)
def test_packets_are_the_json_of_the_command(path: Path, tmp_path: Path):
    keys = keys_of(path)
    packets = list(analyzer.packets(path, keylog=keys[1:]))
    assert [packet.to_dict() for packet in packets] == printed(tmp_path, "packets", path, *keys)
    assert all(same(packet, packet.to_dict()) for packet in packets)


def test_chains_are_judged_as_the_options_say(tmp_path: Path):
    options = ["--trust", ROOTS, "--at", "2027-06-01T00:00:00Z"]
    for at in ("2027-06-01T00:00:00Z", datetime(2027, 6, 1, tzinfo=UTC)):
        sessions = analyzer.sessions(DEMO, trust=[ROOTS], at=at)
        assert [session.to_dict() for session in sessions] == printed(tmp_path, "sessions", DEMO, *options)
    assert {session.chain.verdict for session in analyzer.sessions(DEMO, trust=ROOTS)} == {"valid", "invalid", "absent"}


def test_a_verdict_that_is_asked_for_late_knows_what_the_capture_had_shown_by_then(tmp_path: Path):
    """The first session lacks the intermediate, which the second one sends."""
    made = hierarchy()
    root = tmp_path / "root.der"
    root.write_bytes(made.root.der)
    talks = [flights(made.chain[:1], "a.example"), flights(made.chain, "a.example"), flights(made.chain[:1], "a.example")]
    segments = [segment for number, said in enumerate(talks) for segment in packetise(said, ports=(50000 + number, 443))]
    path = tmp_path / "three.pcap"
    path.write_bytes(pcap(segments))
    wanted = [record["chain"] for record in printed(tmp_path, "sessions", path, "--trust", root)]
    assert wanted[0]["problems"] != wanted[2]["problems"]
    sessions = list(analyzer.sessions(path, trust=root))
    assert [session.chain.to_dict() for session in reversed(sessions)][::-1] == wanted
    assert [session.to_dict()["chain"] for session in sessions] == wanted


def test_several_captures_are_one_run(tmp_path: Path):
    wanted = printed(tmp_path, "sessions", SMALL, DEMO)
    assert [session.to_dict() for session in analyzer.sessions([SMALL, str(DEMO)])] == wanted
    assert [session.id for session in analyzer.sessions(iter([SMALL, DEMO]))] == [record["id"] for record in wanted]
    (tmp_path / "ring").mkdir()
    for name, path in (("a", DEMO), ("b", SMALL)):
        (tmp_path / "ring" / name).write_bytes(path.read_bytes())
    places = [(session.server_name, session.capture) for session in analyzer.sessions(tmp_path / "ring")]
    of_demo = [name for name, path in places if path == str(tmp_path / "ring" / "a")]
    assert of_demo.count("www.shop.example") == 2
    assert len(places) == len(wanted) == len(of_demo) + 1


def test_compressed_captures_are_read(tmp_path: Path):
    packed = tmp_path / "demo.bin"
    packed.write_bytes(gzip.compress(DEMO.read_bytes()))
    wanted = [one.to_dict() | {"capture": str(packed)} for one in analyzer.sessions(DEMO)]
    assert [one.to_dict() for one in analyzer.sessions(packed)] == wanted


def test_rsa_keys_and_passwords(tmp_path: Path):
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    key = rsa.generate_private_key(65537, 2048)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")))
    analyzer.sessions(SMALL, rsa_keys=locked, password=["wrong", "word"])
    for password in ((), "wrong", [b"wrong", "also"]):
        with pytest.raises(analyzer.UnusableFile, match=re.escape(str(locked))):
            analyzer.sessions(SMALL, rsa_keys=locked, password=password)


# Events


@pytest.mark.parametrize("name", ["tls13-rsa", "tls12-ecdhe-ecdsa", "tcp-trouble", "curl-nginx-http1"])
def test_events_are_those_of_the_engine_in_their_order(name: str, tmp_path: Path):
    path = next(path for path in DEMONSTRATIONS if path.stem == name)
    keys = keys_of(path)
    engine = Engine(detailed=True, **api.inputs.Captures(api.inputs.Inputs(path, keys[1:], (), (), ())).keys())
    wanted = [event for turn in turns(CaptureReader([str(path)]), engine) for event in turn]
    events = list(analyzer.events(path, keylog=keys[1:]))
    assert len(events) == len(wanted) > 20
    for event, seen in zip(events, wanted, strict=True):
        assert (event.session, event.frame) == (seen.session, seen.frame or None)
        assert event.sender == (None if seen.role < 0 else ("client", "server")[seen.role])
    kinds = {event.kind for event in events}
    assert {"session_began", "handshake_message_seen", "session_ended"} <= kinds
    ended = [event.ended.to_dict() for event in events if isinstance(event, analyzer.SessionEnded)]
    assert ended == printed(tmp_path, "sessions", path, *keys, "--messages")


def test_events_have_their_json():
    for path in DEMONSTRATIONS[:12]:
        for event in analyzer.events(path, keylog=keys_of(path)[1:]):
            record = event.to_dict()
            assert list(record) == list(event.keys)
            assert same(event, record)
            assert json.loads(json.dumps(record)) == record
            assert "\n" not in repr(event)
            assert event._repr_html_().startswith("<table>")


def test_every_event_of_the_engine_has_a_class():
    from analyzer.api.event_objects import CLASSES
    from analyzer.engine import capture_events
    from analyzer.tls import events as engine_events

    kinds = {one for module in (engine_events, capture_events) for one in vars(module).values() if isinstance(one, type)}
    kinds = {one for one in kinds if issubclass(one, engine_events.Event)} - {engine_events.Event, engine_events.SessionEnded}
    assert kinds - {capture_events.PlainHttp} == set(CLASSES)  # which comes only where the command http asks for it


# The objects


def test_every_class_is_in_the_interface():
    assert all(hasattr(api, name) for name in api.__all__)
    records = {name for name, one in vars(api).items() if isinstance(one, type) and issubclass(one, api.Record)}
    assert records <= set(api.__all__)
    assert set(analyzer.__all__) <= set(api.__all__)
    assert set(analyzer.__all__) <= set(dir(analyzer))
    assert analyzer.api is api
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = analyzer.nothing  # type: ignore[attr-defined]


def test_objects_are_read_only_and_what_they_give_is_a_copy():
    session = next(iter(analyzer.sessions(DEMO, messages=True)))
    with pytest.raises(AttributeError):
        session.server_name = "other"
    record = session.to_dict()
    record["certificates"]["server"].append("changed")
    record["client"]["address"] = record["decryption"]["status"] = record["handshake"][0]["type"] = "changed"
    assert "changed" not in json.dumps(session.to_dict())
    assert len({session, session}) == 1
    assert session.handshake[0] == next(iter(analyzer.sessions(DEMO, messages=True))).handshake[0]
    assert session.handshake[0] != session.handshake[1]


def test_objects_are_not_copied():
    session = next(iter(analyzer.sessions(DEMO, messages=True)))
    for one in (session, session.client, session.handshake[0], next(iter(analyzer.events(DEMO)))):
        for make in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match=rf"{type(one).__name__} cannot be copied or pickled: use to_dict\(\)"):
                make(one)
    assert json.loads(pickle.loads(pickle.dumps(json.dumps(session.to_dict())))) == session.to_dict()


def test_html_shows_what_is_absent_empty_nested_and_long(tmp_path: Path):
    path = tmp_path / "long.pcap"
    path.write_bytes(pcap(packetise(flights(hierarchy().chain, "l" * 200))))
    (session,) = analyzer.sessions(path, messages=True)
    rows = dict(re.findall(r"<tr><th[^>]*>(\w+)</th><td[^>]*>([^<]*)</td>", session._repr_html_()))
    assert (rows["ech"], rows["http"], rows["established"]) == ("None", "[]", str(session.established))
    html = session._repr_html_()
    assert re.search(r"<th[^>]*>port</th><td[^>]*>443</td></tr></table>", html)
    assert "<summary>Chain(verdict=" in html
    assert "<summary>legacy_version, random, " in html
    assert not re.search(r" keys\b", html)
    texts = re.findall(">([^<]+)<", html)
    assert max(map(len, texts)) < 400
    assert "l" * 200 not in html
    assert any("l" * 100 in one and one.endswith("…") for one in texts)


def test_a_repr_is_one_line():
    for session in analyzer.sessions(DEMO, messages=True):
        parts = [session, session.chain, session.decryption, *session.handshake, *session.http, *session.findings]
        assert not any("\n" in repr(part) or len(repr(part)) > 1000 for part in parts)
    assert "demo.pcapng" in repr(analyzer.sessions(DEMO))


# Hostile names


HOSTILE = "<script>alert('1')</script>\u202egnp.\x1b[2J&\""


def test_everything_from_a_capture_is_escaped(tmp_path: Path):
    path = tmp_path / "hostile.pcap"
    path.write_bytes(pcap(packetise(flights(hierarchy(leaf={"subject": HOSTILE}).chain, HOSTILE))))
    (session,) = analyzer.sessions(path, messages=True)
    assert session.server_name is not None
    assert "<script>" in session.server_name
    for html in (session._repr_html_(), session.handshake[0]._repr_html_(), session.chain._repr_html_()):
        assert "<script" not in html
        assert not re.search(r"[\x00-\x1f\u202e]", html)
        assert set(re.findall(r"</?(\w+)", html)) <= {"table", "caption", "b", "tr", "th", "td", "br", "details", "summary"}
    assert "&lt;script&gt;" in session._repr_html_()
    for text in (repr(session), repr(session.handshake[0]), repr(session.certificates.server[0])):
        assert text.isprintable()


# Lazy


def in_a_process(code: str, given: bytes = b"") -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(analyzer.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, check=True, env=environment)
    return done.stdout.decode().strip()


def test_import_loads_nothing():
    code = "import sys; before = set(sys.modules); import analyzer; print(sorted(set(sys.modules) - before))"
    assert in_a_process(code) == "['analyzer']"


def test_names_of_the_interface_are_functions_and_no_modules():
    for name in ("sessions", "packets", "events"):
        assert find_spec(f"analyzer.{name}") is None
        assert callable(getattr(analyzer, name))


def test_no_chain_is_judged_that_nobody_asks_for(monkeypatch: pytest.MonkeyPatch):
    judged = []
    original = Chains.record_by
    monkeypatch.setattr(Chains, "record_by", lambda self, *arguments: judged.append(1) or original(self, *arguments))
    sessions = list(analyzer.sessions(DEMO))
    assert [session.server_name for session in sessions]
    assert judged == []
    for session in sessions:
        assert session.chain.verdict == session.chain.verdict
    assert len(judged) == sum(bool(session.certificates.server) for session in sessions)
    code = f"import sys, analyzer; [one.server_name for one in analyzer.sessions({str(DEMO)!r})]"
    assert in_a_process(f"{code}; print('analyzer.x509.judge' in sys.modules)") == "False"


def test_messages_are_decoded_when_they_are_read(monkeypatch: pytest.MonkeyPatch):
    from analyzer.tls.messages.hello import ClientHello

    decoded = []
    original = ClientHello.json
    monkeypatch.setattr(ClientHello, "json", lambda self: decoded.append(1) or original(self))
    (session,) = analyzer.sessions(SMALL, messages=True)
    assert [message.type for message in session.handshake]
    assert decoded == []
    assert session.handshake[0].message is session.handshake[0].message is not None
    assert decoded == [1]
    (session,) = analyzer.sessions(SMALL)
    assert session.handshake[0].message is None


def test_memory_is_that_of_open_connections(tmp_path: Path):
    segments = [one for number in range(60) for one in packetise(talk(), ports=(40000 + number, 443))]
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap(segments))
    alive: weakref.WeakSet[analyzer.Session] = weakref.WeakSet()
    most = n = 0
    for session in analyzer.sessions(path):
        alive.add(session)
        n += 1
        assert len(session.handshake) == len(session.to_dict()["handshake"])
        most = max(most, sum(1 for _ in alive))
    assert (n, most <= 2) == (60, True)


# Opening and closing


@pytest.mark.parametrize("read", [analyzer.sessions, analyzer.packets, analyzer.events])
def test_files_are_closed_however_a_loop_ends(read: Callable[..., Any]):
    assert open_files() == set()
    reading = read(DEMO)
    assert open_files() == set()
    for _ in reading:
        assert open_files() == {str(DEMO)}
        break
    assert open_files() == set()
    with pytest.raises(ZeroDivisionError):
        print([1 / 0 for _ in reading])
    assert open_files() == set()
    with reading as items:
        kept = iter(items)
        next(kept)
        assert open_files() == {str(DEMO)}
    assert open_files() == set()
    assert list(kept) == []
    assert len(list(reading)) > 5
    assert open_files() == set()


@pytest.mark.parametrize("read", [analyzer.sessions, analyzer.packets, analyzer.events])
def test_a_second_loop_reads_again(read: Callable[..., Any]):
    keys = CAPTURES / "tls13-rsa" / "tls13-rsa.keys"
    reading = read(SMALL, keylog=keys)
    first = [one.to_dict() for one in reading]
    assert first == [one.to_dict() for one in reading] != []
    both = zip(reading, reading, strict=True)
    assert all(one == other for one, other in both)


def test_a_pipe_is_read_once(tmp_path: Path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(SMALL.read_bytes()))
    writer.start()
    reading = analyzer.sessions(fifo)
    wanted = [one.to_dict() | {"capture": str(fifo)} for one in analyzer.sessions(SMALL)]
    assert [one.to_dict() for one in reading] == wanted
    writer.join()
    with pytest.raises(analyzer.ReadOnce, match="fifo is a pipe, which can be read only once"):
        list(reading)


def test_standard_input_is_read_once():
    code = (
        "import analyzer\nsessions = analyzer.sessions('-')\nprint(len(list(sessions)))\n"
        "try:\n    list(sessions)\nexcept analyzer.ReadOnce as error:\n    print(error)"
    )
    lines = in_a_process(code, DEMO.read_bytes()).splitlines()
    assert lines[0] == "8"
    assert lines[1].startswith("standard input can be read only once")
    with pytest.raises(analyzer.ReadOnce):
        analyzer.sessions(["-", "-"])


# Errors


def test_what_is_missing_is_said_at_once(tmp_path: Path):
    missing = tmp_path / "missing"
    with pytest.raises(FileNotFoundError, match="missing"):
        analyzer.sessions(missing)
    for name in ("keylog", "rsa_keys", "psk_file", "trust", "crl", "intermediates", "ct_logs"):
        with pytest.raises(FileNotFoundError, match="missing"):
            analyzer.sessions(SMALL, **{name: missing})
    with pytest.raises(ValueError, match="no capture is in this folder"):
        analyzer.packets(tmp_path)
    with pytest.raises(ValueError, match="no captures"):
        analyzer.sessions([])
    with pytest.raises(ValueError, match="is no time"):
        analyzer.sessions(SMALL, at="yesterday")
    with pytest.raises(ValueError, match="no time zone"):
        analyzer.sessions(SMALL, at=datetime(2026, 1, 1))
    with SMALL.open("rb") as file, pytest.raises(TypeError, match="a path is wanted"):
        analyzer.sessions(file)  # type: ignore[arg-type]
    for given in ({"captures": None}, {"captures": 7}, {"captures": [SMALL, 7]}, {"captures": SMALL, "keylog": 5}):
        with pytest.raises(TypeError, match=r"(captures|keylog): a path is wanted and not (None|an object of type int)"):
            analyzer.sessions(**given)  # type: ignore[arg-type]
    for name in ("trust", "crl", "psk_file", "rsa_keys", "ct_logs"):
        with pytest.raises(analyzer.UnusableFile):
            analyzer.sessions(SMALL, **{name: CAPTURES / "README.md"})


@pytest.mark.parametrize("content", [b"", b"no capture at all, only some text", b"\n"])
def test_a_file_that_is_no_capture_raises(content: bytes, tmp_path: Path):
    path = tmp_path / "text.pcap"
    path.write_bytes(content)
    for read in (analyzer.sessions, analyzer.packets, analyzer.events):
        with pytest.raises(analyzer.NotACapture, match="not a capture") as raised:
            list(read(path))
        assert (raised.value.path, raised.value.offset) == (str(path), 0)
    with pytest.raises(analyzer.NotACapture) as raised:
        list(analyzer.packets([path, CAPTURES / "README.md"]))
    assert raised.value.path == str(path)
    assert open_files() == set()


@pytest.mark.parametrize("read", [analyzer.sessions, analyzer.packets, analyzer.events])
@pytest.mark.parametrize("content", [b"", b"only some text"])
def test_a_file_that_is_no_capture_leaves_the_others(read: Callable[..., Any], content: bytes, tmp_path: Path):
    path = tmp_path / "text.pcap"
    path.write_bytes(content)
    for files in ([SMALL, path, DEMO], [path, SMALL, DEMO], [SMALL, DEMO, path]):
        reading = read(files)
        with pytest.warns(analyzer.CaptureWarning, match=r"text\.pcap: not a capture: "):
            found = [one.to_dict() for one in reading]
        assert found == [one.to_dict() for one in read([SMALL, DEMO])]
        (error,) = reading.errors
        assert (error.path, error.no_capture, error.cut_short, error.last_frame) == (str(path), True, False, 0)
    assert open_files() == set()


SECRET = "0123456789abcdef" * 4
NO_PATHS = [
    f"CLIENT_RANDOM {SECRET} {SECRET}",
    f"CLIENT_RANDOM {SECRET} {SECRET}\n" * 100,
    f"# comment\rRSA {SECRET[:16]} {SECRET}",
    f"client1:{SECRET[:32]}",
    f"{SECRET}\0",
    f"-----BEGIN PRIVATE KEY-----{SECRET}",
    "-----BEGIN CERTIFICATE-----\n" + SECRET,
    SECRET * 4,
    f"{SECRET}/" * 100,
]


@pytest.mark.parametrize("given", NO_PATHS)
@pytest.mark.parametrize("name", ["captures", "keylog", "rsa_keys", "psk_file", "trust", "intermediates", "crl", "ct_logs"])
def test_text_in_place_of_a_path_is_not_repeated(name: str, given: str):
    for form in (given, given.encode(), Path(given), [given], iter([given])):
        if name == "ct_logs" and not isinstance(form, str | bytes | Path):
            continue
        with pytest.raises(ValueError, match=f"{name}: a path is wanted") as raised:
            analyzer.sessions(**{"captures": SMALL, name: form})
        assert SECRET[:16] not in "".join(traceback.format_exception(raised.value))


def test_an_unusual_path_that_exists_is_read(tmp_path: Path):
    path = tmp_path / f"two\nlines {SECRET}.pcapng"
    path.write_bytes(SMALL.read_bytes())
    assert len(list(analyzer.sessions(path))) == 1


def test_a_damaged_capture_gives_what_can_be_read_and_says_so(tmp_path: Path):
    path = tmp_path / "cut.pcapng"
    path.write_bytes(DEMO.read_bytes()[:20_000])
    sessions = analyzer.sessions(path)
    assert sessions.errors == ()
    with pytest.warns(analyzer.CaptureWarning, match=r"cut\.pcapng: cut short at byte \d+, after frame \d+: block: ") as told:
        found = list(sessions)
    assert told[0].filename == __file__
    main(["sessions", str(path), "--format", "json", "-o", str(tmp_path / "out")])
    assert [one.to_dict() for one in found] == [json.loads(line) for line in (tmp_path / "out").read_bytes().splitlines()]
    (error,) = sessions.errors
    assert (error.path, error.field, error.cut_short) == (str(path), "block", True)
    assert error.last_frame > 0
    assert 19_000 < error.offset < 20_000
    with pytest.warns(analyzer.CaptureWarning):
        both = list(analyzer.packets([path, SMALL]))
    assert len(both) == error.last_frame + len(list(analyzer.packets(SMALL)))


def test_damage_in_the_middle(tmp_path: Path):
    path = tmp_path / "damaged.pcapng"
    data = bytearray(DEMO.read_bytes())
    data[20_000:22_000] = b"\xff" * 2000
    path.write_bytes(data)
    packets = analyzer.packets(path)
    with pytest.warns(analyzer.CaptureWarning, match="damaged at byte"):
        assert len(list(packets)) > 20
    assert not packets.errors[0].cut_short


def test_bad_lines_of_a_key_log_are_told(tmp_path: Path):
    keys = tmp_path / "bad.keys"
    keys.write_text("CLIENT_RANDOM zz zz\nno line at all\n")
    sessions = analyzer.sessions(SMALL, keylog=keys)
    with pytest.warns(analyzer.CaptureWarning, match=r"bad\.keys: line 1: ") as told:
        list(sessions)
    assert told[0].filename == __file__
    assert {(one.path, one.line) for one in sessions.keylog_errors} >= {(str(keys), 1)}


# Types


EXAMPLE = """
import analyzer
from analyzer.api import Certificate, HandshakeMessage

for session in analyzer.sessions("a.pcapng", keylog=["keys.log"], messages=True):
    reveal_type(session)
    reveal_type(session.server_name)
    reveal_type(session.chain.verdict)
    reveal_type(session.handshake)
    reveal_type(session.http[0].request)
    reveal_type((session.certificates.server or ())[0].subject)
    session.sever_name
with analyzer.packets("a.pcapng") as packets:
    reveal_type([packet.info for packet in packets])
    reveal_type(packets.errors[0].why)
for event in analyzer.events("a.pcapng"):
    if isinstance(event, analyzer.SessionEnded):
        reveal_type(event.ended)
"""

REVEALED = [
    "analyzer.api.session_object.Session",
    "str | None",
    "str",
    "tuple[analyzer.api.session_parts.HandshakeMessage, ...]",
    "analyzer.api.session_parts.HttpRequest | None",
    "str | None",
    "list[str]",
    "str",
    "analyzer.api.session_object.Session",
]


def test_mypy_knows_the_types(tmp_path: Path):
    if find_spec("mypy") is None:
        pytest.skip("not installed: mypy")
    example = tmp_path / "example.py"
    example.write_text(EXAMPLE)
    home = Path(analyzer.__file__).parents[1]
    environment = dict(os.environ) if home.name == "site-packages" else {**os.environ, "MYPYPATH": str(home)}
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent", "--no-error-summary"]
    command += ["--cache-dir", str(tmp_path / "cache"), str(example)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    revealed = re.findall(r'Revealed type is "(.*)"', done.stdout)
    assert [one.replace("builtins.", "") for one in revealed] == REVEALED
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1, done.stdout
    assert '"Session" has no attribute "sever_name"' in errors[0]
