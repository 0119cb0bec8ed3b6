# cython: annotation_typing=False
"""Numbers the sessions of a run, and knows which of those that are open began with the same random.

A capture that was made on both sides of an address translation has each connection twice, with other addresses. The randoms of
its ClientHellos are the same bytes. Of processes that share a capture, each sees all hellos, so all come to the same result.
"""

from analyzer.engine.tls_servers import TlsServers


class OpenSessions:
    """The sessions of the connections that are open. numbers: that of the first session, and the step from one to the next.

    servers: those that have spoken TLS.
    """

    __slots__ = ("_by_random", "numbers", "servers")

    def __init__(self) -> None:
        self.servers = TlsServers()
        self.numbers = (0, 1)
        self._by_random: dict[bytes, list[int]] = {}

    def number(self, place: int) -> int:
        """Return the number of a session. place: how many began before it."""
        return self.numbers[0] + self.numbers[1] * place

    def enter(self, random: bytes, number: int) -> None:
        """Note the random of the ClientHello with which a session begins."""
        self._by_random.setdefault(random, []).append(number)

    def leave(self, random: bytes, number: int) -> int:
        """Forget a session that ends. Return the number of another one that is open and has the same random, -1 for none."""
        known = self._by_random[random]
        if len(known) == 1:
            del self._by_random[random]
            return -1
        known.remove(number)
        return known[0]
