"""The catalogue of sentences: what the code asks for is there, what is there is asked for, and all languages say the same."""

import ast
import re
from pathlib import Path

import pytest

from analyzer.analysis.integrity_observations import _OF_SENDERS
from analyzer.report.document import Code, Quoted
from analyzer.report.sentences import Sentences, UnknownLanguageError, UnknownSentenceError, catalogue, languages

PACKAGE = Path(__file__).resolve().parents[2] / "analyzer"
SOURCES = [*(PACKAGE / "report").rglob("*.py"), *(PACKAGE / "cli").glob("report*.py")]
TEMPLATES = [path for ending in ("html", "typ") for path in (PACKAGE / "report" / "templates").glob(f"*.{ending}")]
FIELD = re.compile(r"\{(\w+)(?::[^}]*)?\}")


def plain(key: str) -> str:
    """Return a key without its plural form."""
    return key.removesuffix(".one").removesuffix(".other")


def constants() -> tuple[set[str], list[re.Pattern[str]]]:
    """Return all texts in the sources of the report, and the patterns of those that are put together."""
    texts: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr) and any(isinstance(part, ast.Constant) for part in node.values):
                parts = [re.escape(part.value) if isinstance(part, ast.Constant) else r"[\w.]+" for part in node.values]
                patterns.append(re.compile("".join(parts)))
            elif isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
                patterns.append(re.compile(re.escape(node.left.value) + r"[\w.]+"))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
    for path in TEMPLATES:
        texts |= set(re.findall(r'"([\w.]+)"', path.read_text("utf-8")))
    return texts, patterns


def asked_for() -> set[str]:
    """Return the keys that stand as a constant in a call of `say` or `line`."""
    return {
        node.args[0].value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("say", "line")
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_every_sentence_that_the_code_asks_for_is_there() -> None:
    keys = {plain(key) for key in catalogue("en")}
    assert len(asked_for()) > 100
    assert sorted(asked_for() - keys) == []


def test_every_sentence_is_used() -> None:
    texts, patterns = constants()
    keyish = [pattern for pattern in patterns if "\\." in pattern.pattern or "." in pattern.pattern]
    unused = [
        key
        for key in {plain(key) for key in catalogue("en")}
        if key not in texts and not any(pattern.fullmatch(key) for pattern in keyish)
    ]
    assert sorted(unused) == []


def codes_in(path: Path, *functions: str) -> set[str]:
    """Return the codes that a module gives to these functions as their first argument."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in functions
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_every_limitation_and_observation_has_its_sentence() -> None:
    limits = codes_in(PACKAGE / "report" / "limitations.py", "add") | {"no_network", "passive"}
    observations = (
        codes_in(PACKAGE / "report" / "capture_observations.py", "add")
        | codes_in(PACKAGE / "analysis" / "integrity_observations.py", "_observation")
        | {*_OF_SENDERS, "checksum_unfinished", "checksum_wrong"}
    )
    assert len(limits) > 8
    assert len(observations) > 20
    keys = {plain(key) for key in catalogue("en")}
    assert {f"limit.{code}" for code in limits} | {f"integrity.{code}" for code in observations} <= keys


def test_plural_forms_come_in_pairs() -> None:
    keys = set(catalogue("en"))
    for key in keys:
        if key.endswith((".one", ".other")):
            assert {plain(key) + ".one", plain(key) + ".other"} <= keys
            assert plain(key) not in keys


@pytest.mark.parametrize("language", languages())
def test_all_languages_have_the_same_keys_and_fields(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    singular = {key for key in english if key.endswith(".one")}
    assert set(other) in (set(english), set(english) - singular), "all keys; without a singular where a language has none"
    for key in other:
        assert set(FIELD.findall(other[key])) == set(FIELD.findall(english[key])), key


def test_every_chinese_sentence_is_chinese() -> None:
    names = {"JA4", "SHA-256", "SHA-512", "BLAKE2b", "Python", "Cookie", "HTTP Date", "{name} {version}"}
    english, chinese = catalogue("en"), catalogue("zh")
    for key, text in chinese.items():
        written = FIELD.sub("", text)
        assert re.search("[\u3000-\u9fff\uff00-\uffef]", written) or text in names, key
        assert text == text.strip(), key
        assert not re.search("[\u4e00-\u9fff][,;:!?]|[.][ ]?$", text), f"{key}: a mark of English after Chinese"
        assert text != english[key] or text in names, key


def test_a_language_without_a_singular_counts_with_one_form() -> None:
    sentences = Sentences("zh")
    assert sentences.say("packets", n=1) == "1 个数据包"
    assert sentences.say("packets", n=1204) == "1,204 个数据包"
    assert sentences.say("decryption.none", n=1, failed=0, client="", server="") == "未解密。"


def test_numbers_have_groups_of_digits_unless_a_format_says_otherwise() -> None:
    sentences = Sentences("en")
    assert sentences.say("packets", n=1204) == "1,204 packets"
    assert sentences.say("packets", n=1) == "1 packet"
    assert sentences.say("frame", frame=1204) == "frame 1204"


def test_pieces_stay_pieces() -> None:
    line = Sentences("en").line("front.see_limits", link=Quoted("{evil}"))
    assert line[1] == Quoted("{evil}")
    assert "".join(part for part in line if isinstance(part, str)).startswith("The section “")
    joined = Sentences("en").line("front.see_limits", link=["a", Code("b"), "c"])
    assert joined[0].endswith("“a")  # type: ignore[union-attr]
    assert joined[1] == Code("b")


def test_what_is_missing_is_an_error() -> None:
    with pytest.raises(UnknownSentenceError):
        Sentences("en").say("no.such.sentence")
    with pytest.raises(UnknownSentenceError):
        Sentences("en").say("frame")
    with pytest.raises(UnknownLanguageError):
        Sentences("../en")


def test_text_of_a_stranger_is_no_format() -> None:
    assert Sentences("en").say("title.case", case="{n}{0.__class__}%s") == (
        "Examination of recorded network traffic, case {n}{0.__class__}%s"
    )
