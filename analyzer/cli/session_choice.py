"""Finds the session that a user means by the name or the address of its server, in a reading of the captures of its own.

A word that is no host of any session may be a part of a server name: `shop` means www.shop.example. Several sessions are named,
and none is guessed.
"""

from argparse import Namespace
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import islice
from typing import Any

from analyzer.cli.capture_paths import names_of
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.key_files import Keys
from analyzer.cli.output import CommandError, Output
from analyzer.cli.part_arguments import part_of
from analyzer.cli.rows import clock
from analyzer.cli.session_argument import is_filter
from analyzer.engine import Engine, Listener
from analyzer.store.named_host import read_host
from analyzer.store.part import Part
from analyzer.store.session_record import session_head
from analyzer.text.language import say
from analyzer.text.punctuation import listing
from analyzer.tls.events import Event, SessionEnded

SHOWN = 6
"""The most sessions that a message names."""

MOST_NAMES = 10_000
"""The most server names that are compared with a word that is none of them."""


def session_number(options: Namespace, output: Output, keys: Keys) -> int:
    """Return the number of the session that `options.id` means. keys: of the run that follows.

    Raises CommandError if it means none or several sessions of the part of the captures that the options choose, and for a
    name in a pipe.
    """
    if isinstance(options.id, int):
        return options.id
    word: str = options.id
    if is_filter(word) or _is_field(word):
        return _filtered(word, options, output)
    capture_run = CaptureRun(options.captures, output)
    if not capture_run.rereadable():
        raise CommandError(f"{names_of(options.captures)}: to find a name, this is read twice: save it to a file first")
    found = _Sessions(word, part_of(options))
    settings: Keys = {**keys, "may_grow": None}
    capture_run.run(Engine(fields=False, reads_data=False, **settings), [found])
    return found.chosen(names_of(options.captures))


def _is_field(word: str) -> bool:
    """Return whether a word is a field by itself, such as `tls.alert_message`, and so no name of a host."""
    from analyzer.filters.field_table import field_table

    return "." in word and field_table().get(word) is not None


def _filtered(text: str, options: Namespace, output: Output) -> int:
    """Return the number of the only session of the part with a packet that passes a filter. Raises CommandError."""
    from analyzer.cli.filtered_frames import matches_of

    asked = Namespace(**{**vars(options), "filter": text})
    if hasattr(asked, "compiled_filter"):
        del asked.compiled_filter
    matches = matches_of(asked, output)
    chosen = getattr(options, "matches", None)
    found: list[int] = (
        sorted(matches.sessions if chosen is None else matches.sessions & chosen.sessions) if matches is not None else []
    )
    if len(found) == 1:
        return found[0]
    captures = names_of(options.captures)
    if not found:
        raise CommandError(f"{captures}: no TLS session has a packet that passes {text}")
    listed = listing([*map(str, found[:SHOWN]), *(["…"] if len(found) > SHOWN else [])])
    raise CommandError(f"{captures}: {len(found)} sessions pass {text}: {listed}; give the number of one, such as {found[0]}")


class _Sessions(Listener):
    """Takes the sessions whose host a word is, and those whose server name has it as a part."""

    def __init__(self, word: str, part: Part | None) -> None:
        self._word = word
        self._part = part
        address, name = read_host(word)
        self._host = Part(
            addresses=frozenset() if address is None else frozenset({address}),
            names=frozenset() if name is None else frozenset({name}),
        )
        self._fragment = word.lower() if name is None else name
        self._exact = _Found()
        self._similar = _Found()
        self._names: dict[str, None] = {}

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                record = session_head(event.ended)
                if self._part is not None and not self._part.has_record(record):
                    continue
                server_name = (record["server_name"] or "").lower()
                if server_name and len(self._names) < MOST_NAMES:
                    self._names[server_name] = None
                if self._host.has_ends(record):
                    self._exact.take(record)
                elif self._fragment in server_name:
                    self._similar.take(record)

    def chosen(self, captures: str) -> int:
        """Return the number of the only session. captures: their names, for messages. Raises CommandError."""
        found = self._exact if self._exact.n_sessions else self._similar
        if found.n_sessions == 1:
            return found.first[0][0]
        if found.n_sessions:
            raise CommandError(
                f"{captures}: {found.n_sessions} sessions with {self._word}: {found.listed()}; "
                f"give the number of one, such as {found.first[0][0]}"
            )
        near = get_close_matches(self._fragment, self._names, 3) or list(islice(self._names, 3))
        if not near:
            raise CommandError(f"{captures}: no TLS session with {self._word}, and none with any server name")
        raise CommandError(f"{captures}: no TLS session with {self._word}; there are {', '.join(near)}")


class _Found:
    """Sessions. first: number and description of those with the lowest numbers, at most SHOWN."""

    def __init__(self) -> None:
        self.n_sessions = 0
        self.first: list[tuple[int, str]] = []

    def take(self, record: dict[str, Any]) -> None:
        """Take a session, by the head of its record."""
        self.n_sessions += 1
        failed = say(", not established") if record["established"] is False else ""
        about = ", ".join(filter(None, (clock(record["start_time"]), record["version"])))
        self.first.append((record["id"], f"{record['id']} ({about}{failed})"))
        self.first.sort()
        del self.first[SHOWN:]

    def listed(self) -> str:
        """Return the descriptions, with an ellipsis where there are more."""
        return ", ".join([*(text for _, text in self.first), *(["…"] if self.n_sessions > SHOWN else [])])
