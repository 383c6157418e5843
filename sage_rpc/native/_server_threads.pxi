# The server's end where threads read and run handlers. Included by _core.pyx.
#
# Theory of operation. All connections of a server are read by one thread at a time, the reader:
#
#   leader   a thread of the user's pool. It reads requests and runs their handlers itself; between
#            requests it watches the rings of the busy ("hot") connections, then sleeps in epoll.
#   watcher  a thread of the server's own. It is the reader when no pool thread is (an idle server
#            occupies no thread of the pool) and when the leader is stuck in a slow handler. It never
#            runs a handler: it queues requests and asks the pool for a thread.
#
#
# A handler that waits for a request, for credit or for room leads on meanwhile, if its thread led or if the
# watcher reads; otherwise it sleeps on a lock until the reader wakes it.
#
# While a leader works, the watcher ticks every millisecond without taking the GIL; a leader that spent a
# whole tick in one handler is no longer the reader. Methods known to be slow give the role up before
# they start. With no traffic nobody ticks, nobody spins, and every thread sleeps in poll().

cdef int TICK_MS = 1, QUIET_TICKS = 20
cdef int TURN_MS = 50                 # after this long a thread goes back to the pool if somebody waits for one


cdef class ServicerContext(ServerCall):
    """The `grpc.ServicerContext` of one call over the memory queue."""

    def __getattribute__(self, str name not None):
        if name == "__dict__":
            if self.users is None:
                self.users = {}
            return self.users
        if self.users is not None and name in self.users:
            return self.users[name]
        return PyObject_GenericGetAttr(self, name)

    def __setattr__(self, str name not None, value):
        if self.users is None:
            self.users = {}
        self.users[name] = value

    def __delattr__(self, str name not None):
        if self.users is None or name not in self.users:
            raise AttributeError(name)
        del self.users[name]

    # -- grpc.RpcContext

    def is_active(self):
        return not (self.is_over() or (self.deadline != NEVER and <int64_t>sr_now_ns() >= self.deadline))

    def cancel(self):
        if self.state < SERVED_ENDED:
            self.conn.end(self, CANCELLED, "Cancelled", None, None)

    def add_callback(self, callback):
        if self.state != SERVED_OPEN:
            return False
        if self.callbacks is None:
            self.callbacks = []
        self.callbacks.append(callback)
        return True

    # -- grpc.ServicerContext

    def peer_identities(self):
        return None

    def peer_identity_key(self):
        return None

    # -- grpcio's private names, which others read

    @property
    def _state(self):
        return faces.ServicerState(self)

    @property
    def _rpc_event(self):
        return faces.RpcEvent(self)

    @property
    def _request_deserializer(self):
        return self.entry.deserializer

    def _facts(self):
        """-> method, whether the client is gone, the answer was sent, abort() was called, metadata may be sent."""
        return (self.entry.name, bool(self.taken_away()), self.state >= SERVED_ENDED, bool(self.aborted),
                self.initial is None and not self.responded)

    def _finalize_state(self):
        pass

    def __sage_rpc_allocate__(self, Py_ssize_t size):
        """Shared memory for a response: see sage_rpc.empty."""
        return self.conn.allocate(size)

    def set_compression(self, compression):
        """Accepted and ignored: nothing is compressed inside one host."""

    def disable_next_message_compression(self):
        """Accepted and ignored: nothing is compressed inside one host."""

    def set_trailing_metadata(self, trailing_metadata):
        self.trailing = trailing_metadata

    def trailing_metadata(self):
        return self.trailing

    def set_code(self, code):
        self.status = code

    def code(self):
        return self.status

    def set_details(self, details):
        self.text = details if isinstance(details, bytes) else details.encode("utf-8")

    def details(self):
        return self.text

    def abort(self, code, details):
        if code == grpc.StatusCode.OK:
            _LOGGER.error("abort() called with StatusCode.OK; returning UNKNOWN")
            code = grpc.StatusCode.UNKNOWN
            details = ""
        self.status = code
        self.set_details(details)
        self.aborted = True
        raise Exception()

    def abort_with_status(self, status):
        self.trailing = status.trailing_metadata
        self.abort(status.code, status.details)

    # -- waiting

    cdef int wake(self, int what) except -1:
        cdef Waiter w
        cdef ThreadServerCore core = <ThreadServerCore>self.core
        if self.waiters is not None:
            for w in self.waiters:
                if w.what == what or what == W_END:
                    w.wake()
        if what == W_END:
            if core.leads_for is self and core.reader == LEADER_ASLEEP:
                ring_eventfd(core.kick_leader)
            if self.callbacks is not None:
                core.endings.append(self)
        return 0

    cdef int wait(self, int what) except -1:
        """Block a thread of the handler until `what` is due, or the call is over."""
        cdef Waiter w
        cdef unsigned long me = PyThread_get_thread_ident()
        while not self.due(what):
            if <int64_t>sr_now_ns() >= self.deadline:
                self.conn.end(self, DEADLINE_EXCEEDED, "Deadline Exceeded", None, None)
                move(&self.state, SERVED, SERVED_GONE)
                break
            if me == self.thread and (<ThreadServerCore>self.core).lead_on(self, what, me):
                continue
            w = Waiter()
            w.what = what
            if self.waiters is None:
                self.waiters = []
            self.waiters.append(w)
            if what == W_ROOM:
                self.conn.for_room.append(self)
            try:
                if not self.due(what):
                    w.wait(self.deadline)
            finally:
                self.waiters.remove(w)
                if what == W_ROOM:
                    self.conn.for_room.remove(self)
        return 0

    # -- requests and responses of streams

    cdef bytes next_message(self):
        if not self.due(W_MESSAGE):
            self.wait(W_MESSAGE)
        return ServerCall.next_message(self)

    cdef int tell_gone(self) except -1:
        """Raise what ends a handler whose call is over."""
        if self.gone is None:
            self.gone = grpc.RpcError()
        raise self.gone

    cdef int send_response(self, bytes data) except -1:
        """Send one of many responses, waiting for credit and for room."""
        cdef int64_t offset = 0
        cdef int what
        self.responded = True
        while not self.is_over():
            what = self.conn.send_on(self, data, &offset)
            if what == W_SENT:
                break
            self.wait(what)
        return 0

    cdef int send_responses(self, MethodEntry entry, responses) except -1:
        cdef bytes data
        if not PyIter_Check(responses):
            error = TypeError(f"'{type(responses).__name__}' object is not an iterator")
            return self.raised(entry, error, "Exception iterating responses")
        # As in gRPC, a handler learns of the end of its call where it asks for a request or gives a response:
        # a generator that was made is always begun.
        while True:
            try:
                response = next(responses)
            except StopIteration:
                break
            except Exception as error:
                return self.raised(entry, error, "Exception iterating responses")
            if response is None:
                break
            if self.is_over():
                return 0
            if self.deadline != NEVER and <int64_t>sr_now_ns() >= self.deadline:
                return self.conn.end(self, DEADLINE_EXCEEDED, "Deadline Exceeded", None, None)
            try:
                data = <bytes>_serialized(response, entry.serializer)
            except Exception:
                _LOGGER.exception("Failed to serialize a response of %s", entry.name)
                return self.refuse(INTERNAL, "Failed to serialize response!")
            response = None
            if 0 <= self.core.max_send < PyBytes_GET_SIZE(data):
                return self.refuse(RESOURCE_EXHAUSTED, _too_large_to_answer(len(data), self.core.max_send))
            self.send_response(data)
            if self.is_over():
                break
        if self.state >= SERVED_ENDED:
            return 0
        return self.finish_with(OK, "", None)

    cdef int raised(self, MethodEntry entry, error, str when) except -1:
        """End the call because its handler raised."""
        if self.state >= SERVED_ENDED or (self.gone is not None and error is self.gone):
            return self.conn.forget(self)
        if self.aborted:
            return self.refuse(UNKNOWN, "RPC Aborted")
        try:
            details = f"{when}: {error}"
        except Exception:
            details = "Calling application raised unprintable Exception!"
        _LOGGER.error(details, exc_info=error)
        return self.refuse(UNKNOWN, details)

    # -- inside

    cdef int64_t run(self) except -1:
        """Run the handler and send its answer."""
        cdef MethodEntry entry = self.entry
        cdef int64_t begun = <int64_t>sr_now_ns()
        self.thread = PyThread_get_thread_ident()
        # As in gRPC, a handler of streaming requests learns from its iterator that its call is over.
        if self.taken_away() and self.inbox is None:
            self.conn.forget(self)
            return 0
        if begun >= self.deadline:
            self.conn.end(self, DEADLINE_EXCEEDED, "Deadline Exceeded", None, None)
            return 0
        context = PyContext_New()
        PyContext_Enter(context)
        try:
            self.call_behavior(entry)
        except Exception:                      # not the handler's, which was taken care of
            _LOGGER.exception("answering a call of %s failed", entry.name)
        finally:
            if self.state < SERVED_ENDED and not self.detached and not self.moved:
                self.conn.end(self, UNKNOWN, "the server failed to answer", None, None)
            PyContext_Exit(context)
        if self.inbox is not None or self.window != SW_WINDOW:
            return 0                           # it streamed, and waited for the client
        begun = <int64_t>sr_now_ns() - begun
        self.entry.typical_ns += (begun - self.entry.typical_ns) // 8
        return 0

    cdef int call_behavior(self, MethodEntry entry) except -1:
        if entry.dynamic:
            try:
                entry = self.core.owner._resolve_dynamic(entry.name, self.invocation_metadata())
            except Exception as error:
                _LOGGER.exception("Exception in service handler: %s", entry.name)
                return self.refuse(UNKNOWN, "Error in service handler!")
        if entry.behavior is None:
            return self.refuse(UNIMPLEMENTED, "Method not found!")
        if entry.pool is not None:
            self.moved = True
            self.thread = 0                    # which goes on to other calls
            try:
                entry.pool.submit(contextvars.copy_context().run, self._elsewhere, entry)
            except RuntimeError as error:
                self.moved = False
                return self.refuse(UNAVAILABLE, f"the handler's thread pool was shut down: {error}")
            return 0
        return self.answer(entry)

    def _elsewhere(self, MethodEntry entry):
        """Run the handler in a thread of the pool that it asked for."""
        try:
            self.answer(entry)
        finally:
            if self.state < SERVED_ENDED and not self.detached:
                self.conn.end(self, UNKNOWN, "the server failed to answer", None, None)

    cdef int answer(self, MethodEntry entry) except -1:
        data = self.request
        self.request = None                    # no caller of this function has it, and its blocks, any longer
        if data is not None:
            self.conn.request_taken(self)
        if entry.requests_stream:
            if self.inbox is None:             # the only request came with OPEN
                self.inbox = Inbox()
                self.inbox.add((<Parts>data).join() if type(data) is Parts else <bytes>data, 0)
                self.half_closed = True
            request = _requests(self, entry.deserializer)
        else:
            if data is None:
                data = self.next_message()
                if data is None:
                    return self.refuse(UNIMPLEMENTED, f'"{entry.name}" requires exactly one request message.')
            try:
                request = _deserialized(data, entry.deserializer)
            except Exception:
                _LOGGER.exception("Exception deserializing the request of %s", entry.name)
                return self.refuse(INTERNAL, "Exception deserializing request!")
        del data
        try:
            if entry.responses_stream and getattr(entry.behavior, "experimental_non_blocking", False):
                self.detached = True
                self.thread = 0                # which goes on to other calls
                entry.behavior(request, self, _Responder(self, entry))
                return 0
            response = entry.behavior(request, self)
            if entry.responses_stream:
                return self.send_responses(entry, response)
        except Exception as error:
            return self.raised(entry, error, "Exception calling application")
        except BaseException as error:
            self.refuse(UNKNOWN, f"Exception calling application: {type(error).__name__}")
            raise
        if self.state >= SERVED_ENDED:
            return 0
        try:
            message = _serialized_parts(response, entry.serializer)
        except Exception:
            _LOGGER.exception("Failed to serialize the response of %s", entry.name)
            return self.refuse(INTERNAL, "Failed to serialize response!")
        if 0 <= self.core.max_send < len(message):
            return self.refuse(RESOURCE_EXHAUSTED, _too_large_to_answer(len(message), self.core.max_send))
        message = self.conn.ready_to_send(message)
        request = response = None              # their blocks go back before the client hears of the end
        if self.status is None and self.text is None and self.trailing is None:
            return self.conn.end(self, OK, None, None, message)
        return self.finish_with(OK, "", message)

    cdef int refuse(self, int code, str details) except -1:
        """End without a response; what the handler set wins over `code` and `details`."""
        return self.finish_with(code, details, None)

    cdef int finish_with(self, int code, str details, message) except -1:
        cdef bytes trailing = None
        if self.status is not None:
            code = _code_number(self.status)
        if self.text is not None:
            details = (<bytes>self.text).decode("utf-8", "replace")
        if self.trailing:
            try:
                trailing = encode_metadata(self.trailing)
                if not _metadata_fits(trailing, self.conn.piece):
                    code = RESOURCE_EXHAUSTED
                    details = _metadata_too_large(trailing, self.conn.piece // 2)
                    trailing = None
            except Exception:
                _LOGGER.exception("Bad trailing metadata from %s", self.entry.name)
                code = INTERNAL
                details = "Invalid metadata"
                trailing = None
        if code != OK and message is not None:
            _undo(message)
            message = None
        return self.conn.end(self, code, details, trailing, message)

    cdef int run_callbacks(self) except -1:
        callbacks = self.callbacks
        self.callbacks = None
        if callbacks is not None:
            for callback in callbacks:
                try:
                    callback()
                except BaseException:          # it must not end the thread that reads for all
                    _LOGGER.exception("Exception in a termination callback of %s", self.entry.name)
        return 0


cdef int _code_number(code):
    try:
        return _CODES.get(code, UNKNOWN)
    except TypeError:                          # not hashable
        return UNKNOWN


cdef class _Responder:
    """Sends responses of a handler that has returned; None is the end. What grpcio calls send_response_callback."""

    def __init__(self, ServicerContext context, MethodEntry entry):
        self.context = context
        self.entry = entry

    def __call__(self, response):
        cdef ServicerContext context = self.context
        if context.is_over():
            context.conn.forget(context)
            return
        if response is None:
            context.finish_with(OK, "", None)
            return
        try:
            data = _serialized(response, self.entry.serializer)
        except Exception:
            _LOGGER.exception("Failed to serialize a response of %s", self.entry.name)
            context.refuse(INTERNAL, "Failed to serialize response!")
            return
        context.send_response(<bytes>data)


cdef class RequestIterator:
    """The requests of a streaming call, for its handler."""

    def __iter__(self):
        return self

    def __next__(self):
        cdef ServicerContext context = self.context
        cdef bytes message = context.next_message()
        if message is None:
            if context.taken_away():
                context.tell_gone()
            raise StopIteration
        try:
            return _deserialized(message, self.deserializer)
        except Exception:
            _LOGGER.exception("Exception deserializing a request of %s", context.entry.name)
            context.refuse(INTERNAL, "Exception deserializing request!")
        context.tell_gone()

    def next(self):
        return self.__next__()


cdef object _requests(ServicerContext context, deserializer):
    cdef RequestIterator requests = RequestIterator.__new__(RequestIterator)
    requests.context = context
    requests.deserializer = deserializer
    return requests


cdef class ThreadServerCore(ServerCore):
    """A ServerCore that threads drive: one of its own, and those of the user's pool, which run the handlers.

    Of its owner it also uses `_submit(fn)` (run in the pool), `_resolve_dynamic(name, metadata)` -> MethodEntry,
    `_pool_is_wanted` and `_start_thread`.
    """

    def __cinit__(self):
        self.kick_leader = self.kick_watcher = -1

    def __init__(self, owner, int max_workers, int64_t max_rpcs, int64_t max_receive, int64_t max_send,
                 int64_t max_metadata=16384):
        ServerCore.__init__(self, owner, max_rpcs, max_receive, max_send, max_metadata)
        self.max_workers = max_workers
        # A pool of one thread is given back at once, so that calls over TCP are not kept waiting.
        self.linger_ms = TURN_MS if max_workers > 1 else 2
        self.endings = deque()
        self.idle = Waiter()
        self.reader = WATCHER
        self.kick_leader = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        self.kick_watcher = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        if self.kick_leader < 0 or self.kick_watcher < 0:
            raise OSError(errno, f"cannot make the server's event descriptors: {os.strerror(errno)}")
        self.watch_fd(self.kick_leader)

    cdef void close_fds(self):
        ServerCore.close_fds(self)
        if self.kick_leader >= 0:
            c_close(self.kick_leader)
        if self.kick_watcher >= 0:
            c_close(self.kick_watcher)
        self.kick_leader = self.kick_watcher = -1

    def __repr__(self):
        reader = "the watcher" if self.reader == WATCHER else "a pool thread"
        return ServerCore.__repr__(self).replace(">", f", read by {reader}>")

    cdef ServerCall new_context(self):
        return ServicerContext.__new__(ServicerContext)

    cdef bint several(self):
        """Is there more to begin than one thing?"""
        cdef Py_ssize_t n = len(self.pending) + len(self.endings)
        return n > 1 or (n == 1 and len(self.pending) == 1 and len((<ServerConnection>self.pending[0]).requests) > 1)

    cdef int look_again(self) except -1:
        if self.reader == WATCHER:
            ring_eventfd(self.kick_watcher)
        elif self.reader == LEADER_ASLEEP:
            ring_eventfd(self.kick_leader)
        return 0

    cdef int room(self, ServerConnection conn) except -1:
        if self.reader == LEADER_ASLEEP and self.leads_what == W_ROOM and self.leads_for is not None and self.leads_for.conn is conn:
            ring_eventfd(self.kick_leader)        # another thread made the room that it sleeps for
        return ServerCore.room(self, conn)

    # -- reading

    cdef int read_hot(self) except -1:
        self.draining = True
        try:
            return ServerCore.read_hot(self)
        finally:
            self.draining = False

    cdef int handle(self, epoll_event *events, int n) except -1:
        cdef int i
        self.draining = True
        try:
            for i in range(n):
                if events[i].data.fd == self.kick_leader and not self.stopped:
                    clear_eventfd(self.kick_leader)
            return ServerCore.handle(self, events, n)
        finally:
            self.draining = False

    cdef int end_elsewhere(self) except -1:
        """Termination callbacks are users' code and may block: the reader never runs them. The pool does, or, when
        all its threads are taken, perhaps by handlers that wait for such a callback, a thread for the moment."""
        if self.endings and self.unstarted == 0 and self.running >= self.max_workers and not self.ending:
            self.ending = True
            try:
                self.owner._start_thread(self._end)
            except BaseException:
                self.ending = False
                raise
        return 0

    def _end(self):
        try:
            self.run_endings()
        finally:
            self.ending = False

    cdef int run_endings(self) except -1:
        while self.endings:
            (<ServicerContext>self.endings.popleft()).run_callbacks()
        return 0

    cdef int read_some(self, ServicerContext context, int what) except -1:
        """The leader's wait. -> 1: there is something to run; 0: give the pool its thread back.

        With `context`, whose handler waits in this thread: until `what` is due for it or its time is over.
        """
        cdef int n, nrings, ms, turns = 0
        cdef ServerConnection conn
        cdef epoll_event events[64]
        cdef bint spun = False, found
        cdef int64_t ns, since
        while True:
            self.reads_since_epoll += 1
            if self.reads_since_epoll >= EPOLL_EVERY:
                self.look()
            self.read_hot()
            ms = REST_MS if self.resting else self.linger_ms
            if context is None:
                if self.pending or self.endings:
                    return 1
                if self.stopping or self.give_way:
                    return 0
            else:
                if context.due(what) or self.stopped:
                    return 1
                ms = self.leave_to_others(context.deadline)
                if ms == 0:
                    return 1
                if self.resting and (ms < 0 or ms > REST_MS):
                    ms = REST_MS
            turns += 1
            if turns & 15 == 0:                # whatever the peers do, other threads have their turn
                with nogil:
                    pass
            nrings = <int>len(self.hot) if self.all_readable() else 0
            if nrings == 1 and (<ServerConnection>self.hot[0]).outq:
                conn = <ServerConnection>self.hot[0]
                with nogil:
                    found = sr_spin_transfer(&conn.rx, &conn.tx, TRANSFER_SPIN_NS)
                if found:
                    continue
            elif not spun and 0 < nrings < USABLE_CPUS and nrings <= 64:
                spun = True
                ns = watch_ns(&self.patience, self.woke_one())
                if ns:
                    with nogil:
                        n = sr_spin(self.rings, nrings, ns, NULL)
                    watched(&self.patience, n >= 0)
                    if n >= 0:
                        continue
            # While this thread watched the rings, another one may have brought what it is about to wait for; who
            # brings it from here on finds it asleep, and wakes it.
            if context is None:
                found = self.stopping or self.give_way or len(self.pending) > 0 or len(self.endings) > 0
            else:
                found = self.stopped or context.due(what)
            if self.arm() or found:
                self.disarm()
                continue
            move(&self.reader, READER, LEADER_ASLEEP)
            since = <int64_t>sr_now_ns() if self.woke_one() else 0
            with nogil:
                n = epoll_wait(self.ep, events, 64, ms)
            move(&self.reader, READER, LEADER)
            self.disarm()
            if since and n > 0:
                slept(&self.patience, since)
            if n > 0:
                self.handle(events, n)
                self.cool_down()
            elif n == 0 and context is None and not self.resting:
                return 0

    cdef bint woke_one(self):
        """Whether the last answer to the only busy client had to wake it."""
        return len(self.hot) == 1 and (<ServerConnection>self.hot[0]).woke

    cdef int leave_to_others(self, int64_t until) except -2:
        """This thread reads but cannot run anything: ask the pool. -> how long it may sleep, in ms; -1: for ever."""
        cdef int64_t now
        cdef int ms = -1
        self.end_elsewhere()
        if (self.pending or self.endings) and self.running < self.max_workers:
            self.ask_for_thread()
            ms = TICK_MS
        if until != NEVER:
            now = <int64_t>sr_now_ns()
            if now >= until:
                return 0
            if ms < 0 or (until - now) // 1000000 < ms:
                ms = <int>min((until - now + 999999) // 1000000, <int64_t>MAX_TIMEOUT_MS)
        return ms

    cdef bint lead_on(self, ServicerContext context, int what, unsigned long me) except -1:
        """Read while the handler of this thread, one of the pool's, waits. False: somebody else does."""
        if self.stopped or self.ep < 0:
            return False
        if self.reader == WATCHER:
            if self.draining:
                return False
            self.become_leader(me)
        elif self.leader != me:
            return False
        else:
            move(&self.reader, READER, LEADER)
        self.leads_for = context
        self.leads_what = what
        self.runs += 1
        try:
            self.read_some(context, what)
        finally:
            self.leads_for = None
            if self.leads(me):
                move(&self.reader, READER, LEADER_BUSY)
                self.runs += 1
                if not self.watcher_ticking:
                    ring_eventfd(self.kick_watcher)
        return True

    cdef int become_leader(self, unsigned long me) except -1:
        move(&self.reader, READER, LEADER)
        self.leader = me
        self.disarm()
        return 0

    cdef bint leads(self, unsigned long me):
        return self.reader != WATCHER and self.leader == me

    # -- the pool's threads

    def yield_pool(self):
        """A call over TCP wants a thread of the pool: if all of them may be ours, free one."""
        if self.running == 0:
            return
        self.give_way = True
        if self.reader == LEADER_ASLEEP:
            ring_eventfd(self.kick_leader)

    cdef int ask_for_thread(self) except -1:
        cdef ServerCall context
        if self.unstarted == 0 and self.running < self.max_workers and not self.stopped:
            self.running += 1
            self.unstarted += 1
            try:
                self.owner._submit(self.drive)
            except RuntimeError:               # the pool was shut down, by its owner or at exit
                self.running -= 1
                self.unstarted -= 1
                while self.pending:
                    context = self.take()
                    if context is None:
                        break
                    context.conn.end(context, UNAVAILABLE, "the server's thread pool was shut down", None, None)
        return 0

    def drive(self):
        """Serve in a thread of the pool, until there is nothing to do for a while."""
        cdef ServicerContext context
        cdef unsigned long me = PyThread_get_thread_ident()
        cdef bint leads
        cdef uint64_t turn = sr_coarse_ns()
        self.unstarted -= 1
        if self.reader == WATCHER and self.several():
            ring_eventfd(self.kick_watcher)       # one thread may not be enough: it asks for the next
        try:
            while not self.stopped:
                if self.give_way and self.running > 0:
                    break
                if sr_coarse_ns() - turn > <uint64_t>TURN_MS * 1000000:
                    turn = sr_coarse_ns()
                    if self.owner._pool_is_wanted():
                        break
                if self.pending or self.endings:
                    context = None if self.endings else <ServicerContext>self.take()
                    if context is None and not self.endings:
                        continue               # their clients take no answers
                    leads = self.leads(me)
                    if context is not None and context.entry.typical_ns > SLOW_NS:
                        if leads:
                            self.hand_to_watcher()
                            leads = False
                        if self.pending:
                            self.ask_for_thread()
                    if leads:
                        self.runs += 1
                        move(&self.reader, READER, LEADER_BUSY)
                        if not self.watcher_ticking:
                            ring_eventfd(self.kick_watcher)
                    try:
                        if context is None:
                            self.run_endings()
                        else:
                            context.run()
                    finally:
                        if self.leads(me):
                            move(&self.reader, READER, LEADER)
                    continue
                if not self.leads(me):
                    if self.draining or self.reader != WATCHER:
                        break
                    self.become_leader(me)
                if self.read_some(None, W_END) == 0:
                    break
        finally:
            self.running -= 1
            self.give_way = False
            if self.leads(me):
                self.hand_to_watcher()
            elif self.pending or self.endings:
                self.ask_for_thread()

    cdef int hand_to_watcher(self) except -1:
        move(&self.reader, READER, WATCHER)
        ring_eventfd(self.kick_watcher)
        return 0

    # -- the server's own thread

    def watch(self):
        """The watcher's life; returns when the server has stopped."""
        while not self.stopped:
            try:
                self.watch_on()
            except BaseException:              # a logging handler's, say: the server needs its watcher
                _LOGGER.exception("reading the memory connections was interrupted, and goes on")
        # A leader that reads leaves within its spin; one in a handler reads no more.
        while self.reader == LEADER or self.reader == LEADER_ASLEEP:
            with nogil:
                poll(NULL, 0, TICK_MS)
        for conn in list(self.conns.values()):
            self.lose(<ServerConnection>conn)

    cdef int watch_on(self) except -1:
        cdef pollfd p[2]
        cdef epoll_event events[64]
        cdef int n, quiet, ms
        cdef uint64_t seen
        cdef bint stuck
        while not self.stopped:
            if self.reader != WATCHER:
                # Tick without the GIL while the leader works; wake up for good only if it is stuck.
                self.watcher_ticking = True
                stuck = False
                with nogil:
                    quiet = 0
                    seen = self.runs
                    while quiet < QUIET_TICKS and self.reader != WATCHER:
                        p[0].fd = self.kick_watcher
                        p[0].events = POLLIN
                        p[0].revents = 0
                        if poll(p, 1, TICK_MS) > 0:
                            clear_eventfd(self.kick_watcher)
                            break
                        if self.runs != seen:
                            seen = self.runs
                            quiet = 0
                        elif self.reader == LEADER_BUSY:
                            stuck = True
                            break
                        else:
                            quiet += 1
                if stuck and self.reader == LEADER_BUSY and self.runs == seen:
                    move(&self.reader, READER, WATCHER)
                elif quiet >= QUIET_TICKS:
                    self.watcher_ticking = False
                    p[0].fd = self.kick_watcher
                    p[0].events = POLLIN
                    if self.reader == LEADER or self.reader == LEADER_ASLEEP:
                        with nogil:
                            poll(p, 1, -1)
                        clear_eventfd(self.kick_watcher)
                continue
            self.watcher_ticking = False
            self.read_hot()
            if self.reader != WATCHER:
                continue
            ms = REST_MS if self.resting else -1
            self.end_elsewhere()
            if self.pending or self.endings:
                if self.running < self.max_workers and self.unstarted == 0:
                    self.ask_for_thread()     # when it starts and there is more to do, it wakes this thread
            if self.arm():
                self.disarm()
                with nogil:                    # whatever the peers do, other threads have their turn
                    pass
                continue
            p[0].fd = self.kick_watcher
            p[1].fd = self.ep
            p[0].events = p[1].events = POLLIN
            p[0].revents = p[1].revents = 0
            with nogil:
                poll(p, 2, ms)
            if p[0].revents:
                clear_eventfd(self.kick_watcher)
            if self.reader == WATCHER:
                self.disarm()
                if p[1].revents:
                    n = epoll_wait(self.ep, events, 64, 0)
                    if n > 0:
                        self.handle(events, n)
                self.cool_down()
        return 0

    # -- the end

    def begin_stop(self):
        ServerCore.begin_stop(self)
        ring_eventfd(self.kick_watcher)
        if self.reader == LEADER_ASLEEP:
            ring_eventfd(self.kick_leader)

    cdef int sent(self) except -1:
        self.idle.wake()
        return 0

    def wait_idle(self, double seconds):
        """Until the last call ended, all was sent, wake_idle() was called, or `seconds` passed; after begin_stop()."""
        self.idle.wait(<int64_t>(sr_now_ns() + min(seconds, 1e8) * 1e9))

    def wake_idle(self):
        """End wait_idle(), or the next one: what it waits for has changed."""
        self.idle.wake()

    def cancel_all(self):
        ServerCore.cancel_all(self)
        self.run_endings()
        self.idle.wake()

    def shut(self):
        """Close every connection and let the watcher and the pool's threads go."""
        ServerCore.shut(self)
        if self.ep >= 0:
            ring_eventfd(self.kick_watcher)
            ring_eventfd(self.kick_leader)        # left readable: no leader sleeps again


grpc.ServicerContext.register(ServicerContext)
