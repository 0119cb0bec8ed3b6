"""Writes the findings about segments of a connection that their sender has not sent, or that no receiver reads.

They say `client` and `server`, so they are made where sides become roles.
"""

ROLES = ("client", "server")

SHOWN = 32
"""Bytes of such a segment that a finding shows."""


def segment_fact(role: int, kind: str, offset: int, data: bytes) -> tuple[str, str]:
    """Return code and sentence of a finding. The arguments are those of `Sink.doubt`, with a role for the side."""
    who = ROLES[role]
    if kind == "syn":
        return "injected_segment", f"a SYN as if of the {who} came into the connection, which went on: somebody inserted it"
    if kind == "rst":
        return "injected_segment", f"an RST as if of the {who} came, and the {who} went on: somebody inserted it"
    if kind == "fin":
        return (
            "injected_segment",
            f"a FIN as if of the {who} came at {offset} of its stream, and the {who} went on: somebody inserted it",
        )
    shown = ascii(data[:SHOWN].decode("latin-1")) + ("…" if len(data) > SHOWN else "")
    if kind == "beyond":
        return (
            "data_after_end",
            f"{len(data)} bytes behind the end (FIN) of the {who}'s stream, which no receiver reads: {shown}",
        )
    return (
        "fragments_disagree",
        f"IP fragments of a segment of the {who} have different bytes at one place; the second ones: {shown}",
    )
