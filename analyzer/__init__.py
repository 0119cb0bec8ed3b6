"""Analyzer: packet captures in, structured TLS sessions out.

    import analyzer
    for session in analyzer.sessions("trace.pcapng", keylog="keys.log"):
        print(session.server_name, session.version, session.chain.verdict)

`analyzer.sessions`, `analyzer.packets` and `analyzer.events` read captures; `analyzer.api` has all of the interface. It is
loaded when one of its names is first used, so that `import analyzer` costs nothing.

Bytes go up through the packages in this order, and nothing reaches back down: `codec`, `capture`, `packet`, `flows`,
`secrets`, `x509`, `application`, `tls`, `engine`, `analysis`, `store`, then `api` and `cli`.
"""

__version__ = "0.2.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from analyzer.api import (
        CaptureWarning,
        Data,
        Event,
        HandshakeMessageSeen,
        NotACapture,
        Packet,
        Reading,
        ReadOnce,
        Session,
        SessionBegan,
        SessionEnded,
        UnusableFile,
        events,
        packets,
        sessions,
    )

__all__ = [
    "CaptureWarning",
    "Data",
    "Event",
    "HandshakeMessageSeen",
    "NotACapture",
    "Packet",
    "ReadOnce",
    "Reading",
    "Session",
    "SessionBegan",
    "SessionEnded",
    "UnusableFile",
    "events",
    "packets",
    "sessions",
]


def __getattr__(name: str) -> object:
    """Load the interface when one of its names is first used."""
    if name not in __all__ and name != "api":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    api = import_module("analyzer.api")
    value: object = api if name == "api" else getattr(api, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
