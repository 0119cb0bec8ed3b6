"""Reads certificates as they were sent, and validates chains of them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.x509.judge import Judge, judge_chain

__all__ = ["Judge", "judge_chain"]


def __getattr__(name: str) -> Any:
    """Import the judge when it is used: it needs the cryptographic library, and reading certificates does not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from analyzer.x509 import judge

    return getattr(judge, name)
