"""Real DTLS 1.2 and 1.3 endpoints without sockets: wolfSSL's client and server through ctypes, with their own clock and path.

A `WolfTalk` is one association. It hands each datagram over after half a round trip, and puts it on the wire of the capture;
when both sides wait, it lets their retransmission timers run out. wolfSSL has to be a shared library, made with

    ./configure --enable-dtls --enable-dtls13 --enable-dtlscid --enable-dtls-mtu --enable-dtls-frag-ch --enable-srtp \\
        --enable-psk --enable-session-ticket --enable-opensslextra --enable-postauth --enable-earlydata --enable-aesccm \\
        --enable-keying-material --enable-secure-renegotiation --enable-sni CFLAGS=-DHAVE_SECRET_CALLBACK

and named by the environment variable WOLFSSL.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, byref, c_char_p, c_int, c_size_t, c_uint, c_void_p, create_string_buffer
from dataclasses import dataclass
from typing import Any

from certificates import Identity
from datagram_peers import Judge, deliver
from programs import ProgramError
from wire import SIDES, Host, Side, Wire, opposite, udp

_SUCCESS = 1
_PEM = 1
_WANT_READ, _WANT_WRITE = -2, -2
_WOULD_BLOCK = {2, 3}
_VERIFY_NONE, _VERIFY_PEER_OR_FAIL = 0, 3
_LARGEST = 65536
_MILLISECOND = 1_000_000
_TIMEOUT = 1_000 * _MILLISECOND
_GROUPS = (29, 23)  # x25519, secp256r1
_LATE = 70 * _MILLISECOND
_MOST_TIMEOUTS = 12
_LEAST_BETWEEN = 1.01  # s of real time, before which wolfSSL does not send again

_Receive = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_void_p)
_LogLine = CFUNCTYPE(None, c_void_p, c_char_p)
_PskClient = CFUNCTYPE(c_uint, c_void_p, c_char_p, c_void_p, c_uint, c_void_p, c_uint)
_PskServer = CFUNCTYPE(c_uint, c_void_p, c_char_p, c_void_p, c_uint)


@dataclass(frozen=True, slots=True)
class Manner:
    """How both endpoints are to be; `connection_ids` and `stateless` say it for (client, server)."""

    version: str = "1.3"
    suites: str | None = None
    mtu: int | None = None
    psk: tuple[str, bytes] | None = None
    client: Identity | None = None
    connection_ids: tuple[bytes, bytes] | None = None
    srtp: str | None = None
    cookie: bool = True
    renegotiation: bool = False


class WolfTalk:
    """One DTLS association of wolfSSL between `hosts`, from `at` (ns since the epoch) on."""

    def __init__(
        self,
        wire: Wire,
        at: int,
        hosts: dict[Side, Host],
        ports: dict[Side, int],
        manner: Manner,
        identity: Identity | None,
        log: Callable[[str], object],
        judge: Judge = deliver,
        resumes: WolfTalk | None = None,
    ) -> None:
        self.library = load()
        self.wire, self.at, self.hosts, self.ports, self.judge = wire, at, hosts, ports, judge
        self.plaintext: dict[Side, int] = {"client": 0, "server": 0}
        self.got: dict[Side, bytes] = {"client": b"", "server": b""}
        self._manner = manner
        self._waiting: dict[Side, list[tuple[int, bytes]]] = {"client": [], "server": []}
        self._counts: dict[Side, int] = {"client": 0, "server": 0}
        self._identification: dict[Side, int] = {side: wire.random.randrange(1 << 16) for side in SIDES}
        self._kept: list[Any] = [resumes]
        self._log = log
        self._room = create_string_buffer(_LARGEST)
        self.contexts: dict[Side, int] = (
            resumes.contexts if resumes is not None else {side: self._context(side, identity) for side in SIDES}
        )
        self.ends: dict[Side, int] = {side: self._end(side) for side in SIDES}
        if resumes is not None:
            session = self.library.wolfSSL_get1_session(resumes.ends["client"])
            self._must(self.library.wolfSSL_set_session(self.ends["client"], session), "set_session")

    def handshake(self) -> None:
        """Go through the handshake, and through what the server sends after it."""
        steps: dict[Side, Any] = {"client": self.library.wolfSSL_connect, "server": self.library.wolfSSL_accept}
        done: dict[Side, bool] = {"client": False, "server": False}
        self._go_on(lambda side: self._step(side, steps[side], done), lambda: all(done.values()))
        self.read()

    def say(self, side: Side, data: bytes) -> None:
        """Let `side` write `data` as one record, and the other read it."""
        if self.library.wolfSSL_write(self.ends[side], data, len(data)) != len(data):
            raise ProgramError(f"the {side} cannot write")
        self.plaintext[side] += len(data)
        self.read()

    def update_keys(self, side: Side) -> None:
        """Let `side` send a KeyUpdate that asks the other for one (RFC 9147, 8)."""
        self._must(self.library.wolfSSL_update_keys(self.ends[side]), "update_keys")
        self.read()

    def read(self) -> None:
        """Carry what is on its way, and let both sides read until nothing comes."""
        quiet = 0
        while quiet < 2:
            moved = [self._read(side) for side in SIDES]
            quiet = 0 if any(moved) or any(self._waiting.values()) else quiet + 1

    def close(self, side: Side = "client") -> None:
        """Let `side`, then the other send close_notify."""
        for each in (side, opposite(side)):
            self.library.wolfSSL_shutdown(self.ends[each])
            self.read()

    def srtp_keys(self) -> bytes:
        """What both ends export for SRTP (RFC 5764, 4.2); raises if they differ."""
        found: set[bytes] = set()
        for side in SIDES:
            size = c_size_t(0)
            self.library.wolfSSL_export_dtls_srtp_keying_material(self.ends[side], None, byref(size))
            out = create_string_buffer(size.value)
            self._must(self.library.wolfSSL_export_dtls_srtp_keying_material(self.ends[side], out, byref(size)), "srtp")
            found.add(out.raw)
        if len(found) != 1:
            raise ProgramError("the ends of wolfSSL export different keys for SRTP")
        return found.pop()

    def facts(self) -> dict[str, str]:
        """Version and cipher suite as the client states them."""
        return {
            "version": self.library.wolfSSL_get_version(self.ends["client"]).decode("ascii"),
            "cipher": self.library.wolfSSL_get_cipher_name(self.ends["client"]).decode("ascii"),
        }

    def _context(self, side: Side, identity: Identity | None) -> int:
        library, manner = self.library, self._manner
        number = manner.version.replace(".", "_")
        context: int = library.wolfSSL_CTX_new(getattr(library, f"wolfDTLSv{number}_{side}_method")())
        library.wolfSSL_CTX_set_verify(context, _VERIFY_NONE, None)
        mine = identity if side == "server" else manner.client
        if mine is not None:
            chain, key = mine.chain_pem(), mine.key_pem()
            self._must(library.wolfSSL_CTX_use_certificate_chain_buffer(context, chain, len(chain)), "chain")
            self._must(library.wolfSSL_CTX_use_PrivateKey_buffer(context, key, len(key), _PEM), "key")
        if side == "server" and manner.client is not None:
            library.wolfSSL_CTX_set_verify(
                context, _VERIFY_PEER_OR_FAIL, self._keep(CFUNCTYPE(c_int, c_int, c_void_p)(lambda *_: 1))
            )
        if manner.suites is not None:
            self._must(library.wolfSSL_CTX_set_cipher_list(context, manner.suites.encode("ascii")), "suites")
        if manner.mtu is not None:
            library.wolfSSL_CTX_dtls_set_mtu(context, manner.mtu)
        if manner.srtp is not None and library.wolfSSL_CTX_set_tlsext_use_srtp(context, manner.srtp.encode("ascii")) != 0:
            raise ProgramError("wolfSSL does not know the SRTP profile")
        if manner.psk is not None:
            self._set_psk(side, context, *manner.psk)
        if side == "client":
            library.wolfSSL_CTX_set_keylog_callback(context, self._keep(_LogLine(self._write_key)))
        return context

    def _end(self, side: Side) -> int:
        library, manner = self.library, self._manner
        end: int = library.wolfSSL_new(self.contexts[side])
        library.wolfSSL_SSLSetIORecv(end, self._keep(_Receive(lambda *given: self._receive(side, *given))))
        library.wolfSSL_SSLSetIOSend(end, self._keep(_Receive(lambda *given: self._send(side, *given))))
        library.wolfSSL_dtls_set_using_nonblock(end, 1)
        library.wolfSSL_KeepArrays(end)  # and with them the exporter secret
        if manner.version == "1.3":
            self._must(library.wolfSSL_set_groups(end, (c_int * len(_GROUPS))(*_GROUPS), len(_GROUPS)), "groups")
        if side == "client":
            library.wolfSSL_UseSNI(end, 0, b"www.example", 11)
        elif manner.version == "1.3" and manner.cookie:
            self._must(library.wolfSSL_send_hrr_cookie(end, None, 0), "cookie")
        if manner.connection_ids is not None:
            self._must(library.wolfSSL_dtls_cid_use(end), "cid")
            own = manner.connection_ids[SIDES.index(side)]
            self._must(library.wolfSSL_dtls_cid_set(end, own, len(own)), "cid")
        if manner.renegotiation:
            self._must(library.wolfSSL_UseSecureRenegotiation(end), "renegotiation")
        return end

    def _set_psk(self, side: Side, context: int, name: str, key: bytes) -> None:
        def client(_: Any, hint: Any, identity: int, most: int, into: int, size: int) -> int:
            ctypes.memmove(identity, name.encode("ascii") + b"\0", len(name) + 1)
            ctypes.memmove(into, key, len(key))
            return len(key)

        def server(_: Any, identity: Any, into: int, size: int) -> int:
            ctypes.memmove(into, key, len(key))
            return len(key) if identity == name.encode("ascii") else 0

        if side == "client":
            self.library.wolfSSL_CTX_set_psk_client_callback(context, self._keep(_PskClient(client)))
        else:
            self.library.wolfSSL_CTX_set_psk_server_callback(context, self._keep(_PskServer(server)))

    def _go_on(self, step: Callable[[Side], object], ready: Callable[[], bool]) -> None:
        timeouts = 0
        while not ready():
            for side in SIDES:
                step(side)
            if not any(self._waiting.values()) and not ready():
                timeouts += 1
                if timeouts > _MOST_TIMEOUTS:
                    raise ProgramError("the handshake of wolfSSL does not end")
                self.at += _TIMEOUT
                time.sleep(_LEAST_BETWEEN)
                for side in SIDES:
                    self.library.wolfSSL_dtls_got_timeout(self.ends[side])

    def _step(self, side: Side, function: Any, done: dict[Side, bool]) -> None:
        if done[side]:
            self._read(side)
            return
        answer = function(self.ends[side])
        if answer == _SUCCESS:
            done[side] = True
        elif (why := self.library.wolfSSL_get_error(self.ends[side], answer)) not in _WOULD_BLOCK:
            raise ProgramError(f"the {side} ends with {why}")

    def _read(self, side: Side) -> bool:
        n_bytes = self.library.wolfSSL_read(self.ends[side], self._room, _LARGEST)
        if n_bytes > 0:
            self.got[side] += self._room.raw[:n_bytes]
        return bool(n_bytes > 0)

    def _receive(self, side: Side, _: Any, into: int, size: int, __: Any) -> int:
        waiting = self._waiting[side]
        if not waiting:
            return _WANT_READ
        waiting.sort(key=lambda each: each[0])
        at, data = waiting.pop(0)
        self.at = max(self.at, at)
        ctypes.memmove(into, data, min(len(data), size))
        return min(len(data), size)

    def _send(self, side: Side, _: Any, data: int, size: int, __: Any) -> int:
        datagram = ctypes.string_at(data, size)
        number = self._counts[side]
        self._counts[side] += 1
        fate = self.judge(side, number)
        self.at += self.wire.random.randrange(20_000, 90_000)
        delay = self.wire.random.randrange(11 * _MILLISECOND, 12 * _MILLISECOND)
        seen = self.at + (_LATE if fate == "late" else 0)
        if fate != "miss":
            self._put(side, seen, datagram)
        if fate == "twice":
            self._put(side, seen + 40_000, datagram)
        self._waiting[opposite(side)] += [(seen + delay, datagram)] * {"lose": 0, "twice": 2}.get(fate, 1)
        return size

    def _put(self, side: Side, at: int, datagram: bytes) -> None:
        other = opposite(side)
        self._identification[side] += 1
        ports = self.ports[side], self.ports[other]
        self.wire.put(at, udp(self.hosts[side], self.hosts[other], ports, datagram, self._identification[side]))

    def _write_key(self, _: Any, line: bytes) -> None:
        label, *values = line.decode("ascii").split()
        self._log(" ".join([label, *(value.lower() for value in values)]))

    def _keep(self, callback: Any) -> Any:
        self._kept.append(callback)
        return callback

    def _must(self, answer: int, what: str) -> None:
        if answer != _SUCCESS:
            raise ProgramError(f"wolfSSL refuses {what}: {answer}")


def load() -> Any:
    """The library that WOLFSSL names."""
    name = os.environ.get("WOLFSSL")
    if name is None:
        raise ProgramError("needs wolfSSL as a shared library, named by WOLFSSL")
    library = ctypes.CDLL(name)
    for function in ("CTX_new", "new", "get1_session", "CTX_set_keylog_callback"):
        getattr(library, f"wolfSSL_{function}").restype = c_void_p
    for version in ("1_2", "1_3"):
        for side in SIDES:
            getattr(library, f"wolfDTLSv{version}_{side}_method").restype = c_void_p
    for function in ("get_version", "get_cipher_name", "lib_version"):
        getattr(library, f"wolfSSL_{function}").restype = c_char_p
    pointers = {
        "CTX_new": [c_void_p], "new": [c_void_p], "get1_session": [c_void_p], "set_session": [c_void_p, c_void_p],
        "CTX_set_verify": [c_void_p, c_int, c_void_p], "CTX_set_keylog_callback": [c_void_p, _LogLine],
        "CTX_use_certificate_chain_buffer": [c_void_p, c_char_p, ctypes.c_long],
        "CTX_use_PrivateKey_buffer": [c_void_p, c_char_p, ctypes.c_long, c_int],
        "CTX_set_cipher_list": [c_void_p, c_char_p], "CTX_dtls_set_mtu": [c_void_p, ctypes.c_ushort],
        "CTX_set_tlsext_use_srtp": [c_void_p, c_char_p], "CTX_set_psk_client_callback": [c_void_p, _PskClient],
        "CTX_set_psk_server_callback": [c_void_p, _PskServer], "SSLSetIORecv": [c_void_p, _Receive],
        "SSLSetIOSend": [c_void_p, _Receive], "dtls_set_using_nonblock": [c_void_p, c_int],
        "UseSNI": [c_void_p, ctypes.c_ubyte, c_char_p, ctypes.c_ushort], "send_hrr_cookie": [c_void_p, c_char_p, c_uint],
        "dtls_cid_use": [c_void_p], "dtls_cid_set": [c_void_p, c_char_p, c_uint], "UseSecureRenegotiation": [c_void_p],
        "connect": [c_void_p], "accept": [c_void_p], "read": [c_void_p, c_void_p, c_int], "get_error": [c_void_p, c_int],
        "write": [c_void_p, c_char_p, c_int], "shutdown": [c_void_p], "update_keys": [c_void_p],
        "dtls_got_timeout": [c_void_p], "get_version": [c_void_p], "get_cipher_name": [c_void_p],
        "set_groups": [c_void_p, POINTER(c_int), c_int],
        "export_dtls_srtp_keying_material": [c_void_p, c_void_p, POINTER(c_size_t)], "KeepArrays": [c_void_p],
    }  # fmt: skip
    for function, types in pointers.items():
        getattr(library, f"wolfSSL_{function}").argtypes = types
    library.wolfSSL_Init()
    return library
