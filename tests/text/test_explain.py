"""What only one session's message shows is said of that one, in both languages."""

from pathlib import Path

import pytest
from conversations import Tap, packetise
from talks import converse

from analyzer.engine import Engine
from analyzer.text.explain import NAMED, OPENED, SHARED, UNSIGNED, explanation, step_sentences
from analyzer.text.language import speaking
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.session import Session
from analyzer.validation.capture_reading import read_sessions


def sessions_of(repository: Path, name: str, keyed: bool = True) -> list[Session]:
    folder = repository / "captures" / name
    return read_sessions(str(folder / f"{name}.pcapng"), (folder / f"{name}.keys").read_bytes() if keyed else b"")


def message_of(session: Session, name: str) -> HandshakeMessage:
    return next(message for message in session.log.messages if message.name == name)


def names_of(message: HandshakeMessage) -> list[str]:
    return [entry["type"] for entry in message.body.json()["extensions"]]


@pytest.mark.parametrize("name", ["tls12-rsa-key-exchange", "tls13-rsa", "ipv6", "tls13-external-psk"])
def test_a_server_name_is_mentioned_only_where_there_is_one(repository: Path, name: str):
    hello = message_of(sessions_of(repository, name)[0], "client_hello")
    said = explanation("client_hello", name.startswith("tls13"), False, hello)
    assert (NAMED in said) == ("server_name" in names_of(hello))
    assert not any("server it wants" in sentence for sentence in explanation("client_hello", True, False))


def test_a_key_share_is_mentioned_only_where_there_is_one(repository: Path):
    for capture, tls13 in (("tls13-rsa", True), ("tls12-rsa-key-exchange", False)):
        session = sessions_of(repository, capture)[0]
        for name, sentence in SHARED.items():
            message = message_of(session, name)
            assert (sentence in explanation(name, tls13, False, message)) == ("key_share" in names_of(message)) == tls13


@pytest.mark.parametrize("ciphers", ["ECDHE-ECDSA-AES128-SHA", "AECDH-AES128-SHA"])
def test_a_signature_is_mentioned_only_where_there_is_one(ciphers: str):
    tap = Tap()
    tap.engine = Engine(fields=True)
    tap.feed(*packetise(converse("TLSv1_2", ciphers).flights))
    message = message_of(tap.close()[0], "server_key_exchange")
    (said,) = explanation(message.name, False, False, message)
    assert (said == UNSIGNED) == ciphers.startswith("AECDH")
    assert ("signs it" in said) != ciphers.startswith("AECDH")


@pytest.mark.parametrize("keyed", [False, True])
def test_data_is_opened_only_where_it_was(repository: Path, keyed: bool):
    session = sessions_of(repository, "tls13-rsa", keyed)[0]
    assert (step_sentences("application_data", session, None) == [OPENED]) == keyed


def test_a_message_that_was_not_opened_has_its_general_sentence():
    assert len(explanation("certificate", True, False)) == 1
    assert explanation("no_such_message", True, False) == []


def test_the_sentences_are_chinese_too(repository: Path):
    hello = message_of(sessions_of(repository, "tls13-rsa")[0], "client_hello")
    with speaking("zh"):
        said = explanation("client_hello", True, False, hello)
    assert len(said) == 2 + ("server_name" in names_of(hello))
    assert all(sentence.endswith("。") for sentence in said)
