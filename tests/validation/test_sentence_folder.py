"""The catalogue of the pack: what the code asks for is there, what is there is used, both languages say the same."""

import ast
import re
from pathlib import Path

from analyzer.report.sentences import catalogue
from analyzer.validation.requirements import REQUIREMENTS, RISKS
from analyzer.validation.sentence_folder import DIRECTORY
from analyzer.validation.validation_run import LIMITS, UNCOVERED

from .conftest import Run

SOURCES = sorted(Path(DIRECTORY).parent.glob("*.py"))
FIELD = re.compile(r"\{(\w+)")
LANGUAGES = ("en", "zh")


def plain(key: str) -> str:
    return key.removesuffix(".one").removesuffix(".other")


def texts_and_patterns() -> tuple[set[str], list[re.Pattern[str]]]:
    texts: set[str] = set()
    patterns = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            elif isinstance(node, ast.JoinedStr) and len(node.values) > 1:
                parts = [re.escape(p.value) if isinstance(p, ast.Constant) else r"[\w.]+" for p in node.values]  # type: ignore[arg-type]
                patterns.append(re.compile("".join(parts)))
    return texts, [pattern for pattern in patterns if "\\." in pattern.pattern]


def test_every_sentence_is_used():
    texts, patterns = texts_and_patterns()
    keys = {plain(key) for key in catalogue("en", DIRECTORY)}
    assert sorted(key for key in keys if key not in texts and not any(one.fullmatch(key) for one in patterns)) == []


def test_every_code_has_its_sentences(validation: Run):
    wanted = {f"requirement.{one.code}.{part}" for one in REQUIREMENTS for part in ("title", "need", "criterion")}
    wanted |= {f"risk.{one.code}.{part}" for one in RISKS for part in ("title", "effect", "rest")}
    wanted |= {f"known.{code}" for code in LIMITS} | {f"uncovered.{code}" for code in UNCOVERED}
    wanted |= {f"reason.{code}" for code in ("no_tshark", "tshark_failed", "not_linux")}
    names = {each["name"] for trial in validation.facts["trials"] for each in trial["values"] if "." not in each["name"]}
    keys = set(catalogue("en", DIRECTORY))
    assert wanted <= keys
    unnamed = {name for name in names if f"value.{name}" not in keys}
    assert unnamed == {"version", "cipher_suite_id", "handshake", "alerts"}, "these are keys of the session record"


def test_both_languages_have_the_same_sentences_and_fields():
    english, chinese = (catalogue(language, DIRECTORY) for language in LANGUAGES)
    assert {plain(key) for key in english} == {plain(key) for key in chinese}
    for key, text in english.items():
        translated = chinese.get(key) or chinese[f"{plain(key)}.other"]
        assert set(FIELD.findall(text)) == set(FIELD.findall(translated)), key


def test_a_translation_is_chinese():
    same = {key for key, text in catalogue("en", DIRECTORY).items() if catalogue("zh", DIRECTORY).get(key) == text}
    assert same == {"fact.tool_value", "laboratory.blank", "results.no_reason", "installed.python", "installed.tshark"}
