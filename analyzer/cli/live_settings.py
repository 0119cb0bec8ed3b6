"""Reads the values of the options of `analyzer live`: what is captured, when it ends, what is kept. Wrong ones are one line."""

import re
from argparse import Namespace
from collections.abc import Sequence

from analyzer.cli.live_run import Limits
from analyzer.cli.output import CommandError
from analyzer.codec.codes import codes
from analyzer.store.kept_packets import Ring
from analyzer.text.language import say
from analyzer.text.punctuation import listing

_LONGEST_FILTER = 4096

_SMALLEST_FILE = 100_000
"""Bytes of a file of a ring, at least. Smaller ones would only fill the folder with names."""

_SIZES = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3}
_TIMES = {"": 1, "S": 1, "SEC": 1, "MIN": 60, "M": 60, "H": 3600}


def check_live(options: Namespace) -> None:
    """Check what argparse cannot, before anything is opened. Raises CommandError."""
    options.interfaces = list(dict.fromkeys([*options.interfaces, *options.interface]))
    if options.words is not None:
        options.interfaces = options.interfaces or ["any"]
        if options.user is not None:
            raise CommandError("--user does not go with a command, which runs as the user who calls")
    if not options.interfaces:
        raise CommandError("say which interface: a name, any, or - for a pipe; `analyzer interfaces` lists them")
    piped = [name for name in options.interfaces if is_pipe(name)]
    if piped and len(options.interfaces) > 1:
        raise CommandError(f"{piped[0]}: a pipe does not go together with other interfaces")
    if piped and options.words is not None:
        raise CommandError(f"{piped[0]}: a command's connections are captured on interfaces, not in a pipe")
    if piped and options.capture_filter is not None:
        raise CommandError("-f: a pipe has no filter: give it to the program that writes into it")
    if options.capture_filter is not None and len(options.capture_filter) > _LONGEST_FILTER:
        raise CommandError(f"-f: a filter has at most {_LONGEST_FILTER} characters")
    if options.jobs is not None and options.jobs > 1:
        for name, given in (
            ("-w", options.write),
            ("--trigger", options.trigger),
            ("--trigger-filter", options.trigger_filter),
            ("-c", options.count),
            ("--", options.words),
        ):
            if given is not None:
                raise CommandError(f"{name} does not go with several processes (-j)")
        if piped:
            raise CommandError(f"{piped[0]}: a pipe cannot be shared by several processes (-j)")
    if options.write == "-":
        raise CommandError("-w -: packets go into a file, because standard output has the results; name a file")
    for name, needs in (("rotate", "write"), ("keep", "rotate")):
        if getattr(options, name) is not None and getattr(options, needs) is None:
            raise CommandError(f"--{name} needs {'-w FILE' if needs == 'write' else f'--{needs}'}")
    if options.keep_before is not None and not has_trigger(options):
        raise CommandError("--keep-before needs --trigger or --trigger-filter")
    if options.embed_keys and options.write is None and not has_trigger(options):
        raise CommandError("--embed-keys needs -w FILE or --trigger")
    if options.events and options.format == "text":
        raise CommandError("--events are JSON: leave out --format text")


def has_trigger(options: Namespace) -> bool:
    """Return whether incidents are written."""
    return options.trigger is not None or options.trigger_filter is not None


def is_pipe(name: str) -> bool:
    """Return whether what is captured is a pipe: standard input, or a path, which no interface has in its name."""
    return name == "-" or "/" in name


def limits_of(options: Namespace) -> Limits:
    """Return when the run ends by itself. Raises CommandError."""
    seconds: float | None = None
    n_bytes: int | None = None
    n_frames: int | None = options.count
    for word in options.autostop:
        name, _, value = word.partition(":")
        if not value.isascii() or not value.isdigit() or not 0 < int(value) < 10**15:
            raise CommandError(f"-a {word}: say duration:SECONDS, packets:N or filesize:KILOBYTES")
        if name == "duration":
            seconds = int(value)
        elif name == "packets":
            n_frames = int(value) if n_frames is None else min(n_frames, int(value))
        elif name == "filesize" and options.write is not None:
            n_bytes = int(value) * 1000
        else:
            raise CommandError(f"-a {word}: " + ("needs -w FILE" if name == "filesize" else f"{name!r} is not known"))
    return Limits(seconds, n_bytes, n_frames)


def ring_of(options: Namespace) -> Ring | None:
    """Return when the next file begins; None if there is only one. Raises CommandError."""
    if options.rotate is None:
        return None
    keep = options.keep or 0
    size = quantity(options.rotate, {name + "B": factor for name, factor in _SIZES.items() if name})
    if size is not None and size < _SMALLEST_FILE:
        raise CommandError(f"--rotate {options.rotate}: a file has at least {_SMALLEST_FILE // 1000}kB")
    if size is not None:
        return Ring(n_bytes=int(size), keep=keep)
    seconds = quantity(options.rotate, {name: factor for name, factor in _TIMES.items() if name})
    if seconds is None or seconds < 1:
        raise CommandError(f"--rotate {options.rotate}: say a size such as 100MB, or a time such as 5min")
    return Ring(seconds=seconds, keep=keep)


def seconds_of(options: Namespace) -> float:
    """Return how long packets are held for incidents, in seconds. Raises CommandError."""
    seconds = quantity(options.keep_before or "60s", dict(_TIMES))
    if seconds is None or not 1 <= seconds <= 3600:
        raise CommandError(f"--keep-before {options.keep_before}: say a time from 1s to 1h, such as 60s")
    return seconds


def triggers_of(options: Namespace) -> tuple[str, ...]:
    """Return the codes of findings, and causes of failures, that make an incident. Raises CommandError for an unknown one."""
    if options.trigger is None:
        return ()
    known = codes("findings").keys() | codes("outcome_causes").keys()
    words = tuple(dict.fromkeys(word.strip() for word in options.trigger.split(",")))
    for word in words:
        if word not in known:
            raise CommandError(f"--trigger: no finding and no cause has the code {word!r}; `analyzer fields` lists them")
    return words


def quantity(text: str, units: dict[str, int]) -> float | None:
    """Return a number with a unit, in the smallest unit; None if it is none. units: their factors, in capital letters."""
    found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,3})?)([A-Za-z]*)", text)
    if found is None or found[2].upper() not in units:
        return None
    return float(found[1]) * units[found[2].upper()]


def names(interfaces: Sequence[str]) -> str:
    """Return what is captured, for people."""
    return listing(say("standard input") if name == "-" else name for name in interfaces)
