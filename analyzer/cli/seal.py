"""`analyzer seal`: gets a time-stamp token over a bundle from an authority, over the network, because it was told to."""

from argparse import Namespace

from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.signing_files import trusted_of
from analyzer.cli.verify import DIFFERENT, examine
from analyzer.report.bundle_folder import FolderError
from analyzer.report.proofs import Proof
from analyzer.report.verification import BUNDLE, FAILS
from analyzer.store.clock import rfc3339
from analyzer.store.declaration import path_text
from analyzer.store.session_record import json_line
from analyzer.text.escape import harmless
from analyzer.text.language import say

_SECOND = 1_000_000_000


def run(options: Namespace, output: Output) -> int:
    """Verify the bundle, get a token over its manifest, print what it says, and return the exit status."""
    try:
        from analyzer.report.sealing import SealingError, seal
    except ImportError as error:
        raise CommandError("time stamps need the extra `sign`: pip install 'capture-analyzer[sign]'") from error
    trusted = trusted_of(options.tsa_cert)
    kind, checks = examine(options.folder, Proof(None, None))
    if kind != BUNDLE:
        raise CommandError(f"{options.folder}: an {kind} cannot be sealed, only the bundle of a report")
    failed = [check for check in checks if check.result == FAILS]
    if failed:
        name = "" if failed[0].file is None else f"{failed[0].file}: "
        why = f"{name}{failed[0].detail}"
        complain(f"{options.folder}: not sealed, because it does not hold: {why}")
        return DIFFERENT
    try:
        stamp = seal(options.folder, options.tsa, trusted)
    except FileExistsError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from error
    except (SealingError, FolderError) as error:
        raise CommandError(str(error)) from error
    at = rfc3339(int(stamp.time.timestamp()) * _SECOND + stamp.time.microsecond * 1000)
    if options.format == "json":
        result = {
            "folder": path_text(options.folder),
            "time": at,
            "authority": stamp.authority,
            "certificate_sha256": stamp.certificate_sha256,
            "serial": str(stamp.serial),
            "policy": stamp.policy,
            "vouched": stamp.vouched,
        }
        output.write(json_line(result))
        return 0
    shown = str(at).replace(".000000000Z", "Z")
    said = say("sealed: {authority} says that the manifest existed at {time}", authority=harmless(stamp.authority), time=shown)
    vouched = say("a trusted certificate of yours vouches for it")
    who = vouched if stamp.vouched else say("nobody vouches for it here (--tsa-cert FILE)")
    output.line(say("{said}; {who}", said=said, who=who))
    return 0
