# The server's end, whoever reads: the calls of a connection, and a core that reads all connections of a server.
# Included by _core.pyx.
#
# Threads read for a `ThreadServerCore` and run the handlers of its `ServicerContext`s (_server_threads.pxi); an event
# loop does for a `LoopServerCore` and its `LoopContext`s (_loop.pxi).
#
# Requests wait at their connection, and the connections that have some take turns (`pending`), so that a client with
# thousands of them does not keep another waiting. A turn of reading is bounded in frames and bytes, the GIL is given up
# after it, and a connection whose frames bring nobody anything rests. What a client may have waiting, in either
# direction, is bounded: see MAX_HELD and MAX_UNSENT.

CLIENT_GONE = "the client process ended or closed the connection"
cdef int EPOLL_EVERY = 64             # reads of hot rings between two looks at the other sockets
cdef int64_t COOL_NS = 5000000        # a connection this long without a request is no longer hot


cdef class MethodEntry:
    """A method as the server runs it. `behavior` None: there is no such method."""

    def __init__(self, name, behavior, deserializer, serializer, bint dynamic=False, bint requests_stream=False,
                 bint responses_stream=False):
        self.name = name
        self.behavior = behavior
        self.deserializer = deserializer
        self.serializer = serializer
        self.dynamic = dynamic
        self.requests_stream = requests_stream
        self.responses_stream = responses_stream


cdef class ServerCall(CallSide):
    """A call as its server has it."""

    cdef bint is_over(self):
        return self.state != SERVED_OPEN or self.conn.state == CONN_DEAD

    cdef bint taken_away(self):
        """Did it end, or is it to end, by another's word than its handler's?"""
        return self.state == SERVED_CANCELLED or self.state == SERVED_GONE or self.conn.state == CONN_DEAD

    cdef bint due(self, int what):
        """Is what somebody waits for there? The end of the call is always."""
        if self.is_over():
            return True
        if what == W_MESSAGE:
            return len(self.inbox.messages) > 0 or self.half_closed
        if what == W_CREDIT:
            return self.window >= LEAST_PART + CHARGE
        if what == W_ROOM:
            return not self.conn.outq
        return False

    def time_remaining(self):
        if self.deadline == NEVER:
            return None
        return max(0.0, (self.deadline - <int64_t>sr_now_ns()) / 1e9)

    def invocation_metadata(self):
        if self.metadata is None:
            return self.conn.usual_metadata
        found = decode_metadata(self.metadata)
        for key, _ in found:
            if key == "user-agent":
                return found
        return self.conn.usual_metadata + found

    def peer(self):
        return self.conn.peer_name

    def auth_context(self):
        return dict(self.conn.auth)

    def send_initial_metadata(self, initial_metadata):
        if self.taken_away():
            self.tell_gone()
        if self.initial is not None or self.responded:
            raise ValueError("Initial metadata no longer allowed!")
        try:
            block = encode_metadata(initial_metadata or ())
        except ValueError:
            self.conn.end(self, INTERNAL, "Invalid metadata", None, None)
            return
        if not _metadata_fits(block, self.conn.piece):
            self.conn.end(self, RESOURCE_EXHAUSTED, _metadata_too_large(block, self.conn.piece // 2), None, None)
            return
        self.initial = block
        if self.state < SERVED_ENDED:
            self.conn.send_frame(SW_HEADERS, SW_HAS_METADATA, self.stream, 0, _block(block), None)

    def __repr__(self):
        return f"<ServicerContext {self.entry.name} stream {self.stream} of {self.conn!r}>"

    cdef bytes next_message(self):
        """The next request; None when there is none (yet): half-closed, or the call is over."""
        cdef bytes message
        cdef int64_t credit
        if self.is_over() or not self.inbox.messages:
            return None
        message = self.inbox.take()
        self.conn.let_go(self, PyBytes_GET_SIZE(message))
        credit = self.inbox.settle(self.assembly is not None)
        if credit and not self.half_closed:
            self.conn.send_frame(SW_CREDIT, 0, self.stream, <uint32_t>credit, None, None)
        return message

    cdef int tell_gone(self) except -1:
        """Raise what ends a handler whose call is over."""
        raise grpc.RpcError()


cdef str _too_large_to_answer(int64_t size, int64_t limit):
    return f"SERVER: Sent message larger than max ({size} vs. {limit})"


cdef class ServerConnection(Connection):
    """The server's end of one connection. `peer_name` is what context.peer() returns."""

    def __init__(self, Segment segment, int fd, bint client, str peer_name, dict auth, int dialect=0, int features=0):
        self.peer_name = peer_name
        if features & SW_FEATURE_BLOCKS:
            self.use_blocks(False)
        self.usual_metadata = (Metadatum("user-agent", USER_AGENTS[dialect if dialect < len(USER_AGENTS) else 0]),)
        self.auth = auth
        self.entries = {}
        self.streams = {}
        self.for_room = []
        self.requests = deque()
        sr_reader_sleep(&self.rx)              # a client that was told of its connection rings for what it writes

    # -- what it holds, and owes

    cdef bint readable(self):
        """May more be read of it now? Not while the client does not take its answers, or has too much waiting."""
        return self.unsent <= MAX_UNSENT and (self.held <= MAX_HELD or self.feeding > 0)

    cdef bint holds(self, ServerCall context, int64_t size) except -1:
        """Keep `size` bytes more for `context`. False: that is too much, and the call has ended."""
        context.held += size
        self.held += size
        if self.held <= MAX_HELD_WITH_STREAMS or self.feeding == 0:
            return True
        self.end(context, RESOURCE_EXHAUSTED,
                 f"SERVER: requests of {self.held} bytes wait on this connection already", None, None)
        return False

    cdef int let_go(self, ServerCall context, int64_t size) except -1:
        """`size` bytes less are kept for `context`."""
        cdef bint full = self.held > MAX_HELD
        size = min(size, context.held)
        context.held -= size
        self.held -= size
        if full and self.held <= MAX_HELD and self.state != CONN_DEAD:
            self.core.look_again()
        return 0

    cdef int request_taken(self, ServerCall context) except -1:
        """The only request of `context` is its handler's now; of a call that has ended nothing is kept."""
        if context.held > UNARY_COST:
            self.let_go(context, context.held - UNARY_COST)
        return 0

    cdef int feeds_no_more(self, ServerCall context) except -1:
        if context.feeds:
            context.feeds = False
            self.feeding -= 1
        return 0

    cdef int count_promised(self, ServerCall context) except -1:
        """A message of `context` begins, or ends, to arrive in pieces."""
        self.promised -= context.promised
        context.promised = 0 if context.assembly is None else <int64_t>context.assembly.total
        self.promised += context.promised
        return 0

    cdef int flush(self) except -1:
        Connection.flush(self)
        if self.stalled and self.unsent <= MAX_UNSENT:
            self.core.resume(self)
        return 0

    cdef int room(self) except -1:
        cdef ServerCore core = self.core
        for context in list(self.for_room):
            (<ServerCall>context).wake(W_ROOM)
        return 0 if core is None else core.room(self)

    def __repr__(self):
        state = f"dead: {self.death}" if self.state == CONN_DEAD else "hot" if self.hot else "idle"
        return f"<ServerConnection {self.peer_name} {state}, {len(self.streams)} calls under way>"

    cdef int dispatch(self, sw_header *h, sw_view *v, const uint8_t *at, Parts parts) except -1:
        cdef ServerCall context
        if h.type == SW_OPEN:
            return self.open(h, v, at, parts)
        if h.type == SW_PING:
            return self.answer_ping(h)
        if h.type == SW_HEADERS or h.type == SW_TRAILERS:
            return self.fail("the peer, a client, sent a frame that only servers send")
        if h.type == SW_GOAWAY or (h.type == SW_CREDIT and h.stream == 0):
            self.vain += 1
            return 0
        context = self.streams.get(h.stream)
        if context is None:
            if h.stream > self.last_stream and self.state == CONN_OPEN:
                return self.fail(f"the peer used stream {h.stream}, which was never opened")
            self.vain += 1
            return 0                           # the call has ended here, the peer did not know yet
        if h.type == SW_CANCEL:
            if <int>h.aux == DEADLINE_EXCEEDED:     # by the client's clock, which runs a little ahead of ours
                context.deadline = min(context.deadline, <int64_t>sr_now_ns())
            self.streams.pop(h.stream, None)
            self.cut_off(context)
        elif h.type == SW_MESSAGE:
            if context.inbox is not None:
                return self.arrive(context, h, v, at)
            if not h.flags & SW_CONTINUED:
                return self.fail("the peer sent a second message on a unary call")
            return self.only_request(context, h, v, at, None)
        elif h.type == SW_CREDIT:
            if h.aux < LEAST_CREDIT:
                self.vain += 1
            context.window += h.aux
            if context.window > 0x7fffffff:
                return self.fail("the peer gave more credit than there can be")
            context.wake(W_CREDIT)
        return 0

    cdef int cut_off(self, ServerCall context) except -1:
        """The client does not want it any more, or is gone."""
        move(&context.state, SERVED, SERVED_CANCELLED)
        self.feeds_no_more(context)
        if context.inbox is None and context.assembly is not None:
            return self.forget(context)        # it never became a request: nobody else will end it
        return context.wake(W_END)

    cdef object request_of(self, ServerCall context, sw_header *h, sw_view *v, const uint8_t *at, Parts parts):
        """See message_of()."""
        cdef int64_t room = NEVER if self.promised == 0 else MAX_HELD_WITH_STREAMS - self.promised
        message = self.message_of(context, "SERVER", self.core.max_receive, room, h, v, at, parts)
        if (context.assembly is not None) != (context.promised > 0):
            self.count_promised(context)
        return message

    cdef int refuse(self, CallSide context, str why) except -1:
        return self.end(<ServerCall>context, RESOURCE_EXHAUSTED, why, None, None)

    cdef int arrive(self, ServerCall context, sw_header *h, sw_view *v, const uint8_t *at) except -1:
        """A request of a stream, a piece of one, or its half's end."""
        cdef Inbox inbox = context.inbox
        cdef int64_t charge = CHARGE + v.message_size, credit
        if context.half_closed:
            return self.fail("the peer sent a request after the last one")
        if h.flags & SW_HAS_MESSAGE:
            if not inbox.affords(charge):
                return self.fail("the peer sent more than its credit")
            message = self.request_of(context, h, v, at, None)
            if context.is_over():
                return 0
            inbox.add(message, charge)
            if message is not None and not self.holds(context, PyBytes_GET_SIZE(message)):
                return 0
        elif not h.flags & SW_END:
            self.vain += 1
        if h.flags & SW_END:
            if context.assembly is not None:
                return self.fail("the peer ended its half in the middle of a message")
            context.half_closed = True
            self.feeds_no_more(context)
        credit = inbox.settle(context.assembly is not None)
        if credit and not context.half_closed and context.state < SERVED_ENDED:
            self.send_frame(SW_CREDIT, 0, context.stream, <uint32_t>credit, None, None)
        return context.wake(W_MESSAGE)

    cdef int only_request(self, ServerCall context, sw_header *h, sw_view *v, const uint8_t *at, Parts parts) except -1:
        """The only request of a call, or a piece of it."""
        message = self.request_of(context, h, v, at, parts)
        if message is None:
            return 0
        context.request = message
        if self.state == CONN_DEAD:                          # given up meanwhile: copying a large request releases the GIL
            return self.forget(context)
        if self.holds(context, UNARY_COST + (v.message_size if parts is not None else PyBytes_GET_SIZE(message))):
            self.enqueue(context)
        return 0

    cdef int open(self, sw_header *h, sw_view *v, const uint8_t *at, Parts parts) except -1:
        cdef ServerCall context
        cdef ServerCore core = self.core
        cdef MethodEntry entry
        if h.stream <= self.last_stream:
            return self.fail(f"the peer opened stream {h.stream} after {self.last_stream}")
        if self.state != CONN_OPEN:
            return 0                           # GOAWAY named the streams before it; the client knows
        self.last_stream = h.stream
        if h.flags & SW_HAS_NAME:
            self.name_bytes += v.name_size
            if (len(self.entries) >= MAX_METHOD_NAMES or <int>v.name_size > MAX_METHOD_NAME
                    or self.name_bytes > MAX_NAME_BYTES):
                return self.fail("the peer named too many methods, or one with too long a name")
            name = _bytes_at(at, v.name, v.name_size).decode("utf-8", "replace")
            self.entries[h.aux] = core.entry(name)
        found = self.entries.get(h.aux)
        if found is None:
            return self.fail(f"the peer called method number {h.aux}, which it never named")
        entry = <MethodEntry>found
        if entry.behavior is None:             # a generic handler may have been added meanwhile
            entry = self.entries[h.aux] = core.entry(entry.name)
        context = core.new_context()
        context.conn = self
        context.core = core
        context.entry = entry
        context.stream = h.stream
        context.deadline = NEVER
        context.window = SW_WINDOW
        if h.flags & SW_HAS_TIMEOUT and v.timeout_ns < <uint64_t>(1 << 60):
            context.deadline = <int64_t>sr_now_ns() + <int64_t>v.timeout_ns
        if h.flags & SW_HAS_METADATA:
            context.metadata = _bytes_at(at, v.metadata, v.metadata_size)
            if not _metadata_ok(context.metadata):
                return self.fail("the peer sent metadata that is cut short")
        if h.flags & SW_HAS_MESSAGE and not h.flags & (SW_END | SW_MORE):
            return self.fail("the peer opened a call with a request that is neither the only one nor a part of it")
        core.active += 1
        self.streams[h.stream] = context
        if 0 <= core.max_rpcs < core.active:
            return self.end(context, RESOURCE_EXHAUSTED, "Concurrent RPC limit exceeded!", None, None)
        if context.metadata is not None and PyBytes_GET_SIZE(context.metadata) > core.max_metadata:
            return self.end(context, RESOURCE_EXHAUSTED, _metadata_too_large(context.metadata, core.max_metadata),
                            None, None)
        if not h.flags & SW_HAS_MESSAGE:
            context.inbox = Inbox()
            context.half_closed = (h.flags & SW_END) != 0
            context.feeds = not context.half_closed
            self.feeding += context.feeds
            return self.enqueue(context) if self.holds(context, STREAM_COST) else 0
        return self.only_request(context, h, v, at, parts)

    cdef int enqueue(self, ServerCall context) except -1:
        """Its request is there: it is to be begun."""
        if not self.requests and not self.stalled:
            self.core.pending.append(self)
        self.requests.append(context)
        return 0

    cdef int go_away(self) except -1:
        if self.state == CONN_OPEN:
            move(&self.state, CONNECTION, CONN_DRAINING)
            self.send_frame(SW_GOAWAY, 0, 0, self.last_stream, None, None)
        return 0

    cdef int forget(self, ServerCall context) except -1:
        if context.state < SERVED_ENDED:
            move(&context.state, SERVED, SERVED_ENDED if context.state == SERVED_OPEN else SERVED_GONE)
            context.wake(W_END)
            self.streams.pop(context.stream, None)
            self.feeds_no_more(context)
            context.assembly = None
            self.count_promised(context)
            self.let_go(context, context.held)
            self.core.active -= 1
            if self.core.stopping and self.core.active == 0:
                self.core.sent()
        return 0

    cdef int end(self, ServerCall context, int code, str details, bytes trailing, message) except -1:
        """Send the end of a call; once only, and not to a client that cancelled.

        `message` comes of ready_to_send().
        """
        cdef int flags = SW_END
        cdef bytes prefix = None
        if context.state >= SERVED_ENDED:
            _undo(message)
            return 0
        if code == OK and context.deadline != NEVER and <int64_t>sr_now_ns() >= context.deadline:
            _undo(message)
            code, details, trailing, message = DEADLINE_EXCEEDED, "Deadline Exceeded", None, None
        if self.unsent > MAX_OWED and message is not None:
            _undo(message)
            code, details, message = RESOURCE_EXHAUSTED, "SERVER: the client does not take its answers", None
        if context.state == SERVED_CANCELLED or self.state == CONN_DEAD:
            _undo(message)
        else:
            if type(message) is Shipment:
                message = (<Shipment>message).message
                flags |= IN_BLOCKS
            if trailing is not None:
                flags |= SW_HAS_METADATA
                prefix = _block(trailing)
            if details and code != OK:
                flags |= SW_HAS_DETAILS
                raw = details.encode("utf-8", "replace")[:<Py_ssize_t>(self.piece // 4)]
                prefix = _block(raw) if prefix is None else prefix + _block(raw)
            if (message is not None and not flags & IN_BLOCKS
                    and PyBytes_GET_SIZE(message) + 1024 > <Py_ssize_t>(self.piece // 4)):
                self.send_frame(SW_MESSAGE, 0, context.stream, 0, None, message)
                message = None
            self.send_frame(SW_TRAILERS, flags, context.stream, <uint32_t>code, prefix, message)
        return self.forget(context)

    cdef void release_if_unused(self):
        if self.fd < 0 and not self.tx_busy:
            self.unmap()

    cdef int fail(self, str why) except -1:
        """Give this connection up: its calls are cancelled, nobody else notices.

        Any thread may come here. The reader may be watching the ring at this very moment, so only the
        reader takes the connection off its lists (`ServerCore.lose`); the shut socket wakes it.
        """
        if self.state == CONN_DEAD:
            return 0
        move(&self.state, CONNECTION, CONN_DEAD)
        self.death = why
        self.outq.clear()
        self.unsent = 0
        if self.stalled:
            self.core.resume(self)             # they are not answered, but taken off the books
        for each in list(self.streams.values()):
            self.cut_off(<ServerCall>each)
        self.streams.clear()
        self.room()
        c_shutdown(self.fd, SHUT_RDWR)
        return 0


cdef class ServerCore:
    """Reads all memory connections of a server and begins their calls.

    `owner` gives `_resolve(name)` -> MethodEntry. It accepts the connections, in a thread of its own, and calls `add`.
    """

    def __cinit__(self):
        self.ep = -1

    def __init__(self, owner, int64_t max_rpcs, int64_t max_receive, int64_t max_send, int64_t max_metadata=16384):
        self.owner = owner
        self.max_rpcs = max_rpcs
        self.max_receive = max_receive
        self.max_send = max_send
        self.max_metadata = max_metadata
        self.conns = {}
        self.known = {}
        self.hot = []
        self.pending = deque()
        self.resting = []
        self.ep = epoll_create1(EPOLL_CLOEXEC)
        if self.ep < 0:
            raise OSError(errno, f"cannot make the server's event descriptors: {os.strerror(errno)}")
        _live.add(self)

    def __dealloc__(self):
        self.close_fds()

    cdef void close_fds(self):
        if self.ep >= 0:
            c_close(self.ep)
        self.ep = -1

    cdef void abandon(self):
        self.stopping = True
        self.stopped = True
        self.close_fds()

    def __repr__(self):
        return (f"<{type(self).__name__} {len(self.conns)} connections, {len(self.hot)} hot, {self.active} calls>")

    cdef ServerCall new_context(self):
        raise NotImplementedError

    # -- sockets

    cdef int epoll(self, int op, int fd, uint32_t events):
        """Have `events` of `fd` reported. -> -1 when that cannot be"""
        cdef epoll_event event
        memset(&event, 0, sizeof(event))
        event.events = events
        event.data.fd = fd
        return epoll_ctl(self.ep, op, fd, &event)

    cdef int watch_fd(self, int fd) except -1:
        if self.epoll(EPOLL_CTL_ADD, fd, EPOLLIN) != 0:
            raise OSError(errno, f"cannot watch a socket: {os.strerror(errno)}")
        return 0

    def add(self, ServerConnection conn not None):
        """Serve a connection. In any thread. RuntimeError: too late for that."""
        if self.stopped:
            raise RuntimeError("the server has stopped")
        conn.core = self
        self.conns[conn.fd] = conn
        try:
            self.watch_fd(conn.fd)
        except OSError:
            del self.conns[conn.fd]
            raise
        if self.stopping:
            conn.go_away()

    cdef int lose(self, ServerConnection conn) except -1:
        if conn.fd >= 0 and self.conns.get(conn.fd) is conn:
            self.epoll(EPOLL_CTL_DEL, conn.fd, 0)
            del self.conns[conn.fd]
        if conn.rests_until:
            conn.rests_until = 0
            self.resting.remove(conn)
        self.cool(conn)
        if conn.fd >= 0:
            c_close(conn.fd)
            conn.fd = -1
        conn.release_if_unused()
        if conn.death != CLIENT_GONE and not self.stopped:
            _LOGGER.warning("closed the connection of %s: %s", conn.peer_name, conn.death)
        return 0

    cdef MethodEntry entry(self, str name):
        found = self.known.get(name)
        if found is None:
            found = self.owner._resolve(name)
            if (<MethodEntry>found).behavior is not None and len(self.known) < 4096 and len(name) < 512:
                self.known[name] = found
        return <MethodEntry>found

    # -- hot connections

    cdef int heat(self, ServerConnection conn) except -1:
        sr_reader_awake(&conn.rx)
        conn.last_request = <int64_t>sr_now_ns()
        if not conn.hot:
            conn.hot = True
            self.hot.append(conn)
            self.hot_changed()
        return 0

    cdef int cool(self, ServerConnection conn) except -1:
        if conn.hot:
            conn.hot = False
            self.hot.remove(conn)
            self.hot_changed()
        return 0

    cdef int hot_changed(self) except -1:
        """Where to spin, and how busy clients are told this server is (beyond 64 the number says nothing new)."""
        cdef ServerConnection conn
        cdef int i, n = <int>len(self.hot)
        if n > 65:
            conn = self.hot[n - 1]
            sr_set_busy_connections(<sr_segment *>conn.segment.base, n)
            return 0
        for i in range(n):
            conn = self.hot[i]
            if i < 64:
                self.rings[i] = &conn.rx
            sr_set_busy_connections(<sr_segment *>conn.segment.base, n)
        return 0

    # -- requests

    cdef ServerCall take(self):
        """The next request to begin: of each connection in turn, and of none that does not take its answers."""
        cdef ServerConnection conn
        cdef ServerCall context
        while self.pending:
            conn = <ServerConnection>self.pending.popleft()
            if conn.unsent > MAX_UNSENT:
                conn.stalled = True
                continue
            context = <ServerCall>conn.requests.popleft()
            if conn.requests:
                self.pending.append(conn)
            return context
        return None

    cdef int resume(self, ServerConnection conn) except -1:
        """A client has taken its answers: its requests are begun again."""
        conn.stalled = False
        if conn.requests:
            self.pending.append(conn)
            self.look_again()
        return 0

    cdef int look_again(self) except -1:
        """Something may be read, or begun, that could not be: whoever reads is not to sleep on."""
        raise NotImplementedError

    cdef int room(self, ServerConnection conn) except -1:
        """What waited for room on `conn` has found it, or is lost."""
        return self.sent() if self.stopping else 0

    # -- reading

    cdef int read_conn(self, ServerConnection conn) except -1:
        cdef int n = 0
        try:
            if conn.unsent > MAX_UNSENT and conn.state != CONN_DEAD:
                conn.flush()
            if conn.readable():
                n = conn.drain(DRAIN_LIMIT)
            if conn.outq and conn.state != CONN_DEAD:
                conn.flush()
        except Exception as error:             # no memory for a message, say: one connection's trouble
            _LOGGER.exception("reading a connection of %s failed", conn.peer_name)
            conn.fail(f"{type(error).__name__}: {error}")
        if conn.state == CONN_DEAD:
            self.lose(conn)
        elif conn.rests_until == 0 and conn.tires():
            self.rest(conn)
        return n

    cdef int read_hot(self) except -1:
        """Take what the hot rings hold. -> frames read."""
        cdef ServerConnection conn
        cdef int n, i = 0, total = 0
        if self.resting:
            self.end_rests()
        while i < len(self.hot):
            conn = <ServerConnection>self.hot[i]
            i += 1
            if sr_has_data(&conn.rx) or conn.outq or conn.state == CONN_DEAD:
                n = self.read_conn(conn)
                if n:
                    total += n
                    conn.last_request = 0
        return total

    cdef int rest(self, ServerConnection conn) except -1:
        """Leave a connection alone for a moment: what it does brings nobody anything, and keeps others waiting."""
        self.epoll(EPOLL_CTL_MOD, conn.fd, 0)  # but for its end
        conn.rests_until = <int64_t>sr_now_ns() + REST_NS
        self.resting.append(conn)
        return self.cool(conn)

    cdef int end_rests(self) except -1:
        cdef ServerConnection conn
        cdef int64_t now = <int64_t>sr_now_ns()
        for each in list(self.resting):
            conn = <ServerConnection>each
            if conn.rests_until <= now:
                conn.rests_until = 0
                self.resting.remove(conn)
                self.epoll(EPOLL_CTL_MOD, conn.fd, EPOLLIN)
                self.heat(conn)
        return 0

    cdef int cool_down(self) except -1:
        """Let go of connections that had no request for a while; runs at the pace of epoll looks."""
        cdef ServerConnection conn
        cdef int64_t now = <int64_t>sr_now_ns()
        for each in list(self.hot):
            conn = <ServerConnection>each
            if conn.last_request == 0:
                conn.last_request = now
            elif now - conn.last_request > COOL_NS and not conn.outq:
                if sr_reader_sleep(&conn.rx):
                    sr_reader_awake(&conn.rx)
                else:
                    self.cool(conn)
        return 0

    cdef int handle(self, epoll_event *events, int n) except -1:
        """Act on what epoll reported."""
        cdef int i
        cdef ServerConnection conn
        for i in range(n):
            found = self.conns.get(events[i].data.fd)
            if found is None:
                continue
            conn = <ServerConnection>found
            if conn.read_bells() == 0:
                self.read_conn(conn)
                conn.fail(CLIENT_GONE)
                self.lose(conn)
            elif not conn.rests_until:
                self.heat(conn)
                if self.read_conn(conn) == 0:
                    conn.vain += 2             # a bell for nothing
        return 0

    cdef bint arm(self):
        """Announce sleep on every hot ring. True when one has data after all."""
        cdef ServerConnection conn
        cdef bint data = False
        for each in self.hot:
            conn = <ServerConnection>each
            # Of a client that does not take its answers, nothing is read: its answers' room is what counts.
            if conn.readable() and sr_reader_sleep(&conn.rx):
                data = True
            if conn.wants_room():
                data = True
        return data

    cdef void disarm(self):
        for each in self.hot:
            sr_reader_awake(&(<ServerConnection>each).rx)

    cdef int look(self) except -1:
        """One epoll_wait that does not wait, and what follows from it."""
        cdef epoll_event events[64]
        cdef int n
        self.reads_since_epoll = 0
        n = epoll_wait(self.ep, events, 64, 0)
        if n > 0:
            self.handle(events, n)
        return self.cool_down()

    cdef bint all_readable(self):
        """May all the busy connections be read? A ring that may not need not be watched: it has data already."""
        for each in self.hot:
            if not (<ServerConnection>each).readable():
                return False
        return True

    # -- the end

    def begin_stop(self):
        """Take no new calls: clients are told, requests that still arrive are refused."""
        self.stopping = True
        for conn in list(self.conns.values()):
            (<ServerConnection>conn).go_away()

    @property
    def unsent(self):
        """Whether answers still wait for room in their rings; they are lost when the connections are closed."""
        for each in self.conns.values():
            if (<ServerConnection>each).outq:
                return True
        return False

    cdef int sent(self) except -1:
        """During a stop: the last call has ended; or what waited for room on a connection has found it, or is lost."""
        raise NotImplementedError

    def cancel_all(self):
        """End the calls under way; their clients see CANCELLED at once."""
        cdef ServerConnection conn
        cdef ServerCall context
        for conn in list(self.conns.values()):
            for each in list(conn.streams.values()):
                context = <ServerCall>each
                conn.end(context, UNAVAILABLE, "the server was stopped", None, None)
                move(&context.state, SERVED, SERVED_GONE)
                context.wake(W_END)

    def shut(self):
        """Close every connection; whoever reads goes."""
        self.stopping = True
        self.stopped = True
        for conn in list(self.conns.values()):
            (<ServerConnection>conn).fail("the server was stopped")
