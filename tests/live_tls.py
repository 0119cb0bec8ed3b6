"""Real TLS on the loopback interface: a server in a thread, clients as processes of their own, and a run that sniffs them."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from conversations import contexts

from analyzer.capture.live.live_capture import LiveCapture, LiveOptions
from analyzer.capture.live.privileges import missing_right
from analyzer.cli.live_keys import LiveKeys
from analyzer.engine import Engine, Listener
from analyzer.engine.run import deliver
from analyzer.tls.events import Event, SessionEnded
from analyzer.tls.session import Session

CLIENT = """
import socket, ssl, sys
address, port, keys = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
if keys:
    context.keylog_filename = keys
family = socket.AF_INET6 if ":" in address else socket.AF_INET
with socket.socket(family) as plain:
    plain.connect((address, port))
    with context.wrap_socket(plain, server_hostname="example.test") as connection:
        connection.sendall(b"GET /hello HTTP/1.1\\r\\nHost: example.test\\r\\n\\r\\n")
        connection.recv(1000)
        print("ready", flush=True)
        if "wait" in sys.argv:
            sys.stdin.read(1)
"""
"""Asks for /hello, says when it has the answer, and with `wait` stays connected until its standard input ends."""

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nworld"


def require_capture() -> None:
    """Skip the test without the right to capture; fail where CI=true."""
    right = missing_right()
    if right is not None and os.environ.get("CI") == "true":
        pytest.fail(f"CI=true allows no test to be skipped, and the right {right} is missing", pytrace=False)
    if right is not None:
        pytest.skip(f"the right {right} is missing")


@contextlib.contextmanager
def tls_server(address: str = "127.0.0.1") -> Iterator[int]:
    """Serve TLS at a free port of the address, and yield the port. One connection at a time gets one answer."""
    context = contexts()[1]
    listening = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listening.bind((address, 0))
    listening.listen(64)

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:  # closed: the test is over
                return
            threading.Thread(target=answer, args=(plain,), daemon=True).start()

    def answer(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as connection:
            while connection.recv(1000):
                connection.sendall(ANSWER)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


@contextlib.contextmanager
def client(port: int, keys: Path | str = "", address: str = "127.0.0.1") -> Iterator["subprocess.Popen[bytes]"]:
    """A client that has its answer and stays connected. It logs its secrets to `keys`."""
    command = [sys.executable, "-c", CLIENT, address, str(port), str(keys), "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.communicate(timeout=60)


class Sessions(Listener):
    """Keeps the sessions that have ended, with the time at which each was told, in nanoseconds since the epoch."""

    def __init__(self) -> None:
        self.ended: list[Session] = []
        self.told: list[int] = []

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self.ended.append(event.ended)
                self.told.append(time.time_ns())


def sniff(
    port: int,
    keys: LiveKeys,
    listeners: Sequence[Listener],
    done: Callable[[], bool],
    start: Callable[[], None] = lambda: None,
    seconds: float = 60,
) -> Engine:
    """Sniff the port on the loopback interface until `done`, as a live command does. start: is called when packets arrive."""
    engine = Engine(announces=True, **keys.arguments)
    engine.connections.longest_wait = 500_000_000
    live = LiveCapture(["lo"], LiveOptions(bpf=f"tcp port {port}"))
    live.open()
    start()
    until = time.monotonic() + seconds
    try:
        for reader in live.packet_readers():
            keys.look()
            engine.run(reader)
            engine.tick(time.time_ns() - 50_000_000)
            deliver(engine.take(), listeners)
            if done() or time.monotonic() > until:
                live.stop()
        keys.close()
        engine.close()
        deliver(engine.take(), listeners)
        for listener in listeners:
            listener.close()
    finally:
        live.close()
    return engine
