# Every class of the native core: its fields, who guards each, and its methods in C.
#
# Rules of this file:
#
# 1. The GIL guards a field, unless its comment names another guard in brackets:
#    [role]     whoever holds the receiving role of a client's connection, or reads for the server (_states.pxi)
#    [tx_busy]  whoever has set it, while the GIL is released to copy; at all other times, the GIL
#    [loop]     the thread of the event loop
#    [once]     nobody: it is set before another thread can see the object, and stays
#    [any]      nobody: it is read without the GIL, and may be late
# 2. What a call or a connection is in the middle of is a state (_states.pxi), and changes by move() alone.

from cpython.pythread cimport PyThread_type_lock
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "sys/epoll.h" nogil:
    ctypedef union epoll_data_t:
        int fd
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_create1(int)
    int epoll_ctl(int, int, int, epoll_event *)
    int epoll_wait(int, epoll_event *, int, int)
    int EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLLIN, EPOLL_CLOEXEC

cdef extern from "ring.h" nogil:
    ctypedef struct sr_control:
        pass
    ctypedef struct sr_end:
        sr_control *ctl
        uint8_t *data
        uint64_t capacity
        uint64_t position
        uint64_t limit
    ctypedef struct sr_segment:
        uint64_t magic
        uint32_t version
        uint32_t header_size
        uint64_t capacity[2]
        uint64_t arena
        sr_control ring[2]
    ctypedef struct sr_geometry:
        uint64_t magic
        uint32_t version
        uint64_t capacity[2]
        uint64_t arena
    sr_geometry sr_load_geometry(const sr_segment *)
    int SR_EMPTY, SR_READY, SR_CORRUPT
    size_t SR_HEADER_SIZE
    uint64_t SR_MAGIC
    bint sr_capacity_ok(uint64_t)
    void sr_init(sr_end *, sr_control *, uint8_t *, uint64_t)
    int sr_reserve(sr_end *, uint64_t, uint8_t **)
    void sr_commit(sr_end *, uint64_t)
    bint sr_must_wake_reader(sr_end *)
    bint sr_writer_wait(sr_end *, uint64_t)
    uint64_t sr_consumed(const sr_end *)
    int64_t sr_available(sr_end *)
    const uint8_t *sr_at(const sr_end *)
    void sr_consume(sr_end *, uint64_t)
    bint sr_must_wake_writer(sr_end *)
    bint sr_has_data(const sr_end *)
    bint sr_reader_sleep(sr_end *)
    void sr_reader_awake(sr_end *)
    int sr_spin(sr_end **, int, uint64_t, const int *)
    bint sr_spin_transfer(sr_end *, sr_end *, uint64_t)
    void sr_set_busy_connections(sr_segment *, uint32_t)
    uint32_t sr_busy_connections(const sr_segment *)
    uint64_t sr_now_ns()
    uint64_t sr_coarse_ns()
    uint64_t sr_segment_size(uint64_t, uint64_t)
    bint sr_arena_ok(uint64_t)
    int SR_PAGE
    uint64_t sr_align(uint64_t)

cdef extern from "wire.h" nogil:
    ctypedef struct sw_header:
        uint32_t size
        uint8_t type
        uint8_t flags
        uint16_t extra
        uint32_t stream
        uint32_t aux
    ctypedef struct sw_view:
        uint64_t timeout_ns
        uint64_t total
        uint32_t name, name_size
        uint32_t initial, initial_size
        uint32_t metadata, metadata_size
        uint32_t details, details_size
        uint32_t message, message_size
    ctypedef struct sw_entry:
        uint32_t key, key_size, value, value_size
    int SW_VERSION, SW_FRAME_HEADER
    int SW_OPEN, SW_HEADERS, SW_MESSAGE, SW_TRAILERS, SW_CANCEL, SW_CREDIT, SW_PING, SW_GOAWAY, SW_RELEASE
    int SW_END, SW_HAS_MESSAGE, SW_MORE, SW_HAS_METADATA, SW_HAS_TIMEOUT, SW_HAS_NAME, SW_HAS_INITIAL
    int SW_HAS_DETAILS, SW_CONTINUED
    int SW_BLOCKS, SW_MAX_BLOCKS
    int SW_FEATURE_STREAMS, SW_FEATURE_BLOCKS
    int64_t SW_WINDOW
    sw_header sw_load_header(const uint8_t *)
    const char *sw_parse(const sw_header *, const uint8_t *, sw_view *)
    ctypedef struct sw_block:
        uint64_t position, offset, size
    const char *sw_blocks_begin(const uint8_t *, const sw_view *, uint32_t *, uint32_t *)
    const char *sw_blocks_next(const uint8_t *, const sw_view *, uint32_t *, uint64_t, uint64_t *, uint64_t *, sw_block *)
    int sw_metadata_begin(const uint8_t *, uint32_t, uint32_t *, uint32_t *)
    int sw_metadata_next(const uint8_t *, uint32_t, uint32_t *, sw_entry *)

cdef extern from "Python.h":
    ctypedef class builtins.OSError [object PyOSErrorObject]:
        pass


# ---------------- states: _states.pxi has the tables

cdef enum ConnectionState:
    CONN_OPEN
    CONN_DRAINING    # no further calls begin: GOAWAY was said, or heard, or numbers have run out
    CONN_RETIRED     # and the channel has let go of it: it ends with its last call
    CONN_DEAD

cdef enum CallState:                  # of a client
    CALL_WAITING     # for a connection
    CALL_UNDER_WAY
    CALL_ENDED       # from here on it is over
    CALL_UNSENT      # so, too, and it is certain that no server has seen it

cdef enum ServedState:                # of a call at its server
    SERVED_OPEN
    SERVED_CANCELLED # by its client, or that is gone; the handler has not left
    SERVED_ENDED     # answered
    SERVED_GONE      # ended, and not by the handler's word

cdef enum Role:                       # who receives on a client's connection
    NOBODY
    CALLER
    CALLER_ASLEEP    # in poll(), as the next but one
    LISTENER
    LISTENER_ASLEEP

cdef enum Reader:                     # who reads all connections of a server
    WATCHER
    LEADER
    LEADER_ASLEEP    # in epoll_wait()
    LEADER_BUSY      # in a handler: nobody reads, until the watcher loses patience

# How long a thread that waits watches its rings before it sleeps. What is in vain is done less and less often.
# On a busy or a virtual machine, a wake-up may take longer than SPIN_NS. Then two ends, once asleep, would go on
# waking each other for ever, each giving up before the other is there: so a wait for a peer that had to be
# woken lasts as long as such waits lately took, if that is not too long.
ctypedef struct Patience:
    int fails, skips
    int64_t woken_in                 # mean of the times slept until a woken peer had done its part


# ---------------- arenas and messages in parts: _arena.pxi

cdef class Arenas:
    cdef uint8_t *base                # [once]
    cdef uint64_t size                # [once]

cdef class Allocation:
    cdef uint64_t offset, size
    cdef int64_t sent
    cdef bint held

cdef class Pool:
    cdef Arenas arenas                # [once]
    cdef uint8_t *base                # [once]
    cdef uint64_t size                # [once]
    cdef uint64_t touched             # no page above it was ever used, or since it was given back
    cdef list blocks                  # Allocations by offset
    cdef int64_t entries              # of blocks, sent and not given back
    cdef void set_touched(self, uint64_t touched)
    cdef Allocation allocate(self, uint64_t size)
    cdef Allocation holding(self, uint64_t offset)
    cdef int give_back(self, Allocation block) except -1
    cdef int free_if_unused(self, Allocation block) except -1
    cdef int64_t find(self, const void *at, uint64_t size)

cdef class OwnBlock:
    cdef Pool pool                    # [once]
    cdef Allocation block             # [once]
    cdef Py_ssize_t size              # [once]
    cdef int pid                      # [once]

cdef class Block:
    cdef Arenas arenas                # [once]
    cdef Connection conn              # [once]
    cdef const uint8_t *at            # [once]
    cdef Py_ssize_t size              # [once]
    cdef uint32_t page                # [once]
    cdef uint64_t made                # [once] forks then

cdef class Parts:
    cdef readonly list parts          # [once]
    cdef readonly Py_ssize_t size     # [once]

cdef class PartsSerializer:
    cdef object serialize

cdef class PartsDeserializer:
    cdef object deserialize

cdef class Shipment:
    cdef bytes message
    cdef list blocks
    cdef Pool pool
    cdef int undo(self) except -1


# ---------------- both sides: _core.pyx

cdef class Segment:
    cdef uint8_t *base                # [once]
    cdef size_t length                # [once]
    cdef readonly uint64_t capacity   # [once]
    cdef int owner_pid                # [once]
    cdef Arenas arenas                # [once]
    cdef int _map(self, uint8_t *at, int fd, long offset, size_t size) except -1

cdef class OutFrame:
    cdef int type, flags              # [once]
    cdef uint32_t stream, aux         # [once]
    cdef bytes prefix                 # [tx_busy]
    cdef bytes message                # [once]
    cdef uint64_t offset              # [tx_busy]
    cdef int64_t size                # [once] of memory

cdef class Connection:
    cdef sr_end rx                    # [role]
    cdef sr_end tx                    # [tx_busy]
    cdef Segment segment
    cdef int fd
    cdef int state                   # a ConnectionState
    cdef public str death            # why it ended
    cdef object outq
    cdef int64_t unsent              # bytes of memory in it
    cdef bint tx_busy
    cdef bint woke                   # the peer was asleep when the last frame was written
    cdef uint64_t piece              # [once] largest frame this side writes
    cdef Arenas arenas               # None: not used on this connection
    cdef Pool pool                   # this side's
    cdef const uint8_t *theirs       # the other arena
    cdef int64_t blocks_in           # entries of the peer's blocks that it has not got back
    cdef int vain                    # [role] frames and doorbells that brought nobody anything, since
    cdef int64_t vain_since           # [role]
    cdef object __weakref__
    cdef void bell(self)
    cdef void wake_reader(self)
    cdef int read_bells(self)
    cdef bint tires(self) noexcept nogil
    cdef int send_frame(self, int type, int flags, uint32_t stream, uint32_t aux, bytes prefix, bytes message) except -1
    cdef int flush(self) except -1
    cdef int room(self) except -1
    cdef bint wants_room(self)
    cdef uint64_t next_size(self, OutFrame out)
    cdef int write_piece(self, OutFrame out) except -2
    cdef int64_t send_part(self, uint32_t stream, bytes message, int64_t offset, int64_t window) except -1
    cdef int send_on(self, CallSide call, bytes message, int64_t *offset) except -1
    cdef object ready_to_send(self, message)
    cdef int release_block(self, uint32_t page, bint at_once) except -1
    cdef int nudge(self) except -1
    cdef int answer_ping(self, sw_header *h) except -1
    cdef Parts parts_at(self, sw_view *v, const uint8_t *at)
    cdef int released(self, uint32_t page) except -1
    cdef int drain(self, int limit) except -1
    cdef int dispatch(self, sw_header *h, sw_view *v, const uint8_t *at, Parts parts) except -1
    cdef object message_of(self, CallSide call, str side, int64_t limit, int64_t room, sw_header *h, sw_view *v,
        const uint8_t *at, Parts parts)
    cdef int refuse(self, CallSide call, str why) except -1
    cdef int fail(self, str why) except -1
    cdef void release_if_unused(self)
    cdef void unmap(self)
    cdef void abandon(self)

cdef class Assembly:
    cdef bytes data                   # [role]
    cdef uint64_t offset, total       # [role]
    @staticmethod
    cdef Assembly begin(uint64_t total)
    cdef int add(self, const uint8_t *source, uint64_t size) except -1

cdef class Inbox:
    cdef object messages             # deque of (message, charge)
    cdef int64_t charged             # for the pieces so far of the message that is arriving
    cdef int64_t owed
    cdef int64_t window              # what the sender may still send
    cdef bint affords(self, int64_t charge)
    cdef int add(self, bytes message, int64_t charge) except -1
    cdef int64_t settle(self, bint partial)
    cdef bytes take(self)

cdef class CallSide:
    cdef uint32_t stream
    cdef int64_t deadline
    cdef Inbox inbox                 # None where the other side sends one message
    cdef Assembly assembly           # the message that is arriving in pieces
    cdef int64_t window              # bytes of messages that the other side will take
    cdef bint is_over(self)
    cdef int wake(self, int what) except -1


# ---------------- the client's end: _client.pxi

cdef class ClientCall(CallSide):
    cdef ClientConnection conn      # None before there is one
    cdef str method
    cdef int state                  # a CallState
    cdef int status                 # how it ended
    cdef object text                # details, str
    cdef bytes initial, trailing
    cdef object message             # the only response, bytes or Parts
    cdef list callbacks
    cdef uint64_t position          # where its frame starts in the ring; 0: not known
    cdef bint cancelled_here        # by cancel()
    cdef bint heard                 # the server has sent metadata or a message
    cdef int64_t max_request, max_response  # of its method, beside the connection's; -1: no limit
    cdef int finish(self, int status, object text) except -1
    cdef int never_sent(self, object text) except -1
    cdef int end_as(self, CallState state, int status, object text) except -1
    cdef bint due(self, int what)
    cdef int give_back(self) except -1
    cdef int forget_messages(self) except -1
    cdef int end_here(self, int status, object text) except -1
    cdef int drop(self, int status, object text) except -1
    cdef int run_callbacks(self) except -1
    cdef bint callback_raised(self, error) except -1

cdef class ClientConnection(Connection):
    cdef readonly str target          # [once]
    cdef dict calls                  # stream -> ClientCall under way
    cdef dict methods                # name -> number the peer knows
    cdef int64_t name_bytes          # of these names
    cdef bint went_away              # the server said that it leaves,
    cdef uint32_t last_taken         # and that this is the highest stream it took
    cdef uint32_t next_stream
    cdef list deadlines              # heap of (deadline, stream) of calls whose deadlines nobody else watches
    cdef object ready                # deque of ended calls whose callbacks are due
    cdef Patience patience            # [role]
    cdef public int64_t max_receive, max_send # [once]
    cdef int64_t max_metadata         # [once]
    cdef readonly bint streams       # [once] the server takes calls of all four kinds
    cdef int drain_calls(self) except -1
    cdef int launch(self, ClientCall call, message, bytes metadata, Py_ssize_t name_size, timeout) except -1
    cdef int start(self, ClientCall call, bytes message, bytes metadata, int64_t timeout_ns, int flags) except -1
    cdef int lost(self, ClientCall call) except -1
    cdef str death_text(self)
    cdef int end_call(self, ClientCall call, int status, object text) except -1
    cdef int look_again(self) except -1
    cdef int close_if_retired(self) except -1
    cdef int shut(self, str why, int status, object text) except -1
    cdef bint in_use(self)
    cdef bint take(self, ClientCall call, sw_header *h, sw_view *v, const uint8_t *at, Parts parts) except -1
    cdef int credit(self, ClientCall call, uint32_t bytes_) except -1
    cdef int go_away(self, uint32_t last) except -1
    cdef int receive(self, int limit) except -1
    cdef int receive_last(self) except -1
    cdef uint64_t spin_budget(self)
    cdef int remember_deadline(self, ClientCall call) except -1
    cdef int64_t next_deadline(self)
    cdef int expire(self) except -1
    cdef int run_ready(self) except -1


# ---------------- where threads call and wait: _client_threads.pxi

cdef class Waiter:
    cdef PyThread_type_lock lock      # [once]
    cdef int what                     # [once]
    cdef void wake(self)
    cdef int wait(self, int64_t deadline) except -1

cdef class Call(ClientCall):
    cdef object deserializer
    cdef list waiters
    cdef bint attended              # a thread waits for it, no listener needed
    cdef bint streams               # a StreamCall
    cdef object value, failure
    cdef int look(self) except -1
    cdef int call_back(self, fn, argument) except -1
    cdef int wait(self, int64_t limit, int what) except -1
    cdef int await_connection(self, int64_t limit) except -1
    cdef int _need_listener(self) except -1
    cdef int _settle(self, object timeout) except -1
    cdef int _parse(self) except -1
    cdef object _value(self)
    cdef object _error(self)

cdef class ThreadConnection(ClientConnection):
    cdef int role                    # a Role: who receives
    cdef Call led_for                # the call its holder waits for
    cdef int led_what                # and what of it
    cdef int poke                    # an eventfd that wakes the holder, once somebody waited for a future
    cdef int pollers                 # threads in poll(), the one that lost the role included
    cdef uint64_t token
    cdef object followers            # deque of (Call, Waiter)
    cdef int64_t unattended
    cdef object listener             # the thread, once there is one
    cdef int kick                    # an eventfd that wakes it
    cdef bint listener_asleep
    cdef int64_t listener_until
    cdef object start_thread          # [once]
    cdef object on_end               # called when it takes no more calls: somebody watches the channel's state
    cdef bint sits                   # the listener receives although nothing is under way, to see that
    cdef void close_eventfds(self)
    cdef bint gone(self)
    cdef bint news(self)
    cdef int lead(self, Call call, int64_t until, int what) except -1
    cdef bint take_role(self, Role mine) except -1
    cdef int leave_role(self) except -1
    cdef int offer_role(self) except -1
    cdef int glance(self) except -1
    cdef int wait(self, Call call, int64_t limit, int what) except -1
    cdef int lead_for(self, Call call, int64_t until, int what) except -1
    cdef int follow(self, Call call, int64_t until, int what) except -1
    cdef void poke_leader(self)
    cdef int make_eventfd(self) except -1
    cdef int tell_end(self) except -1

cdef class Parked:
    cdef Call call
    cdef object message              # bytes, Parts or None
    cdef bytes metadata
    cdef Py_ssize_t name_size

cdef class ChannelCore:
    cdef public ThreadConnection conn
    cdef public object pick          # (credentials, timeout) -> ThreadConnection | None: the slow path
    cdef public int generation       # grows when the gRPC channel was replaced (after a fork)
    cdef public bytes user_agent     # None: the default, which no call needs to carry
    cdef public object connect_soon  # () -> None: calls are parked; None: nobody could start them
    cdef public str target
    cdef list parked
    cdef bint must_wait(self, wait_for_ready, credentials, bint sure) except -1
    cdef int park(self, Call call, message, bytes metadata, Py_ssize_t name_size, timeout) except -1

cdef class Multicallable:
    cdef ChannelCore core             # [once]
    cdef str method                   # [once]
    cdef Py_ssize_t name_size         # [once]
    cdef object serializer, deserializer, fallback # [once]
    cdef object over_grpc
    cdef int generation
    cdef public int64_t max_request, max_response  # bytes of a message, beside the channel's limits; -1: any
    cdef object grpc_callable(self)
    cdef ThreadConnection connection(self, timeout, credentials, bint sure)
    cdef int begin(self, Call call, ThreadConnection conn, request, bint has_request, timeout, metadata) except -1
    cdef object serialized(self, request)
    cdef Call failed(self, Call call, error)

cdef class UnaryUnary(Multicallable):
    cdef Call blocking(self, request, timeout, metadata, credentials, wait_for_ready, compression)

cdef class Bound:
    cdef UnaryUnary stub              # [once]
    cdef object usual                # [once] seconds for calls that say nothing; None: no limit
    cdef object serving              # [once] gives the call that is being served, or None
    cdef object limit                # [once] timeout -> what that call leaves of it


# ---------------- streams of threads: _streams.pxi

cdef class StreamCall(Call):
    cdef bytes next_message(self)
    cdef bint connected(self) except -1
    cdef int send_message(self, bytes data) except -1

cdef class StreamMulticallable(Multicallable):
    cdef object run
    cdef StreamCall open(self, bint responses_stream, request, bint one_request, timeout, metadata, credentials,
        wait_for_ready, compression)

cdef class UnaryStream(StreamMulticallable):
    pass

cdef class StreamStream(StreamMulticallable):
    pass

cdef class StreamUnary(StreamMulticallable):
    cdef StreamCall blocking(self, request_iterator, timeout, metadata, credentials, wait_for_ready, compression)


# ---------------- what users hold: _handles.pxi

cdef class Handle(OSError):
    cdef Call call
    cdef object __weakref__
    cdef object as_error(self)
    cdef dict error_classes(self)

cdef class StreamHandle(Handle):
    pass


# ---------------- the server's end: _server.pxi

cdef class MethodEntry:
    cdef public object name, behavior, deserializer, serializer
    cdef public bint dynamic          # ask the resolver for every call (interceptors, foreign handlers)
    cdef public bint requests_stream, responses_stream
    cdef public object pool           # what runs the handler instead of the server's pool; None: that
    cdef int64_t typical_ns           # moving average of the handler's duration, of unary calls

cdef class ServerCall(CallSide):
    cdef ServerConnection conn
    cdef ServerCore core
    cdef MethodEntry entry
    cdef object request               # the only one, bytes or Parts
    cdef bytes metadata
    cdef bytes initial                # metadata, once it was sent
    cdef int state                    # a ServedState
    cdef bint half_closed             # the client sends no more requests
    cdef bint responded               # with one of many responses
    cdef int64_t held                 # its part of what the connection holds
    cdef int64_t promised             # bytes of a message that arrives in pieces
    cdef bint feeds                   # its requests come one by one, and are not at their end
    cdef bint taken_away(self)
    cdef bint due(self, int what)
    cdef bytes next_message(self)
    cdef int tell_gone(self) except -1

cdef class ServerConnection(Connection):
    cdef readonly str peer_name       # [once]
    cdef tuple usual_metadata         # [once] of a call that brings none
    cdef dict auth                    # [once]
    cdef ServerCore core
    cdef dict entries                # method number -> MethodEntry
    cdef dict streams                # stream -> ServerCall under way
    cdef int64_t name_bytes          # of the methods that were named
    cdef uint32_t last_stream
    cdef list for_room               # ServerCalls whose responses wait for room
    cdef bint hot
    cdef int64_t last_request
    cdef object requests             # deque of ServerCalls that were read and not yet begun
    cdef bint stalled                # none of them is begun: the client does not take its answers
    cdef int64_t held                # bytes of requests that no handler has taken, with what calls themselves keep
    cdef int64_t promised            # bytes of messages that arrive in pieces
    cdef int64_t feeding             # calls whose requests come one by one, and are not at their end
    cdef int64_t rests_until         # left alone until then; 0: not
    cdef bint readable(self)
    cdef bint holds(self, ServerCall context, int64_t size) except -1
    cdef int let_go(self, ServerCall context, int64_t size) except -1
    cdef int request_taken(self, ServerCall context) except -1
    cdef int feeds_no_more(self, ServerCall context) except -1
    cdef int count_promised(self, ServerCall context) except -1
    cdef int cut_off(self, ServerCall context) except -1
    cdef object request_of(self, ServerCall context, sw_header *h, sw_view *v, const uint8_t *at, Parts parts)
    cdef int arrive(self, ServerCall context, sw_header *h, sw_view *v, const uint8_t *at) except -1
    cdef int only_request(self, ServerCall context, sw_header *h, sw_view *v, const uint8_t *at, Parts parts) except -1
    cdef int open(self, sw_header *h, sw_view *v, const uint8_t *at, Parts parts) except -1
    cdef int enqueue(self, ServerCall context) except -1
    cdef int go_away(self) except -1
    cdef int forget(self, ServerCall context) except -1
    cdef int end(self, ServerCall context, int code, str details, bytes trailing, message) except -1

cdef class ServerCore:
    cdef object owner                 # [once]
    cdef int ep                       # [once]
    cdef dict conns                   # fd -> ServerConnection
    cdef dict known                   # method name -> MethodEntry
    cdef list hot
    cdef sr_end *rings[64]            # [role] of the first hot connections, to spin on
    cdef object pending               # deque of the connections that have requests to begin, in turn
    cdef list resting                 # connections that are left alone for a moment
    cdef readonly bint stopping, stopped
    cdef public int64_t active
    cdef public int64_t max_rpcs, max_receive, max_send, max_metadata # [once]
    cdef int reads_since_epoll        # [role]
    cdef Patience patience            # [role]
    cdef object __weakref__
    cdef void close_fds(self)
    cdef void abandon(self)
    cdef ServerCall new_context(self)
    cdef int epoll(self, int op, int fd, uint32_t events)
    cdef int watch_fd(self, int fd) except -1
    cdef int lose(self, ServerConnection conn) except -1
    cdef MethodEntry entry(self, str name)
    cdef int heat(self, ServerConnection conn) except -1
    cdef int cool(self, ServerConnection conn) except -1
    cdef int hot_changed(self) except -1
    cdef ServerCall take(self)
    cdef int resume(self, ServerConnection conn) except -1
    cdef int look_again(self) except -1
    cdef int room(self, ServerConnection conn) except -1
    cdef int read_conn(self, ServerConnection conn) except -1
    cdef int read_hot(self) except -1
    cdef int rest(self, ServerConnection conn) except -1
    cdef int end_rests(self) except -1
    cdef int cool_down(self) except -1
    cdef int handle(self, epoll_event *events, int n) except -1
    cdef bint arm(self)
    cdef void disarm(self)
    cdef int look(self) except -1
    cdef bint all_readable(self)
    cdef int sent(self) except -1


# ---------------- where threads read and serve: _server_threads.pxi

cdef class ServicerContext(ServerCall):
    cdef bint aborted
    cdef object status, text, trailing
    cdef list callbacks
    cdef bint detached                # its handler has returned and sends responses later
    cdef bint moved                   # its handler runs in another pool
    cdef list waiters                 # threads that wait for this call
    cdef unsigned long thread         # that runs the handler
    cdef object gone                  # what the handler was told the end of the call with
    cdef dict users                   # attributes that users gave it; None: no call pays for what few of them want
    cdef object __weakref__
    cdef int wait(self, int what) except -1
    cdef int send_response(self, bytes data) except -1
    cdef int send_responses(self, MethodEntry entry, responses) except -1
    cdef int raised(self, MethodEntry entry, error, str when) except -1
    cdef int64_t run(self) except -1
    cdef int call_behavior(self, MethodEntry entry) except -1
    cdef int answer(self, MethodEntry entry) except -1
    cdef int refuse(self, int code, str details) except -1
    cdef int finish_with(self, int code, str details, message) except -1
    cdef int run_callbacks(self) except -1

cdef class _Responder:
    cdef ServicerContext context
    cdef MethodEntry entry

cdef class RequestIterator:
    cdef ServicerContext context
    cdef object deserializer
    cdef dict __dict__
    cdef object __weakref__

cdef class ThreadServerCore(ServerCore):
    cdef int kick_leader, kick_watcher # [once]
    cdef object endings               # deque of contexts whose termination callbacks are due
    cdef int reader                   # [any] a Reader
    cdef unsigned long leader         # the leader's thread
    cdef ServicerContext leads_for    # the call whose handler waits in the leader's thread
    cdef int leads_what               # and what it waits for
    cdef bint draining                # the reader is in the middle of reading
    cdef bint give_way
    cdef volatile uint64_t runs       # [any] handlers begun by leaders
    cdef int running                  # pool threads in drive(), asked for or there
    cdef int unstarted                # asked for and not there yet
    cdef int max_workers              # [once]
    cdef bint watcher_ticking
    cdef bint ending                  # a thread for the moment runs termination callbacks
    cdef Waiter idle                  # [once] woken when the last call ends during a stop
    cdef int linger_ms                # [once]
    cdef bint several(self)
    cdef int end_elsewhere(self) except -1
    cdef int run_endings(self) except -1
    cdef int read_some(self, ServicerContext context, int what) except -1
    cdef bint woke_one(self)
    cdef int leave_to_others(self, int64_t until) except -2
    cdef bint lead_on(self, ServicerContext context, int what, unsigned long me) except -1
    cdef int become_leader(self, unsigned long me) except -1
    cdef bint leads(self, unsigned long me)
    cdef int ask_for_thread(self) except -1
    cdef int hand_to_watcher(self) except -1
    cdef int watch_on(self) except -1


# ---------------- event loops: _loop.pxi

cdef class Turns:
    # [loop], but that turns are asked for from anywhere
    cdef object loop, function, context # [once]
    cdef unsigned long thread         # [once] the loop's
    cdef object handles               # [once] the loop's queue of ready callbacks, None when it does not show it
    cdef bint scheduled
    cdef int64_t quiet_since          # when turns began to find nothing; 0: something was found last
    cdef int64_t budget               # ns of watching, counted from then
    cdef int schedule(self) except -1
    cdef bint elsewhere(self)
    cdef int ask_for_one(self) except -1
    cdef int64_t may_watch(self, int64_t budget)

cdef class Outbound:
    # [loop]
    cdef bytes data                   # None: nothing is on its way
    cdef int64_t offset               # bytes of it that went
    cdef uint64_t begun, whole        # messages so far
    cdef uint64_t begin(self, bytes data)
    cdef int push(self, Connection conn, CallSide call) except -1

cdef class LoopConnection(ClientConnection):
    # [loop]
    cdef object loop
    cdef Turns turns
    cdef bytes user_agent
    cdef object on_death
    cdef bint reads                   # in the middle of that
    cdef bint asleep                  # announced on the ring
    cdef bint watched                 # the selector has the socket
    cdef bint beside_itself           # the server is in this process: whoever watches the ring keeps it waiting
    cdef list for_room                # LoopCalls whose requests wait for room
    cdef object timer                 # of the earliest deadline
    cdef int64_t timer_at
    cdef bint rests                   # left alone for a moment, a timer ends it
    cdef LoopCall begin(self, str method, Py_ssize_t name_size, bytes request, metadata, timeout, resend)
    cdef int run(self, LoopCall call, timeout) except -1
    cdef int expect(self) except -1
    cdef int rest(self) except -1
    cdef int whole_turn(self, bint bells) except -1
    cdef int read_socket(self, int limit) except -1
    cdef int read_on(self) except -1
    cdef int settle(self) except -1
    cdef int sleep_or_turn(self) except -1
    cdef int set_timer(self) except -1

cdef class LoopCall(ClientCall):
    # [loop]
    cdef list sleepers                # (what, future), once somebody has waited
    cdef Py_ssize_t name_size
    cdef bytes request                # the only one
    cdef bytes metadata
    cdef object resend
    cdef int attempts
    cdef readonly bint quick          # of a QuickCall
    cdef Outbound out                 # once something was sent
    cdef bint half_closed             # there are no more requests
    cdef bint in_line                 # among those of the connection that wait for room
    cdef readonly bint lost           # ended with its connection, and not by the server's word or from this side
    cdef object callback_error        # what a callback of a quick call raised
    cdef object __weakref__
    cdef bint on_its_way(self)
    cdef int push(self) except -1
    cdef object sleep(self, int what)
    cdef str debug(self)

cdef class QuickCall:
    # [loop]
    cdef LoopCall call
    cdef object deserializer, response
    cdef bint parsed
    cdef dict __dict__
    cdef object __weakref__
    cdef object result(self)
    cdef object error(self)

cdef class LoopChannelCore:
    cdef public LoopConnection conn

cdef class QuickUnary:
    cdef LoopChannelCore core
    cdef str method
    cdef Py_ssize_t name_size
    cdef object serializer, deserializer, usual, resend

cdef class LoopContext(ServerCall):
    # [loop]
    cdef public object task
    cdef bint begun                   # the task has; a task that is cancelled before its first step never does
    cdef list sleepers
    cdef object timer
    cdef readonly bint answered       # its handler, and not its client or its deadline, ended it
    cdef Outbound out                 # once a response of many was sent
    cdef bint in_line                 # among those of the connection that wait for room
    cdef object sleep(self, int what)
    cdef int push(self) except -1
    cdef int set_timer(self) except -1

cdef class LoopServerCore(ServerCore):
    # [loop]
    cdef object loop
    cdef Turns turns
    cdef bint asleep
    cdef set beside_itself            # fds of clients in this process: watching the rings would keep them waiting
    cdef list for_sent                # futures of those who wait in until_idle()
    cdef object rest_timer            # of the turn after a connection's rest
    cdef int expect(self) except -1
    cdef int whole_turn(self, bint look) except -1
    cdef int start_handlers(self) except -1
    cdef int64_t spin_budget(self)
    cdef int take_turn(self, bint look) except -1
