# The server's end: readers, workers, and the context of a call. Included by _core.pyx.
#
# Theory of operation. All connections of a server are read by one thread at a time, the reader:
#
#   leader   a thread of the user's pool. It reads requests and runs their handlers itself; between
#            requests it watches the rings of the busy ("hot") connections, then sleeps in epoll.
#   watcher  a thread of the server's own. It is the reader when no pool thread is (an idle server
#            occupies no thread of the pool) and when the leader is stuck in a slow handler. It never
#            runs a handler: it queues requests and asks the pool for a thread.
#
# Requests wait at their connection, and the connections that have some take turns (`pending`), so that a client with
# thousands of them does not keep another waiting. A turn of reading is bounded in frames and bytes, the GIL is given up
# after it, and a connection whose frames bring nobody anything rests. What a client may have waiting, in either
# direction, is bounded: see MAX_HELD and MAX_UNSENT.
#
# A handler that waits for a request, for credit or for room leads on meanwhile, if its thread led or if the
# watcher reads; otherwise it sleeps on a lock until the reader wakes it.
#
# While a leader works, the watcher ticks every millisecond without taking the GIL; a leader that spent a
# whole tick in one handler is no longer the reader. Methods known to be slow give the role up before
# they start. With no traffic nobody ticks, nobody spins, and every thread sleeps in poll().

cdef int WATCHER = 1, LEADER = 2
CLIENT_GONE = "the client process ended or closed the connection"
cdef int TICK_MS = 1, QUIET_TICKS = 20
cdef int TURN_MS = 50                 # after this long a thread goes back to the pool if somebody waits for one
cdef int EPOLL_EVERY = 64             # reads of hot rings between two looks at the other sockets
cdef int64_t COOL_NS = 5000000        # a connection this long without a request is no longer hot


cdef class MethodEntry:
    """A method as the server runs it. `behavior` None: there is no such method."""
    cdef public object name, behavior, deserializer, serializer
    cdef public bint dynamic          # ask the resolver for every call (interceptors, foreign handlers)
    cdef public bint requests_stream, responses_stream
    cdef public object pool           # what runs the handler instead of the server's pool; None: that
    cdef int64_t typical_ns           # moving average of the handler's duration, of unary calls

    def __init__(self, name, behavior, deserializer, serializer, bint dynamic=False, bint requests_stream=False,
                 bint responses_stream=False):
        self.name = name
        self.behavior = behavior
        self.deserializer = deserializer
        self.serializer = serializer
        self.dynamic = dynamic
        self.requests_stream = requests_stream
        self.responses_stream = responses_stream


cdef class ServicerContext:
    """The `grpc.ServicerContext` of one call over the memory queue."""
    cdef ServerConnection conn
    cdef ServerCore core
    cdef MethodEntry entry
    cdef uint32_t stream
    cdef int64_t deadline
    cdef object request               # bytes or Parts
    cdef bytes metadata
    cdef Assembly assembly
    cdef bint cancelled, ended, aborted
    cdef object status, text, trailing, initial
    cdef list callbacks
    # For calls whose requests or responses stream:
    cdef Inbox inbox                  # None where there is one request
    cdef bint half_closed             # the client sends no more requests
    cdef bint responded               # with one of many responses
    cdef bint detached                # its handler has returned and sends responses later
    cdef bint moved                   # its handler runs in another pool
    cdef int64_t window               # bytes the client will take
    cdef list waiters                 # threads that wait for this call
    cdef unsigned long thread         # that runs the handler
    cdef object gone                  # what the handler was told the end of the call with
    cdef int64_t held                 # its part of what the connection holds
    cdef int64_t promised             # bytes of a message that arrives in pieces
    cdef bint feeds                   # its requests come one by one, and are not at their end
    cdef dict users                   # attributes that users gave it; None: no call pays for what few of them want
    cdef object __weakref__

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
        return not (self.cancelled or self.ended or self.conn.dead
                    or (self.deadline != NEVER and <int64_t>sr_now_ns() >= self.deadline))

    def time_remaining(self):
        if self.deadline == NEVER:
            return None
        return max(0.0, (self.deadline - <int64_t>sr_now_ns()) / 1e9)

    def cancel(self):
        if not self.ended:
            self.conn.end(self, CANCELLED, "Cancelled", None, None)

    def add_callback(self, callback):
        if self.cancelled or self.ended:
            return False
        if self.callbacks is None:
            self.callbacks = []
        self.callbacks.append(callback)
        return True

    # -- grpc.ServicerContext

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

    def peer_identities(self):
        return None

    def peer_identity_key(self):
        return None

    def auth_context(self):
        return dict(self.conn.auth)

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
        return (self.entry.name, bool(self.cancelled or self.conn.dead), bool(self.ended), bool(self.aborted),
                self.initial is None and not self.responded)

    def _finalize_state(self):
        pass

    def _allocate(self, Py_ssize_t size):
        """Shared memory for a response: see sage_rpc.empty."""
        return self.conn.allocate(size)

    def set_compression(self, compression):
        """Accepted and ignored: nothing is compressed inside one host."""

    def disable_next_message_compression(self):
        """Accepted and ignored: nothing is compressed inside one host."""

    def send_initial_metadata(self, initial_metadata):
        if self.cancelled or self.conn.dead:
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
        if not self.ended:
            self.conn.send_frame(SW_HEADERS, SW_HAS_METADATA, self.stream, 0, _block(block), None)

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

    def __repr__(self):
        return f"<ServicerContext {self.entry.name} stream {self.stream} of {self.conn!r}>"

    # -- waiting

    cdef bint due(self, int what):
        if self.cancelled or self.ended or self.conn.dead:
            return True
        if what == W_MESSAGE:
            return len(self.inbox.messages) > 0 or self.half_closed
        if what == W_CREDIT:
            return self.window >= LEAST_PART + CHARGE
        if what == W_ROOM:
            return not self.conn.outq
        return False

    cdef int wake(self, int what) except -1:
        cdef Waiter w
        if self.waiters is not None:
            for w in self.waiters:
                if w.what == what or what == W_END:
                    w.wake()
        if what == W_END and self.core.leads_for is self and self.core.leader_asleep:
            self.core.kick(self.core.kick_leader)
        return 0

    cdef int wait(self, int what) except -1:
        """Block a thread of the handler until `what` is due, or the call is over."""
        cdef Waiter w
        cdef unsigned long me = PyThread_get_thread_ident()
        while not self.due(what):
            if <int64_t>sr_now_ns() >= self.deadline:
                self.conn.end(self, DEADLINE_EXCEEDED, "Deadline Exceeded", None, None)
                self.cancelled = True
                break
            if me == self.thread and self.core.lead_on(self, what, me):
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
        """The next request; None when there is none: half-closed, or the call is over."""
        cdef bytes message
        cdef int64_t credit
        if not self.due(W_MESSAGE):
            self.wait(W_MESSAGE)
        if self.cancelled or self.ended or self.conn.dead or not self.inbox.messages:
            return None
        message = self.inbox.take()
        self.conn.let_go(self, PyBytes_GET_SIZE(message))
        credit = self.inbox.settle()
        if credit and not self.half_closed:
            self.conn.send_frame(SW_CREDIT, 0, self.stream, <uint32_t>credit, None, None)
        return message

    cdef int tell_gone(self) except -1:
        """Raise what ends a handler whose call is over."""
        if self.gone is None:
            self.gone = grpc.RpcError()
        raise self.gone

    cdef int send_response(self, bytes data) except -1:
        """Send one of many responses, waiting for credit and for room."""
        cdef int64_t total = PyBytes_GET_SIZE(data), offset = 0, n
        self.responded = True
        while not (self.cancelled or self.ended or self.conn.dead):
            if self.window < CHARGE + LEAST_PART and self.window < CHARGE + total - offset:
                self.wait(W_CREDIT)
                continue
            if self.conn.outq:
                self.wait(W_ROOM)
                continue
            n = self.conn.send_part(self.stream, data, offset, self.window)
            self.window -= CHARGE + n
            offset += n
            if offset == total:
                return 0
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
            if self.cancelled or self.ended or self.conn.dead:
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
            if self.cancelled or self.ended or self.conn.dead:
                break
        if self.ended:
            return 0
        return self.finish_with(OK, "", None)

    cdef int raised(self, MethodEntry entry, error, str when) except -1:
        """End the call because its handler raised."""
        if self.ended or (self.gone is not None and error is self.gone):
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
        if (self.cancelled or self.conn.dead) and self.inbox is None:
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
            if not self.ended and not self.detached and not self.moved:
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
            if not self.ended and not self.detached:
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
        if self.ended:
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


cdef str _too_large_to_answer(int64_t size, int64_t limit):
    return f"SERVER: Sent message larger than max ({size} vs. {limit})"


cdef int _code_number(code):
    try:
        return _CODES.get(code, UNKNOWN)
    except TypeError:                          # not hashable
        return UNKNOWN


cdef class _Responder:
    """Sends responses of a handler that has returned; None is the end. What grpcio calls send_response_callback."""
    cdef ServicerContext context
    cdef MethodEntry entry

    def __init__(self, ServicerContext context, MethodEntry entry):
        self.context = context
        self.entry = entry

    def __call__(self, response):
        cdef ServicerContext context = self.context
        if context.cancelled or context.ended or context.conn.dead:
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
    cdef ServicerContext context
    cdef object deserializer
    cdef dict __dict__
    cdef object __weakref__

    def __iter__(self):
        return self

    def __next__(self):
        cdef ServicerContext context = self.context
        cdef bytes message = context.next_message()
        if message is None:
            if context.cancelled or context.conn.dead:
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


cdef class ServerConnection(Connection):
    """The server's end of one connection. `peer_name` is what context.peer() returns."""
    cdef readonly str peer_name
    cdef tuple usual_metadata         # of a call that brings none
    cdef dict auth
    cdef ServerCore core
    cdef dict entries                # method number -> MethodEntry
    cdef dict streams                # stream -> ServicerContext under way
    cdef int64_t name_bytes          # of the methods that were named
    cdef uint32_t last_stream
    cdef bint said_goaway
    cdef list for_room               # ServicerContexts whose responses wait for room
    cdef bint hot
    cdef int64_t last_request
    cdef object requests             # deque of ServicerContexts that were read and not yet begun
    cdef bint stalled                # none of them is begun: the client does not take its answers
    cdef int64_t held                # bytes of requests that no handler has taken, with what calls themselves keep
    cdef int64_t promised            # bytes of messages that arrive in pieces
    cdef int64_t feeding             # calls whose requests come one by one, and are not at their end
    cdef int64_t rests_until         # left alone until then; 0: not

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

    cdef bint holds(self, ServicerContext context, int64_t size) except -1:
        """Keep `size` bytes more for `context`. False: that is too much, and the call has ended."""
        context.held += size
        self.held += size
        if self.held <= MAX_HELD_WITH_STREAMS or self.feeding == 0:
            return True
        self.end(context, RESOURCE_EXHAUSTED,
                 f"SERVER: requests of {self.held} bytes wait on this connection already", None, None)
        return False

    cdef int let_go(self, ServicerContext context, int64_t size) except -1:
        """`size` bytes less are kept for `context`."""
        cdef bint full = self.held > MAX_HELD
        size = min(size, context.held)
        context.held -= size
        self.held -= size
        if full and self.held <= MAX_HELD and not self.dead:
            self.core.look_again()
        return 0

    cdef int request_taken(self, ServicerContext context) except -1:
        """The only request of `context` is its handler's now; of a call that has ended nothing is kept."""
        if context.held > UNARY_COST:
            self.let_go(context, context.held - UNARY_COST)
        return 0

    cdef int feeds_no_more(self, ServicerContext context) except -1:
        if context.feeds:
            context.feeds = False
            self.feeding -= 1
        return 0

    cdef int arrived_whole(self, ServicerContext context) except -1:
        """No message of `context` is arriving in pieces any more."""
        self.promised -= context.promised
        context.promised = 0
        return 0

    cdef int flush(self) except -1:
        Connection.flush(self)
        if self.stalled and self.unsent <= MAX_UNSENT:
            self.core.resume(self)
        return 0

    cdef int room(self) except -1:
        cdef ServerCore core = self.core
        for context in list(self.for_room):
            (<ServicerContext>context).wake(W_ROOM)
        if (core is not None and core.leader_asleep and core.leads_what == W_ROOM
                and core.leads_for is not None and core.leads_for.conn is self):
            core.kick(core.kick_leader)        # another thread made the room that it sleeps for
        if core is not None and core.stopping:
            core.sent()
        return 0

    def __repr__(self):
        state = f"dead: {self.death}" if self.dead else "hot" if self.hot else "idle"
        return f"<ServerConnection {self.peer_name} {state}, {len(self.streams)} calls under way>"

    cdef int dispatch(self, sw_header *h, sw_view *v, const uint8_t *at) except -1:
        cdef ServicerContext context
        if h.type == SW_OPEN:
            return self.open(h, v, at)
        if h.type == SW_PING:
            return self.answer_ping(h)
        if h.type == SW_HEADERS or h.type == SW_TRAILERS:
            return self.fail("the peer, a client, sent a frame that only servers send")
        if h.type == SW_GOAWAY or (h.type == SW_CREDIT and h.stream == 0):
            self.vain += 1
            return 0
        context = self.streams.get(h.stream)
        if context is None:
            if h.stream > self.last_stream and not self.said_goaway:
                return self.fail(f"the peer used stream {h.stream}, which was never opened")
            self.vain += 1
            return 0                           # the call has ended here, the peer did not know yet
        if h.type == SW_CANCEL:
            context.cancelled = True
            self.streams.pop(h.stream, None)
            self.feeds_no_more(context)
            if context.callbacks is not None:
                self.core.endings.append(context)
            if context.assembly is not None:
                context.assembly = None        # it never became a request: nobody else will end it
                self.forget(context)
            else:
                context.wake(W_END)
        elif h.type == SW_MESSAGE:
            if context.inbox is not None:
                return self.arrive(context, h, v, at)
            return self.piece_of(context, h, v, at)
        elif h.type == SW_CREDIT:
            if h.aux < LEAST_CREDIT:
                self.vain += 1
            context.window += h.aux
            if context.window > 0x7fffffff:
                return self.fail("the peer gave more credit than there can be")
            context.wake(W_CREDIT)
        return 0

    cdef bint acceptable(self, ServicerContext context, sw_view *v) except -1:
        if 0 <= self.core.max_receive < <int64_t>v.total or v.total > <uint64_t>0x7fffffffffff:
            self.end(context, RESOURCE_EXHAUSTED,
                     f"SERVER: Received message larger than max ({v.total} vs. {self.core.max_receive})",
                     None, None)
            return False
        return True

    cdef Assembly assemble(self, ServicerContext context, sw_view *v):
        """-> None: there is no memory for it, and the call has ended."""
        if self.promised == 0 or self.promised + <int64_t>v.total <= MAX_HELD_WITH_STREAMS:
            try:
                assembly = Assembly.begin(v.total)
            except MemoryError:
                pass
            else:
                context.promised = <int64_t>v.total
                self.promised += context.promised
                return assembly
        self.end(context, RESOURCE_EXHAUSTED, f"SERVER: no memory for a message of {v.total} bytes", None, None)
        return None

    cdef int arrive(self, ServicerContext context, sw_header *h, sw_view *v, const uint8_t *at) except -1:
        """A request of a stream, a piece of one, or its half's end."""
        cdef Inbox inbox = context.inbox
        cdef Assembly assembly
        cdef int64_t charge = CHARGE + v.message_size, credit
        cdef int got
        if context.half_closed:
            return self.fail("the peer sent a request after the last one")
        if h.flags & SW_HAS_MESSAGE and not inbox.affords(charge):
            return self.fail("the peer sent more than its credit")
        if h.flags & SW_CONTINUED or (inbox.assembly is not None and h.flags & SW_HAS_MESSAGE):
            assembly = inbox.assembly
            if assembly is None or not h.flags & SW_CONTINUED:
                return self.fail("the peer mixed up the pieces of its messages")
            got = assembly.add(at + v.message, v.message_size)
            if self.dead:
                return 0
            if got < 0 or (got == 1) == ((h.flags & SW_MORE) != 0):
                return self.fail("the peer sent a message of another length than announced")
            inbox.charged += charge
            if got == 1:
                inbox.assembly = None
                inbox.add(assembly.data, inbox.charged)
                inbox.charged = 0
                self.arrived_whole(context)
                if not self.holds(context, <int64_t>assembly.total):
                    return 0
        elif h.flags & SW_HAS_MESSAGE:
            if not self.acceptable(context, v):
                return 0
            if not h.flags & SW_MORE:
                inbox.add(_message_at(at, v), charge)
                if self.dead or not self.holds(context, v.message_size):
                    return 0
            else:
                assembly = self.assemble(context, v)
                if assembly is None:
                    return 0
                inbox.assembly = assembly
                inbox.charged = charge
                assembly.add(at + v.message, v.message_size)
                if self.dead:
                    return 0
        elif not h.flags & SW_END:
            self.vain += 1
        if h.flags & SW_END:
            if inbox.assembly is not None:
                return self.fail("the peer ended its half in the middle of a message")
            context.half_closed = True
            self.feeds_no_more(context)
        credit = inbox.settle()
        if credit and not context.half_closed and not context.ended:
            self.send_frame(SW_CREDIT, 0, context.stream, <uint32_t>credit, None, None)
        context.wake(W_MESSAGE)
        return 0

    cdef int open(self, sw_header *h, sw_view *v, const uint8_t *at) except -1:
        cdef ServicerContext context
        cdef ServerCore core = self.core
        cdef MethodEntry entry
        cdef Assembly assembly
        cdef Parts parts = None
        if h.stream <= self.last_stream:
            return self.fail(f"the peer opened stream {h.stream} after {self.last_stream}")
        if self.said_goaway:
            return 0                           # GOAWAY named the streams before it; the client knows
        self.last_stream = h.stream
        if h.extra & SW_BLOCKS and self.arenas is not None and h.flags & SW_HAS_MESSAGE:
            if h.flags & SW_MORE:
                return self.fail("the peer sent a message both in pieces and in blocks")
            parts = self.parts_at(v, at)
            if parts is None:
                return 0
            v.total = <uint64_t>parts.size
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
        if not self.acceptable(context, v):
            return 0
        if h.flags & SW_MORE:
            assembly = self.assemble(context, v)
            if assembly is None:
                return 0
            context.assembly = assembly
            assembly.add(at + v.message, v.message_size)
            return 0
        context.request = _message_at(at, v) if parts is None else parts
        return self.enqueue(context) if self.holds(context, UNARY_COST + v.message_size) else 0

    cdef int enqueue(self, ServicerContext context) except -1:
        """Its request is there: it is to be begun."""
        if self.dead:                          # given up meanwhile: copying a large request releases the GIL
            return self.forget(context)
        if not self.requests and not self.stalled:
            self.core.pending.append(self)
        self.requests.append(context)
        return 0

    cdef int piece_of(self, ServicerContext context, sw_header *h, sw_view *v, const uint8_t *at) except -1:
        cdef int got
        cdef Assembly assembly = context.assembly
        if not h.flags & SW_CONTINUED or assembly is None:
            return self.fail("the peer sent a second message on a unary call")
        got = assembly.add(at + v.message, v.message_size)
        if self.dead:
            return 0                           # given up meanwhile: add() may release the GIL
        if got < 0 or (got == 1) == ((h.flags & SW_MORE) != 0):
            return self.fail("the peer sent a message of another length than announced")
        if got == 1:
            context.request = assembly.data
            context.assembly = None
            self.arrived_whole(context)
            if self.holds(context, UNARY_COST + <int64_t>assembly.total):
                self.enqueue(context)
        return 0

    cdef int go_away(self) except -1:
        if not self.said_goaway:
            self.said_goaway = True
            self.send_frame(SW_GOAWAY, 0, 0, self.last_stream, None, None)
        return 0

    cdef int forget(self, ServicerContext context) except -1:
        if not context.ended:
            context.ended = True
            context.wake(W_END)
            self.streams.pop(context.stream, None)
            self.feeds_no_more(context)
            self.arrived_whole(context)
            self.let_go(context, context.held)
            self.core.active -= 1
            if context.callbacks is not None:
                self.core.endings.append(context)
            if self.core.stopping and self.core.active == 0:
                self.core.sent()
        return 0

    cdef int end(self, ServicerContext context, int code, str details, bytes trailing, message) except -1:
        """Send the end of a call; once only, and not to a client that cancelled.

        `message` comes of ready_to_send().
        """
        cdef int flags = SW_END
        cdef bytes prefix = None
        if context.ended:
            _undo(message)
            return 0
        if code == OK and context.deadline != NEVER and <int64_t>sr_now_ns() >= context.deadline:
            _undo(message)
            code, details, trailing, message = DEADLINE_EXCEEDED, "Deadline Exceeded", None, None
        if self.unsent > MAX_OWED and message is not None:
            _undo(message)
            code, details, message = RESOURCE_EXHAUSTED, "SERVER: the client does not take its answers", None
        if context.cancelled or self.dead:
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
        cdef ServicerContext context
        if self.dead:
            return 0
        self.dead = True
        self.death = why
        self.outq.clear()
        self.unsent = 0
        if self.stalled:
            self.core.resume(self)             # they are not answered, but taken off the books
        for each in list(self.streams.values()):
            context = <ServicerContext>each
            context.cancelled = True
            if context.assembly is not None:
                context.assembly = None
                self.forget(context)
            else:
                context.wake(W_END)
                if context.callbacks is not None:
                    self.core.endings.append(context)
        self.streams.clear()
        self.room()
        c_shutdown(self.fd, SHUT_RDWR)
        return 0


cdef class ServerCore:
    """Reads all memory connections of a server and runs their handlers in the user's pool.

    `owner` gives: `_submit(fn)` (run in the pool), `_resolve(name)` -> MethodEntry and `_resolve_dynamic(name,
    metadata)` -> MethodEntry. It accepts the connections, in a thread of its own, and calls `add`.
    """
    cdef object owner
    cdef int ep, kick_leader, kick_watcher
    cdef dict conns                   # fd -> ServerConnection
    cdef dict known                   # method name -> MethodEntry
    cdef list hot
    cdef sr_end *rings[64]            # of the first hot connections, to spin on
    cdef object pending               # deque of the connections that have requests to begin, in turn
    cdef list resting                 # connections that are left alone for a moment
    cdef object endings               # contexts whose termination callbacks are due
    cdef int reader
    cdef unsigned long leader         # the leader's thread
    cdef ServicerContext leads_for    # the call whose handler waits in the leader's thread
    cdef int leads_what               # and what it waits for
    cdef bint draining                # the reader is in the middle of reading
    cdef bint leader_in_handler, leader_asleep, give_way
    cdef volatile uint64_t runs       # handlers begun by leaders
    cdef int running                  # pool threads in drive(), asked for or there
    cdef int unstarted                # asked for and not there yet
    cdef int max_workers
    cdef bint watcher_ticking
    cdef bint ending                  # a thread for the moment runs termination callbacks
    cdef readonly bint stopping, stopped
    cdef Waiter idle                  # woken when the last call ends during a stop
    cdef public int64_t active
    cdef public int64_t max_rpcs, max_receive, max_send, max_metadata
    cdef int reads_since_epoll
    cdef Patience patience
    cdef int linger_ms
    cdef object __weakref__

    def __cinit__(self):
        self.ep = self.kick_leader = self.kick_watcher = -1

    def __init__(self, owner, int max_workers, int64_t max_rpcs, int64_t max_receive, int64_t max_send,
                 int64_t max_metadata=16384):
        self.max_metadata = max_metadata
        self.owner = owner
        self.max_workers = max_workers
        # A pool of one thread is given back at once, so that calls over TCP are not kept waiting.
        self.linger_ms = TURN_MS if max_workers > 1 else 2
        self.max_rpcs = max_rpcs
        self.max_receive = max_receive
        self.max_send = max_send
        self.conns = {}
        self.known = {}
        self.hot = []
        self.pending = deque()
        self.resting = []
        self.endings = deque()
        self.idle = Waiter()
        self.reader = WATCHER
        self.ep = epoll_create1(EPOLL_CLOEXEC)
        self.kick_leader = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        self.kick_watcher = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        if self.ep < 0 or self.kick_leader < 0 or self.kick_watcher < 0:
            raise OSError(errno, f"cannot make the server's event descriptors: {os.strerror(errno)}")
        self.watch_fd(self.kick_leader)
        _live.add(self)

    def __dealloc__(self):
        self.close_fds()

    cdef void close_fds(self):
        if self.ep >= 0:
            c_close(self.ep)
        if self.kick_leader >= 0:
            c_close(self.kick_leader)
        if self.kick_watcher >= 0:
            c_close(self.kick_watcher)
        self.ep = self.kick_leader = self.kick_watcher = -1

    cdef void abandon(self):
        self.stopping = True
        self.stopped = True
        self.close_fds()

    def __repr__(self):
        return (f"<ServerCore {len(self.conns)} connections, {len(self.hot)} hot, {self.active} calls, "
                f"read by {'a pool thread' if self.reader == LEADER else 'the watcher'}>")

    cdef ServicerContext new_context(self):
        return ServicerContext.__new__(ServicerContext)

    # -- sockets

    cdef int watch_fd(self, int fd) except -1:
        cdef epoll_event event
        memset(&event, 0, sizeof(event))
        event.events = EPOLLIN
        event.data.fd = fd
        if epoll_ctl(self.ep, EPOLL_CTL_ADD, fd, &event) != 0:
            raise OSError(errno, f"cannot watch a socket: {os.strerror(errno)}")
        return 0

    cdef void unwatch_fd(self, int fd):
        cdef epoll_event event
        memset(&event, 0, sizeof(event))
        epoll_ctl(self.ep, EPOLL_CTL_DEL, fd, &event)

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
            self.unwatch_fd(conn.fd)
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

    cdef ServicerContext take(self):
        """The next request to begin: of each connection in turn, and of none that does not take its answers."""
        cdef ServerConnection conn
        cdef ServicerContext context
        while self.pending:
            conn = <ServerConnection>self.pending.popleft()
            if conn.unsent > MAX_UNSENT:
                conn.stalled = True
                continue
            context = <ServicerContext>conn.requests.popleft()
            if conn.requests:
                self.pending.append(conn)
            return context
        return None

    cdef bint several(self):
        """Is there more to begin than one thing?"""
        cdef Py_ssize_t n = len(self.pending) + len(self.endings)
        return n > 1 or (n == 1 and len(self.pending) == 1 and len((<ServerConnection>self.pending[0]).requests) > 1)

    cdef int resume(self, ServerConnection conn) except -1:
        """A client has taken its answers: its requests are begun again."""
        conn.stalled = False
        if conn.requests:
            self.pending.append(conn)
            self.look_again()
        return 0

    cdef int look_again(self) except -1:
        """Something may be read, or begun, that could not be: the reader is not to sleep on."""
        if self.reader == WATCHER:
            self.kick(self.kick_watcher)
        elif self.leader_asleep:
            self.kick(self.kick_leader)
        return 0

    # -- reading

    cdef int read_conn(self, ServerConnection conn) except -1:
        cdef int n = 0
        try:
            if conn.unsent > MAX_UNSENT and not conn.dead:
                conn.flush()
            if conn.readable():
                n = conn.drain(DRAIN_LIMIT)
            if conn.outq and not conn.dead:
                conn.flush()
        except Exception as error:             # no memory for a message, say: one connection's trouble
            _LOGGER.exception("reading a connection of %s failed", conn.peer_name)
            conn.fail(f"{type(error).__name__}: {error}")
        if conn.dead:
            self.lose(conn)
        elif conn.rests_until == 0 and conn.tires():
            self.rest(conn)
        return n

    cdef int read_hot(self) except -1:
        """Take what the hot rings hold. -> frames read."""
        cdef ServerConnection conn
        cdef int n, i = 0, total = 0
        self.draining = True
        try:
            if self.resting:
                self.end_rests()
            while i < len(self.hot):
                conn = <ServerConnection>self.hot[i]
                i += 1
                if sr_has_data(&conn.rx) or conn.outq or conn.dead:
                    n = self.read_conn(conn)
                    if n:
                        total += n
                        conn.last_request = 0
        finally:
            self.draining = False
        return total

    cdef int rest(self, ServerConnection conn) except -1:
        """Leave a connection alone for a moment: what it does brings nobody anything, and keeps others waiting."""
        cdef epoll_event event
        memset(&event, 0, sizeof(event))
        event.data.fd = conn.fd
        epoll_ctl(self.ep, EPOLL_CTL_MOD, conn.fd, &event)      # but for its end
        conn.rests_until = <int64_t>sr_now_ns() + REST_NS
        self.resting.append(conn)
        return self.cool(conn)

    cdef int end_rests(self) except -1:
        cdef ServerConnection conn
        cdef epoll_event event
        cdef int64_t now = <int64_t>sr_now_ns()
        for each in list(self.resting):
            conn = <ServerConnection>each
            if conn.rests_until <= now:
                conn.rests_until = 0
                self.resting.remove(conn)
                memset(&event, 0, sizeof(event))
                event.events = EPOLLIN
                event.data.fd = conn.fd
                epoll_ctl(self.ep, EPOLL_CTL_MOD, conn.fd, &event)
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
        cdef int i, fd
        cdef ServerConnection conn
        self.draining = True
        try:
            for i in range(n):
                fd = events[i].data.fd
                if fd == self.kick_leader:
                    if not self.stopped:
                        clear_eventfd(fd)
                else:
                    found = self.conns.get(fd)
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
                            conn.vain += 2     # a bell for nothing
        finally:
            self.draining = False
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

    cdef int look(self, int ms) except -2:
        """One epoll_wait without the GIL, and what follows from it. -> events, -1 when interrupted."""
        cdef epoll_event events[64]
        cdef int n
        self.reads_since_epoll = 0
        if ms == 0:
            n = epoll_wait(self.ep, events, 64, 0)
        else:
            with nogil:
                n = epoll_wait(self.ep, events, 64, ms)
        if n > 0:
            self.handle(events, n)
        self.cool_down()
        return n

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
                self.look(0)
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
            if self.arm() or (context is None and (self.stopping or self.give_way)):
                self.disarm()
                continue
            self.leader_asleep = True
            since = <int64_t>sr_now_ns() if self.woke_one() else 0
            with nogil:
                n = epoll_wait(self.ep, events, 64, ms)
            self.leader_asleep = False
            self.disarm()
            if since and n > 0:
                slept(&self.patience, since)
            if n > 0:
                self.handle(events, n)
                self.cool_down()
            elif n == 0 and context is None and not self.resting:
                return 0

    cdef bint all_readable(self):
        """May all the busy connections be read? A ring that may not need not be watched: it has data already."""
        for each in self.hot:
            if not (<ServerConnection>each).readable():
                return False
        return True

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
        if self.reader == LEADER:
            if self.leader != me:
                return False
        elif self.draining:
            return False
        else:
            self.become_leader(me)
        self.leader_in_handler = False
        self.leads_for = context
        self.leads_what = what
        self.runs += 1
        try:
            self.read_some(context, what)
        finally:
            self.leads_for = None
            if self.reader == LEADER and self.leader == me:
                self.leader_in_handler = True
                self.runs += 1
                if not self.watcher_ticking:
                    self.kick(self.kick_watcher)
        return True

    cdef void become_leader(self, unsigned long me):
        self.reader = LEADER
        self.leader = me
        self.leader_in_handler = False
        self.disarm()

    # -- the pool's threads

    cdef void kick(self, int fd):
        ring_eventfd(fd)

    def yield_pool(self):
        """A call over TCP wants a thread of the pool: if all of them may be ours, free one."""
        if self.running == 0:
            return
        self.give_way = True
        if self.leader_asleep:
            self.kick(self.kick_leader)

    cdef int ask_for_thread(self) except -1:
        cdef ServicerContext context
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
            self.kick(self.kick_watcher)       # one thread may not be enough: it asks for the next
        try:
            while not self.stopped:
                if self.give_way and self.running > 0:
                    break
                if sr_coarse_ns() - turn > <uint64_t>TURN_MS * 1000000:
                    turn = sr_coarse_ns()
                    if self.owner._pool_is_wanted():
                        break
                if self.pending or self.endings:
                    context = None if self.endings else self.take()
                    if context is None and not self.endings:
                        continue               # their clients take no answers
                    leads = self.reader == LEADER and self.leader == me
                    if context is not None and context.entry.typical_ns > SLOW_NS:
                        if leads:
                            self.hand_to_watcher()
                            leads = False
                        if self.pending:
                            self.ask_for_thread()
                    if leads:
                        self.runs += 1
                        self.leader_in_handler = True
                        if not self.watcher_ticking:
                            self.kick(self.kick_watcher)
                    try:
                        if context is None:
                            self.run_endings()
                        else:
                            context.run()
                    finally:
                        if self.reader == LEADER and self.leader == me:
                            self.leader_in_handler = False
                    continue
                if self.reader != LEADER or self.leader != me:
                    if self.draining or self.reader == LEADER:
                        break
                    self.become_leader(me)
                if self.read_some(None, W_END) == 0:
                    break
        finally:
            self.running -= 1
            self.give_way = False
            if self.reader == LEADER and self.leader == me:
                self.hand_to_watcher()
            elif self.pending or self.endings:
                self.ask_for_thread()

    cdef int hand_to_watcher(self) except -1:
        self.reader = WATCHER
        self.leader_in_handler = False
        self.kick(self.kick_watcher)
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
        while self.reader == LEADER and not self.leader_in_handler:
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
            if self.reader == LEADER:
                # Tick without the GIL while the leader works; wake up for good only if it is stuck.
                self.watcher_ticking = True
                stuck = False
                with nogil:
                    quiet = 0
                    seen = self.runs
                    while quiet < QUIET_TICKS and self.reader == LEADER:
                        p[0].fd = self.kick_watcher
                        p[0].events = POLLIN
                        p[0].revents = 0
                        if poll(p, 1, TICK_MS) > 0:
                            clear_eventfd(self.kick_watcher)
                            break
                        if self.runs != seen:
                            seen = self.runs
                            quiet = 0
                        elif self.leader_in_handler:
                            stuck = True
                            break
                        else:
                            quiet += 1
                if stuck and self.leader_in_handler and self.runs == seen and self.reader == LEADER:
                    self.reader = WATCHER
                    self.leader_in_handler = False
                elif quiet >= QUIET_TICKS:
                    self.watcher_ticking = False
                    p[0].fd = self.kick_watcher
                    p[0].events = POLLIN
                    if self.reader == LEADER and not self.leader_in_handler:
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
        """Take no new calls: clients are told, requests that still arrive are refused."""
        cdef ServerConnection conn
        self.stopping = True
        for conn in list(self.conns.values()):
            conn.go_away()
        self.kick(self.kick_watcher)
        if self.leader_asleep:
            self.kick(self.kick_leader)

    @property
    def unsent(self):
        """Whether answers still wait for room in their rings; they are lost when the connections are closed."""
        for each in self.conns.values():
            if (<ServerConnection>each).outq:
                return True
        return False

    cdef int sent(self) except -1:
        """During a stop: the last call has ended; or what waited for room on a connection has found it, or is lost."""
        self.idle.wake()
        return 0

    def wait_idle(self, double seconds):
        """Until the last call ended, all was sent, wake_idle() was called, or `seconds` passed; after begin_stop()."""
        self.idle.wait(<int64_t>(sr_now_ns() + min(seconds, 1e8) * 1e9))

    def wake_idle(self):
        """End wait_idle(), or the next one: what it waits for has changed."""
        self.idle.wake()

    def cancel_all(self):
        """End the calls under way; their clients see CANCELLED at once."""
        cdef ServerConnection conn
        cdef ServicerContext context
        for conn in list(self.conns.values()):
            for each in list(conn.streams.values()):
                context = <ServicerContext>each
                conn.end(context, UNAVAILABLE, "the server was stopped", None, None)
                context.cancelled = True
                context.wake(W_END)
        self.run_endings()
        self.idle.wake()

    def shut(self):
        """Close every connection and let the watcher and the pool's threads go."""
        cdef ServerConnection conn
        self.stopping = True
        self.stopped = True
        for conn in list(self.conns.values()):
            conn.fail("the server was stopped")
        if self.ep < 0:
            return
        self.kick(self.kick_watcher)
        self.kick(self.kick_leader)            # left readable: no leader sleeps again


grpc.ServicerContext.register(ServicerContext)
