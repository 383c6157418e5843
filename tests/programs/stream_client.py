"""A client process that measures a long stream: `stream_client.py TARGET TRANSPORT KIND BYTES SERVER_PID`.

KIND is upload, download, echo, or keep, a download of which all is kept. It prints, as JSON, what arrived and
how much the resident memory of both processes grew at most, in bytes: the peak at the end less what was
resident after a short stream of the kind.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from stream_server import MESSAGE, digest, pour

import sage_rpc

WARM = 4 << 20  # bytes: every buffer on the way is full once


def resident(pid: int) -> tuple[int, int]:
    """-> bytes that are resident in process `pid` now, and at most so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return tuple(int(found[name].removesuffix("kB")) << 10 for name in ("VmRSS", "VmHWM"))


def main() -> None:
    target, transport, kind, size, server = sys.argv[1:]
    options = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("sage_rpc.transport", transport),
    ]
    with sage_rpc.insecure_channel(target, options=options) as channel:
        upload = channel.stream_unary("/test.Streams/upload")
        download = channel.unary_stream("/test.Streams/download")
        echo = channel.stream_stream("/test.Streams/echo")
        kinds = {
            "upload": lambda count: upload(pour(count)),
            "download": lambda count: digest(download(b"%d" % count)),
            "echo": lambda count: digest(echo(pour(count))),
            "keep": lambda count: digest(list(download(b"%d" % count))),
        }
        run = kinds[kind]
        run(WARM // MESSAGE)
        pids = {"client": os.getpid(), "server": int(server)}
        before = {name: resident(pid)[0] for name, pid in pids.items()}
        arrived = run(int(size) // MESSAGE).decode()
        grown = {name: resident(pid)[1] - before[name] for name, pid in pids.items()}
        print(json.dumps({"arrived": arrived, "transport": channel.transport, **grown}))


if __name__ == "__main__":
    main()
