"""Trials on the captures whose contents are known: what the analyzer says of them is what the witnesses say."""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

import lz4.frame
import zstandard

from analyzer.validation.capture_forms import FORMS, CaptureForm, in_form, packet_times, with_times_of
from analyzer.validation.capture_reading import ReadCapture, read_capture
from analyzer.validation.expected_sessions import (
    certificate_values,
    chain_values,
    decryption_values,
    gap_values,
    handshake_values,
)
from analyzer.validation.material import KnownCapture, Material
from analyzer.validation.repeat_trials import digest_of
from analyzer.validation.validation_trial import Trial, Value, value

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "lz4": lz4.frame.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}
"""What captures are compressed with."""

ABOVE_INFO = ("high", "medium", "low")
"""The severities that a session which breaks no rule must not have."""


def capture_trials(material: Material, scratch: str) -> Iterator[Trial]:
    """Yield the trials on the known captures. scratch: a folder for files that are made."""

    @cache
    def read(name: str) -> ReadCapture:
        one = material.capture(name)
        return read_capture(one.path, one.keylog, root=one.root)

    captures = material.captures
    for one in captures:
        yield Trial("R01", "frames", one.file_name, partial(_frames, one, read))
    for name in COMPRESSIONS:
        yield Trial("R01", f"compressed.{name}", captures[0].file_name, partial(_compressed, captures[0], name, read, scratch))
    for form in FORMS:
        yield Trial("R01", f"form.{form.name}", captures[0].file_name, partial(_rewritten, captures[0], form, scratch))
    for one in captures:
        yield Trial("R02", "handshake_with_keys", one.file_name, partial(_handshake, one, read))
        if not read_capture(one.path).file.n_secrets:
            yield Trial("R02", "handshake_without_keys", one.file_name, partial(_open_handshake, one))
    for one in captures:
        if any(certificate_values(*pair) for pair in _pairs(one, read)):
            yield Trial("R03", "certificates", one.file_name, partial(_each, certificate_values, one, read))
        if any(chain_values(*pair) for pair in _pairs(one, read)):
            yield Trial("R04", "chains", one.file_name, partial(_each, chain_values, one, read))
        if any(decryption_values(*pair) for pair in _pairs(one, read)):
            yield Trial("R05", "decryption", one.file_name, partial(_each, decryption_values, one, read))
        if any(gap_values(*pair) for pair in _pairs(one, read)):
            yield Trial("R10", "gaps", one.file_name, partial(_each, gap_values, one, read))
        if one.rsa_key is not None:
            yield Trial("R06", "rsa_key", one.file_name, partial(_rsa_key, one))
    for one in captures:
        if one.name in material.findings:
            yield Trial("R13", "findings", one.file_name, partial(_findings, one, material, read))
        else:
            yield Trial("R12", "calm", one.file_name, partial(_calm, read, one.name))


_Read = Callable[[str], ReadCapture]


def _pairs(one: KnownCapture, read: _Read) -> list[tuple[dict[str, object], dict[str, object]]]:
    """Return what is known of each session beside its record."""
    return list(zip(one.sessions, read(one.name).records, strict=False))


def _frames(one: KnownCapture, read: _Read) -> Sequence[Value]:
    file = read(one.name).file
    with open(one.path, "rb") as stored:
        times = packet_times(stored.read())
    return [
        value("frames", one.expected["frames"], file.frames),
        value("first_time", min(times), file.first_time),
        value("last_time", max(times), file.last_time),
        value("damage", None, None if file.error is None else str(file.error)),
    ]


def _compressed(one: KnownCapture, how: str, read: _Read, scratch: str) -> Sequence[Value]:
    path = os.path.join(scratch, f"compressed.{how}")
    with open(one.path, "rb") as plain, open(path, "wb") as packed:
        packed.write(COMPRESSIONS[how](plain.read()))
    found = read_capture(path, one.keylog, root=one.root)
    return [
        value("compression", how, found.file.compression),
        value("records", digest_of(read(one.name).lines), digest_of(found.lines)),
    ]


def _rewritten(one: KnownCapture, form: CaptureForm, scratch: str) -> Sequence[Value]:
    """Write the packets in a form, and compare with the same packets in the form of the material.

    Where a form cannot hold nanoseconds, both have times without them.
    """
    with open(one.path, "rb") as stored:
        content = stored.read()
    path, plain = (os.path.join(scratch, f"{name}.capture") for name in (form.name, "plain"))
    with open(path, "wb") as copy, open(plain, "wb") as same:
        copy.write(in_form(content, form))
        same.write(with_times_of(content, form.unit))
    found = read_capture(path, one.keylog, root=one.root)
    times = [time // form.unit * form.unit for time in packet_times(content)]
    return [
        value("frames", one.expected["frames"], found.file.frames),
        value("first_time", min(times), found.file.first_time),
        value("last_time", max(times), found.file.last_time),
        value("records", digest_of(read_capture(plain, one.keylog, root=one.root).lines), digest_of(found.lines)),
    ]


def _handshake(one: KnownCapture, read: _Read) -> Sequence[Value]:
    found = read(one.name).records
    values = [value("sessions", len(one.sessions), len(found))]
    for known, record in _pairs(one, read):
        values += handshake_values(known, record, True)
    return values


def _open_handshake(one: KnownCapture) -> Sequence[Value]:
    found = read_capture(one.path).records
    values = [value("sessions", len(one.sessions), len(found))]
    for known, record in zip(one.sessions, found, strict=False):
        values += handshake_values(known, record, False)
    return values


def _each(compare: Callable[..., list[Value]], one: KnownCapture, read: _Read) -> Sequence[Value]:
    return [each for pair in _pairs(one, read) for each in compare(*pair)]


def _rsa_key(one: KnownCapture) -> Sequence[Value]:
    found = read_capture(one.path, rsa_key=one.rsa_key).records
    return [each for known, record in zip(one.sessions, found, strict=False) for each in decryption_values(known, record)]


def _findings(one: KnownCapture, material: Material, read: _Read) -> Sequence[Value]:
    records = {record["id"]: record for record in read(one.name).records}
    return [
        value(
            f"sessions.{wanted.session}.findings.{wanted.finding}",
            wanted.severity,
            _severity(records[wanted.session], wanted.finding),
        )
        for wanted in material.findings[one.name]
    ]


def _severity(record: dict[str, object], finding: str) -> object:
    found: list[dict[str, str]] = record["findings"]  # type: ignore[assignment]
    return next((each["severity"] for each in found if each["code"] == finding), None)


def _calm(read: _Read, name: str) -> Sequence[Value]:
    found = [
        f"{finding['severity']}: {finding['code']}"
        for record in read(name).records
        for finding in record["findings"]
        if finding["severity"] in ABOVE_INFO
    ]
    return [value("findings_above_info", [], found)]
