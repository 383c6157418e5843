# The client's end, whoever drives it: calls, and the connection that carries them. Included by _core.pyx.
#
# Of both there are two kinds: threads wait for a `Call` of a `ThreadConnection` (_client_threads.pxi), tasks for a
# `LoopCall` of a `LoopConnection` (_loop.pxi).

SERVER_GONE = "the server process ended or closed the connection"


cdef class ClientCall(CallSide):
    """A call as its client has it."""

    cdef bint is_over(self):
        return self.state >= CALL_ENDED

    cdef int finish(self, int status, object text) except -1:
        """End the call (the caller has taken it out of the table, or does so)."""
        return self.end_as(CALL_ENDED, status, text)

    cdef int never_sent(self, object text) except -1:
        """End the call, which no server has seen."""
        return self.end_as(CALL_UNSENT, UNAVAILABLE, text)

    cdef int end_as(self, CallState state, int status, object text) except -1:
        if self.state < CALL_ENDED:
            move(&self.state, CALL, state)
            self.status = status
            self.text = text
            if self.callbacks is not None and self.conn is not None:   # else, whoever ends it runs them
                self.conn.ready.append(self)
        return 0

    cdef bint due(self, int what):
        """Is what somebody waits for there? The end of the call is always."""
        if self.state >= CALL_ENDED:
            return True
        if what == W_MESSAGE:
            return len(self.inbox.messages) > 0
        if what == W_CREDIT:
            return self.window >= LEAST_PART + CHARGE
        if what == W_ROOM:
            return not self.conn.outq
        if what == W_HEADERS:
            return self.initial is not None or (self.inbox is not None and len(self.inbox.messages) > 0)
        return False

    cdef int give_back(self) except -1:
        cdef int64_t credit = self.inbox.settle(self.assembly is not None)
        if credit and self.state < CALL_ENDED:
            self.conn.send_frame(SW_CREDIT, 0, self.stream, <uint32_t>credit, None, None)
        return 0

    def time_remaining(self):
        if self.deadline == NEVER:
            return None
        return max(0.0, (self.deadline - <int64_t>sr_now_ns()) / 1e9)

    def cancel(self):
        if self.state >= CALL_ENDED:
            return False
        self.cancelled_here = True
        self.end_here(CANCELLED, "Locally cancelled by application!")
        return True

    cdef int forget_messages(self) except -1:
        """Drop the responses that have arrived."""
        if self.inbox is not None:
            self.inbox.messages.clear()
        return 0

    cdef int end_here(self, int status, object text) except -1:
        """End the call from this side; what has arrived is not wanted any more."""
        if self.state < CALL_ENDED:
            self.forget_messages()
            self.conn.end_call(self, status, text)
            self.conn.run_ready()
        return 0

    cdef int drop(self, int status, object text) except -1:
        """End the call, under way, perhaps because nobody can ask for it any more.

        This may run in any thread at any moment, so no callbacks run here.
        """
        self.forget_messages()
        self.conn.end_call(self, status, text)
        if self.conn.ready:
            self.conn.look_again()
        return 0

    cdef int run_callbacks(self) except -1:
        callbacks = self.callbacks
        self.callbacks = None
        for callback, argument in callbacks or ():
            try:
                if argument is not None:
                    callback(argument)
                else:
                    callback()
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:     # a CancelledError, say: it is nobody's here
                if self.callback_raised(error):
                    break
        return 0

    cdef bint callback_raised(self, error) except -1:
        """-> whether the callbacks after it are not run"""
        _LOGGER.error("Exception in a callback of %s", self.method, exc_info=error)
        return False

    @property
    def never_ran(self):
        """Whether it is certain that the server has not begun the call, which has ended."""
        return self.state == CALL_UNSENT or (
            self.status > OK and self.trailing is not None and errors.NOT_RUN in decode_metadata(self.trailing))


cdef class ClientConnection(Connection):
    """The client's end of one connection. Use `UnaryUnary` objects to call over it."""
    features = FEATURES

    def __init__(self, Segment segment, int fd, bint client, str target, object start_thread,
                 int64_t max_receive, int64_t max_send, int features=0, int64_t max_metadata=16384):
        self.max_metadata = max_metadata
        self.streams = (features & SW_FEATURE_STREAMS) != 0
        if features & SW_FEATURE_BLOCKS:
            self.use_blocks(True)
        self.target = target
        self.max_receive = max_receive
        self.max_send = max_send
        self.calls = {}
        self.methods = {}
        self.next_stream = 1
        self.deadlines = []
        self.ready = deque()

    cdef void abandon(self):
        cdef ClientCall call
        Connection.abandon(self)
        self.outq.clear()
        self.unsent = 0
        for each in list(self.calls.values()):
            call = <ClientCall>each
            call.callbacks = None
            call.finish(UNAVAILABLE, self.death_text())
        self.calls.clear()
        self.ready.clear()

    def __repr__(self):
        state = ("ready", "draining", "retired", f"dead: {self.death}")[self.state]
        return f"<{type(self).__name__} {self.target} {state}, {len(self.calls)} calls under way>"

    @property
    def draining(self):
        return self.state == CONN_DRAINING or self.state == CONN_RETIRED

    cdef int drain_calls(self) except -1:
        """No further calls begin: a new connection follows."""
        return move(&self.state, CONNECTION, CONN_DRAINING) if self.state == CONN_OPEN else 0

    # -- starting and ending calls

    cdef int launch(self, ClientCall call, message, bytes metadata, Py_ssize_t name_size, timeout) except -1:
        """Start `call` unless something about it is too large, too late or too early; it may have ended at once.

        `message` is its only request, bytes or `Parts`, or None.
        """
        cdef int64_t timeout_ns = -1
        cdef double seconds = 0 if timeout is None else timeout
        cdef int flags = 0
        cdef int64_t limit = _smaller(self.max_send, call.max_request)
        if message is not None and 0 <= limit < len(message):
            return call.finish(RESOURCE_EXHAUSTED, _too_large_to_send(len(message), limit))
        if metadata is not None and not _metadata_fits(metadata, self.piece):
            return call.finish(RESOURCE_EXHAUSTED, _metadata_too_large(metadata, self.piece // 2))
        if name_size > MAX_METHOD_NAME:
            return call.finish(
                RESOURCE_EXHAUSTED, f"a method's name of {name_size} bytes exceeds the limit of {MAX_METHOD_NAME}")
        if timeout is not None:
            if seconds <= 0:
                return call.finish(DEADLINE_EXCEEDED, "Deadline Exceeded")
            if seconds < 1e8:                  # beyond three years there is no deadline
                timeout_ns = <int64_t>(seconds * 1e9)
                call.deadline = <int64_t>sr_now_ns() + timeout_ns
        if message is not None:
            message = self.ready_to_send(message)
        if self.state != CONN_OPEN:         # since it was chosen: the serializer took its time
            _undo(message)
            return call.never_sent(f"the server of {self.target} is shutting down")
        if type(message) is Shipment:
            message = (<Shipment>message).message
            flags = IN_BLOCKS
        return self.start(call, message, metadata, timeout_ns, flags)

    cdef int start(self, ClientCall call, bytes message, bytes metadata, int64_t timeout_ns, int flags) except -1:
        """`message` None: the requests follow one by one."""
        cdef bytes prefix = None
        cdef uint64_t t
        cdef object number = self.methods.get(call.method)
        cdef uint32_t method
        if message is not None:
            flags |= SW_END
        if number is None or metadata is not None or timeout_ns >= 0:
            prefix = b""
            if timeout_ns >= 0:
                t = <uint64_t>timeout_ns
                flags |= SW_HAS_TIMEOUT
                prefix = PyBytes_FromStringAndSize(<char *>&t, 8)
            if number is None:
                number = len(self.methods) + 1
                self.name_bytes += len(call.method.encode())
                if number >= MAX_METHOD_NAMES or self.name_bytes > MAX_NAME_BYTES - MAX_METHOD_NAME:
                    self.drain_calls()         # the server takes no more names
                self.methods[call.method] = number
                flags |= SW_HAS_NAME
                prefix += _block(call.method.encode())
            if metadata is not None:
                flags |= SW_HAS_METADATA
                prefix += _block(metadata)
        method = number
        call.stream = self.next_stream
        call.position = 0 if self.outq else self.tx.position + 1
        self.next_stream += 1
        if self.next_stream > 0x7ffffff0:
            self.drain_calls()             # stream numbers are never reused
        self.calls[call.stream] = call
        move(&call.state, CALL, CALL_UNDER_WAY)
        self.send_frame(SW_OPEN, flags, call.stream, method, prefix, message)
        if self.state == CONN_DEAD and call.state < CALL_ENDED:      # it may have been ended with the connection
            self.lost(call)
        return 0

    cdef int lost(self, ClientCall call) except -1:
        """The connection died before `call` could be written."""
        self.calls.pop(call.stream, None)
        return call.never_sent(self.death_text())

    cdef str death_text(self):
        return f"connection to {self.target} over shared memory lost: {self.death}"

    cdef int end_call(self, ClientCall call, int status, object text) except -1:
        """End a call from this side and tell the peer."""
        if call.state >= CALL_ENDED:
            return 0
        self.calls.pop(call.stream, None)
        call.finish(status, text)
        self.send_frame(SW_CANCEL, 0, call.stream, <uint32_t>status, None, None)
        self.nudge()
        if self.state == CONN_RETIRED and not self.outq:
            self.close_if_retired()
        return 0

    cdef int nudge(self) except -1:
        if self.outq:
            self.look_again()                  # nobody else may come to send what waits there
        return 0

    cdef int look_again(self) except -1:
        """There is something to do that nobody waits for. Cheap when nobody need be woken."""
        raise NotImplementedError

    def close(self, str why="the channel was closed", int status=1):
        """End every call under way with `status` and give the connection back to the system."""
        self.shut(why, status, "Channel closed!" if status == CANCELLED else None)
        self.run_ready()

    def retire(self):
        """Close once the calls under way have ended; no further ones are started."""
        if self.state < CONN_RETIRED:
            move(&self.state, CONNECTION, CONN_RETIRED)
        self.close_if_retired()

    cdef int close_if_retired(self) except -1:
        if self.state == CONN_RETIRED and not self.calls:
            self.shut("the channel uses a newer connection", UNAVAILABLE, None)
        return 0

    cdef int shut(self, str why, int status, object text) except -1:
        cdef ClientCall call
        cdef uint64_t consumed
        if self.state == CONN_DEAD:
            return 0
        move(&self.state, CONNECTION, CONN_DEAD)
        self.death = why
        if self.fd >= 0:
            c_shutdown(self.fd, SHUT_RDWR)     # whoever polls wakes up; the fd is closed with the object
        calls = list(self.calls.values())
        self.calls.clear()
        self.outq.clear()
        self.unsent = 0
        consumed = sr_consumed(&self.tx)
        for each in calls:
            call = <ClientCall>each
            # A server takes a frame off the ring before it runs the handler: what is still in the
            # ring was never seen, and may be sent again elsewhere.
            if status == UNAVAILABLE and call.position > consumed:
                call.never_sent(self.death_text())
            else:
                call.finish(status, text if text is not None else self.death_text())
        self.look_again()
        self.release_if_unused()
        return 0

    cdef int fail(self, str why) except -1:
        return self.shut(why, UNAVAILABLE, None)

    cdef bint in_use(self):
        """Is somebody in the mapping, or at a descriptor, without the GIL?"""
        return self.tx_busy

    cdef void release_if_unused(self):
        if self.state != CONN_DEAD or self.in_use() or self.segment is None:
            return
        self.unmap()
        c_close(self.fd)
        self.fd = -1

    # -- receiving

    cdef int dispatch(self, sw_header *h, sw_view *v, const uint8_t *at, Parts parts) except -1:
        cdef ClientCall call
        cdef bytes initial = None, metadata = None
        if h.type == SW_PING:
            return self.answer_ping(h)
        if h.type == SW_GOAWAY:
            return self.go_away(h.aux)
        if h.type == SW_OPEN:
            return self.fail("the peer, a server, sent OPEN")
        found = self.calls.get(h.stream)
        if found is None:
            if h.stream >= self.next_stream:
                return self.fail(f"the peer answered stream {h.stream}, which was never opened")
            self.vain += 1
            return 0                            # the rest of a call that was cancelled
        call = <ClientCall>found
        if h.flags & SW_HAS_METADATA:
            metadata = _bytes_at(at, v.metadata, v.metadata_size)
        if h.type == SW_TRAILERS and h.flags & SW_HAS_INITIAL:
            initial = _bytes_at(at, v.initial, v.initial_size)
        if metadata is not None and not _metadata_ok(metadata) or initial is not None and not _metadata_ok(initial):
            return self.fail("the peer sent metadata that is cut short")
        if metadata is not None and PyBytes_GET_SIZE(metadata) > self.max_metadata:
            return self.end_call(call, RESOURCE_EXHAUSTED, _metadata_too_large(metadata, self.max_metadata))
        if initial is not None and PyBytes_GET_SIZE(initial) > self.max_metadata:
            return self.end_call(call, RESOURCE_EXHAUSTED, _metadata_too_large(initial, self.max_metadata))
        if h.type == SW_CREDIT:
            return self.credit(call, h.aux)
        if h.flags & SW_HAS_MESSAGE or h.type == SW_HEADERS or initial is not None:
            call.heard = True
        if h.flags & SW_HAS_MESSAGE and not self.take(call, h, v, at, parts):
            return 0
        if h.type == SW_TRAILERS:
            if h.aux == <uint32_t>OK and call.inbox is not None and call.assembly is not None:
                return self.fail("the peer ended a call well in the middle of a message")
            if initial is not None:
                call.initial = initial
            call.trailing = metadata
            text = ""
            if h.flags & SW_HAS_DETAILS:
                text = _bytes_at(at, v.details, v.details_size).decode("utf-8", "replace")
            self.calls.pop(h.stream, None)
            if h.aux == <uint32_t>OK and call.message is None and call.inbox is None:
                call.finish(INTERNAL, "the server ended a unary call without a response")
            else:
                call.finish(<int>h.aux if h.aux <= 16 else UNKNOWN, text)
        elif h.type == SW_HEADERS and metadata is not None:
            if call.initial is not None:
                self.vain += 1
            call.initial = metadata
            call.wake(W_HEADERS)
        elif h.type == SW_CANCEL:
            self.calls.pop(h.stream, None)
            call.finish(<int>h.aux if 1 <= h.aux <= 16 else UNKNOWN, "the server cancelled the call")
        return 0

    cdef bint take(self, ClientCall call, sw_header *h, sw_view *v, const uint8_t *at, Parts parts) except -1:
        """Take a response, or a piece of it. False: call or connection are over."""
        cdef Inbox inbox = call.inbox
        if inbox is not None:
            if h.type == SW_MESSAGE and not inbox.affords(CHARGE + v.message_size):
                self.fail("the peer sent more than its credit")
                return False
        elif not h.flags & SW_CONTINUED and (call.message is not None or call.assembly is not None):
            self.end_call(call, INTERNAL, "the server sent more than one response to a unary call")
            return False
        message = self.message_of(call, "CLIENT", _smaller(self.max_receive, call.max_response), NEVER, h, v, at, parts)
        if self.state == CONN_DEAD or call.state >= CALL_ENDED:
            return False
        if inbox is None:
            call.message = message
        else:
            inbox.add(message, CHARGE + v.message_size)
            call.give_back()
            call.wake(W_MESSAGE)
        return True

    cdef int refuse(self, CallSide call, str why) except -1:
        return self.end_call(<ClientCall>call, RESOURCE_EXHAUSTED, why)

    cdef int credit(self, ClientCall call, uint32_t bytes_) except -1:
        if bytes_ < LEAST_CREDIT:
            self.vain += 1
        call.window += bytes_
        if call.window > 0x7fffffff:
            return self.fail("the peer gave more credit than there can be")
        return call.wake(W_CREDIT)

    cdef int go_away(self, uint32_t last) except -1:
        """The server takes no streams after `last`: those are sent again elsewhere."""
        cdef ClientCall call
        self.vain += 1
        if self.went_away and last >= self.last_taken:
            return 0
        self.went_away = True
        self.last_taken = last
        self.drain_calls()
        for each in [stream for stream in self.calls if stream > last]:
            call = <ClientCall>self.calls.pop(each)
            call.never_sent(f"the server of {self.target} is shutting down")
        return 0

    cdef int receive(self, int limit) except -1:
        """drain(); an error in it is this connection's end, not the waiting thread's."""
        try:
            return self.drain(limit)
        except Exception as error:
            _LOGGER.exception("reading the connection to %s failed", self.target)
            self.fail(f"{type(error).__name__}: {error}")
            return 0

    cdef int receive_last(self) except -1:
        """The peer has gone: take what it wrote before, at most once what a ring holds."""
        cdef uint64_t end = self.rx.position + self.rx.capacity
        while self.state != CONN_DEAD and self.rx.position < end and self.receive(DRAIN_LIMIT) > 0:
            pass
        return 0

    cdef uint64_t spin_budget(self):
        """How long it pays to watch the ring before sleeping; 0: sleep at once."""
        if USABLE_CPUS < 2 or <int>sr_busy_connections(<sr_segment *>self.segment.base) >= USABLE_CPUS:
            return 0
        return <uint64_t>watch_ns(&self.patience, self.woke)

    cdef int remember_deadline(self, ClientCall call) except -1:
        # Calls that ended leave their entries behind: drop them before they are the most of the heap.
        if len(self.deadlines) > 64 and len(self.deadlines) > 4 * len(self.calls):
            self.deadlines = [entry for entry in self.deadlines if entry[1] in self.calls]
            heapq.heapify(self.deadlines)
        heapq.heappush(self.deadlines, (call.deadline, call.stream))
        return 0

    cdef int64_t next_deadline(self):
        """The earliest deadline among unattended calls."""
        while self.deadlines and self.deadlines[0][1] not in self.calls:
            heapq.heappop(self.deadlines)
        if not self.deadlines:
            return NEVER
        return self.deadlines[0][0]

    cdef int expire(self) except -1:
        cdef int64_t now
        if not self.deadlines:
            return 0
        now = <int64_t>sr_now_ns()
        while self.deadlines and self.deadlines[0][0] <= now:
            call = self.calls.get(heapq.heappop(self.deadlines)[1])
            if call is not None:
                self.end_call(<ClientCall>call, DEADLINE_EXCEEDED, "Deadline Exceeded")
        return 0

    cdef int run_ready(self) except -1:
        """Run the callbacks of ended calls; the role is not held."""
        cdef ClientCall call
        while self.ready:
            call = self.ready.popleft()
            call.run_callbacks()
        return 0
