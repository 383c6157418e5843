"""A worker process's view of its parent: messages, the lifeline, and being told to stop.

Rules:

1. The main thread runs user code; a listener thread reads the parent's messages. To stop user code the
   listener sends the main thread SIGTERM, whose handler raises `Stopped` there: only within
   `interruptible()`, only once, so that cleanup runs in peace.
2. End-of-file from the parent stops the process as a Stop does. So does SIGTERM from anywhere, but while the
   process sleeps in `wait_for_stop`: then it is a Finish, and the parent may still say Stop.
3. A process that was told to stop is gone after its grace, and one whose parent is gone after another one
   (both are GRACE seconds, where nothing else was said), whatever its code does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from sage_rpc.hosting.inbox import Inbox
from sage_rpc.processes.messages import Finish, Message, Messages, Stop, send

__all__ = ["GRACE", "Drained", "Parent", "Stopped"]

GRACE = 4.0  # seconds
_STOPPED = 143  # exit code, as a shell says it of SIGTERM


class Stopped(BaseException):
    """Raised in user code when the job stops; no `except Exception` takes it."""


class Drained(BaseException):
    """Raised in a source's `execute` that goes on for GRACE seconds after the job asked for no more rows."""


class Parent:
    """The parent process, as seen by the main thread of a worker.

    Args:
        control: the socket to it.
        orphaned: seconds until the process is gone after its parent.

    Attributes:
        grace: seconds until it is gone after it was told to stop.
        draining: the process is to come to an end: Finish came.
        stopping: the process is to end.
    """

    def __init__(self, control: socket.socket, orphaned: float = GRACE) -> None:
        self._control = control
        self._orphaned = orphaned
        self.grace = GRACE
        self._sending = threading.Lock()  # guards writing to the socket
        self._inbox: Inbox[Message | None] = Inbox()
        self._main = threading.main_thread().ident or 0
        self._stoppable = False
        self._drainable = False
        self._finishable = False
        self._ended = threading.Event()
        self.draining = False
        self.stopping = False
        signal.signal(signal.SIGTERM, self._on_signal)
        # Ctrl-C is the main process's to answer. A handler, unlike SIG_IGN, is not inherited by programs.
        signal.signal(signal.SIGINT, lambda *_: None)
        # A worker is in the background and may still print.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        threading.Thread(target=self._listen, name="lifeline", daemon=True).start()

    def send(self, message: Message) -> None:
        """Tell the parent; when it is gone there is nobody to tell."""
        with self._sending, contextlib.suppress(OSError):
            send(self._control, message)

    def receive(self) -> Message:
        """The next message; Stop is no message but an exception.

        Raises:
            Stopped: the process is to end.
        """
        with self.interruptible():
            message = self._inbox.get()
        if message is None:
            raise Stopped
        return message

    def wait_for_stop(self, take: Callable[[Message], None] | None = None) -> None:
        """Sleep until the process is to end: Finish, Stop, or the parent is gone.

        Args:
            take: gets what the parent says meanwhile; None: nobody wants to know.
        """
        self._finishable = True
        with contextlib.suppress(Stopped):
            while not isinstance(message := self.receive(), Finish):
                if take is not None:
                    take(message)

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within it the main thread may be interrupted.

        Raises:
            Stopped: the process is to end.
        """
        try:
            self._stoppable = True
            if self.stopping:
                raise Stopped
            yield
        finally:
            self._stoppable = False

    @contextlib.contextmanager
    def drainable(self) -> Iterator[None]:
        """Within it a source that does not come to an end may be interrupted.

        Raises:
            Drained: it is to produce no more.
        """
        try:
            self._drainable = True
            yield
        finally:
            self._drainable = False

    def finish(self, code: int) -> None:
        """End the process as soon as one without a parent, whatever threads user code has left behind."""
        self._ended.set()
        timer = threading.Timer(self._orphaned, os._exit, (code,))
        timer.daemon = True
        timer.start()

    def __repr__(self) -> str:
        state = "stopping" if self.stopping else "draining" if self.draining else "running"
        return f"<Parent of {os.getpid()} {state}>"

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if not self.stopping and not self.draining:  # it comes from elsewhere
            if self._finishable:
                self.draining = True
                self._inbox.put(Finish())
                return
            self.stopping = True
            self._inbox.put(None)
            self._exit_within(self.grace)
        if self.stopping and self._stoppable:
            self._stoppable = False
            raise Stopped
        if self.draining and self._drainable:
            self._drainable = False
            raise Drained

    def _listen(self) -> None:
        messages = Messages()
        while True:
            try:
                data = self._control.recv(65536)
            except OSError:
                data = b""
            for message in messages.feed(data):
                if isinstance(message, Finish):
                    self.draining = True
                    self._inbox.put(message)
                    threading.Thread(target=self._interrupt_later, name="drain", daemon=True).start()
                elif isinstance(message, Stop):
                    self._stop(self.grace)
                else:
                    self._inbox.put(message)
            if not data:
                self._stop(self._orphaned)
                return

    def _interrupt_later(self) -> None:
        if not self._ended.wait(self.grace):
            signal.pthread_kill(self._main, signal.SIGTERM)

    def _stop(self, grace: float) -> None:
        self._exit_within(grace)
        if self.stopping:
            return
        self.stopping = True
        self._inbox.put(None)
        if not self._ended.is_set():
            signal.pthread_kill(self._main, signal.SIGTERM)

    def _exit_within(self, grace: float) -> None:
        def exit_later() -> None:
            if not self._ended.wait(grace):
                os._exit(_STOPPED)

        threading.Thread(target=exit_later, name="stop", daemon=True).start()
