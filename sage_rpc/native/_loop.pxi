# Both ends of a connection where an asyncio event loop drives them. Included by _core.pyx.
#
# Theory of operation. Only the loop's thread touches such a connection, so nobody takes turns: no roles, no
# listener, no watcher. The loop's selector has the connection's socket (of a server: its epoll descriptor). While
# frames are expected, a turn stands in the loop's queue of callbacks: it takes what has arrived, lets the tasks that
# this woke run, and comes again. A turn that finds nothing watches the ring for a while, but only when no other
# callback of the loop is waiting; after that it announces sleep and leaves the rest to the selector. Tasks wait on
# futures of the loop, one for each thing that they wait for.
#
# A turn leaves another turn in the queue, or an announced sleep, whatever happens in it. While it reads or watches
# the ring, `reads` keeps the ring mapped: other threads may come in where the GIL is released, and one in which the
# garbage collector runs ends the calls that it finds.
#
# Turns have a context (contextvars) of their own, whoever asked for them: what they begin, handlers above all, must
# not see what some other handler or caller put into its context.

cdef int BEGUN_AT_ONCE = 16           # handlers, before those have had their turn
cdef int64_t BLIND_SPIN_NS = 5000     # watched at a time when the loop does not tell whether others wait


cdef bint _same_process(int fd):
    """Is the peer of this socket a thread of this very process, perhaps this very loop?"""
    cdef ucred peer
    cdef unsigned int size = sizeof(peer)
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 and peer.pid == getpid()


cdef class Turns:
    """The next turn of one connection (or server) in its loop, and how long it pays to watch the rings."""

    def __init__(self, loop, function):
        self.loop = loop
        self.function = function
        self.context = contextvars.copy_context()
        self.thread = PyThread_get_thread_ident()
        handles = getattr(loop, "_ready", None)
        self.handles = handles if isinstance(handles, deque) else None

    cdef int schedule(self) except -1:
        if not self.scheduled:
            self.scheduled = True
            self.loop.call_soon(self.function, context=self.context)
        return 0

    cdef bint elsewhere(self):
        """Is this another thread than the loop's, which lives?"""
        return PyThread_get_thread_ident() != self.thread and not self.loop.is_closed()

    cdef int ask_for_one(self) except -1:
        """Schedule a turn, from whatever thread: the garbage collector may run in any, and end calls there."""
        if self.elsewhere():
            self.loop.call_soon_threadsafe(self._schedule)
        elif not self.loop.is_closed():
            self.schedule()
        return 0

    def _schedule(self):
        self.schedule()

    cdef int64_t may_watch(self, int64_t budget):
        """-> ns to watch the rings now; 0: others come first, this turn is over and the next scheduled; -1: sleep.

        `budget` counts from the first turn that found nothing.
        """
        cdef int64_t now = <int64_t>sr_now_ns(), left
        if self.quiet_since == 0:
            self.quiet_since = now
            self.budget = budget
        left = self.budget - (now - self.quiet_since)
        if left <= 0:
            return -1
        if self.handles is None:
            return left if left < BLIND_SPIN_NS else BLIND_SPIN_NS
        return 0 if len(self.handles) > 0 else left


cdef class Outbound:
    """The message of a stream that is on its way, in parts as credit and room allow.

    One at a time, and whole, whether or not its writer still waits: pieces of two messages must not mix.
    """

    cdef uint64_t begin(self, bytes data):
        """-> its number: it is sent when `whole` has reached that."""
        self.data = data
        self.offset = 0
        self.begun += 1
        return self.begun

    cdef int push(self, Connection conn, CallSide call) except -1:
        """Send what can be sent. -> what it waits for; W_SENT: nothing."""
        cdef int what = conn.send_on(call, self.data, &self.offset)
        if what == W_SENT:
            self.data = None
            self.whole += 1
        return what


cdef object _sleep(object loop, list sleepers, int what):
    """A future that is done when `what` may be due."""
    if sleepers:                               # who gave up waiting left its future behind
        sleepers[:] = [entry for entry in sleepers if not entry[1].done()]
    future = loop.create_future()
    sleepers.append((what, future))
    return future


cdef int _rouse(list sleepers, int what) except -1:
    """Wake the tasks that wait for `what`; W_END wakes all."""
    cdef Py_ssize_t i = 0
    cdef int waits_for
    while i < len(sleepers):
        waits_for, future = sleepers[i]
        if waits_for == what or what == W_END or (what == W_MESSAGE and waits_for == W_HEADERS):
            del sleepers[i]
            if not future.done():
                try:
                    future.set_result(None)
                except RuntimeError:           # its loop is closed, and so nobody waits
                    pass
        else:
            i += 1
    return 0


# ---------------------------------------------------------------- the client's end

cdef class LoopConnection(ClientConnection):
    """The client's end of a connection that an event loop drives. `attach` comes first."""
    dialect = 1
    features = FEATURES & ~FEATURE_BLOCKS

    def __cinit__(self, *args, **kwargs):
        self.for_room = []

    def attach(self, loop, on_death, bytes user_agent):
        """Live in `loop`, in whose thread this is called; turns have a copy of the context of now.

        `on_death` is called when the connection ended. `user_agent` is sent with every call, if it is not None.
        """
        self.loop = loop
        self.user_agent = user_agent
        self.turns = Turns(loop, self._turn)
        self.on_death = on_death
        self.beside_itself = _same_process(self.fd)
        loop.add_reader(self.fd, self._readable)
        self.watched = True
        self.sleep_or_turn()

    def open(self, str method not None, bytes request, metadata, timeout, bint responses_stream, on_end, resend):
        """Start a call: with its only request, or with None when requests follow. -> LoopCall

        `metadata` is an iterable of pairs, `timeout` in seconds or None. `on_end` is called when the call ends,
        unless it has ended when this returns. `resend(call)` is called, and the call goes on, when the connection
        ends before the server saw it; None: then it ends, too. The connection must not be dead.
        """
        cdef LoopCall call = self.begin(method, len(method.encode()), request, metadata, timeout, resend)
        if responses_stream:
            call.inbox = Inbox()
        self.run(call, timeout)
        if call.state < CALL_ENDED and on_end is not None:
            call.callbacks = [(on_end, None)]
        return call

    cdef LoopCall begin(self, str method, Py_ssize_t name_size, bytes request, metadata, timeout, resend):
        """A call as it is before anything was sent; it may have ended."""
        cdef LoopCall call = LoopCall.__new__(LoopCall)
        if timeout is not None:
            timeout = <double>timeout          # a TypeError comes before anything has begun
        call.window = SW_WINDOW
        call.conn = self
        call.method = method
        call.name_size = name_size
        call.request = request
        call.resend = resend
        call.deadline = NEVER
        call.max_request = call.max_response = -1
        try:
            if metadata or self.user_agent is not None:
                call.metadata = encode_metadata(metadata, _reserved(metadata), self.user_agent)
        except ValueError:
            call.finish(INTERNAL, "Invalid metadata")
        return call

    cdef int run(self, LoopCall call, timeout) except -1:
        """Send what begin() has prepared."""
        if call.state >= CALL_ENDED:
            return 0
        self.launch(call, call.request, call.metadata, call.name_size, timeout)
        if call.state < CALL_ENDED:
            if call.deadline != NEVER:
                self.remember_deadline(call)
                self.set_timer()
            self.expect()
        return 0

    def adopt(self, LoopCall call not None):
        """Send a call again whose connection ended before its server saw it."""
        cdef double left
        if call.state < CALL_ENDED:
            call.conn = self
            left = (call.deadline - <int64_t>sr_now_ns()) / 1e9
            self.run(call, None if call.deadline == NEVER else left)

    def quick_calls(self):
        """The calls under way that began without grpc.aio's call objects."""
        return [call for call in self.calls.values() if (<LoopCall>call).quick]

    # -- turns

    cdef int expect(self) except -1:
        """Something was sent, so something will come."""
        if self.state != CONN_DEAD:
            if self.asleep:
                self.asleep = False
                sr_reader_awake(&self.rx)
            self.turns.quiet_since = 0
        return self.turns.schedule()

    def _readable(self):
        if self.state != CONN_DEAD:
            self.whole_turn(True)

    def _turn(self):
        self.turns.scheduled = False
        self.whole_turn(False)

    def _rested(self):
        self.rests = False
        if self.state != CONN_DEAD:
            self.loop.add_reader(self.fd, self._readable)
            self.watched = True
            self.whole_turn(False)

    cdef int rest(self) except -1:
        """Leave the server alone for a moment: what it does brings nobody anything, and keeps the loop busy."""
        self.loop.remove_reader(self.fd)
        self.watched = False
        self.rests = True
        self.loop.call_later(REST_MS / 1000, self._rested, context=self.turns.context)
        return 0

    cdef int whole_turn(self, bint bells) except -1:
        if self.rests and self.state != CONN_DEAD:
            return 0
        try:
            self.reads = True
            try:
                if bells:
                    self.read_socket(0)
                self.read_on()
            finally:
                self.reads = False
            self.run_ready()                   # users' callbacks: the connection may be closed now
            if self.state != CONN_DEAD and self.tires():
                return self.rest()
            self.settle()
        except BaseException:                  # KeyboardInterrupt, say, and the loop goes on to clean up
            self.turns.schedule()
            raise
        return 0

    cdef uint64_t spin_budget(self):
        return 0 if self.beside_itself else ClientConnection.spin_budget(self)

    cdef int read_socket(self, int limit) except -1:
        """Empty the socket, then take up to `limit` frames; all, and give up, if the server has gone."""
        if self.read_bells() != 0:
            self.receive(limit)
        else:
            self.receive_last()
            self.fail(SERVER_GONE)
        return 0

    cdef int read_on(self) except -1:
        """Take what has come, and watch the ring for more while nothing has and that pays."""
        cdef sr_end *ring = &self.rx
        cdef int n
        cdef int64_t ns
        if self.asleep and self.state != CONN_DEAD:
            self.asleep = False
            sr_reader_awake(&self.rx)
        while self.state != CONN_DEAD:
            n = self.receive(DRAIN_LIMIT)
            if self.state == CONN_DEAD:
                break
            if self.outq:
                self.flush()
            if n:
                self.turns.quiet_since = 0
                break
            if not self.calls and not self.outq:
                break
            ns = self.turns.may_watch(<int64_t>self.spin_budget() if self.turns.quiet_since == 0 else 0)
            if ns <= 0:
                break
            with nogil:
                n = sr_spin(&ring, 1, ns, NULL)
            if n >= 0:
                watched(&self.patience, True)
            elif self.turns.handles is None:
                break                          # let the loop see to others, then go on
            else:
                watched(&self.patience, False)
        return 0

    cdef int settle(self) except -1:
        """What follows after a turn: another one, sleep, or the end."""
        if self.state == CONN_RETIRED:
            self.close_if_retired()
        if self.state == CONN_DEAD:
            self.release_if_unused()
            return 0
        if self.turns.quiet_since == 0:
            return self.turns.schedule() if self.calls or self.outq else self.sleep_or_turn()
        if self.turns.may_watch(0) >= 0 and (self.calls or self.outq):
            return self.turns.schedule()
        return self.sleep_or_turn()

    cdef int sleep_or_turn(self) except -1:
        """Announce sleep, and leave the rest to the selector; or a turn, if there is something after all."""
        if self.state == CONN_DEAD:
            return 0
        if sr_reader_sleep(&self.rx) or self.wants_room():
            sr_reader_awake(&self.rx)
            self.turns.quiet_since = 0
            return self.turns.schedule()
        self.asleep = True
        return 0

    # -- what threads do elsewhere

    cdef bint in_use(self):
        return self.reads or self.tx_busy

    cdef int look_again(self) except -1:
        return 0 if self.turns is None else self.turns.ask_for_one()

    cdef int room(self) except -1:
        for call in list(self.for_room):
            (<LoopCall>call).wake(W_ROOM)
        return 0

    cdef int set_timer(self) except -1:
        cdef int64_t at = self.next_deadline()
        if at == NEVER:
            return 0
        if self.timer is not None:
            if self.timer_at <= at:
                return 0
            self.timer.cancel()
        self.timer_at = at
        self.timer = self.loop.call_later(
            max(0, at - <int64_t>sr_now_ns()) / 1e9, self._on_timer, context=self.turns.context)
        return 0

    def _on_timer(self):
        self.timer = None
        self.expire()
        self.set_timer()
        self.run_ready()

    cdef int end_call(self, ClientCall call, int status, object text) except -1:
        ClientConnection.end_call(self, call, status, text)
        if self.state == CONN_RETIRED and not self.calls:
            self.look_again()               # nothing may ever arrive: a turn closes it
        return 0

    def look(self):
        """Take what has arrived, the server's end included, before a call that could not be sent again begins."""
        if self.state != CONN_DEAD:
            self.reads = True
            try:
                self.read_bells()              # which hide the end of the socket behind them
                self.read_socket(DRAIN_LIMIT)
            finally:
                self.reads = False
                self.expect()                  # the bells are read: a turn announces sleep again

    cdef int shut(self, str why, int status, object text) except -1:
        if self.state == CONN_DEAD:
            return 0
        ClientConnection.shut(self, why, status, text)
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.room()
        on_death, self.on_death = self.on_death, None
        if on_death is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(on_death)
        return 0

    cdef void release_if_unused(self):
        if self.watched and self.state == CONN_DEAD and self.fd >= 0:
            if self.turns.elsewhere():
                return                         # shut() has asked for a turn, which comes here
            self.watched = False               # at once: a shut socket is readable for ever
            try:
                self.loop.remove_reader(self.fd)
            except Exception:                  # the loop is closed, and its selector with it
                pass
        ClientConnection.release_if_unused(self)

    cdef void abandon(self):
        self.watched = False
        self.on_death = None
        ClientConnection.abandon(self)


cdef class LoopCall(ClientCall):
    """A call of any kind over a LoopConnection. Its messages are bytes."""

    cdef int wake(self, int what) except -1:
        if what == W_ROOM and self.in_line:
            self.in_line = False
            (<LoopConnection>self.conn).for_room.remove(self)
        if (what == W_ROOM or what == W_CREDIT) and self.on_its_way():
            self.push()
        return 0 if self.sleepers is None else _rouse(self.sleepers, what)

    cdef bint on_its_way(self):
        return self.state < CALL_ENDED and self.out is not None and self.out.data is not None

    cdef int push(self) except -1:
        cdef LoopConnection conn = <LoopConnection>self.conn
        cdef int what = self.out.push(conn, self)
        if what == W_SENT:
            conn.expect()
            return 0 if self.sleepers is None else _rouse(self.sleepers, W_SENT)
        if what == W_ROOM and not self.in_line:
            self.in_line = True
            conn.for_room.append(self)
        return 0

    cdef int end_as(self, CallState state, int status, object text) except -1:
        if self.state >= CALL_ENDED:
            return 0
        if state == CALL_UNSENT and self.resend is not None and self.attempts < MAX_UNSENT_ATTEMPTS:
            move(&self.state, CALL, CALL_WAITING)
            self.attempts += 1
            (<LoopConnection>self.conn).loop.call_soon(self.resend, self)
            return 0
        self.resend = None
        self.lost = self.conn.state == CONN_DEAD
        ClientCall.end_as(self, state, status, text)
        return self.wake(W_END)

    cdef bint callback_raised(self, error) except -1:
        """As grpc.aio: the first callback that raises is the last one, and whoever awaits the call hears of it."""
        if self.quick:
            self.callback_error = error
        return self.quick or ClientCall.callback_raised(self, error)

    cdef object sleep(self, int what):
        if self.sleepers is None:
            self.sleepers = []
        return _sleep((<LoopConnection>self.conn).loop, self.sleepers, what)

    def __repr__(self):
        state = "under way" if self.state < CALL_ENDED else f"{_STATUS[self.status]} {self.text!r}"
        return f"<sage_rpc.aio call of {self.method}, {state}>"

    # -- as a member of grpc.aio's set of active calls

    def done(self):
        return self.state >= CALL_ENDED

    async def code(self):
        await self.until_end()
        return _STATUS[self.status]

    def when_ended(self, callback):
        """Have `callback()` called at the end, which has not come."""
        if self.callbacks is None:
            self.callbacks = []
        self.callbacks.append((callback, None))

    # -- sending again

    def as_it_was(self):
        """(method, only request, metadata, seconds left or None) of a call that is to be sent again."""
        metadata = () if self.metadata is None else decode_metadata(self.metadata)
        return self.method, self.request, metadata, self.time_remaining()

    def conclude(self, int status, str text, initial_metadata, trailing_metadata, bytes message, bint never_ran=False):
        """It was carried by other means, and so it ended; `never_ran`: it is certain that no server began it."""
        if self.state < CALL_ENDED:
            self.initial = encode_metadata(initial_metadata or ())
            self.trailing = encode_metadata(trailing_metadata or ())
            self.message = message
            self.resend = None
            self.end_as(CALL_UNSENT if never_ran else CALL_ENDED, status, text)
            self.conn.run_ready()

    @property
    def ended(self):
        return self.state >= CALL_ENDED

    @property
    def late(self):
        """Whether its deadline ended it, here or at the server."""
        return self.status == DEADLINE_EXCEEDED

    @property
    def unread(self):
        """Whether there are responses that nobody has asked for."""
        return self.inbox is not None and len(self.inbox.messages) > 0

    def limit_response(self, int64_t size):
        """Accept responses of up to `size` bytes; -1: of as many as the connection does."""
        self.max_response = size

    @property
    def answered(self):
        """Whether the server has sent metadata or a message."""
        return bool(self.heard)

    def outcome(self):
        """(status code, details, trailing metadata, debug string) of an ended call."""
        trailing = decode_metadata(self.trailing) if self.trailing is not None else ()
        return self.status, self.text or "", trailing, self.debug()

    cdef str debug(self):
        return "" if self.status == OK else f"{_STATUS[self.status].name}:{self.text or ''} [transport=shm]"

    def answer(self):
        """The only response of a call that ended with OK."""
        return self.message

    def first_metadata(self):
        """Initial metadata, or None when none has come."""
        return decode_metadata(self.initial) if self.initial is not None else None

    def end(self, int status, str text not None):
        """End the call from this side, perhaps because nobody holds it any more; callbacks run in the next turn."""
        if self.state < CALL_ENDED:
            self.drop(status, text)

    async def until_end(self):
        while self.state < CALL_ENDED:
            await self.sleep(W_END)

    async def until_headers(self):
        while not self.due(W_HEADERS):
            await self.sleep(W_HEADERS)

    async def next(self):
        """The next response; None at the end."""
        cdef bytes message
        while not self.inbox.messages:
            if self.state >= CALL_ENDED:
                return None
            await self.sleep(W_MESSAGE)
        message = self.inbox.take()
        self.give_back()
        return message

    async def send(self, bytes data not None):
        """Send one request, waiting for those before it, for credit and for room. -> False: it is too late for that."""
        cdef uint64_t mine
        if 0 <= self.conn.max_send < PyBytes_GET_SIZE(data):
            self.end_here(RESOURCE_EXHAUSTED, _too_large_to_send(len(data), self.conn.max_send))
        if self.out is None:
            self.out = Outbound()
        while self.on_its_way():
            await self.sleep(W_SENT)
        if self.state >= CALL_ENDED or self.half_closed:
            return False
        mine = self.out.begin(data)
        self.push()
        while self.out.whole < mine and self.state < CALL_ENDED:
            await self.sleep(W_SENT)
        return self.out.whole >= mine

    async def until_sent(self):
        """Wait until no request is on its way."""
        while self.on_its_way():
            await self.sleep(W_SENT)

    def half_close(self):
        """No more requests."""
        cdef LoopConnection conn = <LoopConnection>self.conn
        if self.state < CALL_ENDED and not self.half_closed:
            self.half_closed = True
            conn.send_frame(SW_MESSAGE, SW_END, self.stream, 0, None, None)
            conn.expect()


cdef class QuickCall:
    """A unary call of a QuickUnary: a `grpc.aio.UnaryUnaryCall`. As grpc.aio's, the call goes on when nobody holds it."""

    def __await__(self):
        return self.wait().__await__()

    async def wait(self):
        cdef LoopCall call = self.call
        try:
            while call.state < CALL_ENDED:
                await call.sleep(W_END)
        except BaseException:
            self.cancel()
            raise
        if call.callback_error is not None:
            raise call.callback_error
        if call.status == OK:
            return self.result()
        if call.cancelled_here:
            raise asyncio.CancelledError()
        raise self.error()

    cdef object result(self):
        if not self.parsed:
            self.parsed = True
            try:
                self.response = call_deserializer(self.call.message, self.deserializer)
            except Exception:                  # grpc.aio logs it, too, and has no response then
                _LOGGER.exception("Exception deserializing the response of %s", self.call.method)
            self.call.message = None
        return self.response

    @property
    def never_ran(self):
        """See sage_rpc.errors.RpcError."""
        return self.call.never_ran

    cdef object error(self):
        cdef LoopCall call = self.call
        return grpc.aio.AioRpcError(
            _STATUS[call.status], _aio_metadata(call.initial), _aio_metadata(call.trailing), call.text or "",
            call.debug())

    def done(self):
        return self.call.state >= CALL_ENDED

    def cancelled(self):
        return self.call.status == CANCELLED

    def cancel(self):
        return self.call.cancel()

    def add_done_callback(self, callback):
        cdef LoopCall call = self.call
        if call.state >= CALL_ENDED:
            callback(self)
        else:
            if call.callbacks is None:
                call.callbacks = []
            call.callbacks.append((functools.partial(contextvars.copy_context().run, callback), self))

    def time_remaining(self):
        return self.call.time_remaining()

    async def initial_metadata(self):
        await self.call.until_headers()
        return _aio_metadata(self.call.initial)

    async def trailing_metadata(self):
        await self.call.until_end()
        return _aio_metadata(self.call.trailing)

    async def code(self):
        await self.call.until_end()
        return _STATUS[self.call.status]

    async def details(self):
        await self.call.until_end()
        return self.call.text or ""

    async def debug_error_string(self):
        await self.call.until_end()
        return self.call.debug()

    async def wait_for_connection(self):
        await self.call.until_end()
        if self.call.cancelled_here:
            raise asyncio.CancelledError()
        if self.call.status != OK:
            raise self.error()

    def __repr__(self):
        return repr(self.call)


cdef object call_deserializer(bytes message, deserializer):
    return message if deserializer is None else deserializer(message)


cdef object _aio_metadata(bytes block):
    return grpc.aio.Metadata() if block is None else grpc.aio.Metadata(*decode_metadata(block))


cdef class LoopChannelCore:
    """What a channel's quick multicallables share: the connection in use, or None."""


cdef class QuickUnary:
    """A `grpc.aio.UnaryUnaryMultiCallable`: quick while its channel has a memory connection.

    `usual` is grpc.aio's own multicallable, for every call that is not as usual as most; `resend` is for calls
    whose connection ends before their server saw them.
    """

    def __init__(self, LoopChannelCore core not None, str method not None, serializer, deserializer, usual, resend):
        self.core = core
        self.method = method
        self.name_size = len(method.encode())
        self.serializer = serializer
        self.deserializer = deserializer
        self.usual = usual
        self.resend = resend

    def __call__(self, request, *, timeout=None, metadata=None, credentials=None, wait_for_ready=None,
                 compression=None):
        cdef QuickCall quick
        cdef LoopCall call
        cdef LoopConnection conn = self.core.conn
        if conn is None or credentials is not None or compression is not None:
            return self.usual(request, timeout=timeout, metadata=metadata, credentials=credentials,
                              wait_for_ready=wait_for_ready, compression=compression)
        data = request
        if self.serializer is not None:
            try:
                data = self.serializer(request)
            except Exception:
                _LOGGER.exception("Exception serializing the request of %s", self.method)
                data = None
        if data is not None and not isinstance(data, bytes) or conn.state != CONN_OPEN:
            return self.usual(request, timeout=timeout, metadata=metadata, wait_for_ready=wait_for_ready)
        call = conn.begin(self.method, self.name_size, <bytes>data, metadata, timeout, self.resend)
        call.quick = True
        if data is None:
            call.finish(INTERNAL, "Exception serializing request!")
        conn.run(call, timeout)
        quick = QuickCall.__new__(QuickCall)
        quick.call = call
        quick.deserializer = self.deserializer
        return quick


grpc.aio.UnaryUnaryCall.register(QuickCall)


def __call__(self, request, *, timeout=None, metadata=None, credentials=None, wait_for_ready=None, compression=None):
    return QuickUnary.__call__(self, request, timeout=timeout, metadata=metadata, credentials=credentials,
                               wait_for_ready=wait_for_ready, compression=compression)


_QuickUnary = _user_class("UnaryUnaryMultiCallable", QuickUnary, __call__)
grpc.aio.UnaryUnaryMultiCallable.register(_QuickUnary)


# ---------------------------------------------------------------- the server's end

cdef class LoopContext(ServerCall):
    """A call at a LoopServerCore. `task` runs its handler and is cancelled when the call is over before that."""

    cdef int wake(self, int what) except -1:
        if what == W_ROOM and self.in_line:
            self.in_line = False
            self.conn.for_room.remove(self)
        if (what == W_ROOM or what == W_CREDIT) and self.sending:
            self.push()
        _rouse(self.sleepers, what)
        if what == W_END:
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None
            if self.task is not None and not self.answered and not (<LoopServerCore>self.core).loop.is_closed():
                self.task.cancel()
                if not self.begun:
                    self.forget()
        return 0

    cdef object sleep(self, int what):
        return _sleep((<LoopServerCore>self.core).loop, self.sleepers, what)

    @property
    def method_entry(self):
        return self.entry

    def begin(self):
        """The handler's task says that it has begun, and will forget() the call. -> the method's entry"""
        self.begun = True
        return self.entry

    @property
    def over(self):
        """Whether nothing can be sent any more: answered, cancelled, late, or without a client."""
        return self.is_over()

    @property
    def sending(self):
        """Whether a response is on its way."""
        return self.out is not None and self.out.data is not None and not self.over

    cdef int push(self) except -1:
        cdef int what = self.out.push(self.conn, self)
        if what == W_SENT:
            (<LoopServerCore>self.core).expect()
            return _rouse(self.sleepers, W_SENT)
        if what == W_ROOM and not self.in_line:
            self.in_line = True
            self.conn.for_room.append(self)
        return 0

    cdef int set_timer(self) except -1:
        cdef LoopServerCore core = <LoopServerCore>self.core
        if self.deadline != NEVER:
            self.timer = core.loop.call_later(
                max(0, self.deadline - <int64_t>sr_now_ns()) / 1e9, self._too_late)
        return 0

    def _too_late(self):
        self.timer = None
        if self.state < SERVED_ENDED:
            self.conn.end(self, DEADLINE_EXCEEDED, "Deadline Exceeded", None, None)

    async def receive(self):
        """The next request; None when there is none: half-closed, or the call is over."""
        cdef bytes message = self.request
        if message is not None:
            self.request = None
            self.conn.request_taken(self)
            return message
        if self.inbox is None:
            return None
        while not self.due(W_MESSAGE):
            await self.sleep(W_MESSAGE)
        return self.next_message()

    async def send(self, bytes data not None):
        """Send one of many responses, waiting for those before it, for credit and for room. -> False: the call is over."""
        cdef uint64_t mine
        if 0 <= self.core.max_send < PyBytes_GET_SIZE(data):
            self.finish(RESOURCE_EXHAUSTED, _too_large_to_answer(len(data), self.core.max_send), None, None)
            return False
        self.responded = True
        if self.out is None:
            self.out = Outbound()
        while self.sending:
            await self.sleep(W_SENT)
        if self.over:
            return False
        mine = self.out.begin(data)
        self.push()
        while self.out.whole < mine and not self.over:
            await self.sleep(W_SENT)
        return self.out.whole >= mine

    async def until_sent(self):
        """Wait until no response is on its way."""
        while self.sending:
            await self.sleep(W_SENT)

    def finish(self, int code, str details, trailing_metadata, bytes message):
        """End the call: `message` is the only response of a call that has one, None otherwise.

        ValueError or TypeError: the metadata is not acceptable; the call goes on.
        """
        cdef bytes trailing = None
        if trailing_metadata:
            trailing = encode_metadata(trailing_metadata)
            if not _metadata_fits(trailing, self.conn.piece):
                code, details = RESOURCE_EXHAUSTED, _metadata_too_large(trailing, self.conn.piece // 2)
                trailing = message = None
        if message is not None and 0 <= self.core.max_send < PyBytes_GET_SIZE(message):
            code, details = RESOURCE_EXHAUSTED, _too_large_to_answer(len(message), self.core.max_send)
            message = None
        self.answered = True
        self.conn.end(self, code, details, trailing, message)
        (<LoopServerCore>self.core).expect()

    def forget(self):
        """The handler has ended, whatever became of the call."""
        self.answered = True
        self.task = None
        if not self.over:                      # grpc.aio lets the client wait until its deadline
            self.conn.end(self, CANCELLED, "the handler was cancelled", None, None)
        self.conn.forget(self)


cdef class LoopServerCore(ServerCore):
    """A ServerCore that an event loop drives.

    Of its owner it uses `_resolve`, and `_serve(context)`, which makes the handler's task.
    """

    def __cinit__(self, *args, **kwargs):
        self.beside_itself = set()
        self.for_sent = []

    def attach(self, loop):
        """Serve in `loop`, in whose thread this is called; handlers run in copies of the context of now."""
        self.loop = loop
        self.turns = Turns(loop, self._turn)
        loop.add_reader(self.ep, self._readable)
        self.asleep = True

    def detach(self):
        """After shut(): close what is left and let go of the loop."""
        for conn in list(self.conns.values()):
            self.lose(<ServerConnection>conn)
        self.sent()
        if self.rest_timer is not None:
            self.rest_timer.cancel()
            self.rest_timer = None
        if self.ep >= 0 and self.loop is not None and not self.loop.is_closed():
            self.loop.remove_reader(self.ep)
        self.close_fds()

    def add(self, ServerConnection conn not None):
        ServerCore.add(self, conn)
        if _same_process(conn.fd):
            self.beside_itself.add(conn.fd)

    cdef int lose(self, ServerConnection conn) except -1:
        self.beside_itself.discard(conn.fd)
        return ServerCore.lose(self, conn)

    cdef ServerCall new_context(self):
        cdef LoopContext context = LoopContext.__new__(LoopContext)
        context.sleepers = []
        return context

    async def until_idle(self):
        """Wait, after begin_stop(), until the calls under way have ended and their answers found room in their rings."""
        while (self.active > 0 or self.unsent) and not self.stopped:
            await _sleep(self.loop, self.for_sent, W_END)

    cdef int sent(self) except -1:
        return _rouse(self.for_sent, W_END)

    cdef int expect(self) except -1:
        """An answer was sent, so a request may come."""
        self.turns.quiet_since = 0
        return self.turns.schedule()

    def _readable(self):
        self.whole_turn(True)

    def _turn(self):
        self.turns.scheduled = False
        self.whole_turn(False)

    cdef int whole_turn(self, bint look) except -1:
        try:
            return self.take_turn(look)
        except Exception:                      # a logging handler's, say: the others want to be served
            _LOGGER.exception("reading the memory connections was interrupted, and goes on")
            return self.turns.schedule()
        except BaseException:                  # Ctrl-C, which is not ours to stop
            if not self.stopped:
                self.turns.schedule()
            raise

    cdef int start_handlers(self) except -1:
        """A few at a time: those that are quick answer before the next begin, or not, if nobody takes the answers."""
        cdef LoopContext context
        cdef int left = BEGUN_AT_ONCE
        while left > 0:
            left -= 1
            context = <LoopContext>self.take()
            if context is None:
                break
            if context.over:
                context.forget()               # cancelled before it began
            else:
                context.set_timer()
                try:
                    self.owner._serve(context)
                except Exception:              # the loop's task factory is the user's
                    _LOGGER.exception("cannot start the handler of %s", context.entry.name)
                    context.finish(INTERNAL, "the server could not start the handler", None, None)
        return 0

    cdef int look_again(self) except -1:
        return self.turns.ask_for_one()

    def _rested(self):
        self.rest_timer = None
        if not self.stopped:
            self.whole_turn(False)

    cdef int64_t spin_budget(self):
        cdef int nrings = <int>len(self.hot)
        if not 0 < nrings < USABLE_CPUS or nrings > 64 or not self.all_readable():
            return 0
        for conn in self.hot:
            if (<ServerConnection>conn).fd in self.beside_itself:
                return 0
        return watch_ns(&self.patience, False)

    cdef int take_turn(self, bint look) except -1:
        cdef int n, nrings
        cdef int64_t ns
        if self.asleep:
            self.asleep = False
            self.disarm()
        self.reads_since_epoll += 1
        if look or self.reads_since_epoll >= EPOLL_EVERY:
            self.look()
        while not self.stopped:
            n = self.read_hot()
            if self.pending:
                self.start_handlers()
                n += 1
            if n:
                self.turns.quiet_since = 0
                break
            if not self.hot:
                break
            ns = self.turns.may_watch(self.spin_budget() if self.turns.quiet_since == 0 else 0)
            if ns <= 0:
                break
            nrings = <int>len(self.hot)
            with nogil:
                n = sr_spin(self.rings, nrings, ns, NULL)
            if n >= 0:
                watched(&self.patience, True)
            elif self.turns.handles is None:
                break
            else:
                watched(&self.patience, False)
        if self.stopped:
            return 0
        if self.resting and self.rest_timer is None:
            self.rest_timer = self.loop.call_later(REST_MS / 1000, self._rested, context=self.turns.context)
        if self.hot and (self.turns.quiet_since == 0 or self.turns.may_watch(0) >= 0):
            return self.turns.schedule()
        if self.arm():
            self.disarm()
            self.turns.quiet_since = 0
            return self.turns.schedule()
        self.asleep = True
        return 0
