"""The series that one sender's packets form: IP identification and time to live, in one direction of one conversation.

Many systems count the packets of a conversation, or all their packets, in the identification of IPv4 (RFC 791, RFC 6864). Then
the next packet has the next number. The time to live that arrives is the same as long as the path is. A packet that fits
neither series, while those before and after it do, was sent by something else: a firewall that answers in another's name, a
second path, or whoever put the frame there. Numbers that are left out belong to packets that are not in the capture. Many
systems send random numbers or zero instead; there is no series then, and nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import cython


NEAR = 64
"""A number belongs to the series if it is so close to the last one. Segmentation in the network card counts up to 45 packets
for one frame.
"""

FAR = 4096
"""Numbers so far behind the last one are late: several frames of many packets each change places. Only a number farther away in
both directions stands out.
"""

STEADY = 16
"""Steps after which numbers are taken for a series."""

STEADY_FOR_SKIPS = 50
"""Steps after which left-out numbers are counted."""

MOST_SKIPS = 20
"""At most every so many steps may leave out numbers. If more do, the sender counts packets of other conversations too."""

MOST_ODD = 2
"""Odd packets of one direction, at most; if there are more, its packets take several paths."""

MOST_FRAMES = 16
"""Frames that are kept as examples."""

WHOLE_SEGMENT = 1460
"""Bytes of payload up to which a frame is one packet on the wire, also where network cards split and join segments."""

# In the compiled build these are C variables, which other modules cannot see.
_NEAR, _FAR, _STEADY, _MOST_FRAMES, _WHOLE = NEAR, FAR, STEADY, MOST_FRAMES, WHOLE_SEGMENT


class SenderSeries:
    """The identifications and times to live of one direction.

    last, joined: the last identification of the series, and whether its frame may be several packets. n_steps: steps that fit.
    n_random: those that do not. skipped: numbers that were left out. odd_frames: packets whose identification fits no series,
    between others that do. restart_frames: where the series went on from another number. backward_frames: packets with new
    data and an earlier number than the packet before. odd_hops: packets with another time to live than those before and after.
    changes: how often the time to live changed.
    """

    __slots__ = (
        "backward_frames", "changes", "hops", "joined", "last", "n_random", "n_same_hops", "n_skips", "n_steps", "odd",
        "odd_frame", "odd_frames", "odd_hop", "odd_hop_frame", "odd_hops", "restart_frames", "skip_frames", "skipped",
    )  # fmt: skip

    def __init__(self) -> None:
        self.last = -1
        self.joined = False
        self.n_steps = self.n_skips = self.n_random = self.skipped = 0
        self.odd = -1
        self.odd_frame = 0
        self.hops = self.odd_hop = -1
        self.odd_hop_frame = 0
        self.n_same_hops = self.changes = 0
        self.skip_frames: list[int] | None = None
        self.odd_frames: list[int] | None = None
        self.restart_frames: list[int] | None = None
        self.backward_frames: list[int] | None = None
        self.odd_hops: list[int] | None = None

    def take(
        self,
        identification: cython.int,
        hops: cython.int,
        n_bytes: cython.longlong,
        forward: cython.bint,
        frame: cython.longlong,
    ) -> None:
        """Take one packet.

        identification: of IPv4; 0 where there is none, and where it says nothing. hops: its time to live, or hop limit.
        n_bytes: of its payload. forward: whether it has new data of TCP, so that it was sent after those before it.
        """
        if hops == self.hops:
            if self.odd_hop >= 0:
                self.changes += 1
                if self.n_same_hops >= _STEADY:
                    self.odd_hops = keep_frame(self.odd_hops, self.odd_hop_frame)
                self.odd_hop = -1
            self.n_same_hops += 1
        elif self.hops < 0:
            self.hops = hops
        elif hops == self.odd_hop:  # the path has changed
            self.hops = hops
            self.odd_hop = -1
            self.n_same_hops = 0
        else:
            self.changes += 1 if self.odd_hop >= 0 else 0
            self.odd_hop = hops
            self.odd_hop_frame = frame
        if identification == 0:
            return
        if self.last >= 0:
            self.step(identification, forward, frame)
            if self.odd >= 0:
                return
        else:
            self.last = identification
        if identification == self.last:
            self.joined = n_bytes > _WHOLE

    def step(self, identification: cython.int, forward: cython.bint, frame: cython.longlong) -> None:
        """Compare an identification with the series."""
        ahead: cython.int = (identification - self.last) & 0xFFFF
        if self.odd >= 0:
            if 0 < ahead <= _NEAR:  # the packet before was the only one that did not fit
                if self.n_steps >= _STEADY and (self.odd - self.last) & 0xFFFF > _FAR:
                    self.odd_frames = keep_frame(self.odd_frames, self.odd_frame)
            elif (identification - self.odd) & 0xFFFF <= _NEAR:
                # Forward, the sender may only have sent much to others meanwhile.
                if self.n_steps >= _STEADY and (self.odd - self.last) & 0xFFFF >= 0x8000:
                    self.restart_frames = keep_frame(self.restart_frames, self.odd_frame)
                self.n_random += 1
                self.last = self.odd
                ahead = (identification - self.last) & 0xFFFF
            else:
                self.n_random += 2
                self.last = identification
                self.odd = -1
                return
            self.odd = -1
        if ahead == 0:
            return  # the same packet at another place, or sent again by something on the path
        if ahead <= _NEAR:
            self.n_steps += 1
            skipped: cython.int = ahead - 1
            if identification < self.last:
                skipped -= 1  # 0, which says nothing
            if skipped > 0 and not self.joined:
                self.n_skips += 1
                self.skipped += skipped
                self.skip_frames = keep_frame(self.skip_frames, frame)
            self.last = identification
        elif ahead > 0x10000 - _FAR:
            if forward:
                if self.n_steps >= _STEADY:
                    self.backward_frames = keep_frame(self.backward_frames, frame)
                self.n_random += 1
            elif self.skipped > 0:
                self.skipped -= 1  # it was not left out
        else:
            self.odd = identification
            self.odd_frame = frame

    def is_steady(self) -> cython.bint:
        """Return whether the identifications form a series: nearly all steps fit."""
        return self.n_steps >= _STEADY and self.n_random * _STEADY <= self.n_steps


def keep_frame(frames: list[Any] | None, frame: cython.longlong) -> list[Any]:
    """Keep the number of a frame as an example, unless there are enough. Return the examples; there is no list before the
    first.
    """
    if frames is None:
        return [frame]
    if len(frames) < _MOST_FRAMES:
        frames.append(frame)
    return frames


COMPILED: bool = not __file__.endswith(".py")
