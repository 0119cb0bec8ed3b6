"""The line about resumption: the resumed session, and the certificate that was shown first."""

from pathlib import Path

import pytest

from analyzer.cli.main import main
from analyzer.cli.resumptions import Resumptions, ech_text

CAPTURES = Path(__file__).resolve().parents[2] / "captures"


def shown(capsys: pytest.CaptureFixture[str], name: str, number: int, keys: bool = True, fields: bool = False) -> str:
    path = CAPTURES / name / f"{name}.pcapng"
    options = [*(["-k", str(path.with_suffix(".keys"))] if keys else []), *(["--fields"] if fields else [])]
    assert main(["show", str(path), str(number), *options]) == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("name", "how", "keys"),
    [
        ("tls12-session-id-resumption", "session id", False),
        ("tls12-ticket-resumption", "ticket", False),
        ("tls13-psk-resumption", "psk", True),
        ("tls13-early-data", "psk", True),
    ],
)
def test_a_resumed_session_names_the_certificate_of_the_first(capsys, name: str, how: str, keys: bool) -> None:
    text = shown(capsys, name, 1, keys)
    assert f"resumed yes, by {how}; resumes session 0, whose server showed CN=www.example" in text


def test_an_encrypted_ticket_links_no_sessions(capsys) -> None:
    text = shown(capsys, "tls13-psk-resumption", 1, keys=False)
    assert "resumed yes, by psk " in text
    assert "resumes session" not in text


def test_a_first_session_resumes_nothing(capsys) -> None:
    assert "resumed no" in shown(capsys, "tls13-psk-resumption", 0)


def test_the_first_of_several_resumptions_is_found() -> None:
    resumptions = Resumptions()
    resumptions._known = {0: (None, "CN=a.example"), 4: (0, None), 7: (4, None)}
    record = {"resumed": True, "resumption": "ticket", "resumes": 7}
    assert resumptions.text(record) == (
        "yes, by ticket; resumes session 7, 2 resumptions after session 0, whose server showed CN=a.example"
    )
    resumptions._known = {4: (7, None), 7: (4, None)}  # a cycle, which only a forged capture can have
    assert resumptions.text(record) == "yes, by ticket; resumes session 7"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("ech-accepted", "accepted; the inner name is secret.example.com, the outer public.example.com"),
        ("ech-rejected", "rejected; the inner name is secret.example.com, the outer public.example.com"),
    ],
)
def test_the_inner_name_is_shown_beside_the_outer_one(capsys, name: str, line: str) -> None:
    assert f"ECH {line}" in shown(capsys, name, 0)
    assert "ECH offered; without its secrets" in shown(capsys, name, 0, keys=False)


@pytest.mark.parametrize(("name", "status"), [("ech-accepted", "accepted"), ("ech-rejected", "rejected")])
def test_the_inner_hello_is_shown_after_the_outer_one(capsys, name: str, status: str) -> None:
    text = shown(capsys, name, 0, fields=True)
    outer, _, inner = text.partition("ClientHelloInner")
    assert inner.startswith(" inside the one above, ")
    assert f", {status} legacy_version:" in inner
    assert outer.index("ClientHello from client, frame 4") < len(outer) < text.index("ServerHello from server")
    assert "ClientHelloInner" not in shown(capsys, name, 0, keys=False, fields=True)


def test_grease_is_named() -> None:
    assert ech_text({"status": "grease", "inner_server_name": None, "outer_server_name": "a.example"}).startswith("GREASE")
