"""Runs all trials of a validation on this installation, and puts what was asked, run and seen together as JSON values.

The facts hold nothing of the moment, the folder or the machine's name: a second run on the same installation gives the same
bytes. Their words are English; the document takes them from the catalogue of its language.
"""

import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from analyzer.crosscheck.tshark_program import TsharkProgram
from analyzer.report.collected_facts import tool_facts
from analyzer.report.sentences import Sentences
from analyzer.tls.suites import suite
from analyzer.validation.capture_trials import capture_trials
from analyzer.validation.installation import installation_facts, package_versions, system_facts
from analyzer.validation.material import Material
from analyzer.validation.negative_trials import negative_trials
from analyzer.validation.repeat_trials import repeat_trials, unchanged_trial
from analyzer.validation.requirements import REQUIREMENTS, RISKS
from analyzer.validation.sentence_folder import DIRECTORY
from analyzer.validation.tshark_trials import SecondProgram
from analyzer.validation.validation_trial import FAILED, NOT_RUN, PASSED, Outcome, Trial, result_of, run_trial
from analyzer.validation.vector_trials import vector_trials

FORMAT = 1
"""Number of the form of the facts. It grows when a key changes its meaning."""

LIMITS = (
    "ciphers", "pipes", "effort", "floods", "later_certificates", "exports", "revocation", "conflicts", "packet",
    "middle", "processes", "filters", "datagrams", "http3", "migration", "nested", "unknown", "scapy",
)  # fmt: skip
"""The known limits, in the order of README.md, which has the same sentences; a test compares them."""

UNCOVERED = (
    "live", "datagrams", "size", "links", "trust", "suites", "bodies", "commands", "fingerprints", "times", "people",
)  # fmt: skip
"""What no trial of this pack tries."""

Step = Callable[[int, int], None]


def validate(material: Material, program: TsharkProgram | None, timeout: float, step: Step) -> dict[str, Any]:
    """Run all trials, and return the facts.

    program: the tshark to compare with, None for none. timeout: seconds to wait for it. step: is told after each trial how
    many were run, and how many there are. Raises MissingMaterialError, OSError.
    """
    before = material.digests()
    second = SecondProgram(program, timeout)
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as scratch:
        trials = all_trials(material, scratch, second)
        trials.append(unchanged_trial(material, before))
        for trial in trials:
            outcomes.append(run_trial(trial))
            step(len(outcomes), len(trials))
    return facts_of(outcomes, before, second, material)


def all_trials(material: Material, scratch: str, second: SecondProgram) -> list[Trial]:
    """Return all trials but the last one, in the order in which they are run."""
    return [
        *capture_trials(material, scratch),
        *vector_trials(material, scratch),
        *negative_trials(material, scratch),
        *repeat_trials(material, scratch),
        *second.trials(material),
    ]


def facts_of(outcomes: Sequence[Outcome], digests: dict[str, str], second: SecondProgram, material: Material) -> dict[str, Any]:
    """Return the facts of what was run. digests: SHA-256 of the material by path."""
    words = Sentences("en", DIRECTORY)
    requirements = [_requirement(one.code, one.reference, outcomes, words) for one in REQUIREMENTS]
    return {
        "format": FORMAT,
        "result": result_of(one["result"] for one in requirements),
        "tool": tool_facts(),
        "packages": package_versions(),
        "system": system_facts(),
        "installation": installation_facts(),
        "material": [{"path": path, "sha256": digest} for path, digest in digests.items()],
        "range": _range(material),
        "requirements": requirements,
        "risks": [{"code": one.code, "requirements": list(one.requirements)} for one in RISKS],
        "trials": [
            record
            for one in REQUIREMENTS
            for record in _trials([each for each in outcomes if each.trial.requirement == one.code])
        ],
        "crosscheck": second.facts(),
        "limits": [{"code": code, "text": words.say(f"known.{code}")} for code in LIMITS],
        "uncovered": [{"code": code, "text": words.say(f"uncovered.{code}")} for code in UNCOVERED],
    }


def _range(material: Material) -> dict[str, Any]:
    """Return what the material consists of, as far as it is known without the analyzer."""
    known = [session for one in material.captures for session in one.sessions]
    late = [session | session.get("when_decrypted", {}) for session in known]
    suites = sorted({session["cipher_suite_id"] for session in late if session.get("cipher_suite_id") is not None})
    return {
        "captures": len(material.captures),
        "sessions": len(known),
        "versions": sorted({session["version"] for session in late if session["version"]}),
        "suites": [getattr(suite(number), "name", f"0x{number:04x}") for number in suites],
        "groups": sorted({session["group"] for session in late if session.get("group")}),
        "most_frames": max(one.expected["frames"] for one in material.captures),
    }


def _requirement(code: str, reference: str, outcomes: Sequence[Outcome], words: Sentences) -> dict[str, Any]:
    own = [one for one in outcomes if one.trial.requirement == code]
    values = [each for one in own for each in one.values]
    results = [one.result for one in own]
    return {
        "requirement": code,
        "title": words.say(f"requirement.{code}.title"),
        "need": words.say(f"requirement.{code}.need"),
        "criterion": words.say(f"requirement.{code}.criterion"),
        "reference": reference,
        "result": result_of(results),
        "trials": len(own),
        **{result: results.count(result) for result in (PASSED, FAILED, NOT_RUN)},
        "values": len(values),
        "equal": sum(each.is_equal for each in values),
    }


def _trials(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    return [
        {
            "trial": f"{one.trial.requirement}.{number}",
            "requirement": one.trial.requirement,
            "kind": one.trial.kind,
            "material": one.trial.material or None,
            "result": one.result,
            "reason": one.reason,
            "values": [
                {"name": each.name, "expected": each.expected, "observed": each.observed, "equal": each.is_equal}
                for each in one.values
            ],
        }
        for number, one in enumerate(outcomes, 1)
    ]
