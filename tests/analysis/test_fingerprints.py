"""The vectors of the JA3 README and of JA4's technical details, and every fingerprint of the captures with known answers."""

import json
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.analysis.fingerprints import GREASE, REMEMBERED_LENGTH, highest_version, ja3, ja3s, ja4

CORPUS = Path(os.environ["ANALYZER_CORPUS"])


def in_hex(text: str) -> tuple[int, ...]:
    return tuple(int(number, 16) for number in text.split(","))


# The example of JA4's technical details, in the order in which the client sent it.
CIPHERS = in_hex("1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035")
EXTENSIONS = in_hex("001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015")
ALGORITHMS = in_hex("0403,0804,0401,0503,0805,0501,0806,0601")


def on_the_wire(numbers: tuple[int, ...]) -> bytes:
    return struct.pack(f">{len(numbers)}H", *numbers)


@pytest.mark.parametrize(
    ("text", "fingerprint"),
    [
        ("769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0", "ada70206e40642a3e4461f35503241d5"),
        ("769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6"),
    ],
)
def test_ja3_readme(text: str, fingerprint: str) -> None:
    version, *lists = text.split(",")
    ciphers, extensions, groups, formats = (tuple(int(n) for n in part.split("-") if n) for part in lists)
    assert ja3(int(version), ciphers, extensions, groups, formats) == fingerprint
    wire = [on_the_wire(numbers) for numbers in (ciphers, extensions, groups)]
    assert ja3(int(version), wire[0], wire[1], wire[2], bytes(formats)) == fingerprint


def test_ja3_ignores_grease() -> None:
    plain = ja3(771, (4865, 4866), (0, 10, 11), (29, 23), (0,))
    for grease in GREASE:
        assert ja3(771, (grease, 4865, 4866), (grease, 0, 10, grease, 11), (29, grease, 23), (0,)) == plain
    assert ja3(771, (0x0A1A, 4865, 4866), (0, 10, 11), (29, 23), (0,)) != plain
    assert len(GREASE) == 16
    assert min(GREASE) == 0x0A0A
    assert max(GREASE) == 0xFAFA


def test_ja3s_as_tshark_has_it() -> None:
    # The ServerHello of Zeek's ecdsa-cert.pcap
    extensions = (65281, 11, 35, 15)
    assert ja3s(771, 49195, extensions) == ja3s(771, 49195, on_the_wire(extensions)) == "6ce5b396167553eefc3fc5cbc4a16a02"


def test_ja4_technical_details() -> None:
    whole = "t13d1516h2_8daaf6152771_e5627efa2ab1"
    assert ja4("t", 0x0304, True, CIPHERS, EXTENSIONS, b"h2", ALGORITHMS) == whole
    assert ja4("t", 0x0304, True, on_the_wire(CIPHERS), on_the_wire(EXTENSIONS), b"h2", on_the_wire(ALGORITHMS)) == whole
    greased = ((0x1A1A, *CIPHERS), (0xDADA, *EXTENSIONS[::-1], 0x2A2A))
    assert ja4("t", 0x0304, True, greased[0], greased[1], b"h2", (0x3A3A, *ALGORITHMS)) == whole
    assert ja4("t", 0x0304, True, CIPHERS, EXTENSIONS, b"h2", ()) == "t13d1516h2_8daaf6152771_6d807ffa2a79"
    assert ja4("t", 0x0304, True, CIPHERS, EXTENSIONS, b"h2", (0x3A3A,)) == "t13d1516h2_8daaf6152771_6d807ffa2a79"
    assert ja4("t", 0x0304, True, CIPHERS, EXTENSIONS, b"h2", ALGORITHMS[::-1]) != whole


def test_ja4_empty_lists() -> None:
    assert ja4("t", 0x0301, False, (), (), None, ()) == "t10i000000_000000000000_000000000000"
    assert ja4("q", 0x0304, True, (), (0, 16), b"h3", ()) == "q13d0002h3_000000000000_000000000000"


@pytest.mark.parametrize(
    ("alpn", "ends"),
    [
        (None, "00"),
        (b"", "00"),
        (b"h2", "h2"),
        (b"http/1.1", "h1"),
        (b"x", "xx"),
        (b"\xab", "ab"),
        (b"\xab\xcd", "ad"),
        (b"0\xab", "3b"),
        (b"01\xab\xcd", "3d"),
        (b"0\xab\xcd1", "01"),
        (b"0/\xcd", "3d"),
        (b"a_", "6f"),
    ],
)
def test_ja4_alpn(alpn: bytes | None, ends: str) -> None:
    assert ja4("t", 0x0303, False, (47,), (16,), alpn, ())[8:10] == ends


@pytest.mark.parametrize(
    ("version", "code"),
    [
        (0x0304, "13"),
        (0x0303, "12"),
        (0x0302, "11"),
        (0x0301, "10"),
        (0x0300, "s3"),
        (2, "s2"),
        (0xFEFF, "d1"),
        (0xFEFD, "d2"),
        (0xFEFC, "d3"),
        (0x7F17, "00"),
        (0, "00"),
        (0xFFFF, "00"),
    ],
)
def test_ja4_version(version: int, code: str) -> None:
    assert ja4("d", version, False, (), (), None, ()).startswith(f"d{code}i")


def test_highest_version() -> None:
    assert highest_version(0x0303, ()) == 0x0303
    assert highest_version(0x0303, (0x0303, 0x0304, 0x0302)) == 0x0304
    assert highest_version(0x0303, b"\x7a\x7a\x03\x04\x03\x03") == 0x0304
    assert highest_version(0x0303, (0x8A8A,)) == 0x0303
    assert highest_version(0xFEFD, (0xFEFC,)) == 0xFEFC


def test_ja4_counts_end_at_99() -> None:
    many = tuple(range(0x4000, 0x4000 + 200))
    assert ja4("t", 0x0303, False, many, many[:99], None, ()).startswith("t12i9999")
    assert ja4("t", 0x0303, False, many[:98], many[:100], None, ()).startswith("t12i9899")


def test_longest_lists_give_the_same_by_number_and_by_wire() -> None:
    numbers = tuple(range(32767))
    wire = on_the_wire(numbers)
    assert len(numbers) > REMEMBERED_LENGTH
    assert ja3(771, numbers, numbers, numbers, (0, 1)) == ja3(771, wire, wire, wire, b"\0\1")
    assert ja3s(771, 47, numbers) == ja3s(771, 47, wire)
    assert ja4("t", 771, True, numbers, numbers, None, numbers) == ja4("t", 771, True, wire, wire, None, wire)


def test_a_lone_octet_at_the_end_is_no_number() -> None:
    assert ja3(771, b"\x00\x2f\x00", b"", b"", b"") == ja3(771, (47,), (), (), ())


FIELDS = {
    "frame.number": "number",
    "tls.handshake.version": "version",
    "tls.handshake.ciphersuite": "cipher_suites",
    "tls.handshake.extension.type": "extensions",
    "tls.handshake.extensions_supported_group": "groups",
    "tls.handshake.extensions_ec_point_format": "point_formats",
    "tls.handshake.sig_hash_alg": "algorithms",
    "tls.handshake.sig_hash_alg_len": "algorithms_lengths",
    "tls.handshake.extensions.supported_version": "supported_versions",
    "tls.handshake.extensions_alpn_str": "alpn",
}
WITH_ALGORITHMS = (13, 34, 50)
"""The extensions whose contents are lists of signature algorithms; tshark prints them all in one list."""

CAPTURES = [
    "ja4/browsers-x509.pcapng",
    "ja4/latest.pcapng",
    "ja4/quic-tls-handshake.pcapng",
    "ja4/tls-alpn-h2.pcap",
    "ja4/tls-handshake.pcapng",
    "ja4/tls12.pcap",
    "zeek/tls/ecdsa-cert.pcap",
    "zeek/tls/dtls1_2.pcap",
    "zeek/tls/tls-conn-with-extensions.pcap",
    "zeek/tls/tls13draft23-chrome67.0.3368.0-canary.pcap",
]


def read_hellos(capture: str, kind: int) -> Iterator[dict[str, list[str]]]:
    wanted = f"tls.handshake.type == {kind} or dtls.handshake.type == {kind}"
    command = ["tshark", "-r", str(CORPUS / capture), "-Y", wanted, "-T", "fields", "-E", "separator=|"]
    for name in FIELDS:
        command += ["-e", name, "-e", f"d{name}" if name.startswith("tls.") else name]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for line in printed.splitlines():
        values = [[value for value in part.split(",") if value] for part in line.split("|")]
        yield {name: values[2 * i] or values[2 * i + 1] for i, name in enumerate(FIELDS.values())}


def numbers(values: list[str]) -> tuple[int, ...]:
    return tuple(int(value, 0) for value in values)


def signature_algorithms(hello: dict[str, list[str]]) -> tuple[int, ...]:
    values = numbers(hello["algorithms"])
    position = 0
    lists = [extension for extension in numbers(hello["extensions"]) if extension in WITH_ALGORITHMS]
    for extension, length in zip(lists, numbers(hello["algorithms_lengths"]), strict=False):
        if extension == 13:
            return values[position : position + length // 2]
        position += length // 2
    return ()


@pytest.mark.corpus
@pytest.mark.peer("tshark")
@pytest.mark.parametrize("capture", CAPTURES)
def test_captures_with_known_answers(capture: str) -> None:
    sessions = [json.loads(line) for line in (CORPUS / "expected" / f"{capture}.jsonl").read_text().splitlines()]
    by_frame = {session["handshake"][0][2]: session for session in sessions if session.get("handshake")}
    compared = 0
    for hello in read_hellos(capture, 1):
        session = by_frame.get(int(hello["number"][0]))
        if session is None:
            continue
        version = numbers(hello["version"])[0]
        ciphers, extensions, groups = (numbers(hello[name]) for name in ("cipher_suites", "extensions", "groups"))
        if "ja3" in session:
            assert ja3(version, ciphers, extensions, groups, numbers(hello["point_formats"])) == session["ja3"]
            compared += 1
        if "ja4" in session:
            transport = {"tls": "t", "dtls": "d", "quic": "q"}[session["protocol"]]
            highest = highest_version(version, numbers(hello["supported_versions"]))
            alpn = hello["alpn"][0].encode() if hello["alpn"] else None
            algorithms = signature_algorithms(hello)
            assert ja4(transport, highest, 0 in extensions, ciphers, extensions, alpn, algorithms) == session["ja4"]
            compared += 1
    answers = {session["ja3s"] for session in sessions if session.get("ja3s")}
    for hello in read_hellos(capture, 2):
        version = numbers(hello["version"])[0]
        answers.discard(ja3s(version, numbers(hello["cipher_suites"])[0], numbers(hello["extensions"])))
        compared += 1
    assert not answers
    assert compared
