"""The preferences of tshark among the values of `-o`: `NAME:VALUE`, where NAME is `tls.keylog_file` and the like.

Those that give keys do the same here as the options for keys. Others say how tshark reads: they are accepted where the analyzer
reads so anyway, and refused in one line where it does not.
"""

import re
from argparse import Namespace
from collections.abc import Mapping

from analyzer.cli.output import CommandError

_PREFERENCE = re.compile(r"([a-z][a-z0-9_-]*(?:\.[A-Za-z0-9_-]+)+|uat):(.*)", re.DOTALL)
_KEYLOG = frozenset({"tls.keylog_file", "ssl.keylog_file", "dtls.keylog_file"})
_KEYS_LIST = frozenset({"tls.keys_list", "ssl.keys_list", "dtls.keys_list"})
_RSA_KEYS = re.compile(r'(?:rsa_keys|ssl_keys):"([^"]*)"(?:,"([^"]*)")*')

_ALWAYS = "TRUE"
_NEVER = "FALSE"
_DONE: Mapping[str, str] = {
    "http.dechunk_body": _ALWAYS,
    "http.decompress_body": _ALWAYS,
    "http.desegment_body": _ALWAYS,
    "http.desegment_headers": _ALWAYS,
    "ip.defragment": _ALWAYS,
    "ip.check_checksum": _NEVER,
    "ipv6.defragment": _ALWAYS,
    "nameres.network_name": _NEVER,
    "nameres.mac_name": _NEVER,
    "nameres.transport_name": _NEVER,
    "nameres.dns_pkt_addr_resolution": _NEVER,
    "tcp.analyze_sequence_numbers": _ALWAYS,
    "tcp.calculate_timestamps": _ALWAYS,
    "tcp.check_checksum": _NEVER,
    "tcp.desegment_tcp_streams": _ALWAYS,
    "tcp.reassemble_out_of_order": _ALWAYS,
    "tcp.relative_sequence_numbers": _ALWAYS,
    "tcp.try_heuristic_first": _ALWAYS,
    "tls.desegment_ssl_application_data": _ALWAYS,
    "tls.desegment_ssl_records": _ALWAYS,
    "udp.check_checksum": _NEVER,
    "udp.try_heuristic_first": _ALWAYS,
}
"""The preferences of tshark that say how it reads, and what the analyzer does."""


def take_preferences(options: Namespace) -> None:
    """Take the preferences out of the values of `-o`, which are files then. Raises CommandError for one that is not known."""
    outputs: list[str] | None = getattr(options, "output", None)
    if not outputs or "keylog" not in options:
        return
    files = [value for value in outputs if not _is_taken(value, options)]
    if len(files) < len(outputs):
        options.output = files or None


def _is_taken(value: str, options: Namespace) -> bool:
    found = _PREFERENCE.fullmatch(value)
    if found is None:
        return False
    name, given = found.groups()
    if name in _KEYLOG:
        options.keylog = [*options.keylog, given]
    elif name in _KEYS_LIST:
        options.rsa_key = [*options.rsa_key, *_key_files(name, given)]
    elif name == "uat":
        options.rsa_key = [*options.rsa_key, _rsa_key(given)]
    elif name not in _DONE:
        raise CommandError(f"-o {value}: {name} is no preference that is known here; for a file of this name, write ./{value}")
    elif given.upper() != _DONE[name]:
        raise CommandError(f"-o {value}: here, {name} is always {_DONE[name]}")
    return True


def _key_files(name: str, given: str) -> list[str]:
    """Return the files of `tls.keys_list`: each entry is address, port, protocol and file, and perhaps a password."""
    entries = [entry.split(",") for entry in given.split(";") if entry.strip()]
    if not entries or any(len(entry) < 4 or not entry[3].strip() for entry in entries):
        raise CommandError(f"-o {name}:{given}: an entry is address,port,protocol,file")
    if any(len(entry) > 4 and entry[4].strip() for entry in entries):
        raise CommandError(f"-o {name}: a password is not read from the command line: name a file of it with --password-file")
    return [entry[3].strip() for entry in entries]


def _rsa_key(given: str) -> str:
    """Return the file of `uat:rsa_keys:"file","password"`."""
    found = _RSA_KEYS.fullmatch(given)
    if found is None:
        raise CommandError(f'-o uat:{given}: of the tables, only uat:rsa_keys:"FILE","" is known here')
    if found[2]:
        raise CommandError(
            "-o uat:rsa_keys: a password is not read from the command line: name a file of it with --password-file"
        )
    return found[1]
