"""The frames, connections and sessions that a display filter chooses."""

from collections.abc import Iterable

from analyzer.packet.addresses import reverse_key


class Matches:
    """What a display filter chooses. text: the filter. sessions: with a packet that passed.

    keys: of connections with one, in both directions, each with its last frame that passed. frames: those that passed, frame n
    as bit `n & 7` of byte `n >> 3`; n_frames: how many.

    Nothing here is bounded but by the capture: one bit for a frame, some 250 bytes for each connection and session that passes.
    A hostile capture can begin a connection with every frame; a million of them take 250 MB.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.sessions: set[int] = set()
        self.keys: dict[bytes, int] = {}
        self.n_frames = 0
        self.frames = bytearray()

    def add(self, frame: int, key: bytes, sessions: Iterable[int] = ()) -> None:
        """Add a packet that passed. key: its addresses and ports, empty without them; sessions: that it belongs to."""
        self.n_frames += 1
        place = frame >> 3
        if place >= len(self.frames):
            self.frames.extend(bytes(place + 1024 - len(self.frames)))
        self.frames[place] |= 1 << (frame & 7)
        if key:
            self.keys[key] = self.keys[reverse_key(key)] = max(frame, self.keys.get(key, 0))
        self.sessions.update(sessions)

    def has_frame(self, frame: int) -> bool:
        """Return whether the packet passed."""
        return frame >> 3 < len(self.frames) and bool(self.frames[frame >> 3] >> (frame & 7) & 1)
