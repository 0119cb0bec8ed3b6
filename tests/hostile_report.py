"""Facts as a hostile sender would make them, on top of facts of a real capture: for the tests of every form of a report."""

import copy
from typing import Any

NAMES = (
    '"><script>alert(1)</script>.example',
    "a\0b\x1b[31m.example",
    "\u202egnp.elpmaxe\u2066",
    "x" * 70_000,
    "..",
    "-bad-.example",
    "b\u00fccher.example",
    "\ufffe\uffff",
    "'; DROP TABLE hosts; --",
    "",
)
"""Server names that no host can have, or that look like something else."""

SUBJECT = 'CN="><svg onload=alert(1)>\0,O=' + "y" * 70_000


def hostile_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts in which everything that a sender chooses is hostile. facts: of a capture with a decrypted HTTP exchange."""
    made = copy.deepcopy(facts)
    session = made["sessions"]["shown"][0]
    shown = []
    for number, name in enumerate(NAMES):
        one = copy.deepcopy(session)
        one |= {"id": number, "server_name": name, "alpn": name[:300], "first_frame": number + 1}
        one["client"] = {"address": "2001:db8::1", "port": 1}
        one["http"] = one["http"][:1]
        for exchange in one["http"]:
            exchange["request"] |= {"method": "G\0ET", "authority": name, "path": f"/{name[:300]}\x1b?q=\ud7ff"}
            exchange["request"]["headers"] = [
                [name[:300], name[:300]],
                ["bad name:", "\0"],
                ["X", "1"],
                ["X", "2"],
                ["", ""],
            ]
        shown.append(one)
    shown[0]["start_time"] = None
    shown[1]["end_time"] = None
    shown[2] |= {"start_time": "9999-99-99T99:99:99.999999999Z", "end_time": "2026-11-02T09:00:00.000000000Z"}
    made["sessions"] |= {"shown": shown, "count": len(shown)}
    for certificate in made["certificates"]:
        certificate |= {
            "subject": SUBJECT,
            "issuer": None,
            "serial": "-00",
            "names": list(NAMES),
            "not_before": "0000-00-00T00:00:00.000000000Z",
            "not_after": None,
            "key": None,
        }
    made["hosts"] = [{**made["hosts"][0], "names": list(NAMES)}]
    made["findings"] = [
        {
            "code": "fatal_alert", "severity": "high", "title": "t\0", "meaning": "m\x1b", "reference": None,
            "refuted_by": None, "count": 3, "n_sessions": 3,
            "occurrences": [
                {"session": 0, "frames": [1, 2], "detail": NAMES[0]},
                {"session": 99_999, "frames": [], "detail": NAMES[3]},
                {"session": None, "frames": [], "detail": ""},
            ],
        }
    ]  # fmt: skip
    made["evidence"]["inputs"][0] |= {"path": "/tmp/\x1b]0;x\x07/\u202ecap.pcap", "comments": {"count": 1, "first": []}}
    made["case"] = {
        "case": "2026/\0 17", "exhibit": "E\u0007 1", "examiner": "A. \u202eExaminer", "authority": '<b>"',
        "purpose": "p" * 9000,
        "custody": [{"time": "yesterday", "text": "\0"}, {"time": "2026-11-03T10:00:00Z", "text": "handed over"}],
        "source": None,
    }  # fmt: skip
    return made
