"""Makes captures of TLS with known secrets: OpenSSL at both ends sends what a script says, and logs its keys."""

import contextlib
import io
import ssl
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from conversations import CLIENT, SERVER, START, Flight, Segment, contexts, packetise

from analyzer.capture.capture_writer import PcapngWriter

ETHERNET = 1
MILLISECOND = 1_000_000


@dataclass(frozen=True)
class Talk:
    """The bytes on the wire, the plaintext of each side, and the key log."""

    flights: tuple[Flight, ...]
    sent: tuple[bytes, bytes]
    keylog: str


def talk_of(
    script: Iterable[Flight],
    version: str = "TLSv1_3",
    ciphers: str | None = None,
    alpn: str | None = None,
    close: bool = True,
    server_context: ssl.SSLContext | None = None,
) -> Talk:
    """Return a session in which the sides send the texts of the script in turn; with `close` both send close_notify."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False
    client_context.verify_mode = ssl.CERT_NONE
    client_context.minimum_version = client_context.maximum_version = ssl.TLSVersion[version]
    server_context = server_context or contexts.__wrapped__()[1]
    for context in (client_context, server_context):
        if ciphers:
            context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
        if alpn:
            context.set_alpn_protocols([alpn])
    return talk_between(client_context, server_context, script, close=close)[0]


def talk_between(
    client_context: ssl.SSLContext,
    server_context: ssl.SSLContext,
    script: Iterable[Flight],
    session: ssl.SSLSession | None = None,
    close: bool = True,
) -> tuple[Talk, ssl.SSLSession | None]:
    """Return a session in which the sides send the texts of the script in turn, and the client's session for a resumption."""
    flights: list[Flight] = []
    sent = [b"", b""]
    inward, outward, to_server, to_client = (ssl.MemoryBIO() for _ in range(4))
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "keys")
        client_context.keylog_filename = str(log)
        client = client_context.wrap_bio(to_client, outward, server_hostname="example.test", session=session)
        server = server_context.wrap_bio(to_server, inward, server_side=True)
        peers = (client, server)

        def carry(side: int) -> None:
            data = (outward, inward)[side].read()
            if data:
                (to_server, to_client)[side].write(data)
                flights.append((side, data))

        for _ in range(4):
            for side, peer in enumerate(peers):
                with contextlib.suppress(ssl.SSLWantReadError):
                    peer.do_handshake()
                carry(side)
        for side, data in script:
            sent[side] += data
            peers[side].write(data)
            carry(side)
            received = 0
            while received < len(data):
                received += len(peers[1 - side].read(1 << 16))
        kept = client.session
        if close:
            for side, peer in enumerate(peers):
                with contextlib.suppress(ssl.SSLError):
                    peer.unwrap()
                carry(side)
        return Talk(tuple(flights), (sent[0], sent[1]), log.read_text("ascii")), kept


def pcapng_of(*parts: Sequence[Segment], comment: str = "", secrets: str = "") -> bytes:
    """Return a capture of these segments, a millisecond apart; with `secrets` before them."""
    file = io.BytesIO()
    writer = PcapngWriter(file, comment=comment)
    writer.write_interface(ETHERNET, name="eth0")
    if secrets:
        writer.write_secrets(secrets.encode())
    at = START
    for segment in (segment for part in parts for segment in part):
        data = segment.frame()
        writer.write_frame(at, data[: len(data) - segment.cut], len(data))
        at += MILLISECOND
    return file.getvalue()


def without(segments: Sequence[Segment], side: int, *numbers: int) -> list[Segment]:
    """Return the segments without those data segments of a side; counted from 0, negative numbers from the end."""
    carriers = [index for index, segment in enumerate(segments) if segment.side == side and segment.payload]
    left_out = {carriers[number] for number in numbers}
    return [segment for index, segment in enumerate(segments) if index not in left_out]


def page(path: str, body: bytes, fields: str = "", status: str = "200 OK") -> tuple[Flight, Flight]:
    """Return a request for a page, and the response."""
    request = f"GET {path} HTTP/1.1\r\nHost: example.test\r\n\r\n".encode()
    head = f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode()
    return (CLIENT, request), (SERVER, head + body)


def save(folder: Path, talk: Talk, segments: Sequence[Segment] | None = None) -> tuple[Path, Path]:
    """The capture of a talk, and its key log, as files."""
    capture, keys = folder / "talk.pcapng", folder / "talk.keys"
    capture.write_bytes(pcapng_of(packetise(talk.flights) if segments is None else segments))
    keys.write_text(talk.keylog)
    return capture, keys
