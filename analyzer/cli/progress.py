"""Shows a progress bar on standard error. This module is imported only when the work takes long."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class Bar:
    """A bar of the bytes read, which disappears at the end. total: None, as with a pipe, shows only that the work continues."""

    columns: tuple[type[ProgressColumn], ...] = (BarColumn, DownloadColumn, TransferSpeedColumn, TimeRemainingColumn)

    def __init__(self, total: int | None) -> None:
        columns = [column() for column in self.columns]
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("", total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._progress.stop()

    def move(self, n_bytes: int) -> None:
        """Show that `n_bytes` bytes were read."""
        self._progress.update(self._task, completed=n_bytes)


class CountBar(Bar):
    """A bar of things done, of which the number is known when the first one is."""

    columns = (BarColumn, MofNCompleteColumn, TimeRemainingColumn)

    def __init__(self) -> None:
        super().__init__(None)

    def count(self, n: int, total: int) -> None:
        """Show that `n` of `total` were done."""
        self._progress.update(self._task, completed=n, total=total)
