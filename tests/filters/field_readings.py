"""Reads the values of fields of all frames of a capture, by the analyzer and by tshark."""

import ipaddress
import subprocess
from contextlib import closing

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine, run
from analyzer.engine.plain_http import dispatcher_for
from analyzer.filters.capture_facts import CaptureFacts
from analyzer.filters.field_table import field_table
from analyzer.filters.field_type import FieldType
from analyzer.filters.frame_values import FrameValues, needs_of
from analyzer.secrets.keylog import KeyLog
from analyzer.store.chain_options import read_chains


def fields_of(*names):
    """The fields with these names."""
    return [field_table().get(name) for name in names]


def keylog_of(keys):
    """A key log from a file; None without one."""
    if keys is None:
        return None
    keylog = KeyLog()
    keylog.take(keys.read_bytes(), str(keys))
    return keylog


def facts_of(path, keys=None):
    """What a first reading finds."""
    chains = read_chains()
    facts = CaptureFacts(chains)
    facts.plain.keeps_bodies = True
    engine = Engine(dispatches=dispatcher_for(facts.plain), keylog=keylog_of(keys))
    run(CaptureReader([str(path)]), engine, [chains, facts])
    return facts


def readings(path, fields, keys=None, engine=False):
    """Yield the values of these fields, as lists, of one frame after the other. engine: whether more is read than headers."""
    fed = Engine(detailed=True, in_order=False, keylog=keylog_of(keys)) if engine else None
    values = FrameValues(fields, fed, facts_of(path, keys) if engine and needs_of(fields)[1] else None)
    with closing(CaptureReader([str(path)]).packet_readers()) as readers:
        for frames in readers:
            while fed.step(frames) if fed is not None else frames.advance():
                values.take(frames.frame, fed.take() if fed is not None else ())
                yield [list(values.values(field)) for field in fields]


def tshark_readings(path, fields, keys=None, program="tshark"):
    """What tshark says of the same, in the same form."""
    command = [program, "-n", "-r", str(path), "-T", "fields", "-E", "separator=\x01", "-E", "aggregator=\x02"]
    if keys is not None:
        command += ["-o", f"tls.keylog_file:{keys}"]
    for field in fields:
        command += ["-e", field.name]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for line in text.split("\n")[:-1]:
        yield [
            [_value(field, one) for one in cell.split("\x02")] if cell else []
            for field, cell in zip(fields, line.split("\x01"), strict=True)
        ]


def _value(field, text):
    if field.type is FieldType.BOOLEAN:
        return text in ("1", "True")
    if field.type.is_integer:
        return int(text, 0)
    if field.type.is_address:
        return ipaddress.ip_address(text).packed
    if field.type.is_bytes:
        return bytes.fromhex(text.replace(":", "")) if text != "<MISSING>" else text
    if field.type is FieldType.RELATIVE_TIME:
        return round(float(text) * 1e9)
    return None if field.type is FieldType.NONE else text
