"""Services for the tests of supervision, good ones and bad ones."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import grpc

from sage_rpc.operators import BaseService


class Echo:
    """Tells who it is."""

    def __init__(self, greeting: str = "hello", **more: Any) -> None:
        self.greeting, self.more = greeting, more

    def pid(self) -> int:
        return os.getpid()

    def greet(self) -> str:
        return self.greeting

    def about(self) -> dict[str, Any]:
        return {
            "greeting": self.greeting,
            "more": self.more,
            "environment": os.environ.get("SUPERVISED", ""),
            "cwd": str(Path.cwd()),
            "nofile": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            "cpus": sorted(os.sched_getaffinity(0)),
        }

    def say(self, text: str) -> None:
        print(text)
        print(text, file=sys.stderr)

    def slow(self, seconds: float) -> str:
        threading.Event().wait(seconds)
        return "done"

    def fail(self) -> None:
        raise ValueError("no")

    def shout(self, text: str) -> None:
        raise ValueError(text)

    def die(self) -> None:
        os._exit(3)


class BadConstructor:
    def __init__(self) -> None:
        raise ValueError("the disk is full")


class BadSetup:
    def setup(self) -> None:
        raise OSError("no database")


class Colourful:
    """Whatever it says begins with what a terminal would obey."""

    OBEYED = "\x1b[31m\x1b]0;owned\x07\x9b2J\r\x08\u202etxet"

    def setup(self) -> None:
        print(f"{self.OBEYED} printed")
        print(f"{self.OBEYED} on the other stream", file=sys.stderr)

    def fail(self) -> None:
        raise ValueError(f"{self.OBEYED} raised")

    def get(self) -> str:
        return f"{self.OBEYED} returned"


class CrashesSoon:
    def setup(self) -> None:
        threading.Timer(0.05, os._exit, (7,)).start()


class Sick:
    """Healthy until it is told otherwise."""

    def __init__(self) -> None:
        self.well = True

    def fall_ill(self) -> None:
        self.well = False

    def health_check(self) -> bool:
        return self.well

    def pid(self) -> int:
        return os.getpid()


class Stubborn:
    """Does not come to an end, and has a child process."""

    def setup(self) -> None:
        if os.fork() == 0:
            while True:
                time.sleep(1000)

    def pid(self) -> int:
        return os.getpid()

    def cleanup(self) -> None:
        while True:
            time.sleep(1000)


class Loud:
    """Prints as fast as it is let, by a program that it starts."""

    def setup(self) -> None:
        subprocess.Popen(["/bin/sh", "-c", "while :; do echo a line of debugging output; done"])


class SlowStart:
    def __init__(self) -> None:
        time.sleep(1000)


class SlowSetup:
    def setup(self) -> None:
        time.sleep(1000)


class WhenAllowed:
    """Starts when there is no file `held` in its directory, or fails, where there is one `broken`."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def setup(self) -> None:
        (self._directory / "asked").touch()
        while (self._directory / "held").exists():
            time.sleep(0.01)
        if (self._directory / "broken").exists():
            raise OSError("it is broken")

    def pid(self) -> int:
        return os.getpid()


class Asker(BaseService):
    """Calls another service by its name."""

    def ask(self) -> str:
        return str(self.call_service["echo"].greet())

    def ask_slowly(self, seconds: float) -> str:
        try:
            return str(self.call_service["echo"].slow(seconds))
        except TimeoutError:
            return "too late"

    def ask_held(self, name: str) -> str:
        try:
            return str(self.call_service["held"].hold(name))
        except TimeoutError:
            return "too late"


class AsksAtSetup(BaseService):
    """Calls another service before it serves itself."""

    def setup(self) -> None:
        try:
            self.heard = str(self.call_service["echo"].slow(1.0))
        except TimeoutError:
            self.heard = "too late"

    def said(self) -> str:
        return self.heard


class Held:
    """Calls that end when there is a file that lets them go; another tells that they have begun."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def hold(self, name: str) -> str:
        (self._directory / f"{name}.began").touch()
        while not (self._directory / f"{name}.go").exists():
            time.sleep(0.01)
        return "done"

    def fail(self) -> None:
        raise ValueError("no")

    def greet(self) -> str:
        return "hello"


class Greeter:
    """A servicer of examples/hello.proto."""

    def Hello(self, request: Any, context: Any) -> Any:
        import hello_pb2

        if not request.name:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a name is needed")
        return hello_pb2.HelloReply(text=f"Hello, {request.name}!")
