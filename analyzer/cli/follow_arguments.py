"""Defines the options of `analyzer follow`, and its examples."""

import argparse
from argparse import Action, Namespace
from collections.abc import Callable, Sequence
from typing import Any

from analyzer.cli.session_argument import SESSION

EXAMPLES = """\
examples:
  analyzer follow trace.pcapng 0 -k keys.log                what both sides said, as text: > client, < server
  analyzer follow trace.pcapng 0 -k keys.log --hex | less -R
  analyzer follow trace.pcapng 0 -k keys.log --raw --from server -o answer.bin
  analyzer follow trace.pcapng --stream 3                   a TCP connection as it was sent, TLS or not
  analyzer follow trace.pcapng 0 -k keys.log --substream 4  one stream of QUIC, with HTTP/3 as text
  analyzer follow trace.pcapng 0 --format json              one object a record, the bytes in hex"""


def add_follow(command: argparse.ArgumentParser, session_of: Callable[[str], int | str], number: Callable[[str], int]) -> None:
    """Add what is followed, and the forms, to a command that has its captures. session_of, number: read a session, a number."""
    session = command.add_argument("id", type=session_of, metavar="ID", help=SESSION)
    command.add_argument(
        "--stream",
        type=number,
        action=_stream_instead_of(session),
        metavar="N",
        help="instead of ID: the TCP stream with this number, from 0, as Wireshark numbers them; its bytes as they were sent, "
        "and with keys what TLS in it carried",
    )
    command.add_argument(
        "--substream", type=number, metavar="N", help="only this stream of a QUIC session, or of HTTP/2 in the form text"
    )
    forms = command.add_mutually_exclusive_group()
    forms.add_argument("--raw", action="store_true", help="the bytes as they are, never to a terminal")
    forms.add_argument("--hex", action="store_true", help="offset, hex and ASCII, each side counted from 0")
    forms.add_argument("--ascii", action="store_true", help="every byte as a character, a dot for what is not printable")
    command.add_argument("--from", dest="side", choices=("client", "server"), help="only what this side sent")
    command.add_argument("--format", choices=("text", "json"), default="text", help="text is the default")


def _stream_instead_of(session: Action) -> type[Action]:
    """Return the action of an option in whose presence the positional argument `session` is not asked for.

    Options come before all positional arguments (`word_order`), so it is known in time.
    """

    class TakeStream(Action):
        """Takes the number of a stream."""

        def __call__(
            self,
            parser: argparse.ArgumentParser,
            namespace: Namespace,
            values: str | Sequence[Any] | None,
            option_string: str | None = None,
        ) -> None:
            setattr(namespace, self.dest, values)
            session.nargs = "?"

    return TakeStream
