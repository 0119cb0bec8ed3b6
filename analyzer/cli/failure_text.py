"""Prints the failures of a run: by cause and server, those that occur most first, with an example of each and its evidence."""

from collections.abc import Iterable

from analyzer.analysis.failures import FailureGroup, Failures
from analyzer.cli.output import Output
from analyzer.cli.page import TIMES, dim_line, headline
from analyzer.cli.rows import endpoint
from analyzer.cli.table import pad, width, wrap
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text
from analyzer.text.language import Sentences, retold, say, translated_codes
from analyzer.text.outcome_text import server_text
from analyzer.text.punctuation import apart, beside

_ENDED: Sentences = {
    "client": "ended by the client", "server": "ended by the server", "between": "ended by somebody between",
    "nobody": "ended by nobody",
}  # fmt: skip


def print_failures(failures: Failures, output: Output, n: int) -> None:
    """Print the `n` largest groups, and how many further ones there are."""
    if not failures.count:
        headline(output, say("Failures"), say("none seen"))
        return
    connections = count_text(failures.count, "connection")
    headline(output, say("Failures"), say("{connections}; `analyzer show ID` explains a session", connections=connections))
    groups = failures.worst()
    room = max(len(f"{group.count:,}") for _, group in groups[:n]) + 1
    for (cause, address, port), group in groups[:n]:
        _print_group(output, cause, group, room, failures.servers.of((address, port)))
    if len(groups) > n:
        rest = sum(group.count for _, group in groups[n:]) + failures.ungrouped
        causes = count_text(len(groups) - n, "further group")
        text = say("and {groups} with {connections}", groups=causes, connections=count_text(rest, "connection"))
        dim_line(output, text)


def _print_group(output: Output, cause: str, group: FailureGroup, room: int, of_server: tuple[int, int] | None) -> None:
    first = group.first
    outcome = first["outcome"]
    head = "  " + pad(f"{group.count:,}{TIMES}", room, True) + "  "
    title = translated_codes("outcome_causes")[cause].title
    ended = _ENDED.get(outcome["ended_by"])
    parts = [title if ended is None else beside(title, say(ended)), _who(group), _place(first)]
    for number, line in enumerate(_filled(parts, output.width - width(head))):
        output.line(output.paint(head, "bold") + output.paint(line, "yellow" if number == 0 else ""))
        head = " " * width(head)
    detail = harmless(retold(outcome["detail"]))
    if of_server is not None and sum(of_server) > group.count:
        good, bad = of_server
        detail = apart((detail, server_text(good, good + bad)))
    for line in wrap(detail, output.width - width(head)):
        output.line(head + output.paint(line, "dim"))


def _filled(parts: Iterable[str], room: int) -> list[str]:
    """Return parts with spaces between them, in lines; none is broken that fits into one."""
    lines: list[str] = []
    for part in parts:
        if lines and width(lines[-1]) + 2 + width(part) <= room:
            lines[-1] = f"{lines[-1]}  {part}"
        else:
            lines += wrap(part, room)
    return lines


def _who(group: FailureGroup) -> str:
    """Return from where to where the connections went: one client, or how many."""
    first = group.first
    server = beside(endpoint(first["server"]), harmless(first["server_name"] or ""))
    if len(group.clients) > 1:
        clients = count_text(len(group.clients), "client")
        return say("{clients} to {server}", clients=clients, server=server)
    return say("{client} to {server}", client=first["client"]["address"], server=server)


def _place(first: dict[str, object]) -> str:
    """Return where the first of a group is: its session if it became one, and its first frame."""
    frame = say("frame {n}", n=first["first_frame"])
    where = frame if first["session"] is None else say("session {session}, {frame}", session=first["session"], frame=frame)
    return say("[{where}]", where=where)
