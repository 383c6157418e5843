# The client's end of the calls that stream. Included by _core.pyx.
#
# A StreamCall is a call whose requests, responses or both come one by one. Requests are taken from the user's
# iterator by a thread that `feed` runs in, one of few that are used again and again. No listener thread works
# for such a call unless callbacks were asked for: whoever waits for a response, for credit or for room receives
# for all, and questions that do not wait (is_active, done) look at the ring themselves.

cdef class StreamCall(Call):
    cdef bytes next_message(self):
        """The next response; None at the end."""
        cdef bytes message
        while not self.inbox.messages:
            if self.state >= CALL_ENDED:
                return None
            self.wait(NEVER, W_MESSAGE)
        message = self.inbox.take()
        self.give_back()
        return message

    def initial_metadata(self):
        if self.state < CALL_ENDED:
            self.wait(NEVER, W_HEADERS)
        return decode_metadata(self.initial) if self.initial is not None else ()

    cdef int look(self) except -1:
        if self.state < CALL_ENDED and self.conn is not None:
            (<ThreadConnection>self.conn).glance()
        if self.state < CALL_ENDED and <int64_t>sr_now_ns() >= self.deadline:
            self.end_here(DEADLINE_EXCEEDED, "Deadline Exceeded")
        return 0

    cdef int _need_listener(self) except -1:
        if self.attended and self.deadline != NEVER and self.conn is not None:
            self.conn.remember_deadline(self)
        return Call._need_listener(self)

    # -- requests

    cdef bint connected(self) except -1:
        """Wait for a connection if there is none yet. False: the call has ended."""
        if self.conn is None:
            self.await_connection(NEVER)
        return self.state < CALL_ENDED

    def feed(self, iterator, serializer):
        """Send what `iterator` gives, until its end or the call's."""
        cdef bytes data
        cdef int64_t limit
        while self.state < CALL_ENDED:
            try:
                request = next(iterator)
            except StopIteration:
                break
            except Exception:
                _LOGGER.exception("Exception iterating requests!")
                self.end_here(UNKNOWN, "Exception iterating requests!")
                return
            if self.state >= CALL_ENDED:
                return
            try:
                data = <bytes>_serialized(request, serializer)
            except Exception:
                _LOGGER.exception("Exception serializing a request of %s", self.method)
                self.end_here(INTERNAL, "Exception serializing request!")
                return
            request = None
            if not self.connected():
                return
            limit = _smaller(self.conn.max_send, self.max_request)
            if 0 <= limit < PyBytes_GET_SIZE(data):
                self.end_here(RESOURCE_EXHAUSTED, _too_large_to_send(len(data), limit))
                return
            self.send_message(data)
        if self.connected():
            self.conn.send_frame(SW_MESSAGE, SW_END, self.stream, 0, None, None)
            if self.conn.outq:
                self.wait(NEVER, W_ROOM)

    cdef int send_message(self, bytes data) except -1:
        """Send one request, waiting for credit and for room."""
        cdef int64_t offset = 0
        cdef int what
        while self.state < CALL_ENDED:
            what = self.conn.send_on(self, data, &offset)
            if what == W_SENT:
                break
            self.wait(NEVER, what)
        return 0


cdef class StreamMulticallable(Multicallable):
    """What the three streaming kinds share. `run` runs a function in a thread that is not the caller's."""

    def __init__(self, ChannelCore core not None, str method not None, serializer, deserializer, fallback, run):
        Multicallable.__init__(self, core, method, serializer, deserializer, fallback)
        self.run = run

    cdef StreamCall open(self, bint responses_stream, request, bint one_request, timeout, metadata, credentials,
                         wait_for_ready, compression):
        """A call under way, or ended at once; None: gRPC must carry it."""
        cdef ThreadConnection conn
        cdef StreamCall call
        cdef object whole = timeout
        cdef int64_t begun = _now_if(timeout)
        if compression is not None:
            _check_compression(compression)
        for _ in range(MAX_UNSENT_ATTEMPTS):
            call = StreamCall.__new__(StreamCall)
            call.streams = True
            call.attended = True
            if responses_stream:
                call.inbox = Inbox()
            call.window = SW_WINDOW
            if wait_for_ready is not None and self.core.must_wait(wait_for_ready, credentials, True):
                conn = None
            else:
                try:
                    conn = self.connection(timeout, credentials, True)
                except grpc.RpcError as error:
                    return <StreamCall>self.failed(call, error)
                if conn is None or not conn.streams:
                    return None
                timeout = _left(whole, begun)
            self.begin(call, conn, request, one_request, timeout, metadata)
            if call.state != CALL_UNSENT:
                break
        if call.state < CALL_ENDED and not one_request:
            self.run(call.feed, request, self.serializer)
        return call


cdef class UnaryStream(StreamMulticallable):
    """A `grpc.UnaryStreamMultiCallable`."""

    def __call__(self, request, timeout=None, metadata=None, credentials=None, wait_for_ready=None, compression=None):
        cdef int64_t begun = _now_if(timeout)
        cdef StreamCall call = self.open(
            True, request, True, timeout, metadata, credentials, wait_for_ready, compression)
        if call is None:
            return self.grpc_callable()(
                request, _left(timeout, begun), metadata, credentials, wait_for_ready, compression)
        return _responses(call)


cdef class StreamStream(StreamMulticallable):
    """A `grpc.StreamStreamMultiCallable`."""

    def __call__(self, request_iterator, timeout=None, metadata=None, credentials=None, wait_for_ready=None,
                 compression=None):
        cdef int64_t begun = _now_if(timeout)
        cdef StreamCall call = self.open(
            True, request_iterator, False, timeout, metadata, credentials, wait_for_ready, compression)
        if call is None:
            return self.grpc_callable()(
                request_iterator, _left(timeout, begun), metadata, credentials, wait_for_ready, compression)
        return _responses(call)


cdef class StreamUnary(StreamMulticallable):
    """A `grpc.StreamUnaryMultiCallable`."""

    cdef StreamCall blocking(self, request_iterator, timeout, metadata, credentials, wait_for_ready, compression):
        cdef StreamCall call = self.open(
            False, request_iterator, False, timeout, metadata, credentials, wait_for_ready, compression)
        if call is None:
            return None
        if call.state < CALL_ENDED:
            try:
                call.wait(NEVER, W_END)
            except BaseException:
                call.end_here(CANCELLED, "Cancelled: the waiting thread was interrupted")
                raise
        if call.status != OK:
            raise call._error()
        return call

    def __call__(self, request_iterator, timeout=None, metadata=None, credentials=None, wait_for_ready=None,
                 compression=None):
        cdef int64_t begun = _now_if(timeout)
        cdef StreamCall call = self.blocking(
            request_iterator, timeout, metadata, credentials, wait_for_ready, compression)
        if call is None:
            return self.grpc_callable()(
                request_iterator, _left(timeout, begun), metadata, credentials, wait_for_ready, compression)
        return call._value()

    def with_call(self, request_iterator, timeout=None, metadata=None, credentials=None, wait_for_ready=None,
                  compression=None):
        cdef int64_t begun = _now_if(timeout)
        cdef StreamCall call = self.blocking(
            request_iterator, timeout, metadata, credentials, wait_for_ready, compression)
        if call is None:
            return self.grpc_callable().with_call(
                request_iterator, _left(timeout, begun), metadata, credentials, wait_for_ready, compression)
        return call._value(), _future(call)

    def future(self, request_iterator, timeout=None, metadata=None, credentials=None, wait_for_ready=None,
               compression=None):
        cdef int64_t begun = _now_if(timeout)
        cdef StreamCall call = self.open(
            False, request_iterator, False, timeout, metadata, credentials, wait_for_ready, compression)
        if call is None:
            return self.grpc_callable().future(
                request_iterator, _left(timeout, begun), metadata, credentials, wait_for_ready, compression)
        return _future(call)


def __call__(self, request, timeout=None, metadata=None, credentials=None, wait_for_ready=None, compression=None):
    return UnaryStream.__call__(self, request, timeout, metadata, credentials, wait_for_ready, compression)


_UnaryStream = _user_class("_UnaryStreamMultiCallable", UnaryStream, __call__)


def __call__(self, request_iterator, timeout=None, metadata=None, credentials=None, wait_for_ready=None,
             compression=None):
    return StreamUnary.__call__(self, request_iterator, timeout, metadata, credentials, wait_for_ready, compression)


_StreamUnary = _user_class("_StreamUnaryMultiCallable", StreamUnary, __call__)


def __call__(self, request_iterator, timeout=None, metadata=None, credentials=None, wait_for_ready=None,
             compression=None):
    return StreamStream.__call__(self, request_iterator, timeout, metadata, credentials, wait_for_ready, compression)


_StreamStream = _user_class("_StreamStreamMultiCallable", StreamStream, __call__)
grpc.UnaryStreamMultiCallable.register(_UnaryStream)
grpc.StreamUnaryMultiCallable.register(_StreamUnary)
grpc.StreamStreamMultiCallable.register(_StreamStream)
