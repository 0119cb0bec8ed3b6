"""The sections on what was examined and how: scope, method, and the limitations of the examination."""

from analyzer.report.command_lines import report_line
from analyzer.report.document import Bullets, Code, Facts, Line, Paragraph, Quoted, Section
from analyzer.report.pieces import Record, joined, moment, or_unknown
from analyzer.report.sentences import Sentences

_STEPS = ("read", "hash", "decode", "streams", "handshake", "decryption", "certificates", "findings", "words")


def scope_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section on what was asked, what was examined, and with which options."""
    case, options, evidence = facts["case"], facts["options"], facts["evidence"]
    inputs = evidence["inputs"]
    rows: list[tuple[str, Line]] = [
        (sentences.say("case.purpose"), _given(case["purpose"], sentences)),
        (sentences.say("case.authority"), _given(case["authority"], sentences)),
        (sentences.say("scope.inputs"), joined([[Quoted(one["path"], code=True)] for one in inputs], sentences.comma)),
        (sentences.say("scope.keys"), _keys(facts, sentences)),
        (sentences.say("scope.at"), _validation_time(facts, sentences)),
    ]
    if options["redact"]:
        rows.append(
            (
                sentences.say("scope.redacted"),
                [sentences.comma.join(sentences.say(f"redact.{kind}") for kind in options["redact"])],
            )
        )
    rows.append((sentences.say("scope.command"), [Code(report_line(facts))]))
    stopped = any(one["code"] == "stopped" for one in facts["limits"])
    whole = Paragraph([sentences.say("scope.stopped" if stopped else "scope.whole")])
    return Section("scope", [sentences.say("scope.title")], (Facts(rows), whole))


def method_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section on the tool and on each step of the analysis."""
    tool = facts["tool"]
    libraries = joined(
        [[f"{name} ", *or_unknown(version, sentences, code=True)] for name, version in sorted(tool["libraries"].items())],
        sentences.comma,
    )
    rows: list[tuple[str, Line]] = [
        (
            sentences.say("method.tool"),
            sentences.line(
                "method.tool_value",
                program=Code(f"{tool['name']} {tool['version']}"),
                build=sentences.say("build." + tool["build"].replace(" ", "_")),
            ),
        ),
        (sentences.say("method.python"), [Code(tool["python"])]),
        (sentences.say("method.libraries"), libraries),
    ]
    steps = Bullets([[sentences.say(f"method.{step}")] for step in _STEPS])
    return Section(
        "method",
        [sentences.say("method.title")],
        (Facts(rows), steps, Paragraph([sentences.say("method.same")])),
    )


def limitations_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section on what this examination cannot show."""
    items = [limitation(one, sentences) for one in facts["limits"]]
    return Section(
        "limitations",
        [sentences.say("limits.title")],
        (Paragraph([sentences.say("limits.lead")]), Bullets([line for line in items if line])),
    )


def limitation(one: Record, sentences: Sentences) -> Line:
    """Return the sentence of one limitation. Text in its arguments, such as a path, is that of a stranger."""
    values = {name: Quoted(value) if isinstance(value, str) else value for name, value in one["args"].items()}
    return sentences.line(f"limit.{one['code']}", **values | {"n": one["args"].get("count")})


def _given(value: str | None, sentences: Sentences) -> Line:
    return [Quoted(value)] if value else [sentences.say("scope.not_given")]


def _keys(facts: Record, sentences: Sentences) -> Line:
    evidence = facts["evidence"]
    n_files = sum(len(evidence[kind]) for kind in ("key_logs", "private_keys", "psk_files"))
    n_blocks = sum(one["secrets"] for one in evidence["inputs"])
    if not n_files and not n_blocks:
        return [sentences.say("scope.no_keys")]
    counts = (("scope.key_files", n_files), ("scope.key_blocks", n_blocks))
    return joined([[sentences.say(key, n=n)] for key, n in counts if n], sentences.semicolon)


def _validation_time(facts: Record, sentences: Sentences) -> Line:
    at = facts["options"]["at"]
    return [moment(at, sentences, 0) if at else sentences.say("scope.at_session")]
