# The client's end where threads call and wait. Included by _core.pyx.
#
# Theory of operation. A thread that waits for its call tries to take the receiving role (`role`). The
# holder dispatches whatever arrives, for its own call and for others', spins for a while and then
# sleeps in poll(). Threads that find the role taken sleep on a lock of their own until their call
# ends or the role is handed to them. Calls nobody waits for (futures) are received by one listener
# thread per connection, which exists only once there was such a call. A waiting thread may take the
# role from a listener that sleeps in poll(): the listener finds its `token` outdated and steps back.
# tests/native/handover.pml checks that over every interleaving.
#
# A call that waits for a server that is not there yet (`wait_for_ready`) has no connection: it is `parked` in
# its channel's core, and whoever connects the channel starts it. Its `conn` is None until then.

cdef class Waiter:
    def __cinit__(self):
        self.lock = PyThread_allocate_lock()
        if self.lock is NULL:
            raise MemoryError()
        PyThread_acquire_lock(self.lock, NOWAIT_LOCK)

    def __dealloc__(self):
        if self.lock is not NULL:
            PyThread_free_lock(self.lock)

    cdef void wake(self):
        # The lock is a binary semaphore here: make sure it is taken, then give it.
        PyThread_acquire_lock(self.lock, NOWAIT_LOCK)
        PyThread_release_lock(self.lock)

    cdef int wait(self, int64_t deadline) except -1:
        """Until woken or `deadline`; runs signal handlers, so may raise KeyboardInterrupt."""
        cdef int64_t now, us
        cdef int got
        if deadline == NEVER:
            us = -1
        else:
            now = <int64_t>sr_now_ns()
            us = (deadline - now + 999) // 1000 if deadline > now else 0
        PyErr_CheckSignals()
        with nogil:
            got = PyThread_acquire_lock_timed(self.lock, us, 1)
        if got == 2:                                   # PY_LOCK_INTR
            PyErr_CheckSignals()
        return 0


cdef class Call(ClientCall):
    """A unary call that threads wait for: what a `grpc.Call` and a `grpc.Future` stand on."""

    cdef int end_as(self, CallState state, int status, object text) except -1:
        cdef ThreadConnection conn = <ThreadConnection>self.conn
        if self.state >= CALL_ENDED:
            return 0
        ClientCall.end_as(self, state, status, text)
        self.wake(W_END)
        if conn is not None:
            if not self.attended:
                conn.unattended -= 1
            if conn.led_for is self and conn.role == CALLER_ASLEEP:
                conn.poke_leader()             # it sleeps in poll() for this very call
        return 0

    cdef int wake(self, int what) except -1:
        cdef Waiter w
        if self.waiters is not None:
            for w in self.waiters:
                if w.what == what or what == W_END or what == W_MESSAGE and w.what == W_HEADERS:
                    w.wake()
        return 0

    # -- what handles ask

    def code(self):
        self._settle(None)
        return _STATUS.get(self.status, grpc.StatusCode.UNKNOWN)

    def details(self):
        self._settle(None)
        return self.text

    def debug_error_string(self):
        self._settle(None)
        if self.status == OK:
            return ""
        target = "" if self.conn is None else f", {self.conn.target}"
        return f"{_STATUS.get(self.status)}: {self.text} [{self.method}{target}, transport=shm]"

    def initial_metadata(self):
        self._settle(None)
        return decode_metadata(self.initial) if self.initial is not None else ()

    def trailing_metadata(self):
        self._settle(None)
        return decode_metadata(self.trailing) if self.trailing is not None else ()

    def add_callback(self, callback):
        if self.state >= CALL_ENDED:
            return False
        self.call_back(callback, None)
        return True

    def __repr__(self):
        state = "under way" if self.state < CALL_ENDED else _STATUS.get(self.status, self.status)
        return f"<sage_rpc.Call {self.method} {state}>"

    # -- inside

    cdef int look(self) except -1:
        """Find out whether the call has ended, if nobody else does."""
        return 0

    cdef int call_back(self, fn, argument) except -1:
        """Have `fn(argument)` called at the end of the call, which is under way; without `argument` if it is None."""
        if self.callbacks is None:
            self.callbacks = []
        self.callbacks.append((fn, argument))
        return self._need_listener()

    cdef int end_here(self, int status, object text) except -1:
        if self.conn is not None:
            return ClientCall.end_here(self, status, text)
        if self.state < CALL_ENDED:
            self.finish(status, text)
            self.run_callbacks()
        return 0

    cdef int drop(self, int status, object text) except -1:
        return self.finish(status, text) if self.conn is None else ClientCall.drop(self, status, text)

    cdef int wait(self, int64_t limit, int what) except -1:
        """Block until `what` is due or `limit` (monotonic ns) passed; ends the call at its deadline."""
        if self.conn is None:
            self.await_connection(limit)
            if self.conn is None:
                return 0
        return (<ThreadConnection>self.conn).wait(self, limit, what)

    cdef int await_connection(self, int64_t limit) except -1:
        """Block until the call has a connection, has ended, or `limit` passed; ends it at its deadline."""
        cdef Waiter w = Waiter()
        cdef int64_t until = limit if limit < self.deadline else self.deadline
        if self.waiters is None:
            self.waiters = []
        self.waiters.append(w)
        try:
            while self.conn is None and self.state < CALL_ENDED:
                if until != NEVER and <int64_t>sr_now_ns() >= until:
                    if until == self.deadline:
                        self.end_here(DEADLINE_EXCEEDED, "Deadline Exceeded")
                    break
                w.wait(until)
        finally:
            if self.waiters is not None:       # not in the child of a fork by a signal handler
                self.waiters.remove(w)
        return 0

    cdef int _need_listener(self) except -1:
        cdef ThreadConnection conn = <ThreadConnection>self.conn
        if self.attended:
            self.attended = False
            if conn is not None:
                conn.unattended += 1
        return 0 if conn is None else conn.look_again()

    cdef int _settle(self, object timeout) except -1:
        cdef int64_t limit
        if self.state < CALL_ENDED:
            limit = NEVER if timeout is None or timeout > 1e8 else <int64_t>(sr_now_ns() + max(0.0, timeout) * 1e9)
            self.wait(limit, W_END)
            if self.state < CALL_ENDED:
                raise grpc.FutureTimeoutError()
        if self.message is not None and self.status == OK:
            self._parse()
        return 0

    cdef int _parse(self) except -1:
        """Make the response of its message. A call whose response does not parse has failed."""
        message = self.message
        try:
            value = _deserialized(message, self.deserializer)
        except Exception:
            _LOGGER.exception("Exception deserializing the response of %s", self.method)
            self.status = INTERNAL
            self.text = "Exception deserializing response!"
        else:
            if self.message is not None:       # not by another thread meanwhile
                self.value = value
        self.message = None
        return 0

    cdef object _value(self):
        """The response of a call that ended with OK; raises the error of one that does not parse."""
        if self.message is not None:
            self._parse()
            if self.status != OK:
                raise self._error()
        return self.value

    cdef object _error(self):
        if self.failure is None:
            self.failure = errors.rpc_error(
                _STATUS.get(self.status, grpc.StatusCode.UNKNOWN), self.text or "",
                initial_metadata=self.initial_metadata(), trailing_metadata=self.trailing_metadata(),
                debug_error_string=self.debug_error_string(), never_ran=self.state == CALL_UNSENT)
        return self.failure


cdef class ThreadConnection(ClientConnection):
    """The client's end of a connection that threads read, one at a time."""
    dialect = 0                      # what HELLO says of this kind of client

    def __cinit__(self, Segment segment, int fd, bint client, str target, object start_thread, *args, **kwargs):
        self.start_thread = start_thread
        self.followers = deque()
        self.kick = self.poke = -1

    def __dealloc__(self):
        self.close_eventfds()

    cdef void close_eventfds(self):
        if self.kick >= 0:
            c_close(self.kick)
        if self.poke >= 0:
            c_close(self.poke)
        self.kick = self.poke = -1

    cdef void abandon(self):
        self.close_eventfds()
        # The threads that received, waited and listened exist in the parent only.
        self.role = NOBODY
        self.token += 1                        # a fork in a signal handler: its thread holds the role no longer
        self.listener_asleep = self.sits = False
        self.on_end = None
        self.led_for = None
        self.listener = None
        self.followers.clear()
        for each in self.calls.values():
            (<Call>each).waiters = None
        ClientConnection.abandon(self)

    cdef bint in_use(self):
        return self.role != NOBODY or self.pollers > 0 or self.tx_busy or self.listener is not None

    cdef void release_if_unused(self):
        ClientConnection.release_if_unused(self)
        if self.fd < 0:
            self.close_eventfds()

    cdef int start(self, ClientCall call, bytes message, bytes metadata, int64_t timeout_ns, int flags) except -1:
        ClientConnection.start(self, call, message, metadata, timeout_ns, flags)
        if timeout_ns >= 0 and not (<Call>call).attended and call.state < CALL_ENDED:
            self.remember_deadline(call)
        return 0

    cdef int nudge(self) except -1:
        return 0 if self.role != NOBODY else ClientConnection.nudge(self)

    cdef int go_away(self, uint32_t last) except -1:
        ClientConnection.go_away(self, last)
        return 0 if self.on_end is None else self.look_again()

    cdef bint gone(self):
        """Did the peer end, or say that it will, while nobody was receiving? (A blocking call finds out by
        itself, and is sent again; a future has nobody who could do that.)"""
        self.glance()
        return self.state != CONN_OPEN

    def watch(self, on_end):
        """Have `on_end()` called, by the listener, when this connection has died or takes no more calls.

        None: not any more. -> False when it takes none already; then `on_end` is not called.
        """
        if on_end is None:
            self.on_end = None
            self.sits = False
            if self.listener_asleep:
                ring_eventfd(self.kick)
            return True
        if self.gone():
            return False
        self.on_end = on_end
        self.look_again()
        return True

    cdef bint news(self):
        """Has the listener something to do besides receiving?"""
        return len(self.ready) > 0 or (self.on_end is not None and (self.state != CONN_OPEN))

    # -- receiving

    cdef int lead(self, Call call, int64_t until, int what) except -1:
        """Receive until `what` is due for `call` (None: until something is due for the listener), `until` or death.

        -> 1: still holding the role; 0: the role was taken over.
        """
        cdef int n, rc, ms, failure, turns = 0
        cdef int64_t now, since
        cdef uint64_t budget
        cdef bint found
        cdef sr_end *ring = &self.rx
        cdef pollfd p[2]
        cdef uint64_t mine = self.token
        cdef bint spin = call is not None
        while True:
            n = self.receive(DRAIN_LIMIT)
            if call is not None and self.ready:
                self.look_again()           # callbacks do not wait until our own call has ended
            if self.state == CONN_DEAD or (call.due(what) if call is not None else self.news()):
                return 1
            if n:
                turns += 1
                if turns & 15 == 0:
                    # Whatever the server sends, other threads have their turn, time goes on, and it may have ended.
                    PyErr_CheckSignals()
                    with nogil:
                        if self.tires():
                            poll(NULL, 0, REST_MS)
                    if self.state != CONN_DEAD and self.read_bells() == 0:
                        self.receive_last()
                        self.fail(SERVER_GONE)
                    if self.state == CONN_DEAD or (self.next_deadline() if call is None else until) <= <int64_t>sr_now_ns():
                        return 1
            if self.outq:
                self.flush()
                with nogil:
                    found = sr_spin_transfer(&self.rx, &self.tx, TRANSFER_SPIN_NS)
                if found:
                    continue
            elif n:
                continue
            if call is None and self.unattended <= 0 and not self.outq and not self.sits:
                return 1
            if spin:
                spin = False
                budget = self.spin_budget()
                if budget:
                    with nogil:
                        n = sr_spin(&ring, 1, budget, NULL)
                    watched(&self.patience, n >= 0)
                    if n >= 0:
                        continue
            if call is None:
                until = self.next_deadline()
            if until == NEVER:
                ms = -1
            else:
                now = <int64_t>sr_now_ns()
                if now >= until:
                    return 1
                ms = <int>min((until - now + 999999) // 1000000, <int64_t>MAX_TIMEOUT_MS)
            if self.wants_room():
                continue
            if sr_reader_sleep(&self.rx):
                sr_reader_awake(&self.rx)
                continue
            PyErr_CheckSignals()
            # Whoever ended the call while this thread spun, or ran a signal handler, did not wake it.
            if self.state == CONN_DEAD or (call.due(what) if call is not None else self.news()):
                if self.state != CONN_DEAD:
                    sr_reader_awake(&self.rx)
                return 1
            if (ms < 0 or ms > SIGNAL_MS) and PyThread_get_thread_ident() == MAIN_THREAD:
                ms = SIGNAL_MS
            p[0].fd = self.fd
            p[1].fd = self.kick if call is None else self.poke
            p[0].events = p[1].events = POLLIN
            p[0].revents = p[1].revents = 0
            move(&self.role, ROLE, LISTENER_ASLEEP if call is None else CALLER_ASLEEP)
            if call is None:
                self.listener_asleep = True
                self.listener_until = until
            self.pollers += 1
            since = <int64_t>sr_now_ns() if self.woke else 0
            with nogil:
                rc = poll(p, 2 if p[1].fd >= 0 else 1, ms)
                failure = errno if rc < 0 else 0
            self.pollers -= 1
            if since and p[0].revents:
                slept(&self.patience, since)
            if call is None:
                self.listener_asleep = False
                if p[1].revents:
                    clear_eventfd(self.kick)
            elif p[1].fd >= 0 and p[1].revents:
                clear_eventfd(self.poke)
            if self.token != mine:
                return 0
            move(&self.role, ROLE, LISTENER if call is None else CALLER)
            sr_reader_awake(&self.rx)
            if failure == EINTR:
                PyErr_CheckSignals()
            if p[0].revents and self.state != CONN_DEAD and self.read_bells() == 0:
                self.receive_last()
                self.fail(SERVER_GONE)

    cdef bint take_role(self, Role mine) except -1:
        if self.role == LISTENER_ASLEEP and mine == CALLER:
            sr_reader_awake(&self.rx)
        elif self.role != NOBODY:
            return False
        move(&self.role, ROLE, mine)
        self.token += 1
        return True

    cdef int leave_role(self) except -1:
        """Give the role up: a waiting thread gets it first, else the listener if it is needed."""
        move(&self.role, ROLE, NOBODY)
        return self.offer_role()

    cdef int offer_role(self) except -1:
        if self.followers:
            (<Waiter>self.followers[0][1]).wake()
        elif self.unattended > 0 or self.outq or self.sits:
            self.look_again()
        return 0

    cdef int room(self) except -1:
        cdef Waiter w
        for entry in self.followers:
            w = <Waiter>entry[1]
            if w.what == W_ROOM:
                w.wake()
        if self.role == CALLER_ASLEEP and self.led_for is not None and self.led_what == W_ROOM:
            self.poke_leader()                 # another thread made the room that it sleeps for
        return 0

    cdef int glance(self) except -1:
        """Take what has arrived, without waiting, unless another thread receives."""
        cdef uint64_t mine
        if self.state == CONN_DEAD or not self.take_role(CALLER):
            return 0
        mine = self.token
        try:
            self.receive(DRAIN_LIMIT)
            if self.state != CONN_DEAD:
                self.flush()
                if self.read_bells() == 0:
                    self.receive_last()
                    self.fail(SERVER_GONE)
        finally:
            if self.token == mine:
                self.leave_role()
            if self.state == CONN_DEAD:
                self.release_if_unused()
        return 0

    cdef int wait(self, Call call, int64_t limit, int what) except -1:
        """Block until `what` is due for `call` or `limit` (monotonic ns) passed; ends it at its own deadline."""
        cdef int64_t until = limit if limit < call.deadline else call.deadline
        while not call.due(what):
            if self.take_role(CALLER):
                self.lead_for(call, until, what)
            else:
                self.follow(call, until, what)
            if not call.due(what) and until != NEVER and <int64_t>sr_now_ns() >= until:
                if until == call.deadline:
                    self.end_call(call, DEADLINE_EXCEEDED, "Deadline Exceeded")
                break
        if self.ready:
            self.look_again()
        if self.state == CONN_RETIRED:
            self.close_if_retired()
        return 0

    cdef int lead_for(self, Call call, int64_t until, int what) except -1:
        cdef uint64_t mine = self.token
        try:
            if not call.attended or call.streams:  # other threads may end it
                if self.poke < 0:
                    self.poke = self.make_eventfd()
                self.led_for = call
                self.led_what = what
            self.lead(call, until, what)
        finally:
            if self.token == mine:
                self.led_for = None
                self.leave_role()
            if self.state == CONN_DEAD:
                self.release_if_unused()
        if self.state == CONN_DEAD and call.state < CALL_ENDED:
            self.lost(call)
        return 0

    cdef int follow(self, Call call, int64_t until, int what) except -1:
        """Sleep until `what` is due, the role was offered, or `until`."""
        cdef Waiter w = Waiter()
        cdef bint goes_on = False
        if call.waiters is None:
            call.waiters = []
        call.waiters.append(w)
        w.what = what
        entry = (call, w)
        self.followers.append(entry)
        try:
            if self.role != NOBODY and not call.due(what):    # making the entry may have let other threads run
                w.wait(until)
            goes_on = not call.due(what) and (until == NEVER or <int64_t>sr_now_ns() < until)
        finally:
            if call.waiters is not None:       # not in the child of a fork by a signal handler
                call.waiters.remove(w)
                self.followers.remove(entry)
            if not goes_on and self.role == NOBODY:
                self.offer_role()              # it may have been offered to us, who leave
        return 0

    # -- the listener, for calls nobody waits for

    cdef int look_again(self) except -1:
        """Have the listener look again; makes it if there is none. Cheap when it need not wake."""
        if self.listener is None:
            if self.state == CONN_DEAD and not self.ready:
                return 0
            if self.kick < 0:
                self.kick = self.make_eventfd()
            self.listener = True               # starting a thread lets others run, and come here
            try:
                self.listener = self.start_thread(self._listen, f"sage_rpc listener {self.target}")
            except BaseException:
                self.listener = None
                raise
            return 0
        if not self.listener_asleep:
            return 0
        if (self.role >= LISTENER and not self.news() and self.state != CONN_DEAD
                and (not self.deadlines or self.deadlines[0][0] >= self.listener_until)):
            return 0
        ring_eventfd(self.kick)
        return 0

    cdef void poke_leader(self):
        if self.poke >= 0:
            ring_eventfd(self.poke)

    cdef int make_eventfd(self) except -1:
        cdef int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        if fd < 0:
            raise OSError(errno, f"cannot make an eventfd: {os.strerror(errno)}")
        return fd

    def _listen(self):
        cdef uint64_t mine
        cdef pollfd p[2]
        cdef int64_t until
        cdef int ms, rc
        cdef uint32_t seen
        cdef bint watches, hung = False
        while True:
            self.run_ready()
            self.expire()
            if self.state == CONN_RETIRED:
                self.close_if_retired()
            if self.on_end is not None and (self.state != CONN_OPEN):
                self.tell_end()
            if self.ready:
                continue
            if self.state == CONN_DEAD:
                self.listener = None
                self.release_if_unused()
                return
            if (self.unattended > 0 or self.outq or self.sits) and self.take_role(LISTENER):
                mine = self.token
                try:
                    self.lead(None, NEVER, W_END)
                finally:
                    self.sits = False
                    if self.token == mine:
                        move(&self.role, ROLE, NOBODY)
                        if self.followers:
                            (<Waiter>self.followers[0][1]).wake()
                continue
            self.sits = False
            until = self.next_deadline()
            ms = -1 if until == NEVER else <int>max(0, min((until - <int64_t>sr_now_ns() + 999999) // 1000000, MAX_TIMEOUT_MS))
            # Whoever watches is told of the socket's end at once, without getting in the way of the threads that
            # receive: this thread asks for no input. Of the server's GOAWAY it learns when it receives itself,
            # which it does as soon as nobody else did for a while.
            watches = self.on_end is not None
            if watches and (ms < 0 or ms > WATCH_MS):
                ms = 1 if hung else WATCH_MS
            p[0].fd = self.kick
            p[0].events = POLLIN
            p[1].fd = self.fd
            p[1].events = 0
            p[0].revents = p[1].revents = 0
            seen = self.next_stream
            self.listener_asleep = True
            with nogil:
                rc = poll(p, 2 if watches and not hung else 1, ms)
            self.listener_asleep = False
            clear_eventfd(self.kick)
            if hung or p[1].revents:
                self.glance()                  # the connection's end, unless another thread is about to find it
                hung = self.state != CONN_DEAD
            elif watches and rc == 0 and seen == self.next_stream:
                self.sits = True

    cdef int tell_end(self) except -1:
        on_end, self.on_end = self.on_end, None
        try:
            on_end()
        except Exception:
            _LOGGER.exception("Exception telling the end of the connection to %s", self.target)
        return 0


cdef class Parked:
    """A call that waits for a connection, and what it will send."""


cdef class ChannelCore:
    """What a channel's multicallables share: the connection in use, or None, and the calls that wait for one."""

    def __init__(self):
        self.target = ""
        self.parked = []

    cdef bint must_wait(self, wait_for_ready, credentials, bint sure) except -1:
        """Is a call to be parked, because it shall wait for the server? `sure` asks whether that is still there."""
        cdef ThreadConnection conn = self.conn
        if not wait_for_ready or self.connect_soon is None or credentials is not None:
            return False
        return conn is None or conn.state != CONN_OPEN or (sure and not conn.calls and conn.gone())

    cdef int park(self, Call call, message, bytes metadata, Py_ssize_t name_size, timeout) except -1:
        """Have `call` started when there is a connection. Raises what `connect_soon` raises."""
        cdef Parked parked
        if timeout is not None:
            if timeout <= 0:
                return call.finish(DEADLINE_EXCEEDED, "Deadline Exceeded")
            if timeout < 1e8:
                call.deadline = <int64_t>(sr_now_ns() + timeout * 1e9)
        parked = Parked.__new__(Parked)
        parked.call = call
        parked.message = message
        parked.metadata = metadata
        parked.name_size = name_size
        self.parked.append(parked)
        try:
            self.connect_soon()
        except BaseException:
            if parked in self.parked:
                self.parked.remove(parked)
            raise
        return 0

    @property
    def waiting(self):
        """Whether calls are parked."""
        return len(self.parked) > 0

    def launch(self, ThreadConnection conn not None):
        """Start the parked calls over `conn`; those that it does not take any more stay."""
        cdef Parked each
        cdef Call call
        cdef Waiter w
        parked, self.parked = self.parked, []
        for each in parked:
            call = each.call
            if call.state >= CALL_ENDED:
                call.run_callbacks()
            elif conn.state != CONN_OPEN:
                self.parked.append(each)
            else:
                call.conn = conn
                if not call.attended:
                    conn.unattended += 1
                conn.launch(call, each.message, each.metadata, each.name_size, call.time_remaining())
                if call.waiters is not None:
                    for w in call.waiters:
                        w.wake()
        if conn.unattended > 0:
            conn.look_again()
        conn.run_ready()

    def expire(self):
        """End the parked calls whose deadline has passed, and let go of those that ended.

        -> seconds until the next deadline; None when none of them has one.
        """
        cdef Parked each
        cdef int64_t now = <int64_t>sr_now_ns(), first = NEVER
        for each in list(self.parked):
            if each.call.state < CALL_ENDED and each.call.deadline <= now:
                each.call.end_here(DEADLINE_EXCEEDED, "Deadline Exceeded")
        parked, self.parked = self.parked, []
        ended = []
        for each in parked:
            if each.call.state >= CALL_ENDED:
                ended.append(each)
            else:
                self.parked.append(each)
                first = min(first, each.call.deadline)
        for each in ended:
            each.call.run_callbacks()
        return None if first == NEVER else max(0, first - now) / 1e9

    def end_parked(self, int status, str text not None):
        """End every parked call."""
        cdef Parked each
        parked, self.parked = self.parked, []
        for each in parked:
            each.call.end_here(status, text)
            each.call.run_callbacks()          # of those that ended before, without anybody to run them

    def forget_parked(self, str text not None):
        """In a forked child: the calls are the parent's, and so are the threads that wait for them."""
        cdef Parked each
        parked, self.parked = self.parked, []
        for each in parked:
            each.call.waiters = each.call.callbacks = None
            each.call.finish(UNAVAILABLE, text)


cdef class Multicallable:
    """A method of a channel: it uses the memory queue when the channel has it.

    `fallback` makes the multicallable of the gRPC channel, for the calls that go there.
    """

    def __init__(self, ChannelCore core not None, str method not None, serializer, deserializer, fallback):
        self.max_request = self.max_response = -1
        self.core = core
        self.method = method
        self.name_size = len(method.encode())
        self.serializer = serializer
        self.deserializer = deserializer
        self.fallback = fallback

    # -- grpcio's private names, which others read

    @property
    def _method(self):
        return self.method.encode()

    @property
    def _target(self):
        return self.core.target.encode()

    @property
    def _channel(self):
        return faces.NativeChannel(self.core.target)

    @property
    def _request_serializer(self):
        return self.serializer

    @property
    def _response_deserializer(self):
        return self.deserializer

    cdef object grpc_callable(self):
        if self.over_grpc is None or self.generation != self.core.generation:
            self.generation = self.core.generation
            self.over_grpc = self.fallback()
        return self.over_grpc

    cdef ThreadConnection connection(self, timeout, credentials, bint sure):
        """The connection for a call, or None: gRPC carries it. `sure` asks whether the server is still there.

        Raises what `pick` raises: there is no connection, and no other way.
        """
        cdef ThreadConnection conn = self.core.conn
        if conn is None or conn.state != CONN_OPEN or credentials is not None:
            return self.core.pick(credentials, timeout)
        if sure and not conn.calls and conn.gone():
            return self.core.pick(credentials, timeout)
        return conn

    cdef int begin(self, Call call, ThreadConnection conn, request, bint has_request, timeout, metadata) except -1:
        """Start `call` over `conn`, or park it if that is None; it may have ended at once.

        As in grpcio, the only request of a call that does not serialize is an error right here.
        """
        cdef bytes block = None
        cdef object data = None
        cdef bint bad_metadata = False
        if timeout is not None:
            timeout = <double>timeout          # a TypeError comes before anything has begun
        if metadata or self.core.user_agent is not None:
            try:
                block = encode_metadata(metadata or (), _reserved(metadata), self.core.user_agent)
            except ValueError:
                bad_metadata = True
        if has_request:
            try:
                data = self.serialized(request)
            except Exception as error:
                _LOGGER.exception("Exception serializing the request of %s", self.method)
                raise errors.rpc_error(grpc.StatusCode.INTERNAL, "Exception serializing request!") from error
        call.conn = conn
        call.method = self.method
        call.deserializer = self.deserializer
        call.deadline = NEVER
        call.max_request, call.max_response = self.max_request, self.max_response
        if not call.attended and conn is not None:
            conn.unattended += 1
        if bad_metadata:
            return call.finish(INTERNAL, "Invalid metadata")
        if conn is None:
            if type(data) is Parts:            # they may have changed by the time they are sent
                data = (<Parts>data).join()
            return self.core.park(call, data, block, self.name_size, timeout)
        return conn.launch(call, data, block, self.name_size, timeout)

    cdef object serialized(self, request):
        return _serialized_parts(request, self.serializer)

    cdef Call failed(self, Call call, error):
        """`call` as it is when not even a connection was there for it."""
        call.method = self.method
        call.deadline = NEVER
        call.attended = True
        call.status = _CODES[error.code()]
        call.text = error.details()
        call.failure = error
        move(&call.state, CALL, CALL_UNSENT if getattr(error, "never_ran", False) else CALL_ENDED)
        return call


cdef inline object _serialized(message, serializer):
    """`message` as bytes; whatever `serializer` raises, and a TypeError when it gives nothing."""
    data = message if serializer is None else serializer(message)
    if not isinstance(data, bytes):
        raise TypeError(f"the serialized message is {type(data).__name__}, not bytes")
    return data


cdef inline object _serialized_parts(message, serializer):
    """As `_serialized`, but `Parts` where the serializer can give these."""
    if type(serializer) is PartsSerializer:
        data = (<PartsSerializer>serializer).serialize(message)
        if type(data) is Parts:
            return data
        serializer = None
        message = data
    return _serialized(message, serializer)


cdef inline object _deserialized(data, deserializer):
    """What `deserializer` makes of a message, bytes or Parts."""
    if type(data) is Parts and type(deserializer) is not PartsDeserializer:
        data = (<Parts>data).join()
    if deserializer is None:
        return data
    message = deserializer(data)
    if message is None:
        raise TypeError("the deserializer returned None")
    return message


cdef inline int64_t _now_if(timeout):
    """When a call with a timeout begins, for `_left`."""
    return 0 if timeout is None else <int64_t>sr_now_ns()


cdef object _left(timeout, int64_t begun):
    """What is left of the `timeout` of a call: finding a connection may have taken its time."""
    cdef int64_t spent
    if timeout is None:
        return None
    spent = <int64_t>sr_now_ns() - begun
    return timeout if spent < 1000000 else max(0.0, timeout - spent / 1e9)


cdef int _check_compression(compression) except -1:
    """Nothing is compressed inside one host; what grpcio does not know is an error here, too."""
    if compression and compression not in _COMPRESSIONS:
        raise ValueError(f"unknown compression {compression!r}: expected a grpc.Compression")
    return 0


cdef inline int64_t _smaller(int64_t one, int64_t other):
    """The tighter of two limits, of which negative ones are none."""
    return other if 0 <= other and (one < 0 or other < one) else one


cdef bint _metadata_fits(bytes block, uint64_t piece):
    return PyBytes_GET_SIZE(block) <= <Py_ssize_t>(piece // 2)


cdef str _metadata_too_large(bytes block, int64_t limit):
    return f"received metadata size exceeds hard limit ({len(block)} vs. {limit})"


cdef str _too_large_to_send(Py_ssize_t size, int64_t limit):
    return f"CLIENT: Sent message larger than max ({size} vs. {limit})"


cdef class UnaryUnary(Multicallable):
    """A `grpc.UnaryUnaryMultiCallable`."""

    def bound(self, usual, serving, limit):
        """What a generated client calls; see `Bound`."""
        cdef Bound bound = Bound.__new__(Bound)
        bound.stub, bound.usual, bound.serving, bound.limit = self, usual, serving, limit
        return bound.call

    def __call__(self, request, timeout=None, metadata=None, credentials=None, wait_for_ready=None, compression=None):
        cdef int64_t begun = _now_if(timeout)
        cdef Call call = self.blocking(request, timeout, metadata, credentials, wait_for_ready, compression)
        if call is None:
            return self.grpc_callable()(
                request, _left(timeout, begun), metadata, credentials, wait_for_ready, compression)
        return call._value()

    def with_call(self, request, timeout=None, metadata=None, credentials=None, wait_for_ready=None, compression=None):
        cdef int64_t begun = _now_if(timeout)
        cdef Call call = self.blocking(request, timeout, metadata, credentials, wait_for_ready, compression)
        if call is None:
            return self.grpc_callable().with_call(
                request, _left(timeout, begun), metadata, credentials, wait_for_ready, compression)
        return call._value(), _future(call)

    def future(self, request, timeout=None, metadata=None, credentials=None, wait_for_ready=None, compression=None):
        cdef ThreadConnection conn
        cdef Call call
        cdef object whole = timeout
        cdef int64_t begun = _now_if(timeout)
        if compression is not None:
            _check_compression(compression)
        for _ in range(MAX_UNSENT_ATTEMPTS):
            call = Call.__new__(Call)
            if wait_for_ready is not None and self.core.must_wait(wait_for_ready, credentials, True):
                conn = None
            else:
                try:
                    conn = self.connection(timeout, credentials, True)
                except grpc.RpcError as error:
                    return _future(self.failed(call, error))
                timeout = _left(whole, begun)
                if conn is None:
                    return self.grpc_callable().future(
                        request, timeout, metadata, credentials, wait_for_ready, compression)
            self.begin(call, conn, request, True, timeout, metadata)
            if call.state != CALL_UNSENT:
                break
        if call.state < CALL_ENDED and conn is not None:
            conn.look_again()
        return _future(call)

    cdef Call blocking(self, request, timeout, metadata, credentials, wait_for_ready, compression):
        """A call that ended with OK, or None: gRPC must carry it. Raises the error of any other end."""
        cdef ThreadConnection conn, before = self.core.conn
        cdef Call call = None
        cdef int attempt
        cdef int64_t begun = 0 if timeout is None or before is not None else <int64_t>sr_now_ns()
        if compression is not None:
            _check_compression(compression)
        for attempt in range(MAX_UNSENT_ATTEMPTS):
            if call is not None and timeout is not None:
                timeout = call.time_remaining()
            if wait_for_ready is not None and self.core.must_wait(wait_for_ready, credentials, False):
                conn = None
            else:
                conn = self.connection(timeout, credentials, False)
                if conn is None:
                    return None
                if begun:
                    timeout = _left(timeout, begun)
                    begun = 0
            call = Call.__new__(Call)
            call.attended = True
            self.begin(call, conn, request, True, timeout, metadata)
            if call.state < CALL_ENDED:
                try:
                    if conn is None:
                        call.wait(NEVER, W_END)
                    else:
                        conn.wait(call, NEVER, W_END)
                except BaseException:
                    call.end_here(CANCELLED, "Cancelled: the waiting thread was interrupted")
                    raise
            if call.status == OK:
                return call
            if call.state != CALL_UNSENT:
                break
        raise call._error()


cdef class Bound:
    """A unary method as generated clients call it: `sage_rpc.stubs.binding`'s rules, without a frame for them.

    Its `call` takes its arguments by position, so that no tuple is made of them.
    """

    def call(self, request, timeout, metadata, wait_for_ready):
        cdef int64_t begun
        cdef Call call
        if timeout is None:
            timeout = self.usual
        if self.serving() is not None:
            timeout = self.limit(timeout)
        try:
            begun = _now_if(timeout)
            call = self.stub.blocking(request, timeout, metadata, None, wait_for_ready, None)
            if call is not None:
                return call._value()
            return self.stub.grpc_callable()(request, _left(timeout, begun), metadata, None, wait_for_ready)
        except errors.RpcError:
            raise
        except grpc.RpcError as error:
            raise errors.from_grpc(error) from error
        except (TypeError, ValueError) as error:    # of the metadata, say, or because the channel is closed
            raise errors.InvalidArgument(grpc.StatusCode.INVALID_ARGUMENT, f"{self.stub.method}: {error}") from error


cdef extern from *:
    """
    /* The slot stays: only who asks for the attribute gets `value`. */
    static int give_attribute(PyObject *kind, PyObject *name, PyObject *value) {
        int rc = PyDict_SetItem(((PyTypeObject *)kind)->tp_dict, name, value);
        PyType_Modified((PyTypeObject *)kind);
        return rc;
    }
    """
    int give_attribute(object kind, object name, object value) except -1


cdef object _user_class(str name, kind, call):
    """What users are given in the place of `kind`: it takes attributes, weak references, patches and inspection.

    `call` says what calling means, with a signature. It is not what a call runs: that is still the slot of
    `kind`, without a frame in between, until somebody sets another `__call__`.
    """
    made = type(name, (kind,), {"__doc__": kind.__doc__, "__module__": "sage_rpc.rpc.channel"})
    call.__qualname__ = f"{name}.__call__"
    give_attribute(made, "__call__", call)
    return made


def __call__(self, request, timeout=None, metadata=None, credentials=None, wait_for_ready=None, compression=None):
    return UnaryUnary.__call__(self, request, timeout, metadata, credentials, wait_for_ready, compression)


_UnaryUnary = _user_class("_UnaryUnaryMultiCallable", UnaryUnary, __call__)
grpc.UnaryUnaryMultiCallable.register(_UnaryUnary)
