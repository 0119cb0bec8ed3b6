"""A limit of the system on what can be written, in the place of a disk that is full."""

import contextlib
import resource
from collections.abc import Iterator


@contextlib.contextmanager
def files_up_to(n_bytes: int) -> Iterator[None]:
    """No file of this process, nor of those it starts, may become longer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
