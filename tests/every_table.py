"""All tables of TLS messages, and what holds for each with any bytes: for the tests of messages and for the fuzzer."""

import importlib
import json
import pkgutil

import analyzer.tls.messages
from analyzer.codec import runner
from analyzer.codec.field_spec import Span
from analyzer.codec.field_tables import Message


def tables() -> list[type[Message]]:
    """All tables of messages and their parts, in the order of their names."""
    for module in pkgutil.walk_packages(analyzer.tls.messages.__path__, "analyzer.tls.messages."):
        importlib.import_module(module.name)
    found: dict[str, type[Message]] = {}
    waiting = [Message]
    while waiting:
        for table in waiting.pop().__subclasses__():
            waiting.append(table)
            if table.__module__.startswith("analyzer.tls.messages."):
                found[f"{table.__module__}.{table.__qualname__}"] = table
    return [found[name] for name in sorted(found)]


def nest(spans: list[Span], start: int, end: int) -> None:
    """Spans lie in ascending order between `start` and `end`, and so do the parts of each."""
    for span in spans:
        assert start <= span.start <= span.end <= end
        nest(span.children, span.start, span.end)
        start = span.end


def same_bytes_or_problems(table: type[Message], data: bytes) -> None:
    """Reading never raises and says where it found fault; what it does not fault, it can write again."""
    message, problems = table.read(data)
    for problem in problems:
        assert problem.field.startswith(table.__name__)
        assert 0 <= problem.offset <= len(data)
        assert problem.why
    if not problems:
        assert message.write() == data
    json.dumps(message.json())
    nest(runner.spans(table, data, 0, len(data), 0), 0, len(data))
