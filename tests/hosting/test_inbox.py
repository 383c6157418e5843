"""What the main thread waits for: a signal ends its waiting, whichever thread the kernel gives it to."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from sage_rpc.hosting.inbox import Inbox
from tests.waiting import until


def test_a_signal_that_another_thread_gets_is_not_overlooked() -> None:
    inbox: Inbox[str] = Inbox()
    before = signal.signal(signal.SIGUSR1, lambda *_: inbox.put("the signal"))
    state = Path(f"/proc/self/task/{os.getpid()}/stat")
    end = threading.Timer(10.0, inbox.put, ("the end of the test",))

    def send() -> None:
        until(lambda: state.read_text().rpartition(")")[2].split()[0] == "S")  # the main thread sleeps
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    end.start()
    threading.Thread(target=send).start()
    try:
        assert inbox.get() == "the signal"
    finally:
        end.cancel()
        signal.signal(signal.SIGUSR1, before)
        inbox.close()
