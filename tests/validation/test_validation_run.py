"""What a validation says of this installation is checked, and that it would say so if something were wrong."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from strict_schema import strict

from analyzer.report.sentences import Sentences, catalogue
from analyzer.store.validation_schema import VALIDATION
from analyzer.validation import validation_run
from analyzer.validation.material import ExpectedFinding, Material
from analyzer.validation.pack_text import counts_text, told_requirements
from analyzer.validation.sentence_folder import DIRECTORY
from analyzer.validation.tshark_trials import SecondProgram
from analyzer.validation.validation_run import LIMITS, all_trials, facts_of
from analyzer.validation.validation_trial import run_trial

from .conftest import Run, tshark

TrialOf = Callable[[str, str], dict[str, Any]]


def test_all_that_was_run_passed(validation: Run):
    different = [
        (trial["trial"], each) for trial in validation.facts["trials"] for each in trial["values"] if not each["equal"]
    ]
    assert different == []
    assert {trial["result"] for trial in validation.facts["trials"]} <= {"passed", "not_run"}
    reasons = {trial["reason"] for trial in validation.facts["trials"]}
    assert reasons == ({None} if tshark() is not None else {None, "no_tshark"})


def test_every_requirement_was_tried(validation: Run):
    requirements = validation.facts["requirements"]
    assert [one["requirement"] for one in requirements] == [f"R{number:02}" for number in range(1, 17)]
    assert all(one["trials"] for one in requirements)
    assert all(one["values"] for one in requirements if one["requirement"] != "R16")
    assert sum(one["values"] for one in requirements) > 2000


def test_progress_comes_to_its_end(validation: Run):
    total = len(validation.facts["trials"])
    assert validation.steps == [(n, total) for n in range(1, total + 1)]


def test_the_facts_have_the_declared_keys(validation: Run):
    Draft202012Validator(strict(VALIDATION)).validate(validation.facts)


def test_the_facts_name_neither_folder_nor_moment(validation: Run, repository: Path):
    text = repr(validation.facts)
    assert str(repository) not in text
    assert "/tmp" not in text
    assert re.search(r"20\d\d-\d\d-\d\dT", text) is None


def test_the_known_limits_are_those_of_the_readme(validation: Run, repository: Path):
    section = (repository / "README.md").read_text("utf-8").split("\n## Limits\n")[1].split("\n## ")[0]
    items = [" ".join(item.split()).replace("`", "") for item in re.split(r"^- ", section, flags=re.MULTILINE)[1:]]
    assert [one["text"] for one in validation.facts["limits"]] == items
    assert len(items) == len(LIMITS) > 10


def test_the_known_limits_in_chinese_are_those_of_the_chinese_readme(repository: Path):
    section = (repository / "README.zh.md").read_text("utf-8").split("\n## 限制\n")[1].split("\n\n性能")[0]
    items = re.split(r"^- ", section, flags=re.MULTILINE)[1:]
    words = catalogue("zh", DIRECTORY)
    assert [words[f"known.{code}"] for code in LIMITS] == [re.sub(r"\n *", "", item).replace("`", "") for item in items]


@pytest.mark.parametrize(("language", "page", "title"), [("en", "README.md", "Validation"), ("zh", "README.zh.md", "方法确认")])
def test_the_readme_shows_what_a_validation_says(validation: Run, repository: Path, language: str, page: str, title: str):
    if tshark() is None:
        pytest.skip("the example is with tshark")
    words = Sentences(language, DIRECTORY)
    told = [" ".join((one.code, one.word, one.counts, one.title)) for one in told_requirements(validation.facts, words)]
    section = (repository / page).read_text("utf-8").split(f"\n### {title}\n")[1].split("\n### ")[0]
    shown = [" ".join(line.split()) for line in section.splitlines() if line.startswith("    ") and line.strip() != "…"]
    assert len(shown) == 5
    assert set(shown) <= {*told, counts_text(validation.facts, words)}


def test_each_trial_says_what_was_done_in_both_languages(validation: Run):
    kinds = {f"kind.{trial['kind']}" for trial in validation.facts["trials"]}
    for language in ("en", "zh"):
        assert kinds <= set(catalogue(language, DIRECTORY))


def test_the_material_covers_what_it_says(validation: Run, material: Material):
    found = validation.facts["range"]
    assert found["captures"] == len(material.captures)
    assert {"TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"} <= set(found["versions"])
    assert "TLS_AES_128_GCM_SHA256" in found["suites"]


def broken(material: Material, change: Callable[[Material], None], requirement: str, kind: str) -> list[str]:
    """The results of the trials of a kind after the known answers were changed, and that of their requirement."""
    changed = Material()
    change(changed)
    second = SecondProgram(None, 1)
    outcomes = [
        run_trial(one)
        for one in all_trials(changed, "/nonexistent", second)
        if one.requirement == requirement and one.kind == kind
    ]
    facts = facts_of(outcomes, {}, second, changed)
    assert facts["result"] == "failed"
    (told,) = [one for one in facts["requirements"] if one["requirement"] == requirement]
    assert told["result"] == "failed"
    assert told["failed"] == 1
    return [each["name"] for trial in facts["trials"] for each in trial["values"] if not each["equal"]]


def known(changed: Material) -> dict[str, Any]:
    session: dict[str, Any] = changed.capture("tls13-x25519").expected["sessions"][0]
    return session


def more_frames(changed: Material) -> None:
    changed.capture("tls13-x25519").expected["frames"] += 1


def other_group(changed: Material) -> None:
    known(changed)["group"] = "secp256r1"


def other_verdict(changed: Material) -> None:
    known(changed)["when_decrypted"]["chain"]["verdict"] = "invalid"


def more_bytes(changed: Material) -> None:
    known(changed)["when_decrypted"]["decryption"]["bytes"]["server"] += 1


def other_certificate(changed: Material) -> None:
    known(changed)["when_decrypted"]["certificates"]["server"][0] = "0" * 64


def another_finding(changed: Material) -> None:
    changed.findings["tls10-rsa"].append(ExpectedFinding(0, "fatal_alert", "medium"))


@pytest.mark.parametrize(
    ("change", "requirement", "kind", "names"),
    [
        (more_frames, "R01", "frames", ["frames"]),
        (other_group, "R02", "handshake_with_keys", ["sessions.0.group"]),
        (other_certificate, "R03", "certificates", ["sessions.0.certificates.server"]),
        (other_verdict, "R04", "chains", ["sessions.0.chain.verdict"]),
        (more_bytes, "R05", "decryption", ["sessions.0.decryption.bytes"]),
        (another_finding, "R13", "findings", ["sessions.0.findings.fatal_alert"]),
    ],
)
def test_a_wrong_answer_fails_its_requirement(
    material: Material, change: Callable[[Material], None], requirement: str, kind: str, names: list[str]
):
    assert broken(material, change, requirement, kind) == names


def test_without_tshark_nothing_is_called_agreed(material: Material):
    second = SecondProgram(None, 1)
    outcomes = [run_trial(one) for one in second.trials(material)]
    facts = facts_of(outcomes, {}, second, material)
    told = facts["requirements"][-1]
    assert (told["requirement"], told["result"], told["passed"]) == ("R16", "not_run", 0)
    assert facts["crosscheck"] is None
    assert {trial["reason"] for trial in facts["trials"]} == {"no_tshark"}


def test_changed_material_is_noticed(material: Material):
    before = material.digests()
    before["captures/demo.pcapng"] = "0" * 64
    values = validation_run.unchanged_trial(material, before).run()
    assert [(each.name, each.observed) for each in values if not each.is_equal] == [
        ("changed_files", '["captures/demo.pcapng"]')
    ]
