"""A small HTTP server for pages that are only looked at: metrics, the supervisor's page.

Rules:

1. Whoever connects may be hostile: a browser that a foreign page leads here, a port scanner, a client that
   sends half a request. So one thread reads all requests, each in bounded time and size; connections are
   bounded, and the oldest that has not said what it wants makes room for a new one; a few threads answer.
2. `Host` must name this server, or a page elsewhere whose name was made to lead here could read what is
   shown (DNS rebinding): on loopback a name of loopback, else any IP address (which no name server can
   turn round) or a name of this machine; the name listened on and those given, always.
3. GET and HEAD only. Every answer ends its connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Answer", "HttpServer", "Request"]

_LONGEST_HEAD = 16 << 10  # bytes of a request
_HEAD_SECONDS, _ANSWER_SECONDS = 10.0, 30.0
_CONNECTIONS, _THREADS = 128, 4
_TARGET = re.compile(r"[\x21-\x7e]+")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Connection": "close",
}


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        path: without the query.
        query: name -> value, decoded; the first of a name counts.
        headers: name in lower case -> value.
    """

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What is said.

    Attributes:
        kind: the content type.
        body: the content.
        status: of HTTP.
        headers: more headers.
    """

    kind: str
    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def refusal(cls, status: HTTPStatus, text: str) -> Answer:
        """One line that says why not."""
        return cls("text/plain; charset=utf-8", f"{text}\n".encode(), status)


class _RefusedError(Exception):
    """The request gets this answer and is not looked at any further."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.answer = Answer.refusal(status, text)


class HttpServer:
    """An HTTP server in threads of its own.

    Args:
        address: "HOST:PORT"; port 0 picks one, an empty host is every interface.
        answer: gives the answer to a request; it runs in one of a few threads.
        hosts: more names that `Host` may have, where a proxy passes on its own, say.
        name: of the threads.

    Attributes:
        address: where it listens.

    Raises:
        ValueError: that is no address.
        OSError: it cannot be listened on.
    """

    def __init__(
        self, address: str, answer: Callable[[Request], Answer], *, hosts: Iterable[str] = (), name: str
    ) -> None:
        host, colon, port = address.rpartition(":")
        if not colon or not port.isdigit() or int(port) > 65535:
            raise ValueError(f"{address!r} is no address: expected 'HOST:PORT', such as '127.0.0.1:9464'")
        bare = host.strip("[]")
        self._socket = socket.socket(socket.AF_INET6 if ":" in bare else socket.AF_INET)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((bare or "0.0.0.0", int(port)))  # noqa: S104 - as the address says
            self._socket.listen(_CONNECTIONS)
        except OSError:
            self._socket.close()
            raise
        self.address = f"{host}:{self._socket.getsockname()[1]}"
        self._answer = answer
        self._names = {each.lower().strip("[]").rstrip(".") for each in (bare, "localhost", *hosts) if each}
        self._here_only = ipaddress.ip_address(self._socket.getsockname()[0]).is_loopback
        if not self._here_only:
            self._names.add(socket.gethostname().lower())
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=name)
        self._waiting: dict[asyncio.Task[None], None] = {}  # for a request, the oldest first
        self._connections = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        with contextlib.suppress(RuntimeError):  # closed already
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def __repr__(self) -> str:
        return f"<HttpServer at {self.address}>"

    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(
            asyncio.start_server(self._serve, sock=self._socket, limit=_LONGEST_HEAD)
        )
        try:
            loop.run_forever()
        finally:
            server.close()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connections >= _CONNECTIONS and self._waiting:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.cancel()
        elif self._connections >= _CONNECTIONS:
            writer.transport.abort()
            return
        self._connections += 1
        try:
            await self._exchange(reader, writer)
        except (asyncio.CancelledError, TimeoutError, asyncio.TimeoutError, OSError, EOFError):
            pass  # they have left, or have to
        finally:
            self._connections -= 1
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is a coroutine
        self._waiting[task] = None
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_SECONDS)
            bodiless, request = self._request(head)
        except asyncio.LimitOverrunError:
            bodiless, answer = (
                False,
                Answer.refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too long"),
            )
        except _RefusedError as refused:
            bodiless, answer = False, refused.answer
        else:
            self._waiting.pop(task, None)
            answer = await asyncio.wait_for(
                self._loop.run_in_executor(self._pool, self._answered, request), _ANSWER_SECONDS
            )
        finally:
            self._waiting.pop(task, None)
        writer.transport.set_write_buffer_limits(0)  # drain() waits for everything
        lines = [f"HTTP/1.1 {answer.status.value} {answer.status.phrase}"]
        length = {"Content-Type": answer.kind, "Content-Length": str(len(answer.body))}
        lines += [f"{key}: {value}" for key, value in {**_HEADERS, **length, **answer.headers}.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        if not bodiless:
            writer.write(answer.body)
        await asyncio.wait_for(writer.drain(), _ANSWER_SECONDS)
        writer.write_eof()
        # What is still on its way to us would reset the connection before the answer is read.
        with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
            await asyncio.wait_for(_drained(reader), 1.0)

    def _answered(self, request: Request) -> Answer:
        try:
            return self._answer(request)
        except Exception as error:  # noqa: BLE001 - whoever asked shall know
            return Answer.refusal(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: {error}")

    def _request(self, head: bytes) -> tuple[bool, Request]:
        """What was asked for, and whether without the content."""
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not re.fullmatch(r"HTTP/1\.[01]", words[2]) or not _TARGET.fullmatch(words[1]):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "that is no request of HTTP/1")
        method, target, version = words
        if method not in {"GET", "HEAD"}:
            raise _RefusedError(HTTPStatus.NOT_IMPLEMENTED, "there is nothing here but to look")
        headers: dict[str, str] = {}
        for line in lines:
            found = _FIELD.fullmatch(line)
            if found is None or (found[1].lower() == "host" and "host" in headers):
                raise _RefusedError(HTTPStatus.BAD_REQUEST, "a header is wrong")
            headers[found[1].lower()] = found[2]
        if not self._is_own(headers.get("host"), version):
            text = "this server has another name; more may be allowed where it is configured"
            raise _RefusedError(HTTPStatus.FORBIDDEN, text)
        try:
            url = urlsplit(target)
            given = parse_qsl(url.query, keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "that is no address of a page") from None
        if any(_CONTROL.search(name) or _CONTROL.search(value) for name, value in given):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "there are control characters in it")
        return method == "HEAD", Request(url.path, dict(reversed(given)), headers)

    def _is_own(self, host: str | None, version: str) -> bool:
        if host is None:
            return version == "HTTP/1.0"  # no browser
        found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(:\d{1,5})?", host)
        if found is None:
            return False
        name = found[1].lower().strip("[]").rstrip(".")
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._here_only


async def _drained(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 16):
        pass
