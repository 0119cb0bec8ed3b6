"""Shows a progress bar on standard error. This module is imported only when the work takes long."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn


class Bar:
    """A bar of the bytes read, which disappears at the end. total: None, as with a pipe, shows only that the work continues."""

    def __init__(self, total: int | None) -> None:
        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("", total=total)

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._progress.stop()

    def move(self, n_bytes: int) -> None:
        """Show that `n_bytes` bytes were read."""
        self._progress.update(self._task, completed=n_bytes)
