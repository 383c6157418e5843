"""What stands below an asyncio channel: the picker, the memory connection, gRPC's own channel.

Theory of operation. grpc.aio's classes for channels, calls and interceptors are Python over a narrow native
layer: a native channel that makes native calls, which send and receive bytes. `Transport` and `Call` here
take the places of those two. So the whole of grpc.aio's behaviour (styles of reading and writing, errors,
cancellation, interceptors) is grpc.aio's own code on both transports, and only the way of the bytes differs.

A `Call` learns at its first operation what carries it. Over the memory queue it speaks to a `LoopCall` of
the native core; over gRPC to gRPC's native call, whose outcome it repeats.

Everything here happens in the thread of the channel's event loop, except the handshake of a new memory
connection: it blocks, perhaps until a server in this very loop answers, and so has a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import time
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import grpc
from grpc import aio as stock_aio

from sage_rpc import errors, native
from sage_rpc.native import core
from sage_rpc.transport.attempts import Attempts
from sage_rpc.transport.backoff import Backoff
from sage_rpc.transport.base import GRPC, SHM
from sage_rpc.transport.picker import Picker
from sage_rpc.transport.service_config import MethodConfig
from sage_rpc.transport.shm import feeders

if TYPE_CHECKING:
    from sage_rpc.native._core import LoopCall, LoopConnection

__all__ = ["Call", "Transport"]


_IDLE: int = grpc.ChannelConnectivity.IDLE.value[0]
_CONNECTING: int = grpc.ChannelConnectivity.CONNECTING.value[0]
_READY: int = grpc.ChannelConnectivity.READY.value[0]
_TRANSIENT_FAILURE: int = grpc.ChannelConnectivity.TRANSIENT_FAILURE.value[0]
_SHUTDOWN: int = grpc.ChannelConnectivity.SHUTDOWN.value[0]
_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}
_OK: int = grpc.StatusCode.OK.value[0]
_INTERNAL: int = grpc.StatusCode.INTERNAL.value[0]
_CANCELLED: int = grpc.StatusCode.CANCELLED.value[0]
_DEADLINE_EXCEEDED: int = grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
_RESOURCE_EXHAUSTED: int = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
_CODES = {code.value[0]: code for code in grpc.StatusCode}

_Metadata = tuple[Any, ...]


class Status:
    """How a call ended; `code` is the number."""

    __slots__ = ("_code", "_debug", "_details", "_trailing")

    def __init__(self, code: int, details: str, trailing: _Metadata | None, debug: str | None) -> None:
        self._code, self._details, self._trailing, self._debug = code, details, trailing, debug

    def code(self) -> int:
        """The status code's number."""
        return self._code

    def details(self) -> str:
        """The text that came with it."""
        return self._details

    def trailing_metadata(self) -> _Metadata | None:
        """None when the call was ended from this side."""
        return self._trailing

    def debug_error_string(self) -> str | None:
        """What a person would want to know besides."""
        return self._debug

    def __repr__(self) -> str:
        return f"<Status {_NAMES.get(self._code)} {self._details!r}>"


class Transport:
    """The native layer of one channel.

    Args:
        stock: gRPC's native channel to the same target.
        picker: decides.
        loop: where the channel lives.
        channel: whose layer this is; calls that have not begun keep it alive.
    """

    def __init__(
        self, stock: Any, picker: Picker, loop: asyncio.AbstractEventLoop, channel: stock_aio.Channel
    ) -> None:
        self.stock = stock
        self.loop = loop
        self.channel = weakref.ref(channel)
        self._picker = picker
        # The connection in use, where the quick calls of the native core find it.
        self.shm: Any = core.LoopChannelCore() if native.available() else SimpleNamespace(conn=None)
        self._attempt: asyncio.Future[None] | None = None  # under way, shared by all who wait for it
        self._failed = False  # the last attempt did, and nothing else may carry calls
        self._retry: asyncio.TimerHandle | None = None
        self._backoff = Backoff(picker.options.longest_pause)
        self._watchers: list[asyncio.Future[None]] = []
        self._resending: dict[asyncio.Task[None], LoopCall] = {}
        self._retired: list[LoopConnection] = []  # which their last calls have kept
        self._closed = False  # there are no new calls; those that were made begin and go on
        self._destroyed = False  # nor are there others
        self._last_conn: LoopConnection | None = None  # of the calls that have not begun when it is closed

    def __repr__(self) -> str:
        state = "closed" if self._closed else self.name
        return f"<Transport {self._picker.target} {state}>"

    @property
    def _conn(self) -> LoopConnection | None:
        found: LoopConnection | None = self._last_conn if self._closed else self.shm.conn
        return found

    @_conn.setter
    def _conn(self, conn: LoopConnection | None) -> None:
        if self._closed:
            self._last_conn = conn
        else:
            self.shm.conn = conn

    @property
    def name(self) -> str:
        """What carries calls now: "shm", "grpc" or "idle"."""
        return self._picker.carrier(self._conn)

    # -- calls

    def call(
        self,
        method: bytes,
        deadline: float | None,
        credentials: grpc.CallCredentials | None,
        wait_for_ready: bool | None,
        registered: int = 0,
    ) -> Any:
        """A native call that has not begun."""
        if self._closed:
            raise stock_aio.UsageError("Channel is closed.")
        picker = self._picker
        if credentials is None and (self.connection() is not None or picker.forced or picker.worth_trying()):
            services = picker.options.service_config
            config = None if services is None else services.of(method)
            if services is None or config is None:
                return Call(self, method, deadline, wait_for_ready, registered)
            if config.timeout is not None:
                latest = time.time() + config.timeout
                deadline = latest if deadline is None else min(deadline, latest)
            attempts = None if config.retry is None else services.attempts(config.retry)
            waits = config.waits(wait_for_ready)
            return Call(self, method, deadline, waits, registered, config, attempts)
        if credentials is None:
            picker.picked = GRPC
        return self.stock_call(method, deadline, credentials, wait_for_ready, registered)

    def stock_call(self, method: bytes, deadline: float | None, *rest: Any) -> Any:
        """A call of gRPC's native channel; credentials, wait_for_ready and a handle of the method follow."""
        # grpcio before 1.67 has no handles of methods.
        return self.stock.call(method, deadline, *(rest if rest[2] else rest[:2]))

    def connection(self) -> LoopConnection | None:
        """The memory connection, if it takes calls now."""
        conn = self._conn
        if conn is not None and (conn.dead or conn.draining):
            conn.retire()
            self._retired = [each for each in (*self._retired, conn) if not each.dead]
            self._conn = conn = None
        return conn

    async def pick(self, deadline: float | None, wait_for_ready: bool | None) -> LoopConnection | None:
        """A memory connection for a call, or None: gRPC carries it.

        Raises:
            RpcError: the memory queue is demanded and cannot be had, or the deadline passed.
            UsageError: the channel was closed meanwhile.
        """
        picker = self._picker
        while True:
            if self._destroyed:
                raise stock_aio.UsageError("Channel is closed.")
            conn = self.connection()
            if conn is not None:
                picker.picked = SHM
                return conn
            if self._attempt is None and not picker.worth_trying():
                break
            patient = picker.forced and bool(wait_for_ready)
            failed = await self._one_attempt(deadline, patient)
            if failed and not patient and not self._destroyed:
                break
        if picker.forced:
            raise picker.refused()
        picker.picked = GRPC
        self._tell_watchers()
        return None

    async def _one_attempt(self, deadline: float | None, patient: bool) -> bool:
        """Wait for the attempt under way, or begin one; the `patient` wait out the pause first. -> failed"""
        if self._retry is not None and patient:
            change = self._watcher()
        else:
            self._cancel_retry()
            change = self._start_attempt()
        left = None if deadline is None else max(0.0, deadline - time.time())
        try:
            done, _ = await asyncio.wait([change], timeout=left)
        finally:
            if change is not self._attempt:  # which others wait for, too
                change.cancel()
        if not done:
            raise errors.rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
        return self._conn is None

    def quick_calls(self) -> list[LoopCall]:
        """The calls under way that grpc.aio's channel does not know."""
        conns = [*self._retired] if self._conn is None else [*self._retired, self._conn]
        calls = [call for conn in conns for call in conn.quick_calls()]
        return calls + [call for call in self._resending.values() if call.quick]

    def send_again(self, call: LoopCall) -> None:
        """Go on with a unary call whose connection ended before its server saw it."""
        task = self.loop.create_task(self._send_again(call))
        self._resending[task] = call
        task.add_done_callback(self._resending.pop)

    async def _send_again(self, call: LoopCall) -> None:
        try:
            await self._carry_on(call)
        except grpc.RpcError as error:
            never_ran = errors.from_grpc(error).never_ran
            call.conclude(error.code().value[0], error.details(), (), (), None, never_ran)
        except stock_aio.UsageError as error:
            call.conclude(_CANCELLED, str(error), (), (), None)
        except BaseException as error:
            call.conclude(_INTERNAL, f"the call could not be sent again: {error!r}", (), (), None)
            raise

    async def _carry_on(self, call: LoopCall) -> None:
        method, request, metadata, left = call.as_it_was()
        deadline = None if left is None else time.time() + left
        conn = await self.pick(deadline, wait_for_ready=None)
        if call.ended:
            return
        if conn is not None:
            conn.adopt(call)
            return
        over_grpc = self.stock.call(method.encode(), deadline, None, None)
        call.when_ended(lambda: None if over_grpc.done() else over_grpc.cancel("not wanted any more"))
        message = await over_grpc.unary_unary(request, metadata)
        status = await over_grpc.status()
        initial, trailing = over_grpc._initial_metadata, status.trailing_metadata()
        no_metadata = stock_aio.Metadata()
        raised = stock_aio.AioRpcError(_CODES[status.code()], no_metadata, no_metadata, status.details())
        channel: Any = self.channel()
        never_ran = errors.from_grpc(raised, channel).never_ran
        call.conclude(status.code(), status.details(), initial, trailing, message, never_ran)

    # -- connecting

    def _start_attempt(self) -> asyncio.Future[None]:
        if self._attempt is None:
            self._attempt = self.loop.create_future()
            self._failed = False
            try:
                # In an empty context: the attempt is the channel's, and outlives the call that it began for.
                contextvars.Context().run(feeders.run, self._connect_elsewhere)
            except RuntimeError as error:  # no thread can be started
                self._picker.give_up(str(error))
                self.loop.call_soon(self._attempt_ended, None)
            self._tell_watchers()
        return self._attempt

    def _connect_elsewhere(self) -> None:
        """In a thread of its own, because the handshake blocks."""
        conn = None
        try:
            conn = self._picker.connect(None, core.LoopConnection)
        finally:
            try:
                self.loop.call_soon_threadsafe(self._attempt_ended, conn)
            except RuntimeError:  # the loop was closed meanwhile
                if conn is not None:
                    conn.retire()

    def _attempt_ended(self, conn: LoopConnection | None) -> None:
        attempt, self._attempt = self._attempt, None
        if conn is not None and not conn.streams:
            self._picker.give_up("the server does not take calls that stream over the memory queue")
        if conn is not None and (self._destroyed or not conn.streams):
            conn.retire()
            conn = None
        if conn is not None and self._attach(conn):
            self._conn = conn
            self._backoff.reset()
            self._picker.picked = SHM
        elif self._picker.forced and not self._destroyed:
            self._failed = True
            self._retry = self.loop.call_later(self._backoff.next(), self._retry_now)
        if attempt is not None and not attempt.done():
            attempt.set_result(None)
        self._tell_watchers()

    def _attach(self, conn: LoopConnection) -> bool:
        """Have the loop drive `conn`. -> whether it can."""
        try:
            # In an empty context: the connection outlives the call that it was made for.
            contextvars.Context().run(
                conn.attach, self.loop, self._tell_watchers, self._picker.user_agent(conn.dialect)
            )
        except (OSError, NotImplementedError) as error:
            self._picker.give_up(f"the event loop cannot watch its socket: {error}")
            conn.retire()
            return False
        return True

    def _retry_now(self) -> None:
        self._retry = None
        if self._watchers:
            self._start_attempt()

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    # -- connectivity

    def check_connectivity_state(self, try_to_connect: bool) -> int:
        """The number of the channel's state."""
        if self._closed:
            return _SHUTDOWN
        if self.connection() is not None:
            return _READY
        if self._attempt is not None:
            return _CONNECTING
        if self._grpc_decides:
            return int(self.stock.check_connectivity_state(try_to_connect))
        if try_to_connect and self._retry is None and self._picker.worth_trying():
            before = _TRANSIENT_FAILURE if self._failed else _IDLE
            attempt = self._start_attempt()
            if not self._picker.forced:
                attempt.add_done_callback(self._fall_back)
            return before
        return _TRANSIENT_FAILURE if self._failed else _IDLE

    @property
    def _grpc_decides(self) -> bool:
        """Whether the channel's state is that of gRPC's channel."""
        picker = self._picker
        if self._conn is not None or self._attempt is not None:
            return False
        return picker.picked == GRPC or not (picker.forced or picker.worth_trying())

    def _fall_back(self, _attempt: asyncio.Future[None]) -> None:
        """Somebody wants the channel connected, and the memory queue cannot be had."""
        if self._conn is None and not self._closed:
            self._picker.picked = GRPC
            self.stock.check_connectivity_state(True)
            self._tell_watchers()

    async def watch_connectivity_state(self, last: int, deadline: float | None) -> bool:
        """Wait for another state than `last`. -> False: the deadline passed first."""
        if self._closed:
            raise stock_aio.UsageError("Channel is closed.")
        while self.check_connectivity_state(try_to_connect=False) == last:
            waiting: set[asyncio.Future[Any]] = {self._watcher()}
            if self._grpc_decides:
                waiting.add(
                    asyncio.ensure_future(self.stock.watch_connectivity_state(last, deadline), loop=self.loop)
                )
            left = None if deadline is None else max(0.0, deadline - time.time())
            try:
                done, _ = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for future in waiting:
                    future.cancel()
                    future.add_done_callback(_ignore)
            if not done:
                return False
        return True

    def _watcher(self) -> asyncio.Future[None]:
        """A future that is done when the state may have changed."""
        self._watchers = [watcher for watcher in self._watchers if not watcher.done()]
        watcher: asyncio.Future[None] = self.loop.create_future()
        self._watchers.append(watcher)
        return watcher

    def _tell_watchers(self) -> None:
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    # -- the rest of what grpc.aio asks of its native channel

    def get_registered_call_handle(self, method: bytes) -> int:
        """What gRPC knows a method by."""
        return int(self.stock.get_registered_call_handle(method))

    def target(self) -> Any:
        """As gRPC's channel tells it."""
        return self.stock.target()

    def closing(self) -> None:
        """No more calls; those under way go on."""
        self._closed, self._last_conn, self.shm.conn = True, self.shm.conn, None
        self._tell_watchers()

    def _let_go(self) -> None:
        for conn in (self.shm.conn, self._last_conn):
            if conn is not None:
                conn.retire()  # it closes when its last call has ended
        self.shm.conn = self._last_conn = None

    def closed(self) -> bool:
        """Whether there are no more calls."""
        return self._closed

    def close(self) -> None:
        """Let go of everything; calls that are still under way end first."""
        self._closed = self._destroyed = True
        self._cancel_retry()
        self._let_go()
        self.stock.closing()
        self.stock.close()
        if not self.loop.is_closed():
            self._tell_watchers()


def _ignore(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


class Call:
    """One call, as grpc.aio's call objects use their native one. `unary_unary` and its kin begin it.

    Args:
        transport: of its channel.
        method: full name.
        deadline: by the clock of `time.time()`, or None.
        wait_for_ready: as the user gave it.
        registered: gRPC's handle of the method.
        config: what the channel's service config says of the method.
        attempts: for a call that is tried again over the memory queue.
    """

    def __init__(
        self,
        transport: Transport,
        method: bytes,
        deadline: float | None,
        wait_for_ready: bool | None,
        registered: int,
        config: MethodConfig | None = None,
        attempts: Attempts | None = None,
    ) -> None:
        self._config = config
        self._attempts = attempts  # None, too, when no further one will follow
        self._kept: list[bytes] = []  # the requests of a stream, as long as they may have to be sent again
        self._replaying = False  # they are being sent again, and those that come meanwhile with them
        self._no_more = False  # requests
        self._transport = transport
        self._channel = transport.channel()
        self._method = method
        self._deadline = deadline
        self._wait_for_ready = wait_for_ready
        self._registered = registered
        self._status: Status | None = None
        self._initial_metadata: _Metadata | None = None
        self._cancelled_here = False
        self._callbacks: list[Callable[[], None]] = []
        self._callback_error: Exception | None = None
        self._one_response = False  # somebody waits for
        self._over_shm: LoopCall | None = None
        self._over_grpc: Any = None
        self._waiters: list[asyncio.Future[None]] = []  # for the beginning, or for the end
        self.never_ran: bool | None = None  # once it has failed; None: not known, as of calls of gRPC's

    def __repr__(self) -> str:
        method = self._method.decode(errors="replace")
        if self._status is None:
            return f"<sage_rpc.aio.Call {method} under way>"
        return f"<sage_rpc.aio.Call {method} {self._status!r}>"

    # -- state

    def done(self) -> bool:
        """Whether the call has ended."""
        return self._status is not None

    def is_ok(self) -> bool:
        """Whether it ended with OK."""
        return self._status is not None and self._status.code() == _OK

    def cancelled(self) -> bool:
        """Whether it ended with CANCELLED, on whichever side."""
        return self._status is not None and self._status.code() == _CANCELLED

    def is_locally_cancelled(self) -> bool:
        """Whether this side cancelled it."""
        return self._cancelled_here

    def time_remaining(self) -> float | None:
        """Seconds until the deadline, None without one."""
        return None if self._deadline is None else max(0, self._deadline - time.time())

    def add_done_callback(self, callback: Callable[[], None]) -> None:
        """Call `callback` at the end, or now when that is past."""
        if self._status is not None:
            callback()
        else:
            self._callbacks.append(callback)

    def cancel(self, details: str) -> None:
        """End the call from this side."""
        self._cancelled_here = True
        self._end(Status(_CANCELLED, details, None, None))
        if self._over_grpc is not None:
            self._over_grpc.cancel(details)
        elif self._over_shm is not None:
            self._over_shm.end(_CANCELLED, details)

    def set_internal_error(self, text: str) -> None:
        """A message could not be sent; the reason is the call's status, when there is one."""
        if self._status is None:
            self._end(Status(_INTERNAL, "Internal error from Core", (), text))
            if self._over_shm is not None:
                self._over_shm.end(_INTERNAL, text)

    async def status(self) -> Status:
        """How the call ended, once it has."""
        while self._status is None:
            await self._change()
        return self._status

    async def initial_metadata(self) -> _Metadata:
        """What the server sent first, once it has."""
        while self._initial_metadata is None:
            if self._over_grpc is not None:
                found: _Metadata = await self._over_grpc.initial_metadata()
                return found
            if self._over_shm is not None and self._attempts is None:
                await self._over_shm.until_headers()
                self._initial_metadata = self._over_shm.first_metadata() or ()
            else:
                await self._change()
        return self._initial_metadata

    def _change(self) -> asyncio.Future[None]:
        self._waiters = [waiter for waiter in self._waiters if not waiter.done()]
        waiter: asyncio.Future[None] = self._transport.loop.create_future()
        self._waiters.append(waiter)
        return waiter

    def _changed(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _end(self, status: Status) -> None:
        if self._status is not None:
            return
        self._status = status
        self._channel = None
        if self._initial_metadata is None:
            self._initial_metadata = ()
        self._changed()
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback()
            except Exception as error:  # noqa: BLE001 - the user's; as in grpc.aio, it is the last one
                self._callback_raised(error)
                break

    def _callback_raised(self, error: Exception) -> None:
        """Whoever awaits the only response hears of it, else the event loop."""
        if self._one_response:
            self._callback_error = error
            return
        loop = self._transport.loop
        loop.call_exception_handler(
            {"message": f"Exception in a done callback of {self!r}", "exception": error}
        )

    def _shm_ended(self) -> None:
        """The native call over the memory queue has ended: so has this one."""
        call = self._over_shm
        if call is None or self._status is not None:
            return
        # As in gRPC, an end that the server sent is not known before the responses before it have been read.
        if call.unread and not (call.late or call.lost):
            return
        self._initial_metadata = call.first_metadata() or ()
        self.never_ran = call.never_ran
        self._end(Status(*call.outcome()))

    def _grpc_ended(self) -> None:
        if self._status is None:
            self._initial_metadata = self._over_grpc._initial_metadata
            self._end(self._over_grpc._status)

    # -- beginning

    async def _begin(
        self, request: bytes | None, metadata: _Metadata, *, responses_stream: bool
    ) -> LoopCall | None:
        """Pick what carries the call, and send its beginning.

        -> the native call over the memory queue; None: gRPC carries it, or it is over already.
        """
        transport = self._transport
        conn = transport.connection()
        if conn is not None and (request is None or responses_stream):  # nobody sends it again
            conn.look()
            conn = transport.connection()
        if conn is None:
            try:
                conn = await transport.pick(self._deadline, self._wait_for_ready)
            except grpc.RpcError as error:
                code = error.code().value[0]
                self.never_ran = error.never_ran
                self._end(Status(code, error.details(), (), error.debug_error_string()))
                return None
            if self._status is not None:
                return None
        if conn is None and request is None and self._over_shm is not None:
            # gRPC's call would want the requests that this one has had.
            self._end(Status(*self._over_shm.outcome()))
            return None
        if conn is None:
            self._over_grpc = transport.stock_call(
                self._method, self._deadline, None, self._wait_for_ready, self._registered
            )
            self._over_grpc.add_done_callback(self._grpc_ended)
            self._channel = None
            self._changed()
            return None
        left = None if self._deadline is None else self._deadline - time.time()
        # What is called at the end is the caller's, and so is its context.
        on_end = functools.partial(contextvars.copy_context().run, self._shm_ended)
        attempts = self._attempts
        self._over_shm = call = conn.open(
            self._method.decode(),
            request,
            metadata if attempts is None else attempts.metadata(metadata, core.Retried),
            left,
            responses_stream,
            on_end if attempts is None else None,
            transport.send_again if request is not None and not responses_stream else None,
        )
        if self._config is not None:
            call.limit_response(self._config.max_response)
        self._channel = None
        if call.ended and attempts is None:
            self._shm_ended()
        self._changed()
        return call

    def _too_large(self, request: bytes) -> bool:
        """Whether the method's limit forbids the request; then the call is over."""
        limit = -1 if self._config is None else self._config.max_request
        if not 0 <= limit < len(request) or self._status is not None:
            return False
        text = f"CLIENT: Sent message larger than max ({len(request)} vs. {limit})"
        self._end(Status(_RESOURCE_EXHAUSTED, text, (), text))
        if self._over_shm is not None:
            self._over_shm.end(_RESOURCE_EXHAUSTED, text)
        return True

    # -- attempts

    def _no_further_attempt(self) -> None:
        """What happens from now on happens to the call; how it ends is counted, too."""
        attempts, self._attempts, self._kept = self._attempts, None, []
        call = self._over_shm
        if call is not None:
            if call.ended:
                self._shm_ended()
            else:
                if attempts is not None:
                    call.when_ended(functools.partial(_pause_after, attempts, call, final=True))
                call.when_ended(functools.partial(contextvars.copy_context().run, self._shm_ended))
        self._changed()

    async def _tries_again(self) -> bool:
        """After the server's first word, or the end of an attempt: wait until the next one is to begin.

        -> False: there is no next one.
        """
        call, attempts = self._over_shm, self._attempts
        if call is None or attempts is None or self._status is not None:
            return False
        pause = None
        if call.ended:
            pause = _pause_after(attempts, call, final=call.answered)
            self._attempts = None if pause is None else attempts
        if pause is None:
            self._no_further_attempt()
            return False
        until = time.time() + pause
        late = self._deadline is not None and until >= self._deadline
        until = until if self._deadline is None else min(until, self._deadline)
        while not self.done() and (left := until - time.time()) > 0:
            await asyncio.wait([self._change()], timeout=left)
        if not self.done() and late:
            self._end(Status(_DEADLINE_EXCEEDED, "Deadline Exceeded", (), ""))
        self._replaying = not self.done()
        return self._replaying

    async def _replay(self, call: LoopCall | None) -> None:
        """Send the requests of the attempt before again."""
        number = 0
        try:
            if call is None:
                return
            while number < len(self._kept) and await call.send(self._kept[number]):
                number += 1
            if self._no_more and not call.ended:
                call.half_close()
        finally:
            self._replaying = False
            self._changed()

    def _not_serialized(self) -> None:
        """grpc.aio has logged why, and passes no message on."""
        if self._status is None:
            self._end(Status(_INTERNAL, "Exception serializing request!", (), ""))
            if self._over_shm is not None:
                self._over_shm.end(_INTERNAL, "Exception serializing request!")
            elif self._over_grpc is not None:
                self._over_grpc.cancel("Exception serializing request!")

    async def _only_answer(self, call: LoopCall) -> bytes | None:
        """Wait for the end of a call with one response. -> that, or None when there is none."""
        await call.until_end()
        self._shm_ended()
        if self._callback_error is not None:
            raise self._callback_error
        return call.answer() if self.is_ok() else None

    async def unary_unary(
        self, request: bytes | None, metadata: _Metadata, context: Any = None
    ) -> bytes | None:
        """The whole of a unary call. -> the response, None when it failed."""
        self._one_response = True
        if request is None:
            self._not_serialized()
            return None
        if self._too_large(request):
            return None
        self._keep(request)
        call = await self._begin(request, metadata, responses_stream=False)
        while call is not None and self._attempts is not None:
            await call.until_end()
            if not await self._tries_again():
                break
            call = await self._begin(request, metadata, responses_stream=False)
        if self._over_grpc is not None and self._status is None:
            found: bytes | None = await self._over_grpc.unary_unary(request, metadata, context)
            return found
        return None if call is None else await self._only_answer(call)

    async def stream_unary(
        self, metadata: _Metadata, begun: Callable[[], None], context: Any = None
    ) -> bytes | None:
        """A call whose requests follow by themselves; `begun` is called when they may. -> the response."""
        self._one_response = True
        call = await self._begin(None, metadata, responses_stream=False)
        if self._over_grpc is not None and self._status is None:
            found: bytes | None = await self._over_grpc.stream_unary(metadata, begun, context)
            return found
        begun()
        while call is not None and self._attempts is not None:
            await call.until_end()
            if not await self._tries_again():
                break
            call = await self._begin(None, metadata, responses_stream=False)
            await self._replay(call)
        return None if call is None else await self._only_answer(call)

    async def initiate_unary_stream(
        self, request: bytes | None, metadata: _Metadata, context: Any = None
    ) -> None:
        """Begin a call of one request, and wait for the server's first word."""
        if request is None:
            self._not_serialized()
            return
        if self._too_large(request):
            return
        self._keep(request)
        call = await self._begin(request, metadata, responses_stream=True)
        while call is not None and self._attempts is not None:
            await call.until_headers()
            if not await self._tries_again():
                break
            call = await self._begin(request, metadata, responses_stream=True)
        if call is not None:
            await call.until_headers()
        elif self._over_grpc is not None and self._status is None:
            await self._over_grpc.initiate_unary_stream(request, metadata, context)

    async def initiate_stream_stream(
        self, metadata: _Metadata, begun: Callable[[], None], context: Any = None
    ) -> None:
        """Begin a call both of whose sides stream, and wait for the server's first word."""
        call = await self._begin(None, metadata, responses_stream=True)
        if self._over_grpc is not None and self._status is None:
            await self._over_grpc.initiate_stream_stream(metadata, begun, context)
            return
        # Not now: where tasks are eager, this is still inside the constructor of grpc.aio's call.
        self._transport.loop.call_soon(begun)
        while call is not None and self._attempts is not None:
            await call.until_headers()
            if not await self._tries_again():
                break
            call = await self._begin(None, metadata, responses_stream=True)
            await self._replay(call)
        if call is not None:
            await call.until_headers()

    # -- messages of streams

    async def receive_serialized_message(self) -> Any:
        """The next response, or EOF."""
        if self._over_grpc is not None:
            return await self._over_grpc.receive_serialized_message()
        call = self._over_shm
        message = None if call is None else await call.next()
        if call is not None and call.ended:
            self._shm_ended()
        return stock_aio.EOF if message is None else message

    async def send_serialized_message(self, message: bytes | None) -> None:
        """Send a request, when the server has room for it."""
        if message is None:
            self._not_serialized()
        if self._over_grpc is not None:
            await self._over_grpc.send_serialized_message(message)
            return
        if message is not None and not self._too_large(message) and self._keep(message):
            call = self._over_shm
            if not self._replaying and call is not None and await call.send(message):
                return
            # The attempt is over: the next one sends it, as soon as it has begun, or there is none.
            while self._over_shm is call and self._attempts is not None and self._status is None:
                if self._replaying:
                    break
                await self._change()
            if self._status is None:
                return
            raise stock_aio.InternalError("the call ended before the message could be sent")
        if message is None or self._over_shm is None or not await self._over_shm.send(message):
            raise stock_aio.InternalError("the call ended before the message could be sent")

    async def send_receive_close(self) -> None:
        """No more requests."""
        while self._over_shm is None and self._over_grpc is None and self._status is None:
            await self._change()
        self._no_more = True
        if self._over_grpc is not None:
            try:
                await self._over_grpc.send_receive_close()
            except stock_aio.InternalError:
                # The call is over, and its status says how; grpc.aio would cancel it before that has come.
                await self._over_grpc.status()
        elif self._over_shm is not None and not self._replaying:
            call = self._over_shm
            await call.until_sent()
            call.half_close()

    def _keep(self, request: bytes) -> bool:
        """Keep a request for further attempts, if there may be any. -> whether it is kept"""
        if self._attempts is None:
            return False
        if not self._attempts.keeps(len(request)) and self._over_shm is not None and not self._replaying:
            self._no_further_attempt()
            return False
        self._kept.append(request)
        return True


def _pause_after(attempts: Attempts, call: LoopCall, *, final: bool) -> float | None:
    """What follows an attempt that has ended; see `Attempts.after`."""
    code, _, trailing, _ = call.outcome()
    return attempts.after(_CODES.get(code), trailing, final=final)
