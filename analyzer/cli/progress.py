"""The progress bar of long work, on standard error; imported when the work has proved to be long."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn


class Bar:
    """A bar of bytes read that is gone when the work is done; `total` None, as of a pipe, shows only that it goes on."""

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
        """Show that so many bytes were read."""
        self._progress.update(self._task, completed=n_bytes)
