import string
from pathlib import Path

import pytest
from sentences import counted, errors, fields, forms, helped, spoken

from analyzer.codec.codes import codes
from analyzer.text import language
from analyzer.text.formatting import count_text, duration_text, size_text
from analyzer.text.language import catalogue, language_of, retold, say, speaking, translated_codes

FOLDER = Path(language.__file__).parent / "locale" / "zh" / "LC_MESSAGES"
SAID, RETOLD = catalogue("zh", "analyzer"), catalogue("zh", "sentences")
COUNT = "number\x04"
"""Begins the key of a form for numbers."""


def test_every_sentence_is_translated_and_every_translation_is_used():
    wanted = {**spoken(), **helped(), **{COUNT + one: place for one, place in counted().items()}}
    assert {sentence: place for sentence, place in wanted.items() if sentence not in SAID} == {}
    assert [sentence for sentence in SAID if sentence not in wanted] == []


def test_every_error_is_translated_and_every_retold_sentence_is_one_of_the_package():
    assert {form: place for form, place in errors().items() if form not in RETOLD} == {}
    written = {*forms(), *errors()}
    assert [form for form in RETOLD if form not in written] == []


@pytest.mark.parametrize("name", ["analyzer", "sentences"])
def test_a_translation_has_the_fields_of_its_sentence(name: str):
    for sentence, translated in catalogue("zh", name).items():
        if sentence.startswith(COUNT):
            assert fields(translated) == {"n"}, sentence
        else:
            assert fields(translated) == fields(sentence), sentence
            list(string.Formatter().parse(translated))


def test_a_translation_is_not_the_english_sentence():
    same = {sentence for sentence, translated in SAID.items() if sentence == translated}
    assert same == {"SHA-256", "SHA-1", "MTU", "ALPN", "JA3", "JA3S", "JA4", "ECH", "TLS 1.3", "tshark"} & set(SAID)


def test_commands_in_examples_are_the_same():
    for sentence, translated in SAID.items():
        if sentence.startswith("examples:"):
            assert translated.count("\n") == sentence.count("\n")
            for english, chinese in zip(sentence.splitlines()[1:], translated.splitlines()[1:], strict=True):
                assert chinese.split("  ")[1].split()[:2] == english.split("  ")[1].split()[:2]


@pytest.mark.parametrize("name", ["analyzer", "sentences"])
def test_babel_reads_the_same(name: str):
    read_po = pytest.importorskip("babel.messages.pofile").read_po
    with open(FOLDER / f"{name}.po", "rb") as file:
        messages = [message for message in read_po(file, locale="zh") if message.id]
    assert not any(message.fuzzy for message in messages)
    for message in messages:
        plural = isinstance(message.id, tuple)
        one, translated = (message.id[0], message.string[0]) if plural else (message.id, message.string)
        key = one if message.context is None else f"{message.context}\x04{one}"
        assert plural == (message.context == "number")
        assert catalogue("zh", name)[key] == translated
    assert len(messages) == len(catalogue("zh", name))


@pytest.mark.parametrize(
    ("environment", "chosen"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN"}, "zh"),
        ({"LANG": "zh_CN.GB18030@pinyin"}, "zh"),
        ({"LANG": "zh_TW.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "zha_CN"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "de_DE.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
    ],
)
def test_the_first_variable_that_is_not_empty_decides(environment: dict[str, str], chosen: str):
    assert language_of(environment) == chosen


def test_english_reads_no_catalogue(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(language, "catalogue", None)
    assert say("{n} bits", n=7) == "7 bits"
    assert retold("anything") == "anything"
    assert translated_codes("findings")["gap"].title == codes("findings")["gap"].title
    assert count_text(2, "frame") == "2 frames"


def test_the_language_ends_with_the_with():
    with speaking("zh"):
        assert say("{n} bits", n=7) == "7 位"
        assert (count_text(1, "frame"), count_text(1204, "frame"), size_text(812)) == ("1 帧", "1,204 帧", "812 字节")
        assert duration_text(3_720_000_000_000) == "1 小时 02 分"
        with speaking("en"):
            assert say("yes") == "yes"
        assert say("yes") == "是"
    assert say("yes") == "yes"


def test_what_has_no_translation_stays():
    with speaking("zh"):
        assert say("no such sentence {n}", n=1) == "no such sentence 1"
        assert retold("no such sentence at all") == "no such sentence at all"


def test_a_finished_sentence_is_told_again_with_what_stood_in_it():
    with speaking("zh"):
        assert retold("no such file: a.pcap") == "没有该文件\uff1aa.pcap"
        braces = retold("no such file: {0} {a}.pcap")
    assert braces == "没有该文件\uff1a{0} {a}.pcap"


def test_a_long_hostile_sentence_is_told_again_in_time():
    with speaking("zh"):
        assert retold("a: " * 20_000).startswith("a")
