"""Records made by several processes are, byte for byte and in the same order, those that one process makes."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from analyzer.capture.ahead import secrets_ahead
from analyzer.capture.reader import CaptureReader
from analyzer.engine import TLS_KEY_LOG, Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.chains import Chains
from analyzer.store.clerk import MOST_CHAINS, gets_number
from analyzer.store.crew import Crew
from analyzer.store.records import Records

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
ALL = sorted(CAPTURES.glob("*/*.pcap*"))
KEYS = sorted(CAPTURES.glob("*/*.keys"))


def read(paths: Iterable[Path], keys: Iterable[Path], n_workers: int, messages: bool = True) -> list[bytes]:
    """The lines of all sessions, in the order in which they came; the secrets in captures are read before the first frame."""
    paths = list(paths)
    inside = [data for path in paths for kind, data in secrets_ahead(str(path)) if kind == TLS_KEY_LOG]
    keylog = None
    for data in [*inside, *(path.read_bytes() for path in keys)]:
        keylog = KeyLog() if keylog is None else keylog
        keylog.take(data, "keys")
    chains = Chains()
    engine = Engine(False, messages, keylog, answers=chains.answers)
    lines = []
    with Crew(engine, chains, n_workers, messages) if n_workers else Records(engine, chains, messages) as records:
        for walker in CaptureReader([str(path) for path in paths]).walkers():
            engine.run(walker)
            for ended in records.take():
                lines.append(ended.line())  # noqa: PERF401 - what a comprehension would hide is the order
        lines += [ended.line() for ended in records.close()]
    return lines


@pytest.mark.parametrize("n_workers", [1, 2, 3])
@pytest.mark.parametrize("keys", [(), KEYS, KEYS[:1]], ids=["no keys", "all keys", "keys of one"])
def test_all_captures_as_one(keys: list[Path], n_workers: int) -> None:
    wanted = read(ALL, keys, 0)
    assert len(wanted) > 40
    assert read(ALL, keys, n_workers) == wanted


@pytest.mark.parametrize("n_workers", [2, 3])
@pytest.mark.parametrize("folder", ["tls13-psk-resumption", "tls12-ticket-resumption", "tls12-session-id-resumption"])
def test_a_link_from_one_process_to_another(folder: str, n_workers: int) -> None:
    paths, keys = (sorted((CAPTURES / folder).glob(ending)) for ending in ("*.pcap*", "*.keys"))
    lines = read(paths, keys, n_workers)
    assert lines == read(paths, keys, 0)
    assert 0 in [json.loads(line)["resumes"] for line in lines]


def test_a_key_log_of_another_run_is_told_as_such() -> None:
    paths = sorted((CAPTURES / "tls13-psk-resumption").glob("*.pcap*"))
    keys = sorted((CAPTURES / "tls12-dhe-rsa").glob("*.keys"))
    lines = read(paths, keys, 2)
    assert lines == read(paths, keys, 0)
    assert all("nor for any session of this capture" in json.loads(line)["decryption"]["detail"] for line in lines)


def test_with_a_secret_for_one_session_the_log_is_of_this_run_for_all(tmp_path: Path) -> None:
    [path] = (CAPTURES / "tls13-psk-resumption").glob("*.pcap*")
    [log] = (CAPTURES / "tls13-psk-resumption").glob("*.keys")
    lines = [line for line in log.read_text().splitlines() if not line.startswith("#")]
    random = lines[0].split()[1]
    (tmp_path / "some.keys").write_text("".join(line + "\n" for line in lines if line.split()[1] == random))
    shared = read([path], [tmp_path / "some.keys"], 2)
    assert shared == read([path], [tmp_path / "some.keys"], 0)
    details = [json.loads(line)["decryption"]["detail"] or "" for line in shared]
    assert any(detail.startswith("the key log has nothing for") for detail in details)
    assert not any("nor for any session" in detail for detail in details)


@pytest.mark.corpus
def test_the_captures_with_known_answers_as_one() -> None:
    corpus = Path(os.environ["ANALYZER_CORPUS"])
    paths = sorted(path for path in corpus.rglob("*") if path.suffix in {".pcap", ".pcapng", ".cap", ".trace"})
    keys = sorted(corpus.rglob("*.keys"))
    wanted = read(paths, keys, 0, messages=False)
    assert len(wanted) > 200
    assert read(paths, keys, 2, messages=False) == wanted


def test_a_chain_is_called_by_a_number_while_it_is_small_and_there_are_few() -> None:
    assert gets_number((b"a" * 8000, b"b" * 8000), 0)
    assert not gets_number((b"a" * 8000, b"b" * 9000), 0)
    assert not gets_number((b"a",), MOST_CHAINS)


def test_a_record_is_what_its_line_says() -> None:
    [path] = (CAPTURES / "tls12-dhe-rsa").glob("*.pcap*")
    chains = Chains()
    engine = Engine(False, False, answers=chains.answers)
    with Crew(engine, chains, 2, False) as records:
        for walker in CaptureReader([str(path)]).walkers():
            engine.run(walker)
            assert not list(records.take())  # what is read at once is not worth a message yet
        [ended] = records.close()
    assert json.loads(ended.line()) == ended.record()
    assert ended.session.id == 0
