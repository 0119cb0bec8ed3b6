"""Which build this is: the hot modules as compiled C, or as the plain Python they are written in."""

import platform
from importlib.util import find_spec

from analyzer import __version__

HOT_MODULES = (
    "analyzer.capture.packet_reader",
    "analyzer.codec.runner",
    "analyzer.packet.headers",
    "analyzer.flows.tcp",
    "analyzer.tls.session",
)
"""One module of each compiled room: what makes a run fast or slow."""


def compiled_modules() -> list[str]:
    """Those of the hot modules that an import would load as compiled C."""
    compiled = []
    for name in HOT_MODULES:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None and not spec.origin.endswith(".py"):
            compiled.append(name)
    return compiled


def build() -> str:
    """Version and build in a line: `analyzer 0.1.0 (compiled, Python 3.11.7)`."""
    n_compiled = len(compiled_modules())
    state = "not compiled" if n_compiled == 0 else "compiled" if n_compiled == len(HOT_MODULES) else "partly compiled"
    return f"analyzer {__version__} ({state}, Python {platform.python_version()})"
