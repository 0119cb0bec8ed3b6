"""Declares the JSON output of `validate`."""

from analyzer.store.crosscheck_schema import DIFFERENCE
from analyzer.store.declaration import (
    Schema,
    document,
    flag,
    free_form,
    number,
    one_of,
    or_null,
    record,
    several,
    text,
)
from analyzer.store.report_schema import TOOL
from analyzer.store.schema import SHA256, described

_RESULT = one_of(
    "passed: every value is as it must be; partly: some trials could not be run, and no other failed",
    ("passed", "failed", "partly", "not_run"),
)

_FILE = record("a file", {"path": text("its path in the package"), "size": number("bytes"), "sha256": SHA256})

_REQUIREMENT = record(
    "one requirement",
    {
        "requirement": text("its number", "^R[0-9]{2}$"),
        "title": text("a few words"),
        "need": text("what the method must do"),
        "criterion": text("when it is met"),
        "reference": text("documents with the rules"),
        "result": _RESULT,
        "trials": number("its trials"),
        "passed": number("trials that passed"),
        "failed": number("trials that failed"),
        "not_run": number("trials that could not be run"),
        "values": number("values that were compared"),
        "equal": number("values that are as they must be"),
    },
)

_TRIAL = record(
    "one trial",
    {
        "trial": text("its number: of the requirement, then of the trial", r"^R[0-9]{2}\.[0-9]+$"),
        "requirement": text("the requirement"),
        "kind": text("what was done, as a code"),
        "material": or_null(text("on what; null for all of the material")),
        "result": one_of("what follows of its values", ("passed", "failed", "not_run")),
        "reason": or_null(one_of("why it was not run; null if it was", ("no_tshark", "tshark_failed", "not_linux"))),
        "values": several(
            "the values that were compared; empty if it was not run",
            record(
                "one value",
                {
                    "name": text("its name, or the path of a key of the session record"),
                    "expected": text("what is known, as text; values that are no text are JSON"),
                    "observed": text("what the analyzer said, in the same form"),
                    "equal": flag("whether both are the same"),
                },
            ),
        ),
    },
)

_CROSSCHECK = record(
    "the comparison with tshark in all",
    {
        "tshark": text("its version"),
        "captures": number("captures that both read"),
        "sessions": number("TLS sessions that were compared"),
        "compared": number("values that were compared"),
        "agreed": number("values that are the same"),
        "explained": number("values that differ for a known reason"),
        "differences": several("the values that differ, by capture", DIFFERENCE),
    },
)

_SENTENCE = record("a sentence", {"code": text("its code"), "text": text("the sentence")})

VALIDATION: Schema = document(
    "validation",
    record(
        "What was asked of this installation, run and seen: `analyzer validate -o FILE.json`. It has "
        "nothing of the moment or the place of the run.",
        {
            "format": number("number of this form"),
            "result": _RESULT,
            "tool": TOOL,
            "packages": free_form("version of each package that is needed, by name; null where it is not known"),
            "system": free_form("the operating system: system, release, distribution, libc, machine; null where not known"),
            "installation": record(
                "the files of the package, without the material",
                {
                    "count": number("how many"),
                    "sha256": described(SHA256, "SHA-256 of the list `sha256sum` would print of them, ordered by path"),
                    "files": several("the files by path", _FILE),
                },
            ),
            "material": several(
                "the files with known contents", record("a file", {"path": text("its path"), "sha256": SHA256})
            ),
            "range": record(
                "what the material consists of, as its makers say",
                {
                    "captures": number("captures"),
                    "sessions": number("sessions in them"),
                    "versions": several("versions of TLS", text("a version")),
                    "suites": several("cipher suites", text("a name")),
                    "groups": several("groups of the key exchange", text("a name")),
                    "most_frames": number("frames of the largest capture"),
                },
            ),
            "requirements": several("the requirements", _REQUIREMENT),
            "risks": several(
                "the risks",
                record("a risk", {"code": text("its code"), "requirements": several("what answers it", text("a requirement"))}),
            ),
            "trials": several("the trials, by requirement", _TRIAL),
            "crosscheck": or_null(_CROSSCHECK),
            "limits": several("known limits of the tool", _SENTENCE),
            "uncovered": several("what no trial tries", _SENTENCE),
        },
    ),
    {},
)
