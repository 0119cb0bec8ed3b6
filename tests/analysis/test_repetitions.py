"""What sessions repeat is in the record of the later one, and the same for any number of processes."""

import json
from pathlib import Path
from typing import Any

import pytest
from flights import flights as certified
from hierarchy import hierarchy, make_leaf
from repeated_talks import DAY, OTHER_SERVER, Capture, session_of, swapped, talk

from analyzer.analysis.repetitions import LATE, LONGEST_LIFE, Repetitions
from analyzer.cli.main import main
from analyzer.engine import Engine

CAPTURES = Path(__file__).parents[2] / "captures"
KEY = bytes.fromhex("0a0000010a000002c35001bb")


@pytest.fixture
def found(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Returns the new findings of a capture by session, which are the same for one, two and three processes."""

    def read(capture: Capture) -> list[list[dict[str, Any]]]:
        path = capture.write(tmp_path / "made.pcap")
        texts = []
        for jobs in "123":
            assert main(["sessions", str(path), "--format", "json", "-j", jobs]) == 0
            texts.append(capsys.readouterr().out)
        assert texts[0] == texts[1] == texts[2]
        records = sorted(map(json.loads, texts[0].splitlines()), key=lambda record: record["id"])
        assert all(finding["frames"] for record in records for finding in record["findings"])
        return [[finding for finding in record["findings"] if finding["code"] in CODES] for record in records]

    return read


CODES = {"repeated_random", "same_handshake", "reused_key_share", "late_resumption", "shared_certificate", "shared_key"}


def codes(findings: list[list[dict[str, Any]]]) -> list[list[tuple[str, str]]]:
    return [[(finding["code"], finding["severity"]) for finding in one] for one in findings]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_sessions_of_their_own_repeat_nothing(version: str, found):
    capture = Capture()
    for number in range(3):
        capture.add(talk(version, number))
    assert codes(found(capture)) == [[], [], []]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_handshake_that_is_captured_twice_is_one_finding(version: str, found):
    capture = Capture()
    capture.add(talk(version, 0))
    capture.add(talk(version, 0), OTHER_SERVER)
    assert codes(found(capture)) == [[], [("same_handshake", "info")]]


@pytest.mark.parametrize(("role", "severity"), [("client", "info"), ("server", "medium")])
def test_a_random_of_an_earlier_session(role: str, severity: str, found):
    first, second = (session_of(talk("TLSv1_2", number)).handshake.transcript for number in (0, 1))
    old, new = (getattr(one, f"{role}_random") for one in (second, first))
    capture = Capture()
    capture.add(talk("TLSv1_2", 0))
    capture.add(swapped(talk("TLSv1_2", 1), old, new))
    findings = found(capture)
    assert codes(findings) == [[], [("repeated_random", severity)]]
    assert "session 0" in findings[1][0]["detail"]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("role", ["client", "server"])
def test_a_public_key_of_an_earlier_session(version: str, role: str, found):
    first, second = (public_keys(talk(version, number))[role == "server"] for number in (0, 1))
    capture = Capture()
    capture.add(talk(version, 0))
    capture.add(swapped(talk(version, 1), second, first))
    findings = found(capture)
    assert codes(findings) == [[], [("reused_key_share", "info")]]
    assert findings[1][0]["detail"].startswith(f"the {role}'s public key")


def public_keys(said: list[tuple[int, bytes]]) -> tuple[bytes, bytes]:
    handshake = session_of(said).handshake
    return handshake.hellos.public_keys[-1], handshake.parameters.public_key


def test_a_retry_reuses_nothing(found):
    capture = Capture()
    capture.add_file(CAPTURES / "tls13-hello-retry-request" / "tls13-hello-retry-request.pcapng")
    assert [code for one in codes(found(capture)) for code in one] == []


def test_dhe_before_tls_1_2_is_low():
    repetitions = Repetitions()
    assert not repetitions.take(0, KEY, 0, values(server_key=b"K" * 128, version=0x0302), None, None, -1)
    (finding,) = repetitions.take(1, KEY, 0, values(server_key=b"K" * 128, version=0x0302), None, None, -1)
    assert (finding.code, finding.severity, finding.frames) == ("reused_key_share", "low", [5])


@pytest.mark.parametrize(("accepted", "severity"), [(True, "high"), (None, "medium"), (False, "low")])
def test_early_data_that_is_sent_again(accepted: bool | None, severity: str):
    repetitions = Repetitions()
    offer = {"client_random": b"C" * 32, "tickets": (b"T" * 32,), "tls13": True, "early": (True, accepted)}
    assert not repetitions.take(0, KEY, 0, values(server_random=b"S" * 32, **offer), None, None, -1)
    again = repetitions.take(1, KEY, 0, values(server_random=b"R" * 32, **offer), None, None, -1)
    assert [(one.code, one.severity) for one in again] == [("repeated_random", "info"), ("early_data_replay", severity)]
    assert "session 0" in again[1].detail
    assert again[1].frames == [1]


@pytest.mark.parametrize(
    "change",
    [
        {"server_random": b"S" * 32},  # the capture has it twice
        {"server_random": b""},  # it is not answered
        {"early": (False, None)},
        {"client_random": b"D" * 32},
        {"tickets": (b"U" * 32,)},
    ],
)
def test_what_is_no_replay(change: dict[str, Any]):
    repetitions = Repetitions()
    offer = {"client_random": b"C" * 32, "tickets": (b"T" * 32,), "tls13": True, "early": (True, True)}
    repetitions.take(0, KEY, 0, values(server_random=b"S" * 32, **offer), None, None, -1)
    again = repetitions.take(1, KEY, 0, values(**(offer | {"server_random": b"R" * 32} | change)), None, None, -1)
    assert "early_data_replay" not in [one.code for one in again]


def values(**changes: Any) -> tuple[Any, ...]:
    """The values of a session that has nothing."""
    plain = {
        "client_random": b"", "server_random": b"", "client_keys": (), "server_key": b"", "tickets": (),
        "frames": (1, 2, 3, 4, 5), "version": 0x0303, "tls13": False, "resumption": "",
        "terms": None, "early": (False, None),
    }  # fmt: skip
    assert changes.keys() <= plain.keys()
    return tuple((plain | changes).values())


@pytest.mark.parametrize("name", ["tls12-ticket-resumption", "tls12-session-id-resumption", "tls13-psk-resumption"])
@pytest.mark.parametrize(("wait", "late"), [(DAY // 2, False), (2 * DAY, True)])
def test_resumption_two_days_later(name: str, wait: int, late: bool, found):
    path = CAPTURES / name / f"{name}.pcapng"
    capture = Capture()
    capture.add_file(path, wait, last_frame_of_the_first_session(path))
    seen = codes(found(capture))
    issued = name != "tls13-psk-resumption"  # its ticket is encrypted, and nobody used it before
    assert seen[-1] == ([("late_resumption", "info")] if late and issued else [])


def last_frame_of_the_first_session(path: Path) -> int:
    from conversations import read_sessions

    from analyzer.capture.capture_reader import CaptureReader

    sessions = read_sessions(CaptureReader([str(path)]), Engine())
    second: int = sorted(session.flow.first_frame for session in sessions)[1]
    return second - 1


@pytest.mark.parametrize(
    ("age", "tls13", "resumption", "severity"),
    [
        (LATE, True, "psk", None),
        (LATE + 1, True, "psk", "info"),
        (LONGEST_LIFE + 1, True, "psk", "medium"),
        (LONGEST_LIFE + 1, True, "", "info"),
        (LONGEST_LIFE + 1, False, "ticket", "info"),
    ],
)
def test_the_age_of_a_ticket_decides(age: int, tls13: bool, resumption: str, severity: str | None):
    repetitions = Repetitions()
    offer = values(tickets=(b"T" * 32,), tls13=tls13, resumption=resumption)
    assert not repetitions.take(0, KEY, DAY, offer, None, None, -1)
    again = repetitions.take(1, KEY, DAY + age, offer, None, None, -1)
    assert [finding.severity for finding in again] == ([] if severity is None else [severity])
    assert not repetitions.take(2, KEY, -1, offer, None, None, -1)


@pytest.fixture(scope="module")
def leaves() -> dict[str, bytes]:
    """Certificates: two that share nothing, one with two names, and one of another name with the key of the first."""
    issuer = hierarchy().intermediate
    from cryptography import x509
    from hierarchy import hosts

    def leaf(*names: str, **changes: Any) -> Any:
        return make_leaf(issuer, names[0], changed={x509.SubjectAlternativeName: (hosts(*names), False)}, **changes)

    first = leaf("one.test")
    return {
        "one": first.der,
        "both": leaf("one.test", "*.two.test").der,
        "renewed": leaf("one.test", key=first.key).der,
        "same key": leaf("three.test", key=first.key).der,
    }


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("one", "one.test", 2), ("one", "one.test", 2), []),
        (("one", "one.test", 2), ("one", "one.test", 3), []),
        (("one", "one.test", 2), ("one", "two.test", 2), []),
        (("one", "one.test", 2), ("one", "two.test", 3), ["shared_certificate"]),
        (("one", None, 2), ("one", None, 3), ["shared_certificate"]),
        (("both", "one.test", 2), ("both", "www.two.test", 3), []),
        (("one", "one.test", 2), ("renewed", "one.test", 2), []),
        (("one", "one.test", 2), ("same key", "three.test", 3), ["shared_key"]),
    ],
)
def test_certificates_and_keys_of_other_hosts(
    first: tuple[str, str | None, int],
    second: tuple[str, str | None, int],
    expected: list[str],
    leaves: dict[str, bytes],
    found,
):
    capture = Capture()
    for number, (leaf, name, host) in enumerate((first, second, second)):
        said = certified([leaves[leaf]], name)
        said = [
            (side, data.replace(b"C" * 32, bytes([number]) * 32).replace(b"S" * 32, bytes([9, number]) * 16))
            for side, data in said
        ]
        capture.add(said, bytes((10, 0, 0, host)))
    findings = found(capture)
    assert codes(findings) == [[], [(code, "info") for code in expected], []]
    if expected:
        assert len(findings[1][0]["frames"]) == 2
