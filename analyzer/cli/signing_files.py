"""Reads the files that options for signing and for trust name: keys, passwords, public keys and certificates.

A password is never given on the command line, because other users of the machine can read that. Nothing that this module prints
contains a secret.
"""

from argparse import Namespace
from collections.abc import Sequence

from analyzer.cli.output import CommandError
from analyzer.report.signing import LARGEST_KEY_FILE, Signer, SigningError, read_signer
from analyzer.report.trusted_signers import LARGEST, TrustedSigners, TrustError, read_trusted

_LONGEST_PASSWORD = 1 << 16


def signer_of(options: Namespace) -> Signer | None:
    """Return the key of `--sign`, or None without that option. Raises CommandError, OSError."""
    if options.sign is None:
        if options.sign_password_file is not None:
            raise CommandError("--sign-password-file is for the key of --sign")
        return None
    if options.bundle is None:
        raise CommandError("--sign signs the manifest of a bundle: give --bundle DIR too")
    password = None
    if options.sign_password_file is not None:
        password = _read(options.sign_password_file, _LONGEST_PASSWORD).partition(b"\n")[0].removesuffix(b"\r")
    try:
        return read_signer(_read(options.sign, LARGEST_KEY_FILE), password)
    except SigningError as error:
        raise CommandError(f"{options.sign}: {error}") from error


def trusted_of(paths: Sequence[str]) -> TrustedSigners | None:
    """Return what the files of `--signer` or `--tsa-cert` have, together; None without such a file. Raises CommandError."""
    found = []
    for path in paths:
        try:
            found.append(read_trusted(_read(path, LARGEST)))
        except TrustError as error:
            raise CommandError(f"{path}: {error}") from error
    if not found:
        return None
    keys = frozenset(key for one in found for key in one.keys)
    return TrustedSigners(keys, [certificate for one in found for certificate in one.certificates])


def _read(path: str, limit: int) -> bytes:
    with open(path, "rb") as file:
        return file.read(limit + 1)
