"""Makes the observations on a capture out of what `CaptureIntegrity` has counted: a code, the values of its sentence, and
frames.

Each code has a sentence in the catalogue of the report, with the ordinary causes first. An ordinary capture has few
observations, and most of them say where and how it was made: unfinished checksums are from the sender itself, frames that come
twice from two mirror ports. No code means that a capture was changed.
"""

from typing import TYPE_CHECKING, Any

from analyzer.analysis.sender_clock import STEP
from analyzer.packet.addresses import address_text

if TYPE_CHECKING:
    from analyzer.analysis.capture_integrity import CaptureIntegrity, Note
    from analyzer.analysis.interface_series import InterfaceSeries

SHOWN_ADDRESSES = 8
"""Addresses that one observation names. How many there are is in `hosts`."""

FEWEST_COARSE = 16
"""Times that have to be coarser than the others before they are a mixture."""

SMALLEST_PART = {"10^-6 s": 0.35, "10^-3 s": 0.05}
"""Part of the times that has to be coarser. Chance makes one of a thousand so, and a clock of 100 ns one of ten."""

WITNESSES = 2
"""Hosts whose clocks have to agree against that of the capture."""

LARGEST_DRIFT = 0.001
"""Part by which the clock of a host may be fast or slow without an observation: ten times what is usual."""

SHORTEST_SPAN = 60
"""Seconds for which a clock has to be watched before its rate is compared."""

Observation = dict[str, Any]


def observations(integrity: "CaptureIntegrity") -> list[Observation]:
    """Return the observations on all packets, in a fixed order.

    Each is `{"code", "args", "frames"}`: values are numbers, texts and lists of addresses; frames are examples, ascending. The
    first one, `integrity_scope`, says how much was compared, so that silence about the rest means something.
    """
    found = [_scope(integrity)]
    for number, series in integrity.interfaces.items():
        found += _of_interface(number, series)
    found += _of_clocks(integrity)
    for code in _OF_SENDERS:
        note = integrity.notes.get(code)
        if note is not None:
            found.append(_of_note(code, note))
    checked = {"ip": integrity.checked_ip, "tcp": integrity.checked_tcp, "udp": integrity.checked_udp}
    for kind in ("checksum_unfinished", "checksum_wrong"):
        for protocol, n_checked in checked.items():
            note = integrity.notes.get(f"{kind}_{protocol}")
            if note is not None:
                one = _of_note(kind, note)
                one["args"] |= {"protocol": {"ip": "IPv4", "tcp": "TCP", "udp": "UDP"}[protocol], "checked": n_checked}
                found.append(one)
    return found


def clock_jumps(integrity: "CaptureIntegrity") -> list[tuple[int, float]]:
    """Return the jumps of the capture's clock, by frame: (first frame after it, seconds).

    These are steps backwards of at least a second, and steps that the clocks of at least WITNESSES hosts did not make.
    """
    jumps = {frame: step for series in integrity.interfaces.values() for frame, step in series.jumps}
    for frame, seen in integrity.witnesses.items():
        if len(seen) >= WITNESSES:
            jumps[frame] = min(seen.values(), key=abs)
    return [(frame, jumps[frame] / 1e9) for frame in sorted(jumps)]


_OF_SENDERS = (
    "timestamp_older",
    "identification_stands_out",
    "identification_restarts",
    "identification_backward",
    "identification_skips",
    "hops_stand_out",
    "acknowledged_not_captured",
    "duplicate_frames",
)
"""Codes that are the name of a note."""


def _observation(code: str, examples: list[int], /, **args: Any) -> Observation:
    return {"code": code, "args": args, "frames": sorted(examples)}


def _scope(integrity: "CaptureIntegrity") -> Observation:
    return _observation(
        "integrity_scope",
        [],
        frames=integrity.frames,
        interfaces=len(integrity.interfaces),
        checksums=integrity.checked_ip + integrity.checked_tcp + integrity.checked_udp,
        directions=integrity.n_directions,
        series=integrity.n_series,
        clocks=integrity.n_clocks,
    )


def _of_note(code: str, note: "Note") -> Observation:
    addresses = [address_text(address) for address in note.hosts]
    return _observation(
        code,
        note.frames,
        count=note.count,
        directions=note.n_senders,
        hosts=len(addresses),
        addresses=addresses[:SHOWN_ADDRESSES],
    )


def _of_interface(number: int, series: "InterfaceSeries") -> list[Observation]:
    """Return what the frames of one interface show: their order, digits, and lengths."""
    found = []
    if series.n_backward:
        found.append(
            _observation(
                "time_backward",
                series.backward_frames,
                interface=number,
                count=series.n_backward,
                of=series.frames,
                largest_seconds=series.largest_backward / 1e9,
            )
        )
    mixture = _mixture(series)
    if mixture is not None:
        found.append(_observation("mixed_time_digits", mixture.pop("examples"), interface=number, **mixture))
    if series.n_cut and (series.n_other_cuts or series.longest > series.cut_length):
        found.append(
            _observation(
                "mixed_cut_lengths",
                series.cut_frames,
                interface=number,
                count=series.n_cut,
                length=series.cut_length,
                others=series.n_other_cuts,
                longest=series.longest,
            )
        )
    if series.n_short:
        found.append(_observation("wire_shorter", series.short_frames, interface=number, count=series.n_short))
    return found


def _mixture(series: "InterfaceSeries") -> dict[str, Any] | None:
    """Return which two kinds of times an interface has, None if it has one kind.

    A clock that counts nanoseconds shows a whole microsecond once in a thousand times. So if many times are whole microseconds
    and others are not, they came from two clocks. The same holds for microseconds and milliseconds.
    """
    whole = series.n_nano + series.n_micro + series.n_milli
    kinds = (
        ("10^-9 s", series.n_nano, series.nano_frames, "10^-6 s", series.n_micro + series.n_milli, series.micro_frames),
        ("10^-6 s", series.n_micro, series.micro_frames, "10^-3 s", series.n_milli, series.milli_frames),
    )
    fine, n_fine, fine_frames, coarse, n_coarse, coarse_frames = kinds[0 if series.n_nano else 1]
    if not n_fine or n_coarse < FEWEST_COARSE or n_coarse / whole < SMALLEST_PART[coarse]:
        return None
    fewer = fine_frames if n_fine < n_coarse else coarse_frames
    return {"fine": fine, "n_fine": n_fine, "coarse": coarse, "n_coarse": n_coarse, "examples": list(fewer)}


def _of_clocks(integrity: "CaptureIntegrity") -> list[Observation]:
    """Return where the clock of the capture and those of the hosts disagree."""
    found = []
    steps = {frame: seen for frame, seen in integrity.witnesses.items() if len(seen) >= WITNESSES}
    if steps:
        largest = max((min(seen.values(), key=abs) for seen in steps.values()), key=abs)
        hosts = list(dict.fromkeys(address for seen in steps.values() for address in seen))
        found.append(
            _observation(
                "clock_jump",
                list(steps)[:16],
                count=len(steps),
                largest_seconds=largest / 1e9,
                hosts=len(hosts),
                addresses=[address_text(address) for address in hosts[:SHOWN_ADDRESSES]],
            )
        )
    alone = {frame: next(iter(seen.items())) for frame, seen in integrity.witnesses.items() if len(seen) < WITNESSES}
    note = integrity.notes.get("timestamp_step")
    if alone or note is not None:
        hosts = list(dict.fromkeys([*(address for address, _ in alone.values()), *(() if note is None else note.hosts)]))
        found.append(
            _observation(
                "timestamp_step",
                [*alone, *(() if note is None else note.frames)][:16],
                count=len(alone) + (0 if note is None else note.count),
                hosts=len(hosts),
                addresses=[address_text(address) for address in hosts[:SHOWN_ADDRESSES]],
            )
        )
    difference, span, address = integrity.furthest
    if abs(difference) * 1e9 >= STEP and abs(difference) > span * LARGEST_DRIFT and span >= SHORTEST_SPAN:
        found.append(_observation("clock_slope", [], address=address_text(address), seconds=difference, over_seconds=span))
    return found
