"""`analyzer export --srtp-keys FILE`: writes the keys of SRTP of sessions over DTLS, for tools that decrypt media."""

from argparse import Namespace

from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.export_reading import read_for, report_missing_sessions
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_frames import chosen_sessions
from analyzer.engine import Engine
from analyzer.store.private_file import PrivateFile
from analyzer.store.srtp_export import SrtpExport
from analyzer.store.srtp_schema import NO_EXPORTER, NO_KEYS, NO_PROFILE, SEVERAL_EXPORTERS
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text
from analyzer.text.language import say


def export_srtp(options: Namespace, output: Output, target: PrivateFile) -> int:
    """Write the keys, one object of JSON a line, and return the exit status."""
    import orjson

    capture_run = CaptureRun(options.captures, output)
    keys = read_keys(options, capture_run)
    sessions = chosen_sessions(part_of(options), options, output, keys)
    engine = Engine(reads_data=False, **keys)
    found = SrtpExport(engine.material, sessions)
    read_for(capture_run, engine, found)
    status = report_missing_sessions(options, engine.dispatcher.count)
    for reason, number in sorted(found.without.items()):
        complain(_sentence(reason, count_text(number, "session")))
    if not found.records:
        capture_run.status()
        raise CommandError("no session of DTLS that was decrypted agreed on a profile of SRTP")
    with target as file:
        for record in found.records:
            file.write(orjson.dumps(record) + b"\n")
    n_sessions = len({record["session"] for record in found.records})
    output.line(
        say(
            "keys of SRTP of {sessions} in {target}, which open its media for everybody who gets them",
            sessions=count_text(n_sessions, "session"),
            target=harmless(options.srtp_keys),
        )
    )
    return capture_run.status() or status


def _sentence(reason: str, sessions: str) -> str:
    """Return why sessions have no keys."""
    if reason == NO_PROFILE:
        return say("{sessions} of DTLS without keys: not decrypted, and no profile of SRTP is seen", sessions=sessions)
    if reason == NO_KEYS:
        return say("{sessions} of DTLS without keys: the profile of SRTP is not known, or does not encrypt", sessions=sessions)
    if reason == NO_EXPORTER:
        return say("{sessions} of DTLS without keys: the key log has no EXPORTER_SECRET of it", sessions=sessions)
    if reason == SEVERAL_EXPORTERS:
        return say(
            "{sessions} of DTLS without keys: the key log has several different EXPORTER_SECRET of it", sessions=sessions
        )
    return say("{sessions} of DTLS without keys: not decrypted", sessions=sessions)
