"""Defines the options of `analyzer verify` and `analyzer seal`, and those of `report` that write and sign a bundle."""

import argparse

VERIFY_EXAMPLES = """\
examples:
  analyzer verify DIR                       hashes, log, signature and time stamp of a bundle, of an incident, of an export
  analyzer verify DIR --signer key.pub --tsa-cert tsa.pem
  analyzer verify DIR --reproduce           makes the report again from the same inputs, and names what differs
  analyzer verify DIR --reproduce --input captures/a.pcap=/evidence/a.pcap
  analyzer verify DIR --format json | jq -r '.checks[] | select(.result != "holds") | .detail'"""

SEAL_EXAMPLES = """\
examples:
  analyzer seal DIR --tsa https://tsa.example/tsr
  analyzer seal DIR --tsa http://tsa.example/tsr --tsa-cert tsa.pem    and trust only this authority"""

VERIFY_STATUS = """\
exit status:
  0  all that was checked holds
  2  nothing could be done: no such folder, no manifest, bad option
  3  something does not hold, or differs"""

SEAL_STATUS = """\
exit status:
  0  the bundle has a token now
  2  nothing could be done: no such folder, no answer, an answer that does not hold
  3  the bundle itself does not hold, so it was not sealed"""


def add_verify(command: argparse.ArgumentParser) -> None:
    """Add the options of `verify`."""
    _add_folder(command, "the folder of a bundle, of an incident of `live`, or of `export`")
    command.add_argument(
        "--signer",
        action="append",
        default=[],
        metavar="FILE",
        help="a public key or certificate that you trust to sign: of the signer, or of who issued its certificate",
    )
    _add_authority(command)
    command.add_argument("--reproduce", action="store_true", help="make the report again from its inputs, and compare")
    command.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="where an input is now, or a folder that has the inputs; may be repeated (--reproduce)",
    )
    _add_format(command)


def add_seal(command: argparse.ArgumentParser) -> None:
    """Add the options of `seal`."""
    _add_folder(command, "the folder of a bundle")
    command.add_argument("--tsa", required=True, metavar="URL", help="the time-stamp authority: http://… or https://…")
    _add_authority(command)
    _add_format(command)


def add_bundle(command: argparse.ArgumentParser) -> None:
    """Add the options of `report` that write a bundle."""
    proof = command.add_argument_group("proof")
    proof.add_argument(
        "--bundle", metavar="DIR", help="a new or empty folder for report, records, manifest of hashes and log of what was done"
    )
    proof.add_argument(
        "--sign",
        metavar="KEY",
        help="sign the manifest: an Ed25519 key, or a key with its certificate (PEM, PKCS #12), which signs the PDF too",
    )
    proof.add_argument("--sign-password-file", metavar="FILE", help="the password of that key, in its first line")


def _add_folder(command: argparse.ArgumentParser, text: str) -> None:
    command.add_argument("folder", metavar="DIR", help=text)
    command.set_defaults(captures=[])  # these commands read no captures


def _add_authority(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--tsa-cert",
        action="append",
        default=[],
        metavar="FILE",
        help="a certificate that you trust to stamp times: of the authority, or of who issued its certificate; may be repeated",
    )


def _add_format(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=("text", "json"), default="text", help="text is the default")
