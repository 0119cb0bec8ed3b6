"""Runs tshark through pyshark, one packet after the other, so that nothing is left behind whatever happens.

pyshark starts tshark, reads its PDML and makes packets of it. Alone it leaves tshark running after an error or a kill -9, waits
for ever, takes `config.ini` of the current folder as its settings, and kills a tshark that ends with an error before the error
is known. `TsharkCapture` mends that: tshark is the leader of a process group of its own, which is killed as a whole; the kernel
kills it when this process dies (PR_SET_PDEATHSIG, prctl(2)); every wait has a limit; and what tshark said last is kept.
"""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from pyshark.capture.file_capture import FileCapture
from pyshark.tshark.output_parser.tshark_xml import TsharkXmlParser

from analyzer.crosscheck.tshark_program import TsharkError, TsharkProgram, dies_with
from analyzer.crosscheck.tshark_settings import FIELDS

LARGEST_PACKET = 1 << 26
"""The most bytes that tshark may print for one packet. A packet of 64 KiB with every field takes some megabytes."""

_GRACE = 10
"""Seconds that tshark may take to end after its output has ended."""

_LONGEST_ERROR = 1 << 12
"""The most bytes that are kept of what tshark says on standard error: the last ones."""

_DAMAGE = re.compile(r"appears to (have been cut short|be damaged or corrupt)")
"""What tshark says of a capture that it could read up to here. Our own reader tells that too, with byte and frame."""

_UNREAD_FIELD = re.compile(
    rb'^ *<field name="(?!(?:%b)")[^"\n]*"[^\n]*/>\n' % "|".join(map(re.escape, FIELDS)).encode(), re.MULTILINE
)
"""A line of PDML with a field that has no fields inside, and is not read. In its attributes, `<` and `>` are escaped."""

_NO_FOLDER = "/nonexistent/analyzer"
"""The folder of the user's own preferences and plugins, which tshark must not find."""


class TsharkRun:
    """One capture through tshark. It is a context manager: at its end, no process is left."""

    def __init__(self, program: TsharkProgram, capture: str, words: list[str], frames: str, timeout: float) -> None:
        """words: options of tshark. frames: the display filter. timeout: seconds to wait for the next packet at most."""
        self._timeout = timeout
        self._loop = asyncio.new_event_loop()
        environment = os.environ | {"WIRESHARK_CONFIG_DIR": _NO_FOLDER, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        self._capture = TsharkCapture(program, os.path.abspath(capture), words, frames, self._loop, environment)
        self.program = program

    def __enter__(self) -> "TsharkRun":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process of tshark; None before the first packet was asked for."""
        return self._capture.pid

    def packets(self) -> Iterator[Any]:
        """Yield the packets that the filter lets through, as pyshark makes them. Raises TsharkError."""
        while True:
            timer = self._loop.call_later(self._timeout, self._capture.expire)
            try:
                packet = self._capture.next()
            except StopIteration:
                break
            except OSError as error:
                raise TsharkError(f"{self.program.path}: {error.strerror}") from error
            finally:
                timer.cancel()
            yield packet
        self._check_end()

    def close(self) -> None:
        """Kill tshark if it still runs, and wait for its end."""
        if self._loop.is_closed():
            return
        try:
            self._capture.close()
            self._loop.run_until_complete(_end_tasks(set()))
        finally:
            self._loop.close()

    def _check_end(self) -> None:
        capture = self._capture
        if capture.expired:
            raise TsharkError(f"tshark said nothing for {self._timeout:g} s, and was ended (--timeout)")
        if capture.status and not (capture.status > 0 and _DAMAGE.search(capture.last_words())):
            why = f"signal {-capture.status}" if capture.status < 0 else f"status {capture.status}"
            raise TsharkError(f"tshark ended with {why}: {capture.last_words() or 'without a word'}")


class TsharkCapture(FileCapture):
    """A capture of pyshark that keeps no packets.

    status: with which tshark ended, None while it runs. expired: whether it was killed because it took too long.
    """

    def __init__(
        self,
        program: TsharkProgram,
        path: str,
        words: list[str],
        frames: str,
        loop: asyncio.AbstractEventLoop,
        environment: dict[str, str],
    ) -> None:
        super().__init__(
            path, keep_packets=False, display_filter=frames, tshark_path=program.path, custom_parameters=words, eventloop=loop
        )
        self._program = program
        self._environment = environment
        self._said = b""
        self.pid: int | None = None
        self.status: int | None = None
        self.expired = False

    def expire(self) -> None:
        """Kill tshark, because it took too long."""
        self.expired = True
        if self.pid is not None and self.status is None:
            _kill_group(self.pid)

    def last_words(self) -> str:
        """Return the last line that tshark wrote to standard error."""
        lines = self._said.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _get_tshark_path(self) -> str:
        return self._program.path

    def _get_tshark_version(self) -> Any:
        from packaging.version import parse

        return parse(self._program.version_text)

    def _setup_tshark_output_parser(self) -> TsharkXmlParser:
        return _BoundedParser()

    async def _get_tshark_process(self, packet_count: int | None = None, stdin: Any = None) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            self._program.path, "-n", "-T", "pdml", *self.get_parameters(packet_count=packet_count),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
            preexec_fn=dies_with(os.getpid()),
        )  # fmt: skip
        self.pid = process.pid
        self._running_processes.add(process)
        if process.stderr is not None:
            self._stderr_handling_tasks.append(asyncio.ensure_future(self._listen(process.stderr)))
        return process

    async def _listen(self, errors: asyncio.StreamReader) -> None:
        while said := await errors.read(_LONGEST_ERROR):
            self._said = (self._said + said)[-_LONGEST_ERROR:]

    async def _cleanup_subprocess(self, process: asyncio.subprocess.Process) -> None:
        if self._eof_reached:
            with contextlib.suppress(TimeoutError):  # then it is killed below
                await asyncio.wait_for(process.wait(), _GRACE)
        if process.returncode is None:
            _kill_group(process.pid)
        # asyncio tells the end of a process when its pipes have ended, and that only if somebody reads them.
        await _end_tasks(set(self._stderr_handling_tasks))
        if process.stdout is not None:
            with contextlib.suppress(TimeoutError):  # a stranger to the group has the pipe; the process itself is dead
                await asyncio.wait_for(_drain(process.stdout), _GRACE)
        self.status = await process.wait()
        self._running_processes.discard(process)


class _BoundedParser(TsharkXmlParser):
    """Refuses a packet that takes too much memory, and drops the fields that nobody reads: most of them."""

    def _extract_packet_from_data(self, data: bytes, got_first_packet: bool = True) -> Any:
        if len(data) > LARGEST_PACKET:
            raise TsharkError(f"tshark printed more than {LARGEST_PACKET >> 20} MiB for one packet")
        return super()._extract_packet_from_data(data, got_first_packet)

    def _parse_single_packet(self, packet: bytes) -> Any:
        return super()._parse_single_packet(_UNREAD_FIELD.sub(b"", packet))


async def _drain(output: asyncio.StreamReader) -> None:
    """Read what a dead process has left in its pipe."""
    while await output.read(_LONGEST_ERROR):
        pass


async def _end_tasks(kept: "set[asyncio.Task[None]]") -> None:
    """End what an interrupted wait has left in the loop, but for the tasks that are kept."""
    left = asyncio.all_tasks() - kept - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended by itself
        os.killpg(pid, signal.SIGKILL)
