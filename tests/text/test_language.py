import re
import string
from pathlib import Path

import pytest
from prose import plain, prose, prose_of
from sentences import counted, errors, fields, forms, helped, spoken
from wording import ENGLISH_BEGINNINGS, ENGLISH_FILES, ENGLISH_TEXTS, OTHER_FORMS

from analyzer.codec.codes import codes
from analyzer.report.sentences import catalogue as rows
from analyzer.text import catalogues, language
from analyzer.text.formatting import count_text, duration_text, size_text
from analyzer.text.language import catalogue, language_of, retold, say, speaking, translated_codes
from analyzer.validation.sentence_folder import DIRECTORY as PACK

FOLDER = Path(catalogues.__file__).parent / "locale" / "zh" / "LC_MESSAGES"
SAID, RETOLD = catalogue("zh", "analyzer"), catalogue("zh", "sentences")
COUNT = "number\x04"
"""Begins the key of a form for numbers."""

NAMED = ("{} ", "the key of {} ")
"""What the code puts in front of a sentence about a certificate or its key."""


def test_every_sentence_is_translated_and_every_translation_is_used():
    wanted = {**spoken(), **helped(), **{COUNT + one: place for one, place in counted().items()}}
    assert {sentence: place for sentence, place in wanted.items() if sentence not in SAID} == {}
    assert [sentence for sentence in SAID if sentence not in wanted] == []


def test_every_error_is_translated_and_every_retold_sentence_is_one_of_the_package():
    assert {form: place for form, place in errors().items() if form not in RETOLD} == {}
    written = {plain(form) for form in (*forms(), *errors(), *prose(), *OTHER_FORMS)}
    named = {begin + form for form in written for begin in NAMED}
    assert [form for form in RETOLD if plain(form) not in written | named] == []


def test_no_sentence_of_the_code_is_without_translation():
    """Whatever way it takes to a person: printed, raised, in a finding, a verdict, a report."""
    assert untranslated(prose()) == {}


def untranslated(sentences: dict[str, str]) -> dict[str, str]:
    """The sentences that no catalogue has, with their places, except those that are English on purpose."""
    known = {plain(key.removeprefix(COUNT)) for key in (*SAID, *RETOLD)} | {plain(text) for text in rows("en").values()}
    english = {text for texts in ENGLISH_TEXTS.values() for text in texts}
    helps = list(helped())
    return {
        text: place
        for text, place in sentences.items()
        if plain(text) not in known
        and not any(begin + plain(text) in known for begin in NAMED)
        and text not in english
        and not text.startswith(ENGLISH_BEGINNINGS)
        and not place.startswith(tuple(ENGLISH_FILES))
        and not (place.startswith("cli/") and any(_is_part(text, one) for one in helps))
    }


def _is_part(text: str, whole: str) -> bool:
    """Whether a text, with anything in its fields, stands in another one."""
    return re.search(".+?".join(re.escape(part) for part in plain(text).split("{}")), whole) is not None


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("cli", 'output.line("Every door is open now")'),
        ("cli", 'output.line(f"{n} doors are open now")'),
        ("text", 'return f"the door of {name} is open" + rest'),
        ("report", 'line = ["Every door is open now"]'),
        ("analysis", 'Finding("open_door", "low", f"{n} doors are open, and {m} closed", [])'),
        ("x509", 'return "unknown", "the door of the authority is open"'),
        ("tls/decryption", 'raise DecryptionError(MALFORMED, f"door {n} of the record is open")'),
        ("application", 'self.note(side, "bad_door", f"{n} doors on stream {stream}")'),
        ("capture", 'raise DamagedCapture(f"the file has {n} doors")'),
    ],
)
def test_a_new_sentence_is_found_in_every_room(place: str, source: str):
    found = dict.fromkeys(prose_of(source), f"{place}/new.py:1")
    assert list(untranslated(found)) == list(found) != []


def test_a_piece_is_put_into_its_sentence():
    more = 'more = f", and {n - 1} doors more" if n > 1 else ""'
    assert prose_of(more + '\ndetail = f"the door of {name} is open{more}"') == [
        "the door of {a} is open, and {b} doors more",
        "the door of {a} is open",
    ]
    assert prose_of('"""A docstring of two words."""') == []


def test_what_is_english_on_purpose_is_still_there():
    texts = prose()
    assert [text for group in ENGLISH_TEXTS.values() for text in group if text not in texts] == []
    files = {place.partition(":")[0] for place in texts.values()}
    assert [name for name in ENGLISH_FILES if not any(file.startswith(name) for file in files)] == []


def test_a_phrase_is_translated_once():
    """What both the terminal and the facts of a report say, they say with the same words."""
    english, chinese = rows("en"), rows("zh")
    told = {key: SAID.get(text) or RETOLD.get(text) for key, text in english.items() if key.startswith("step.")}
    assert {key: text for key, text in told.items() if text is not None and text != chinese[key]} == {}
    assert {text for text in SAID if text in RETOLD and SAID[text] != RETOLD[text]} == set()


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
    assert same == {
        "SHA-256",
        "SHA-1",
        "MTU",
        "ALPN",
        "QUIC",
        "JA3",
        "JA3S",
        "JA4",
        "ECH",
        "TLS 1.3",
        "tshark",
        "A",
        "B",
        "MSS",
        "RST",
    } & set(SAID)


def test_no_translation_keeps_english_words_or_narrow_marks():
    """A section of an RFC is 第 5.1 节; between Chinese characters stand Chinese marks (GB/T 15834-2011)."""
    told = [*SAID.values(), *RETOLD.values(), *rows("zh").values(), *rows("zh", PACK).values()]
    told += [
        text
        for name in ("findings", "chain_problems")
        for one in codes(name, "zh").values()
        for text in (one.title, one.meaning)
    ]
    assert [text for text in told if re.search(r"\bsections? \d|\bRFC\d", text)] == []
    assert [text for text in told if re.search(r"[\u4e00-\u9fff][,;!?][\u4e00-\u9fff]|[\u4e00-\u9fff][,;] ", text)] == []


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
    monkeypatch.setattr(language, "retelling", None)
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
