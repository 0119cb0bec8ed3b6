"""What only one session's message shows is said of that one, in both languages."""

from types import SimpleNamespace
from typing import Any

import pytest

from analyzer.text.explain import NAMED, SHARED, UNSIGNED, explanation
from analyzer.text.language import speaking


def message(**fields: Any) -> Any:
    return SimpleNamespace(body=SimpleNamespace(json=lambda: fields))


def extensions(*names: str) -> list[dict[str, Any]]:
    return [{"type": name, "body": {}} for name in names]


@pytest.mark.parametrize("tls13", [False, True])
def test_a_server_name_is_mentioned_only_where_there_is_one(tls13: bool):
    assert NAMED in explanation("client_hello", tls13, False, message(extensions=extensions("server_name")))
    assert NAMED not in explanation("client_hello", tls13, False, message(extensions=extensions("supported_versions")))
    assert NAMED not in explanation("client_hello", tls13, False, message())
    assert not any("server it wants" in sentence for sentence in explanation("client_hello", tls13, False))


def test_a_key_share_is_mentioned_only_where_there_is_one():
    for name in SHARED:
        assert SHARED[name] in explanation(name, True, False, message(extensions=extensions("key_share")))
        assert SHARED[name] not in explanation(name, True, True, message(extensions=extensions("pre_shared_key")))
        assert SHARED[name] not in explanation(name, False, False, message(extensions=extensions("key_share")))


def test_a_signature_is_mentioned_only_where_there_is_one():
    assert explanation("server_key_exchange", False, False, message(params={})) == [UNSIGNED]
    (signed,) = explanation("server_key_exchange", False, False, message(params={}, signed_params={}))
    assert "signs it" in signed


def test_a_message_that_was_not_opened_has_its_general_sentence():
    assert len(explanation("certificate", True, False, SimpleNamespace(body=None))) == 1
    assert explanation("no_such_message", True, False) == []


def test_the_sentences_are_chinese_too():
    with speaking("zh"):
        said = explanation("client_hello", True, False, message(extensions=extensions("key_share", "server_name")))
    assert len(said) == 3
    assert all(sentence.endswith("。") for sentence in said)
