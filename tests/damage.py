"""Damages whole captures in every way that a capture loses bytes, and compares the records with those of the whole capture.

The whole capture is the truth. Whatever a damaged copy of it says must be true: a fact is that of the whole capture, or it is
null, `unknown` or not listed. Nobody is blamed for what the capture lost. `python tests/damage.py [NAME...]` tries every damage
of the demonstration captures and prints what is not so; the tests try a sample.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sessions_by_hand import NAMES, capture_of, keylog_of

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.frame import Frame
from analyzer.engine import Engine
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet
from analyzer.store.chain_verdicts import Chains
from analyzer.store.session_json import session_json
from analyzer.store.session_record import session_record
from analyzer.tls.events import SessionEnded

Record = dict[str, Any]

SNAP_LENGTHS = (60, 68, 74, 90, 96, 110, 128, 150, 180, 200, 256, 300, 400, 600, 1000, 1300)
"""Bytes of a frame that remain; the first are the usual ones of `tcpdump -s`, the rest end inside hellos and certificates."""

PLAIN = (
    "version", "cipher_suite", "cipher_suite_id", "group", "server_name", "alpn", "ech", "established", "resumed", "resumption",
    "resumes", "ja3", "ja3s", "ja4",
)  # fmt: skip
"""Facts of a record that are the truth's or null."""

OF_THE_LOSS = frozenset(
    {
        "gap", "found_by_trial", "ech_offered", "limit", "one_side_only", "lost_on_path", "truncated_body",
        "truncated_head", "truncated_message", "truncated_frame", "header_table_lost",
    }
)  # fmt: skip
"""Findings that say that something is missing: the only ones that a whole capture may lack."""


@dataclass(frozen=True)
class Kept:
    """One frame as it was captured."""

    number: int
    at: int
    data: bytes
    wire_length: int
    link_type: int

    def cut(self, length: int) -> "Kept":
        """The same frame with no more than so many bytes."""
        return Kept(self.number, self.at, self.data[:length], self.wire_length, self.link_type)


@cache
def frames_of(name: str) -> tuple[Kept, ...]:
    """The frames of a demonstration capture."""
    kept = []
    for reader in CaptureReader([str(capture_of(name))]).packet_readers():
        while reader.advance():
            frame = reader.frame
            data = bytes(frame.data[frame.start : frame.end])
            kept.append(Kept(frame.number, frame.at, data, frame.wire_length, frame.link_type))
    return tuple(kept)


def records_of(frames: Iterable[Kept], keylog: Any = None, roots: Any = None) -> list[Record]:
    """The session records of these frames, in the order of their ids. Both writers of records must agree."""
    engine = Engine(keylog=keylog)
    chains = Chains(roots)
    frame = Frame()
    found: list[Record] = []
    for one in frames:
        frame.number, frame.at, frame.data, frame.end = one.number, one.at, one.data, len(one.data)
        frame.wire_length, frame.link_type = one.wire_length, one.link_type
        engine.feed(frame)
    engine.close()
    for event in engine.take():
        if isinstance(event, SessionEnded):
            found.append(session_record(event.ended, True, chains))
            session_json(event.ended, True, chains)
    return sorted(found, key=lambda record: int(record["id"]))


def direction(frame: Kept) -> bytes:
    """The addresses and ports of a frame with a TCP segment; empty for another one."""
    packet = Packet()
    whole = read(packet, frame.data, 0, len(frame.data), frame.link_type, frame.wire_length)
    return packet.key() if whole and packet.protocol == 6 else b""


def damages(frames: tuple[Kept, ...], step: int = 1) -> Iterator[tuple[str, list[Kept]]]:
    """Every damage of a capture, with its name. step: only every so many-th of each kind."""
    n_frames = len(frames)
    for n in range(0, n_frames, step):
        yield f"without frame {frames[n].number}", [*frames[:n], *frames[n + 1 :]]
        yield f"from frame {frames[n].number}", list(frames[n:])
        yield f"to frame {frames[n].number}", list(frames[:n])
        for length in SNAP_LENGTHS[n % step :: step]:
            if length < len(frames[n].data):
                yield f"frame {frames[n].number} cut to {length}", [*frames[:n], frames[n].cut(length), *frames[n + 1 :]]
    for n in range(0, n_frames - 1, step):
        yield f"without frames {frames[n].number}, {frames[n + 1].number}", [*frames[:n], *frames[n + 2 :]]
    for length in SNAP_LENGTHS:
        yield f"all cut to {length}", [frame.cut(length) for frame in frames]
    directions = [direction(frame) for frame in frames]
    for key in sorted(set(directions) - {b""}):
        yield f"without {key.hex()}", [one for one, way in zip(frames, directions, strict=True) if way != key]
        yield f"only {key.hex()}", [one for one, way in zip(frames, directions, strict=True) if way == key]


def differences(truth: list[Record], found: list[Record]) -> list[str]:
    """What the records of a damaged capture say that is not so."""
    wrong: list[str] = []
    for record in found:
        ends = {_end(record["client"]), _end(record["server"])}
        originals = [one for one in truth if {_end(one["client"]), _end(one["server"])} == ends]
        if not originals:
            wrong.append(f"a session of {ends} that nobody had")
            continue
        wrong += min((_compared(original, record, truth, found) for original in originals), key=len)
    return wrong


def _end(end: Record) -> tuple[str, int]:
    return end["address"], end["port"]


def _compared(truth: Record, found: Record, all_truth: list[Record], all_found: list[Record]) -> list[str]:
    wrong = [
        f"{key}: {found[key]!r}, and it is {truth[key]!r}"
        for key in PLAIN
        if key not in ("ech", "resumes") and _differs(found[key], truth[key])
    ]
    if found["ech"] is None and truth["ech"] is not None and found["server_name"] == truth["ech"]["outer_server_name"]:
        wrong = [one for one in wrong if not one.startswith("server_name")]  # its offer of an inner hello is cut
    if found["client"] != truth["client"]:
        wrong.append("client and server are exchanged")
    wrong += _resumes(truth, found, all_truth, all_found)
    if found["ech"] is not None:
        other = truth["ech"] or {}
        wrong += [
            f"ech.{key}: {value!r}, and it is {other.get(key)!r}"
            for key, value in found["ech"].items()
            if key != "inner" and _differs(value, other.get(key)) and (key, value) != ("status", "offered")
        ]
    wrong += _lists(truth, found)
    for side in ("client", "server"):
        wrong += _certificates(side, truth, found)
    wrong += _chains(truth, found)
    wrong += _proofs(truth, found)
    wrong += _outcomes(truth["outcome"], found["outcome"])
    codes = {finding["code"] for finding in truth["findings"]} | OF_THE_LOSS
    wrong += [f"finding {one['code']}: {one['detail']}" for one in found["findings"] if one["code"] not in codes]
    if found["end_time"] is not None and found["end_time"] < found["start_time"]:
        wrong.append("it ends before it begins")
    return wrong


def _differs(value: Any, true: Any) -> bool:
    return value is not None and value != true


def _resumes(truth: Record, found: Record, all_truth: list[Record], all_found: list[Record]) -> list[str]:
    if found["resumes"] is None:
        return []
    tied = next(one for one in all_found if one["id"] == found["resumes"])
    true = next((one for one in all_truth if one["id"] == truth["resumes"]), None)
    if true is None or {_end(true["client"]), _end(true["server"])} != {_end(tied["client"]), _end(tied["server"])}:
        return [f"resumes {found['resumes']}, and that is not so"]
    return []


def _lists(truth: Record, found: Record) -> list[str]:
    wrong = []
    alerts = Counter((one["from"], one["level"], one["description"], one["encrypted"], one["frame"]) for one in truth["alerts"])
    hidden = Counter((one["from"], one["frame"]) for one in truth["alerts"])
    for one in found["alerts"]:
        key = (one["from"], one["level"], one["description"], one["encrypted"], one["frame"])
        if alerts[key] > 0:
            alerts[key] -= 1
        elif one["level"] is not None or not one["encrypted"] or not hidden[one["from"], one["frame"]]:
            wrong.append(f"alert {key}")
    messages = [(one["type"], one["from"], one["length"], one["frame"], one["encrypted"]) for one in truth["handshake"]]
    for one in found["handshake"]:
        whole = not one.get("problems")
        key = (one["type"], one["from"], one["length"], one["frame"], one["encrypted"])
        read = 2 if one["encrypted"] and one["message"] is None else 3  # of a ciphertext, the length is that of the record
        same = [
            other for other in messages if other[:read] == key[:read] and (other[3] == key[3] if whole else other[3] >= key[3])
        ]
        if not same:
            wrong.append(f"message {key} {one.get('problems', '')}")
        elif whole and one["message"] is not None:
            bodies = [other["message"] for other in truth["handshake"] if other["frame"] == one["frame"]]
            same_form = [body for body in bodies if body is not None and body.keys() == one["message"].keys()]
            if one["message"] not in bodies and None not in bodies and same_form:
                wrong.append(f"the content of {key}")
        true = [other.get("problems") for other in truth["handshake"] if other["type"] == one["type"]]
        if not whole and one["problems"] not in true and any("not in the capture" not in p["detail"] for p in one["problems"]):
            wrong.append(f"problems of {key}: {one['problems']}")
    exchanges = [(one["request"] or {}, one["response"] or {}) for one in truth["http"]]
    for one in found["http"]:
        for place, name in enumerate(("request", "response")):
            part = one[name]
            if part is not None and not any(
                all(value in (None, other[place].get(key)) or key in ("body_length", "frame") for key, value in part.items())
                for other in exchanges
            ):
                wrong.append(f"http {name}: {part}")
    return wrong


def _certificates(side: str, truth: Record, found: Record) -> list[str]:
    sent, true = found["certificates"][side], truth["certificates"][side]
    if sent is None:
        return []
    if not sent:
        return [] if not true else [f"no certificate of the {side}, and there are {true and len(true)}"]
    known = [None, *(one["sha256"] for one in true or ())]
    wrong = [f"a certificate of the {side} with sha256 {one['sha256']}" for one in sent if one["sha256"] not in known]
    changed = [one for one in sent if one["sha256"] is not None and one not in (true or ())]
    wrong += [f"a certificate of the {side} is changed: {one}" for one in changed]
    return wrong if len(sent) <= len(true or ()) else [*wrong, f"{len(sent)} certificates of the {side}"]


def _chains(truth: Record, found: Record) -> list[str]:
    wrong = []
    for key in ("chain", "client_chain"):
        verdict, true = found[key]["verdict"], truth[key]["verdict"]
        if verdict not in ("unknown", true) and (verdict, true) != ("absent", "unknown"):  # a later handshake may hide one
            codes = [problem["code"] for problem in found[key]["problems"]]
            wrong.append(f"{key}: {verdict} {codes}, and it is {true}")
        known = {problem["code"] for problem in truth[key]["problems"]}
        wrong += [f"{key}: {problem['code']}" for problem in found[key]["problems"] if problem["code"] not in known]
        if set(found[key]["path"]) - set(truth[key]["path"]):
            wrong.append(f"{key}: path")
    return wrong


def _proofs(truth: Record, found: Record) -> list[str]:
    wrong = []
    mine, true = found["authenticity"], truth["authenticity"]
    for value, other, name in (
        (mine["server_signature"], true["server_signature"], "server_signature"),
        (mine["client_signature"], true["client_signature"], "client_signature"),
        (mine["finished"]["client"], true["finished"]["client"], "finished.client"),
        (mine["finished"]["server"], true["finished"]["server"], "finished.server"),
    ):
        if value not in ("unverifiable", other):
            wrong.append(f"{name}: {value}, and it is {other}")
    status, other = found["decryption"]["status"], truth["decryption"]["status"]
    if (status == "decrypted" and other != "decrypted") or (status == "partial" and other == "not_needed"):
        wrong.append(f"decryption: {status}, and it is {other}")
    return wrong


def _outcomes(truth: Record, found: Record) -> list[str]:
    """What the outcome of a damaged capture says that is not so. A capture that ends early does not have a later failure."""
    wrong = []
    if found["result"] not in ("unknown", truth["result"]) and (found["result"], truth["result"]) != ("established", "failed"):
        wrong.append(f"outcome.result: {found['result']} ({found['detail']}), and it is {truth['result']}")
    if found["cause"] not in (None, "capture_incomplete", truth["cause"]) and (found["cause"], truth["result"]) != (
        "other_alert",
        "failed",
    ):
        wrong.append(f"outcome.cause: {found['cause']} ({found['detail']}), and it is {truth['cause']}")
    if found["result"] == truth["result"] and found["ended_by"] not in (None, truth["ended_by"]):
        wrong.append(f"outcome.ended_by: {found['ended_by']}, and it is {truth['ended_by']}")
    return wrong + [
        f"outcome.durations.{key}: {found['durations'][key]}, and it is {truth['durations'][key]}"
        for key in ("tcp", "hello", "handshake")
        if _differs(found["durations"][key], truth["durations"][key])
    ]


def true_records(name: str, keyed: bool) -> list[Record]:
    """The records of a whole demonstration capture."""
    return records_of(frames_of(name), keylog_of(name) if keyed else None)


def main(names: list[str]) -> int:
    """Try every damage of these demonstration captures; print what is wrong. Return how many records are."""
    n_wrong = n_tried = 0
    kinds: Counter[str] = Counter()
    for name in names or NAMES:
        for keyed in (False, True):
            truth = true_records(name, keyed)
            for what, damaged in damages(frames_of(name)):
                n_tried += 1
                wrong = differences(truth, records_of(damaged, keylog_of(name) if keyed else None))
                n_wrong += bool(wrong)
                for one in wrong:
                    kinds[one.partition(":")[0][:40]] += 1
                    print(f"{name} {'keyed' if keyed else 'plain'}, {what}: {one}")
    print(f"{n_wrong} of {n_tried} damaged captures", dict(kinds.most_common()), file=sys.stderr)
    return n_wrong


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
