"""Reports which build is running: the performance-critical modules as compiled C, or as plain Python."""

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
"""One module from each of five compiled packages. They decide how fast a run is."""


def compiled_modules() -> list[str]:
    """Return the modules of `HOT_MODULES` that an import would load as compiled C."""
    compiled = []
    for name in HOT_MODULES:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None and not spec.origin.endswith(".py"):
            compiled.append(name)
    return compiled


def build_state() -> str:
    """Return `compiled`, `not compiled` or `partly compiled`."""
    n_compiled = len(compiled_modules())
    return "not compiled" if n_compiled == 0 else "compiled" if n_compiled == len(HOT_MODULES) else "partly compiled"


def build() -> str:
    """Return version and build in one line: `analyzer 0.2.0 (compiled, Python 3.11.7)`."""
    return f"analyzer {__version__} ({build_state()}, Python {platform.python_version()})"
