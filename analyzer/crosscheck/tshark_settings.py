"""The command line of tshark: which of its defaults are changed and why, which frames come out, and the keys that it gets.

tshark(1), "Preferences" of the Wireshark User's Guide. By default tshark loses messages in segments that are not in order, and
waits for whole HTTP bodies. What is changed here is named in the result, so that anybody can run the same by hand. tshark does
not find the folder of its configuration, so the preferences of the user change nothing.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

PREFERENCES = (
    ("tcp.reassemble_out_of_order", "TRUE"),  # off by default: segments out of order lose messages
    ("tcp.desegment_tcp_streams", "TRUE"),
    ("tcp.relative_sequence_numbers", "TRUE"),  # the byte counts of streams come from them
    ("tcp.analyze_sequence_numbers", "TRUE"),
    ("tcp.check_checksum", "FALSE"),  # captures of a sender's own machine have unfinished checksums
    ("tcp.try_heuristic_first", "TRUE"),  # TLS is found by its content, on any port
    ("udp.try_heuristic_first", "TRUE"),  # and so are QUIC and DTLS
    ("ip.defragment", "TRUE"),
    ("tls.desegment_ssl_records", "TRUE"),
    ("tls.desegment_ssl_application_data", "TRUE"),
    ("http.desegment_headers", "TRUE"),
    ("http.desegment_body", "FALSE"),  # a request or response is in the frame that completes its header fields
)
"""Names and values. Those that are the default are written down too, because a default may change."""

FRAMES = (
    "tls.handshake or tls.record.version == 0x0002 or tls.alert_message or tcp.flags.fin == 1"
    " or (tls and (http.request.method or http.response.code or http2.header))"
    " or quic.scid or quic.nci.connection_id or quic.cc.error_code.tls_alert or http3.frame_type == 1"
    " or dtls.handshake or dtls.alert_message"
)
"""The display filter: the frames that have something to compare. All others pass through tshark, and are not printed."""

LAYERS = "ip ipv6 tcp udp tls dtls quic http http2 http3"
"""The protocols that are printed with their fields."""

_OF_MESSAGES = (
    "tls.alert_message", "tls.alert_message.desc", "tls.alert_message.level", "tls.handshake",
    "tls.handshake.certificate", "tls.handshake.ciphersuite", "tls.handshake.extensions.supported_version",
    "tls.handshake.extensions_alpn_str", "tls.handshake.extensions_key_share_group",
    "tls.handshake.extensions_key_share_selected_group", "tls.handshake.extensions_server_name",
    "tls.handshake.ja3", "tls.handshake.ja3s", "tls.handshake.ja4", "tls.handshake.random",
    "tls.handshake.server_named_curve", "tls.handshake.type", "tls.handshake.version",
)  # fmt: skip
"""The fields of messages and alerts, which DTLS has too, under `dtls`."""

FIELDS = (
    "num", "http.request.method", "http.request.uri", "http.response.code", "http2.headers.authority",
    "http2.headers.method", "http2.headers.path", "http2.headers.status", "http3.headers.authority",
    "http3.headers.method", "http3.headers.path", "http3.headers.status", "ip.dst", "ip.src", "ipv6.dst",
    "ipv6.src", "quic.cc.error_code.tls_alert", "quic.connection.number", "quic.dcid", "quic.nci.connection_id",
    "quic.scid", "quic.token_length", "quic.version", "tcp.dstport", "tcp.flags.fin", "tcp.len", "tcp.seq",
    "tcp.srcport", "tcp.stream", "udp.dstport", "udp.srcport", "udp.stream", "tls.ssl2.handshake.type",
    "dtls.handshake.fragment_length", "dtls.handshake.fragment_offset", "dtls.handshake.length",
    "dtls.handshake.message_seq", *_OF_MESSAGES, *(f"d{name}" for name in _OF_MESSAGES),
)  # fmt: skip
"""The fields that are read. tshark can only print all of a protocol; the others are dropped before they become objects."""


def arguments(key_log: str | None = None, rsa_keys: Sequence[str] = ()) -> list[str]:
    """Return the options of tshark besides the capture and the filter.

    key_log: path of the only one that tshark takes. rsa_keys: paths of unencrypted PEM files. What is secret stands in files,
    and not in these words, which every user of the machine can read.
    """
    words = [word for name, value in PREFERENCES for word in ("-o", f"{name}:{value}")]
    if key_log is not None:
        words += ["-o", f"tls.keylog_file:{key_log}"]
    for path in rsa_keys:
        words += ["-o", f'uat:rsa_keys:"{_quoted(path)}",""']
    return [*words, "-J", LAYERS]


@contextmanager
def one_key_log(paths: Sequence[str]) -> Iterator[str | None]:
    """Give the path of one key log that has the lines of all. None without any.

    Several are joined in memory (memfd_create(2)), so that no file with secrets is left if the program is killed. Raises
    OSError.
    """
    if len(paths) < 2:
        yield next(iter(paths), None)
        return
    with open(os.memfd_create("key-logs"), "wb") as joined:
        for path in paths:
            with open(path, "rb") as file:
                shutil.copyfileobj(file, joined)
            joined.write(b"\n")
        joined.flush()
        yield f"/proc/{os.getpid()}/fd/{joined.fileno()}"


def _quoted(path: str) -> str:
    """Return a path as tshark's tables want it inside quotation marks."""
    return path.replace("\\", "\\\\").replace('"', '\\"')
