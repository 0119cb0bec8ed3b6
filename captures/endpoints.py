"""Real TLS endpoints without sockets: OpenSSL driven through memory, every flight handed to whoever carries it.

Two OpenSSLs speak here. `standard` is the one Python's `ssl` module is linked to; `bundled` is the newer one inside the
`cryptography` wheel, reached through pyOpenSSL, which knows X25519MLKEM768, early data, external PSKs and renegotiation.
Either can be client or server to the other. What the endpoints themselves say of a connection (version, suite,
protocol, certificates, plaintext) is the first of the two witnesses to `expected.json`; tshark is the second.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Protocol

from wire import SIDES, Side, opposite

Carry = Callable[[Side, bytes], object]

_VERSION_NAMES = {"TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}

# What SSL_read_early_data returns, from OpenSSL's ssl.h; the bindings lack the names.
_EARLY_DATA_ERROR, _EARLY_DATA_SUCCESS, _EARLY_DATA_FINISH = 0, 1, 2


class Endpoint(Protocol):
    """One end of a connection, as bytes in and bytes out."""

    def step(self) -> bool:
        """Go on with the handshake as far as the bytes reach; true once it is complete."""

    def take(self) -> bytes:
        """What is to be sent now."""

    def give(self, data: bytes) -> None:
        """What has arrived."""

    def write(self, data: bytes) -> None:
        """Protect application data."""

    def read(self) -> bytes:
        """Application data that has arrived; also reads handshake messages which come after the handshake."""

    def close(self) -> None:
        """Say close_notify."""

    def facts(self) -> dict[str, Any]:
        """`version`, `cipher_suite`, `alpn` and `resumed` as this OpenSSL states them."""


class EndpointError(Exception):
    """The handshake failed at one endpoint; the text is OpenSSL's reason."""


class Standard:
    """An endpoint of Python's `ssl` module."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        server_name: str | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server_side = context.protocol is ssl.PROTOCOL_TLS_SERVER
        self.tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_name, session=session
        )

    def step(self) -> bool:
        """See `Endpoint`."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise EndpointError(error.reason or str(error)) from error
        return True

    def take(self) -> bytes:
        """See `Endpoint`."""
        return self._outgoing.read()

    def give(self, data: bytes) -> None:
        """See `Endpoint`."""
        self._incoming.write(data)

    def write(self, data: bytes) -> None:
        """See `Endpoint`."""
        self.tls.write(data)

    def read(self) -> bytes:
        """See `Endpoint`."""
        found = bytearray()
        while True:
            try:
                piece = self.tls.read(16384)
            except ssl.SSLWantReadError:
                return bytes(found)
            except ssl.SSLZeroReturnError:
                return bytes(found)
            except ssl.SSLError as error:
                raise EndpointError(error.reason or str(error)) from error
            if not piece:
                return bytes(found)
            found += piece

    def close(self) -> None:
        """See `Endpoint`."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            return

    def facts(self) -> dict[str, Any]:
        """See `Endpoint`."""
        cipher = self.tls.cipher()
        return {
            "version": _VERSION_NAMES[self.tls.version() or ""],
            "cipher": cipher[0] if cipher else None,
            "alpn": self.tls.selected_alpn_protocol(),
            "resumed": bool(self.tls.session_reused),
        }


class Bundled:
    """An endpoint of pyOpenSSL."""

    def __init__(self, context: Any, side: Side, *, server_name: str | None = None, session: Any = None) -> None:
        from OpenSSL import SSL

        self._ssl = SSL
        self.tls = SSL.Connection(context, None)
        if side == "client":
            if server_name is not None:
                self.tls.set_tlsext_host_name(server_name.encode("ascii"))
            if session is not None:
                self.tls.set_session(session)
            self.tls.set_connect_state()
        else:
            self.tls.set_accept_state()
        self.early = bytearray()

    def step(self) -> bool:
        """See `Endpoint`."""
        try:
            self.tls.do_handshake()
        except self._ssl.WantReadError:
            return False
        except self._ssl.Error as error:
            raise EndpointError(_reason(error)) from error
        return True

    def take(self) -> bytes:
        """See `Endpoint`."""
        found = bytearray()
        while True:
            try:
                found += self.tls.bio_read(16384)
            except self._ssl.WantReadError:
                return bytes(found)

    def give(self, data: bytes) -> None:
        """See `Endpoint`."""
        while data:
            data = data[self.tls.bio_write(data) :]

    def write(self, data: bytes) -> None:
        """See `Endpoint`."""
        self.tls.sendall(data)

    def read(self) -> bytes:
        """See `Endpoint`."""
        found = bytearray()
        while True:
            try:
                found += self.tls.recv(16384)
            except (self._ssl.WantReadError, self._ssl.ZeroReturnError):
                return bytes(found)
            except self._ssl.Error as error:
                raise EndpointError(_reason(error)) from error

    def close(self) -> None:
        """See `Endpoint`."""
        self.tls.shutdown()

    def write_early(self, data: bytes) -> None:
        """Send `data` as 0-RTT data with the ClientHello (RFC 8446, 4.2.10); before the first `step`."""
        from OpenSSL._util import ffi, lib

        written = ffi.new("size_t *")
        if lib.SSL_write_early_data(self.tls._ssl, data, len(data), written) != 1 or written[0] != len(data):
            raise EndpointError("early data was not written")

    def read_early(self) -> None:
        """Read what arrived as 0-RTT data into `early`; before the server's first `step`, and again before the next one."""
        from OpenSSL._util import ffi, lib

        buffer, n = ffi.new("unsigned char[]", 16384), ffi.new("size_t *")
        while (status := lib.SSL_read_early_data(self.tls._ssl, buffer, 16384, n)) == _EARLY_DATA_SUCCESS:
            self.early += bytes(ffi.buffer(buffer, n[0]))
        waits = status == _EARLY_DATA_ERROR and lib.SSL_get_error(self.tls._ssl, -1) == lib.SSL_ERROR_WANT_READ
        if status != _EARLY_DATA_FINISH and not waits:
            raise EndpointError("early data was not accepted")

    def facts(self) -> dict[str, Any]:
        """See `Endpoint`; adds `group`."""
        from OpenSSL._util import lib

        return {
            "version": _VERSION_NAMES[self.tls.get_protocol_version_name()],
            "cipher": self.tls.get_cipher_name(),
            "alpn": self.tls.get_alpn_proto_negotiated().decode("ascii") or None,
            "resumed": bool(lib.SSL_session_reused(self.tls._ssl)),
            "group": self.tls.get_group_name(),
        }


class Exchange:
    """A client and a server joined by whoever carries the bytes, with a record of what both said."""

    def __init__(self, client: Endpoint, server: Endpoint, carry: Carry) -> None:
        self.ends: dict[Side, Endpoint] = {"client": client, "server": server}
        self.carry = carry
        self.plaintext: dict[Side, int] = {"client": 0, "server": 0}
        self.failures: dict[Side, str] = {}
        self.complete: dict[Side, bool] = {"client": False, "server": False}

    def handshake(self) -> bool:
        """Go through the handshake; true when both ends completed it. Otherwise `failures` says why."""
        while True:
            moved = False
            for side in SIDES:
                if side not in self.failures and not self.complete[side]:
                    try:
                        self.complete[side] = self.ends[side].step()
                    except EndpointError as failure:
                        self.failures[side] = str(failure)
                moved |= self.flush(side)
            if not moved:
                break
        for side in SIDES:
            if side not in self.failures:
                try:
                    self.ends[side].read()
                except EndpointError as failure:
                    self.failures[side] = str(failure)
        return all(self.complete.values()) and not self.failures

    def say(self, side: Side, *pieces: bytes) -> None:
        """Let `side` send application data, a record (or more) for each piece, all in one flight."""
        for piece in pieces:
            self.ends[side].write(piece)
            self.plaintext[side] += len(piece)
        self.flush(side)
        received = self.ends[opposite(side)].read()
        if received != b"".join(pieces):
            raise EndpointError(f"{side} said {sum(map(len, pieces))} bytes and {len(received)} arrived")

    def close(self, first: Side = "client") -> None:
        """Let both sides say close_notify."""
        for side in (first, opposite(first)):
            self.ends[side].close()
            self.flush(side)

    def flush(self, side: Side) -> bool:
        """Carry over what `side` has ready; true if there was something."""
        data = self.ends[side].take()
        if data:
            self.carry(side, data)
            self.ends[opposite(side)].give(data)
        return bool(data)

    def facts(self) -> dict[str, Any]:
        """What both ends state of the connection; raises if they differ."""
        client, server = self.ends["client"].facts(), self.ends["server"].facts()
        for key in client.keys() & server.keys():
            if client[key] != server[key]:
                raise EndpointError(f"the ends differ about {key}: {client[key]} and {server[key]}")
        return {**client, **server}


def _reason(error: Exception) -> str:
    details = error.args[0] if error.args else []
    return str(details[0][2]) if details else str(error)
