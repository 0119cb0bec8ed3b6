"""Why tshark says something else than we do, where that is known: conditions on what both saw, never names of captures.

Each code stands in the registry `crosscheck_reasons` with its meaning and a reference. The conditions ask for the cause itself
(a gap before this frame, a broken message, an accepted Encrypted Client Hello), and only for differences of the kind that this
cause makes. A difference that fits none has no reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from analyzer.crosscheck.comparison import Difference
from analyzer.crosscheck.facts import CLOSED, SESSION
from analyzer.crosscheck.reason_codes import reason_codes
from analyzer.crosscheck.tshark_dtls import LATE_FRAGMENT
from analyzer.crosscheck.tshark_facts import CLIENT_RANDOM, FRAGMENT, LEGACY_VERSION, StreamFacts

KNOWN_TO_TSHARK = ("0300", "0301", "0302", "0303")
"""The versions of records that tshark takes for records."""

ECH_SINCE = (4, 5, 0)
"""The version of tshark that has opened Encrypted Client Hello first."""

DTLS13 = "DTLS 1.3"

DTLS13_SINCE = (4, 5, 0)
"""From this version of tshark on, records of DTLS 1.3 are decrypted in each that we know; 4.0 does not."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is known where two values differ. record: our session record, None where only tshark has the session.

    stream: what tshark says, None where only we have it. version: of tshark. before: bytes of the stream before the first
    record. psks: whether external pre-shared keys were given. plain: whether the key log has the form that tshark reads.
    joined: whether tshark's stream of these ends has another session of ours before this one.
    """

    record: dict[str, Any] | None
    stream: StreamFacts | None
    version: tuple[int, int, int]
    before: int
    psks: bool
    plain: bool = True
    joined: bool = False


def reason(difference: Difference, case: Case) -> str | None:
    """Return the code of the reason of a difference; None if no reason is known."""
    if case.record is None:
        return None
    registered = reason_codes()
    for code, condition in _CONDITIONS.items():
        if difference.field in registered[code].field.split() and condition(difference, case, case.record):
            return code
    return None


_SENDERS = {
    "requests": "client", "server_name": "client", "ja3": "client", "ja4": "client",
    "statuses": "server", "version": "server", "cipher_suite": "server", "group": "server", "alpn": "server", "ja3s": "server",
}  # fmt: skip


def _sender(difference: Difference) -> str | None:
    """Return who sent what differs: `client` or `server`. Most fields are of one of them; other facts name their sender."""
    if difference.field in _SENDERS:
        return _SENDERS[difference.field]
    known = difference.ours or difference.tshark
    word = "" if known is None else known.text.split(" ", 1)[0]
    return word if word in ("client", "server") else None


def _frame(difference: Difference, record: dict[str, Any]) -> int:
    """Return the frame of a difference. A certificate is in the frame of its message."""
    if difference.frame is None:
        sender = _sender(difference)
        frames = [one["frame"] for one in record["handshake"] if one["type"] == "certificate" and one["from"] == sender]
        return max(frames, default=0)
    return difference.frame


def _lost_segment(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    if difference.field == SESSION:  # it is lost for tshark if each of its messages is
        lost = [
            any(gap["from"] == one["from"] and (gap["after_frame"] or 0) <= one["frame"] for gap in record["gaps"])
            for one in record["handshake"]
        ]
        return difference.tshark is None and bool(lost) and all(lost)
    sender, frame = _sender(difference), _frame(difference, record)
    return difference.tshark is None and any(
        gap["from"] == sender and (gap["after_frame"] or 0) < frame for gap in record["gaps"]
    )


def _inner_hello(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    return difference.tshark is not None and _accepted(record)


def _ech_not_opened(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    if difference.tshark is not None or not _accepted(record):
        return False
    unopened = record["ech"]["public_name"] is None and record["ech"]["inner_server_name"] is None
    return unopened or case.version < ECH_SINCE


def _accepted(record: dict[str, Any]) -> bool:
    return record["ech"] is not None and record["ech"]["status"] == "accepted"


def _change_before_hello(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """tshark, which saw no ClientHello, says "encrypted" of the hello that this value is from."""
    if difference.ours is None or case.stream is None or case.stream.client is not None:
        return False
    frame = difference.ours.frame
    hello = any(one["frame"] == frame and one["type"] in ("client_hello", "server_hello") for one in record["handshake"])
    return hello and any(fact == (CLOSED, frame) for _, _, fact in _named(case.stream, "handshake"))


def _compressed_certificate(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    sender = _sender(difference)
    return difference.tshark is None and any(
        message["type"] == "compressed_certificate" and message["from"] == sender for message in record["handshake"]
    )


def _fragmented_message(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """tshark says "encrypted" in a frame before the end of a message that is not encrypted. It does not with DTLS."""
    if (record["version"] or "").startswith("DTLS"):
        return False
    sender = _sender(difference)
    open_until = max((one["frame"] for one in record["handshake"] if one["from"] == sender and not one["encrypted"]), default=0)
    if difference.tshark is not None:
        return difference.tshark.text == f"{sender} {CLOSED}" and difference.tshark.frame <= open_until
    fragments = [] if case.stream is None else [one for _, name, one in _named(case.stream, "handshake")]
    return difference.field == "certificates" and any(
        one.text == CLOSED and one.frame <= _frame(difference, record) for one in fragments
    )


def _late_fragment(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """The value is of a message of DTLS that was completed by a fragment behind which its end had come already."""
    ours, theirs, sender = difference.ours, difference.tshark, _sender(difference)
    if ours is None or case.stream is None or (theirs is not None and (theirs.text != ours.text or theirs.frame < ours.frame)):
        return False
    late = [fact.text for _, _, fact in _named(case.stream, LATE_FRAGMENT) if fact.frame == ours.frame]
    done = [one["type"] for one in record["handshake"] if one["from"] == sender and one["frame"] == ours.frame]
    kinds = [ours.text.partition(" ")[2]] if difference.field == "handshake" else done
    return any(kind in late and kind in done for kind in kinds)


def _dtls13_closed(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    return record["version"] == DTLS13 and case.version < DTLS13_SINCE and _closed_for_tshark(difference, record)


def _named(stream: StreamFacts, name: str) -> list[Any]:
    return [(sender, found, fact) for found, sender, fact in stream.found if found == name]


def _unknown_message(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    ours, theirs = difference.ours, difference.tshark
    if ours is None or theirs is None:
        return False
    return ours.text.split(" ")[1].startswith("0x") and theirs.text.endswith(CLOSED)


def _other_certificate(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """More than one message of this side has certificates, or one that came where it cannot be believed."""
    sender = _sender(difference)
    frames = [one["frame"] for one in record["handshake"] if one["type"] == "certificate" and one["from"] == sender]
    unbelieved = any(one["code"] == "plaintext_record" and set(one["frames"]) & set(frames) for one in record["findings"])
    return difference.ours is None and (len(frames) > 1 or unbelieved)


def _ciphertext_as_message(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    if difference.ours is None or difference.tshark is not None or not difference.ours.text.endswith(CLOSED):
        return False
    found = [] if case.stream is None else case.stream.found
    return any(name == FRAGMENT and fact.frame == difference.ours.frame for name, _, fact in found)


def _cut_message(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """The value is of a message of which the capture does not have all bytes."""
    if difference.ours is None or difference.tshark is not None:
        return False
    messages = [one for one in record["handshake"] if one["frame"] == difference.frame and one["from"] == _sender(difference)]
    problems = [problem["detail"] for one in messages for problem in one.get("problems") or ()]
    return any("are not in the capture" in detail for detail in problems)


def _broken_message(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    frame = _frame(difference, record)
    broken = any(one.get("problems") and one["frame"] <= frame for one in record["handshake"])
    return difference.tshark is None and (broken or _violated(record, "handshake message", frame))


def _broken_record(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    return difference.tshark is None and _violated(record, "no record begins", difference.frame or 0)


def _violated(record: dict[str, Any], words: str, frame: int) -> bool:
    return any(
        one["code"] == "protocol_violation" and words in one["detail"] and all(number <= frame for number in one["frames"])
        for one in record["findings"]
    )


def _post_handshake_keys(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    finished = [one["frame"] for one in record["handshake"] if one["type"] == "finished" and one["from"] == "client"]
    later = len(finished) > 1 and finished[1] <= (difference.frame or 0)
    return difference.tshark is None and _sender(difference) == "client" and later and record["version"] == "TLS 1.3"


def _psk_kept_back(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    return difference.tshark is None and case.psks and record["resumption"] == "psk" and record["resumes"] is None


def _key_log_not_plain(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    return _closed_for_tshark(difference, record) and not case.plain


def _frames_out_of_order(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """A frame of the handshake stands before one that it answers."""
    frames = [message["frame"] for message in record["handshake"]]
    return _closed_for_tshark(difference, record) and any(later < earlier for earlier, later in pairwise(frames))


def _no_client_hello(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    return _closed_for_tshark(difference, record) and case.stream is not None and case.stream.client is None


def _second_random(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    return _closed_for_tshark(difference, record) and len(_said(case, CLIENT_RANDOM)) > 1


def _hello_after_retry(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """tshark has completed a ClientHello before ours, behind whose Retry another one came."""
    if record["quic"] is None or not record["quic"]["retries"] or case.stream is None or not case.stream.hellos:
        return False
    hello = next((one["frame"] for one in record["handshake"] if one["type"] == "client_hello"), 0)
    if case.stream.hellos[0][1] >= hello:
        return False
    ours, theirs = difference.ours, difference.tshark
    if ours is not None and theirs is not None and ours.text == theirs.text == "client client_hello":
        return True
    return _closed_for_tshark(difference, record)


def _hello_after_negotiation(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """For tshark, the connection begins with packets of another version, and it sees no ClientHello behind them."""
    stream = case.stream
    if record["quic"] is None or stream is None or stream.client is not None:
        return False
    return difference.tshark is None and 0 < stream.begun < record["first_frame"]


def _unseen_connection_id(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """Packets are missing or sealed that can have announced connection IDs, and a side is reached under several."""
    quic = record["quic"]
    if quic is None or not (any(quic["missing"].values()) or record["decryption"]["status"] == "none"):
        return False
    return any(len(known) > 1 for known in quic["connection_ids"].values()) and _closed_for_tshark(difference, record)


def _sealed_again(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """Up to TLS 1.2, a role sends encrypted handshake records behind its Finished: those of a renegotiation."""
    told, frame = difference.tshark, difference.frame
    if difference.ours is not None or told is None or not told.text.endswith(" encrypted") or frame is None:
        return False
    sender = _sender(difference)
    done = [one["frame"] for one in record["handshake"] if one["type"] == "finished" and one["from"] == sender]
    return record["version"] not in (None, "TLS 1.3") and bool(done) and frame > min(done)


def _wrong_record_version(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """A record of the same sender has a version that tshark does not know, and this value is in it or behind it."""
    words = f"a record of the {_sender(difference)} has the version 0x"
    unknown = any(
        one["code"] == "wrong_record_version"
        and one["detail"].startswith(words)
        and not one["detail"].startswith(KNOWN_TO_TSHARK, len(words))
        and min(one["frames"], default=0) <= (difference.frame or 0)
        for one in record["findings"]
    )
    return _closed_for_tshark(difference, record) and unknown


def _legacy_version(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    other = _said(case, LEGACY_VERSION) - {"TLS 1.2"}
    return _closed_for_tshark(difference, record) and record["version"] == "TLS 1.3" and bool(other)


def _alpn_in_server_hello(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """What tshark takes for the chosen protocol is from a ServerHello of TLS 1.3, and so it reads what follows by it."""
    hellos = [one["frame"] for one in record["handshake"] if one["type"] == "server_hello"]
    chosen = [] if case.stream is None else [fact.frame for _, _, fact in _named(case.stream, "alpn")]
    if record["version"] != "TLS 1.3" or record["alpn"] is not None or not set(chosen) & set(hellos):
        return False
    return difference.field == "alpn" or difference.tshark is None


def _rest_before_http(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    return difference.tshark is None and _reported(record, "bad_start_line", difference.frame, f"the {_sender(difference)}:")


def _not_http_of_the_client(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """All data of the client were decrypted, and they do not begin as HTTP."""
    read = record["decryption"]["status"] == "decrypted" and record["decryption"]["bytes"]["client"] > 0
    return difference.ours is None and read and record["alpn"] is None and not record["http"]


def _not_as_agreed(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    return difference.ours is None and _reported(record, "no_preface", difference.frame)


def _rejected_early_data(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    codes = [one["frames"] for one in record["findings"] if one["code"] == "early_data_rejected"]
    return difference.ours is None and any(difference.frame in frames for frames in codes)


def _inserted_segment(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    return difference.tshark is None and _reported(record, "injected_segment", difference.frame)


def _reported(record: dict[str, Any], code: str, frame: int | None, words: str = "") -> bool:
    """Return whether our record has that finding, with these words, at this frame or before it."""
    return frame is not None and any(
        one["code"] == code and words in one["detail"] and min(one["frames"], default=0) <= frame for one in record["findings"]
    )


def _said(case: Case, name: str) -> set[str]:
    return set() if case.stream is None else {fact.text for _, _, fact in _named(case.stream, name)}


def _port_used_again(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """tshark's stream goes on behind this session, or has begun with the one before it."""
    if difference.field == SESSION:
        return difference.tshark is None and case.joined
    return difference.tshark is not None and difference.tshark.frame > record["last_frame"]


def _closed_for_tshark(difference: Difference, record: dict[str, Any]) -> bool:
    """Return whether we decrypted a value that tshark does not show, or calls encrypted."""
    if difference.ours is None or (difference.tshark is not None and not difference.tshark.text.endswith(CLOSED)):
        return False
    return not difference.ours.text.endswith(CLOSED) and _was_encrypted(difference, record)


def _was_encrypted(difference: Difference, record: dict[str, Any]) -> bool:
    """Return whether our value came encrypted: as a message, as an alert, or as what both contain."""
    sender, name = _sender(difference), difference.field
    if name == "alpn":
        return record["version"] in ("TLS 1.3", DTLS13)  # it is in EncryptedExtensions
    if name == "certificates":
        return any(one["encrypted"] for one in record["handshake"] if one["type"] == "certificate" and one["from"] == sender)
    if name == "connection_ids":
        return True  # but for the first ones, they are announced in encrypted packets
    if name in ("handshake", "alerts"):
        return any(one["encrypted"] and one["from"] == sender and one["frame"] == difference.frame for one in record[name])
    return name in ("requests", "statuses")


def _upgrade_not_followed(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    return difference.field == SESSION and difference.tshark is None and (case.before > 0 or bool(record["before"]))


def _rest_is_no_record(difference: Difference, case: Case, record: dict[str, Any]) -> bool:
    """Our records end before the stream does, because no record begins there, or because the sender never spoke TLS."""
    if difference.ours is None or difference.tshark is None or int(difference.ours.text) >= int(difference.tshark.text):
        return False
    sender = "client" if difference.field == "client_bytes" else "server"
    silent = all(message["from"] != sender for message in record["handshake"])
    return silent or _violated(record, f"{sender}'s stream: no record begins", record["last_frame"])


_CONDITIONS: dict[str, Callable[[Difference, Case, dict[str, Any]], bool]] = {
    "lost_segment": _lost_segment,
    "inner_hello": _inner_hello,
    "ech_not_opened": _ech_not_opened,
    "compressed_certificate": _compressed_certificate,
    "change_before_hello": _change_before_hello,
    "late_fragment": _late_fragment,
    "dtls13_closed": _dtls13_closed,
    "fragmented_message": _fragmented_message,
    "cut_message": _cut_message,
    "broken_message": _broken_message,
    "unknown_message": _unknown_message,
    "other_certificate": _other_certificate,
    "ciphertext_as_message": _ciphertext_as_message,
    "broken_record": _broken_record,
    "post_handshake_keys": _post_handshake_keys,
    "psk_kept_back": _psk_kept_back,
    "key_log_not_plain": _key_log_not_plain,
    "frames_out_of_order": _frames_out_of_order,
    "no_client_hello": _no_client_hello,
    "second_random": _second_random,
    "hello_after_retry": _hello_after_retry,
    "hello_after_negotiation": _hello_after_negotiation,
    "unseen_connection_id": _unseen_connection_id,
    "sealed_again": _sealed_again,
    "wrong_record_version": _wrong_record_version,
    "legacy_version": _legacy_version,
    "alpn_in_server_hello": _alpn_in_server_hello,
    "rest_before_http": _rest_before_http,
    "not_http_of_the_client": _not_http_of_the_client,
    "not_as_agreed": _not_as_agreed,
    "rejected_early_data": _rejected_early_data,
    "inserted_segment": _inserted_segment,
    "port_used_again": _port_used_again,
    "upgrade_not_followed": _upgrade_not_followed,
    "rest_is_no_record": _rest_is_no_record,
}
"""The condition of each reason, in the order in which they are asked."""
