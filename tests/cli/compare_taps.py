"""Compares what -z prints with what tshark prints, byte by byte. A test does it for some captures; for many, with tshark 4.6:

    ANALYZER_TSHARK=/path/to/tshark python tests/cli/compare_taps.py captures/*/*.pcap* ../shared/corpus/zeek/*.pcap

It prints every difference that tap_exceptions.csv does not name, and ends with status 1 if there is one. A `.keys` file beside
a capture, as in `captures/`, is given to both.
"""

import contextlib
import csv
import difflib
import io
import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[1]))

from analyzer.cli.main import main as analyzer  # noqa: E402

TAPS = (
    "conv,eth", "conv,ip", "conv,ipv6", "conv,tcp", "conv,udp", "conv,tcp,tcp.port == 443 and tcp.flags.syn == 1",
    "endpoints,eth", "endpoints,ip", "endpoints,ipv6", "endpoints,tcp", "endpoints,udp", "endpoints,ip,udp",
    "io,phs", "io,phs,tcp", "io,stat,0", "io,stat,1", "io,stat,0.25,tcp,udp",
    "io,stat,0.5,FRAMES()tcp,BYTES()tcp,,COUNT(tcp.port)tcp.port",
    "io,stat,2,SUM(frame.len)frame.len,AVG(frame.len)frame.len && tcp,MIN(ip.len)ip.len,MAX(ip.len)ip.len",
    "http,tree", "http_req,tree", "http_srv,tree", "dns,tree",
    "expert", "expert,note", "expert,warn,tcp",
    "follow,tcp,ascii,0", "follow,tcp,hex,1", "follow,tcp,raw,0", "follow,tcp,yaml,0", "follow,tls,ascii,0", "follow,tls,hex,1",
    "follow,udp,ascii,0", "follow,udp,yaml,1", "follow,dtls,ascii,0", "follow,quic,hex,0,0", "follow,quic,yaml,0,3",
    "follow,http2,ascii,0,1", "follow,http2,yaml,0,0",
)  # fmt: skip
"""What is compared."""

STEADY = tuple(tap for tap in TAPS if tap == "io,stat,0" or tap.startswith(("conv", "http", "follow,tcp")))
"""Those that tshark 4.0 prints in the same form as 4.6, but for `HEADS`."""

HEADS = re.compile(rb"\| Col |\|     +\d+: |HTTP ?/ ?|Topic / Item|Packet Type|Request Type")
"""Begins the lines that every version of tshark writes in its own way."""

NEWER = os.environ.get("ANALYZER_TSHARK")


@cache
def exceptions():
    """What may differ: table and capture with wildcards, and the reason."""
    with (HERE / "tap_exceptions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def is_exception(tap, path):
    """Whether a difference is listed."""
    return any(fnmatch(tap, row["tap"]) and fnmatch(Path(path).name, row["capture"]) for row in exceptions())


def keys_beside(path):
    """The key log of a capture of `captures/`, or None."""
    return next(iter(sorted(Path(path).parent.glob("*.keys"))), None) if Path(path).parent.name != "captures" else None


class _Buffer(io.BytesIO):
    encoding = "utf-8"

    @property
    def buffer(self):
        return self

    def isatty(self):
        return False

    def fileno(self):
        raise OSError


def ours(path, taps, keys=None):
    """What we print, with the messages on standard error."""
    return printed("stats", path, *_options(taps), *(["-k", keys] if keys else []))


def printed(*words):
    """What a command line prints, and its messages on standard error."""
    kept, out, err = sys.stdout, _Buffer(), io.StringIO()
    sys.stdout = out
    try:
        with contextlib.redirect_stderr(err):
            analyzer([*map(str, words)])
    finally:
        sys.stdout = kept
    return out.getvalue(), err.getvalue()


def theirs(path, taps, keys=None, program="tshark"):
    """What tshark prints."""
    options = ["-o", f"tls.keylog_file:{keys}"] if keys else []
    words = [program, "-n", "-q", *options, "-r", str(path), *_options(taps)]
    return subprocess.run(words, capture_output=True, check=False, timeout=120).stdout


def _options(taps):
    return [word for tap in taps for word in ("-z", tap)]


def difference(path, taps, keys=None, program="tshark", but=None):
    """The lines that differ; none if the bytes are the same. but: the beginnings of lines that do not count."""
    return compared(ours(path, taps, keys)[0], theirs(path, taps, keys, program), but)


def compared(own, other, but=None):
    """The lines that differ between two outputs."""
    if but is not None:
        own, other = (b"".join(one for one in text.splitlines(keepends=True) if not but.match(one)) for text in (own, other))
    if own == other:
        return []
    first, second = (text.decode("utf-8", "backslashreplace").splitlines(keepends=True) for text in (own, other))
    return list(difflib.unified_diff(first, second, "ours", "theirs", n=0))[2:] or ["only the last bytes differ"]


def differences(path, taps, keys, program):
    """The tables that differ, each with the lines that do. tshark runs once for all, and once for each that differs."""
    found, at, whole = {}, 0, theirs(path, taps, keys, program)
    for tap in reversed(taps):
        own = ours(path, [tap], keys)[0]
        if whole.startswith(own, at):
            at += len(own)
            continue
        alone = theirs(path, [tap], keys, program)
        found[tap] = compared(own, alone)
        at += len(alone)
    return {tap: lines for tap, lines in found.items() if lines}


def main(words):
    """Compare these captures, or with `-z TAP;TAP` only these tables."""
    taps = TAPS
    if words[:1] == ["-z"]:
        taps, words = words[1].split(";"), words[2:]
    listed = worse = 0
    for path in words:
        try:
            found = differences(path, taps, keys_beside(path), NEWER or "tshark")
        except subprocess.TimeoutExpired as error:
            found = {"...": [str(error)]}
        for tap, lines in found.items():
            if is_exception(tap, path):
                listed += 1
                continue
            worse += 1
            print(f"{path}: -z {tap}")
            print("".join(f"    {line.rstrip()}\n" for line in lines[:8]), end="", flush=True)
    same = len(taps) * len(words) - listed - worse
    print(f"{same} tables are the same, {listed} differ for a listed reason, {worse} differ otherwise")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
