"""The fields of OCSP messages (RFC 6960): responses that a TLS server sends with its certificate, and both over plain HTTP.

A message is walked from its bytes, so one that strict parsers refuse has its fields too. Messages in HTTP are those that a
first reading found (`capture_facts`), in the frame that completes them; a request in the path of a GET has no fields here.
"""

from collections.abc import Iterator

from analyzer.filters.asn1_grammar import Reader, add, read_der
from analyzer.filters.certificate_grammar import OCSP_REQUEST, OCSP_RESPONSE
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.stapled_responses import stapled_responses


class OcspFields:
    """The source of `ocsp.*`."""

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        found: Found = {}
        for reader, der in _messages(view):
            add(found, "ocsp", der, der)
            read_der(reader, der, found)
        return {name: occurrences for name, occurrences in found.items() if name.startswith("ocsp")}


def _messages(view: FrameView) -> Iterator[tuple[Reader, bytes]]:
    for event in view.events:
        yield from ((OCSP_RESPONSE, der) for der in stapled_responses(event))
    if view.facts is not None:
        for is_response, der in view.facts.revocation_messages.get(view.frame.number, ()):
            yield OCSP_RESPONSE if is_response else OCSP_REQUEST, der
