"""Keeps what a DTLS association shows beside its TLS: how often a role sent its hello, and what was seen twice."""

from __future__ import annotations

from typing import Any

from analyzer.flows.packet_copies import WINDOW
from analyzer.tls.dtls.hello_ids import MAX_ANNOUNCED
from analyzer.tls.dtls.record_headers import FRAGMENT_HEADER
from analyzer.tls.dtls.replay_window import ReplayWindow
from analyzer.tls.messages.finish import NewConnectionId
from analyzer.tls.messages.numbers import HEADER, NEW_CONNECTION_ID

MAX_EPOCHS = 16
"""Epochs of a role whose record numbers are remembered. Each renegotiation or KeyUpdate begins one."""

MAX_FRAMES = 64
"""Frames of hellos that are kept."""


MAX_BODIES, MAX_CONTENTS = 512, 4
"""Records in plaintext whose contents are remembered, and how many contents one number has."""

MAX_SEQUENCE = 63
"""The highest number of a message that is remembered for a record; no handshake has as many."""


class DtlsFacts:
    """The facts of one session.

    name: of the protocol in the session record; letter: in JA4. close: None, as DTLS ends with an alert. hellos: by role,
    frame and time of each ClientHello or answer in plaintext, also of those that were sent again. replays: records that came
    twice; strays: records that no key opened, though others of their epoch opened; acks: ACK messages that were read. seen:
    by role and epoch, the numbers of the records that came; holes: whether some of them were missing when the session ended.
    answered: whether a record of the server came. announced: role and connection ID of each NewConnectionId, until the flow
    takes them. silence: nanoseconds that the capture went on behind the last record. bodies: by role and number, hashes of
    the first records in plaintext. messages: by role, the numbers of its records with messages in plaintext, each with the
    numbers of their last messages as bits; changes: the numbers of those with ChangeCipherSpec. hidden: by role, how many
    records count as data, each of which can be a Finished.
    """

    __slots__ = (
        "acks", "announced", "answered", "bodies", "changes", "close", "hellos", "hidden", "holes", "messages", "replays",
        "seen", "silence", "strays",
    )  # fmt: skip

    name = "dtls"
    letter = "d"

    def __init__(self) -> None:
        self.close: Any = None
        self.hellos: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        self.replays = self.strays = self.acks = 0
        self.silence = 0
        self.hidden = [0, 0]
        self.announced: list[tuple[int, bytes]] = []
        self.answered = self.holes = False
        self.seen: dict[tuple[int, int], ReplayWindow] = {}
        self.bodies: dict[tuple[int, int], tuple[int, ...]] = {}
        self.messages: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.changes: tuple[list[int], list[int]] = ([], [])

    def note_hello(self, role: int, frame: int, at: int) -> None:
        """Note a datagram with the first bytes of a hello. One that comes at once is a copy, or another fragment."""
        listed = self.hellos[role]
        if len(listed) < MAX_FRAMES and (not listed or (listed[-1][0] != frame and at - listed[-1][1] >= WINDOW)):
            listed.append((frame, at))

    @property
    def is_unanswered(self) -> bool:
        """Whether the client sent its hello again and again without any answer.

        The capture must go on behind the last one for as long as the client had waited before it.
        """
        listed = self.hellos[0]
        return not self.answered and len(listed) >= 3 and self.silence >= listed[-1][1] - listed[-2][1]

    def is_whole(self) -> bool:
        """Return whether the numbers of the records have no holes. Each record has one, also when it is sent again.

        An epoch begins with 0, but for the first: who answers without a state takes the numbers of the other side.
        """
        windows = self.seen.items()
        return not self.holes and all(window.is_whole and (place[1] == 0 or window.has(0)) for place, window in windows)

    def note_message(self, role: int, number: int, body: bytes) -> None:
        """Note the number of a record with handshake messages in plaintext. body: without the header of the record."""
        if len(self.messages[role]) >= MAX_BODIES:
            return
        pos = sequence = 0
        while len(body) - pos >= FRAGMENT_HEADER:
            sequence = body[pos + 4] << 8 | body[pos + 5]
            pos += FRAGMENT_HEADER + int.from_bytes(body[pos + 9 : pos + 12], "big")
        known = self.messages[role]
        known[number] = known.get(number, 0) | 1 << min(sequence, MAX_SEQUENCE)

    def note_change(self, role: int, number: int) -> None:
        """Note the number of a record with ChangeCipherSpec."""
        if len(self.changes[role]) < MAX_CONTENTS:
            self.changes[role].append(number)

    def shows_last(self, role: int, following: int) -> bool:
        """Return whether a ChangeCipherSpec came right behind a message that was taken: else one can be missing unseen.

        following: the number of the message whose turn it is.
        """
        taken = (1 << max(following, 0)) - 1
        return any(self.messages[role].get(number - 1, 0) & taken for number in self.changes[role])

    def ends_with(self, role: int, last: int) -> bool:
        """Return whether a ChangeCipherSpec came right behind a message, which is the last in plaintext. last: its number."""
        return last >= 0 and any(self.messages[role].get(number - 1, 0) >> last & 1 for number in self.changes[role])

    def take_ids(self, role: int, number: int, raw: bytes) -> None:
        """Take the IDs of a NewConnectionId, under which a role is reached from now on (RFC 9147 section 9).

        number: its type. Of another message nothing is taken. raw: with the header of TLS.
        """
        if number != NEW_CONNECTION_ID:
            return
        message, _ = NewConnectionId.read(raw[HEADER:])
        self.announced += [(role, known) for known in (message.cids or ())[:MAX_ANNOUNCED]]

    def end(self) -> None:
        """Forget the numbers of the records."""
        self.holes = not self.is_whole()
        self.seen.clear()
        self.bodies.clear()
        for role in range(2):
            self.messages[role].clear()
            self.changes[role].clear()

    def repeats(self, role: int, epoch: int, number: int, body: bytes) -> bool:
        """Return whether a record with this number came before; it counts from now on.

        body: of one that nobody has opened, which must be the same too; else empty.
        """
        known = self.seen.get((role, epoch))
        if known is None:
            if len(self.seen) >= 2 * MAX_EPOCHS:
                self.seen.pop(next(iter(self.seen)))
            known = self.seen[role, epoch] = ReplayWindow()
        differs = bool(body) and (known.differs(number, body) if epoch > 0 else self._differs(role, number, body))
        if known.has(number) and not differs:
            self.replays += 1
            return True
        known.add(number)
        if body and epoch == 0 and len(self.bodies) < MAX_BODIES:
            contents = self.bodies.get((role, number), ())
            if len(contents) < MAX_CONTENTS:
                self.bodies[role, number] = (*contents, hash(body))
        return False

    def _differs(self, role: int, number: int, body: bytes) -> bool:
        known = self.bodies.get((role, number), ())
        return 0 < len(known) < MAX_CONTENTS and hash(body) not in known
