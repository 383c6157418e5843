"""A service that is hosted in every way, for the tests of hosts; and as a program, by a ServiceHost.

    hosted_subject.py DIRECTORY [access] [admission] [tracing]

What it does, and what it is to wait for, stands in files of its directory.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any


class Subject:
    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def _note(self, what: str) -> None:
        with (self._directory / "life").open("a") as file:
            file.write(f"{what}\n")

    def _wait(self, what: str) -> None:
        while not (self._directory / what).exists():
            time.sleep(0.005)

    def setup(self) -> None:
        self._note("setup")
        self._wait("may set up")
        if (self._directory / "is broken").exists():
            raise OSError("it is broken")

    def cleanup(self) -> None:
        self._note("cleanup")

    def echo(self, value: Any) -> Any:
        self._note(f"echo {value}")
        return value

    def secret(self) -> str:
        self._note("secret")
        return "told"

    def hold(self) -> str:
        self._note("hold")
        self._wait("may go on")
        return "held"


def access(peer: Any, method: str) -> bool:
    if method == "secret":
        raise PermissionError("it is a secret")
    return peer.uid == os.getuid() or peer.transport == "grpc"


def provider() -> Any:
    """Spans as lines of JSON in the file that SPANS names."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

    made = TracerProvider()
    out = Path(os.environ["SPANS"]).open("a", buffering=1)  # noqa: SIM115 - until the process ends
    made.add_span_processor(
        SimpleSpanProcessor(
            ConsoleSpanExporter(out=out, formatter=lambda span: span.to_json(indent=None) + "\n")
        )
    )
    return made


def main() -> None:
    import sage_rpc
    from sage_rpc.policies import AdmissionPolicy

    directory, *wanted = sys.argv[1:]
    options: dict[str, Any] = {
        "access": access,
        "admission": AdmissionPolicy(max_running=1, max_waiting=0),
        "tracing": provider,
    }
    host = sage_rpc.ServiceHost(
        "subject", Subject(directory), stats=True, **{name: options[name] for name in wanted}
    )
    (Path(directory) / "address").write_text(host.address)
    host.serve_until_stopped(grace=20.0)


if __name__ == "__main__":
    main()
