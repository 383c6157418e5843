# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, infer_types=False
"""The hot path of the memory queue: connections, calls, and the server's readers. `_core.pxd` has every class and field.

Rules of this file:

1. The GIL guards every Python-visible field of a connection. It is released only to wait (spin, poll)
   and to copy large pieces; the states of who reads (_states.pxi) and `tx_busy` (sending) keep the
   other threads out meanwhile, so no further lock exists.
2. Sending never blocks: what does not fit into the ring waits in `outq`, and whoever receives on the
   connection also flushes it. A client therefore always drains its incoming ring, and two full rings
   cannot deadlock; a server may let a client wait that does not take what it is owed.
3. No user code runs while a thread holds the receiving role of a client connection.
4. What the peer wrote is checked by ring.h and wire.h; a violation closes this connection only.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals
from cpython.object cimport PyObject, PyTypeObject
from cpython.pythread cimport (
    NOWAIT_LOCK, PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock, PyThread_release_lock,
    PyThread_get_thread_ident, PyThread_type_lock)
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

import asyncio
import contextvars
import functools
import heapq
import logging
import os
import sys
import threading
import time
import weakref
from collections import deque, namedtuple

import grpc
import grpc.aio

from sage_rpc import errors
from sage_rpc.native import faces

cdef extern from "Python.h":
    bint PyIter_Check(object)
    object PyContext_New()
    int PyContext_Enter(object) except -1
    int PyContext_Exit(object) except -1
    object PyObject_GenericGetAttr(object, object)
    int PyThread_acquire_lock_timed(PyThread_type_lock, long long, int) nogil

cdef extern from "sys/mman.h" nogil:
    void *mmap(void *, size_t, int, int, int, long)
    int munmap(void *, size_t)
    int madvise(void *, size_t, int)
    int PROT_NONE, PROT_READ, PROT_WRITE, MAP_PRIVATE, MAP_SHARED, MAP_ANONYMOUS, MAP_NORESERVE, MAP_FIXED
    int MADV_DONTFORK, MADV_REMOVE
    void *MAP_FAILED

cdef extern from "sys/socket.h" nogil:
    ssize_t send(int, const void *, size_t, int)
    ssize_t recv(int, void *, size_t, int)
    int c_shutdown "shutdown"(int, int)
    int MSG_DONTWAIT, MSG_NOSIGNAL, SHUT_RDWR
    ctypedef struct ucred "struct ucred":
        int pid
    int getsockopt(int, int, int, void *, unsigned int *)
    int SOL_SOCKET, SO_PEERCRED

cdef extern from "poll.h" nogil:
    struct pollfd:
        int fd
        short events
        short revents
    int poll(pollfd *, unsigned long, int)
    short POLLIN

cdef extern from "sys/eventfd.h" nogil:
    int eventfd(unsigned int, int)
    int EFD_NONBLOCK, EFD_CLOEXEC

cdef extern from * nogil:
    """
    #include <unistd.h>
    /* Neither can fail in a way that matters: an eventfd that cannot be written is full, and so rings already. */
    static void ring_eventfd(int fd) {
        const uint64_t one = 1;
        const ssize_t written = write(fd, &one, sizeof one);
        (void)written;
    }
    static void clear_eventfd(int fd) {
        uint64_t count;
        const ssize_t got = read(fd, &count, sizeof count);
        (void)got;
    }
    """
    void ring_eventfd(int)
    void clear_eventfd(int)

cdef extern from "unistd.h" nogil:
    int c_close "close"(int)
    int getpid()

cdef extern from *:
    """
    #include <stdlib.h>
    #ifdef __GLIBC__
    #include <malloc.h>
    static int keep_freed_memory(int mapped_from, int kept) {
        return mallopt(M_MMAP_THRESHOLD, mapped_from) && mallopt(M_TRIM_THRESHOLD, kept);
    }
    #else
    static int keep_freed_memory(int mapped_from, int kept) { return (void)mapped_from, (void)kept, 0; }
    #endif
    """
    bint keep_freed_memory(int, int)

_LOGGER = logging.getLogger("sage_rpc")

WIRE_VERSION = SW_VERSION
FEATURES = SW_FEATURE_STREAMS | SW_FEATURE_BLOCKS  # feature bits that this side can use
FEATURE_BLOCKS = SW_FEATURE_BLOCKS
SEGMENT_HEADER_SIZE = SR_HEADER_SIZE
MAX_CAPACITY = 1 << 28                # bytes of a ring; a server takes no larger one
MAX_ARENA = 1 << 30                   # bytes; a server maps no larger ones
FRAME_TYPES = {"OPEN": SW_OPEN, "HEADERS": SW_HEADERS, "MESSAGE": SW_MESSAGE, "TRAILERS": SW_TRAILERS,
               "CANCEL": SW_CANCEL, "CREDIT": SW_CREDIT, "PING": SW_PING, "GOAWAY": SW_GOAWAY,
               "RELEASE": SW_RELEASE}
FRAME_FLAGS = {"END": SW_END, "HAS_MESSAGE": SW_HAS_MESSAGE, "MORE": SW_MORE, "HAS_METADATA": SW_HAS_METADATA,
               "HAS_TIMEOUT": SW_HAS_TIMEOUT, "HAS_NAME": SW_HAS_NAME, "HAS_INITIAL": SW_HAS_INITIAL,
               "HAS_DETAILS": SW_HAS_DETAILS, "CONTINUED": SW_CONTINUED}

cdef uint64_t GIL_FREE_COPY = 65536   # bytes; from here a copy is long enough to let other threads run
cdef uint64_t SPIN_NS = 50000         # covers a peer's wake-up (about 25 us) and a short handler; SAGE_RPC_SPIN_US
cdef int WAKING = 5                   # times SPIN_NS, at most, for a peer that had to be woken
cdef uint64_t TRANSFER_SPIN_NS = 200000
cdef int64_t SLOW_NS = 200000         # a handler this slow is not run by the thread that must read on
cdef int MAX_BACKOFF = 6
cdef int DRAIN_LIMIT = 64             # frames taken from one connection before the next gets its turn
cdef uint64_t DRAIN_BYTES = 4 << 20   # and bytes of frames
# Frames and doorbells that bring nobody anything cost the peer nothing: a connection that gives so many of them
# within VAIN_WINDOW_NS is left alone for REST_NS. An honest one does not come near that.
cdef int VAIN_LIMIT = 1024
cdef int64_t VAIN_WINDOW_NS = 10000000
cdef int64_t REST_NS = 1000000
cdef int REST_MS = 1
cdef uint32_t LEAST_CREDIT = 4096     # bytes; less credit than this in one frame brings nobody anything
cdef int MAX_METHOD_NAME = 4096       # bytes
cdef int MAX_METHOD_NAMES = 65536     # per connection
cdef int MAX_NAME_BYTES = 1 << 20     # of all methods' names of a connection
cdef int MAX_TIMEOUT_MS = 1 << 30
# A signal that comes between the last look for signals and poll() does not end poll(); the main thread, which
# runs Python's handlers, looks again after this long at the latest.
cdef int SIGNAL_MS = 500
cdef int WATCH_MS = 100              # after this long without a call, a watched connection is received from
cdef unsigned long MAIN_THREAD = <unsigned long>threading.main_thread().ident
cdef int MAX_UNSENT_ATTEMPTS = 5
cdef int64_t MAX_UNSENT = 16 << 20    # bytes; a server with more for a client reads and begins no more of its requests
cdef int64_t MAX_OWED = 1 << 30       # bytes; answers of calls that run already are dropped beyond it
# What requests of one connection that no handler has taken may keep, in bytes. Beyond MAX_HELD nothing more is read,
# unless some call's requests follow one by one, and its handler may wait for what is in the ring: then calls that
# bring more are refused, beyond MAX_HELD_WITH_STREAMS.
cdef int64_t MAX_HELD = 64 << 20
cdef int64_t MAX_HELD_WITH_STREAMS = 256 << 20
cdef int64_t UNARY_COST = 2048        # bytes that a call itself keeps
cdef int64_t STREAM_COST = 8192
cdef int64_t MAX_BLOCKS_OUT = 65536   # entries of blocks that a side may have given and not got back
cdef uint64_t MAX_OWN_ARENA = 1 << 28 # bytes of its arena that a side uses, whatever a client has made room for
cdef int64_t CHARGE = SW_FRAME_HEADER # bytes of credit a MESSAGE frame costs besides its message
cdef int64_t LEAST_PART = 16384       # bytes; a message that must be split is not split finer
cdef int64_t OWED = SW_WINDOW // 4    # bytes of credit given back at once

# Flags of send_frame() beyond those of the frame.
cdef int IN_BLOCKS = SW_BLOCKS << 8  # `message` is that of a Shipment
cdef int QUIET = 1 << 24             # a peer that sleeps need not wake up for it

# What a thread or a task waits for; W_SENT: that the message on its way was sent whole.
cdef int W_END = 0, W_MESSAGE = 1, W_CREDIT = 2, W_ROOM = 3, W_HEADERS = 4, W_SENT = 5

cdef int64_t NEVER = 0x7fffffffffffffff
cdef uint64_t MAX_ARENA_BYTES = MAX_ARENA

cdef int USABLE_CPUS = 1

include "_states.pxi"

_STATUS = {code.value[0]: code for code in grpc.StatusCode}
_CODES = {code: code.value[0] for code in grpc.StatusCode}
_COMPRESSIONS = frozenset(grpc.Compression)
cdef int OK = 0, CANCELLED = 1, UNKNOWN = 2, DEADLINE_EXCEEDED = 4, RESOURCE_EXHAUSTED = 8
cdef int UNIMPLEMENTED = 12, INTERNAL = 13, UNAVAILABLE = 14

Metadatum = namedtuple("Metadatum", ("key", "value"), module=__name__)


def set_usable_cpus(int cpus):
    """How many CPUs this process may use; 1 turns spinning off."""
    global USABLE_CPUS
    USABLE_CPUS = cpus


def _count_cpus():
    """CPUs by affinity, cut down by the cgroup's quota (cgroup v2) where there is one."""
    cpus = len(os.sched_getaffinity(0))
    try:
        with open("/sys/fs/cgroup/cpu.max") as limits:
            quota, period = limits.read().split()
        if quota != "max":
            cpus = min(cpus, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return cpus


set_usable_cpus(_count_cpus())


def set_spin(double microseconds):
    """How long a thread that waits watches its ring before it sleeps; 0: not at all."""
    global SPIN_NS
    SPIN_NS = <uint64_t>(microseconds * 1000)


def spin_of_environment():
    """What SAGE_RPC_SPIN_US says, in microseconds; None: nothing. ValueError: nothing that makes sense."""
    text = os.environ.get("SAGE_RPC_SPIN_US", "")
    if not text:
        return None
    try:
        microseconds = float(text)
    except ValueError:
        microseconds = -1
    if not 0 <= microseconds <= 100000:
        raise ValueError(f"SAGE_RPC_SPIN_US={text} is ignored: expected microseconds from 0 to 100000")
    return microseconds


try:
    if spin_of_environment() is not None:
        set_spin(spin_of_environment())
except ValueError as error:
    _LOGGER.warning("%s", error)


class ProtocolViolation(Exception):
    """The peer broke the rules of docs/wire.md; its connection is closed."""


# ---------------------------------------------------------------- metadata

# What belongs to the protocol is not the application's to send, and is left out, as grpcio does it: these
# keys mean something in gRPC over HTTP/2, or are its own statistics, tracing and load balancing.
RESERVED = frozenset((
    b"te", b"content-type", b"content-length", b"grpc-timeout", b"grpc-encoding", b"grpc-accept-encoding",
    b"grpc-internal-encoding-request", b"grpc-status", b"grpc-message", b"grpc-trace-bin", b"grpc-tags-bin",
    b"grpc-server-stats-bin", b"endpoint-load-metrics-bin", b"lb-cost-bin", b"x-envoy-peer-metadata"))
RESERVED_IN_REQUESTS = RESERVED | {b"user-agent", b"grpc-previous-rpc-attempts"}
_RESERVED_IN_RETRIES = RESERVED | {b"user-agent"}


class Retried(tuple):
    """The metadata of a call that is tried again; it may say how many attempts there were."""


cdef object _reserved(metadata):
    return _RESERVED_IN_RETRIES if type(metadata) is Retried else RESERVED_IN_REQUESTS


# What a handler is told of a client that does not say more about itself, by the dialect of its HELLO.
USER_AGENTS = (
    f"grpc-python/{grpc.__version__} ({sys.platform}; shm)",
    f"grpc-python-asyncio/{grpc.__version__} ({sys.platform}; shm)")


def encode_metadata(metadata, reserved=RESERVED, bytes user_agent=None):
    """The wire block of `metadata`, an iterable of (key, value), without `reserved` keys; `user_agent` comes first.

    TypeError when it is something else, ValueError when a key or a value has forbidden characters.
    """
    cdef bytearray block = bytearray(2)
    cdef int count = 0
    if user_agent is not None:
        block += _entry(b"user-agent", user_agent)
        count = 1
    for entry in metadata:
        try:
            key, value = entry
        except ValueError:
            raise TypeError(f"metadata must be pairs of key and value, not {entry!r}") from None
        raw_key = _metadata_bytes(key, entry)
        if raw_key.endswith(b"-bin"):
            if not isinstance(value, bytes):
                raise TypeError(f"the value of a -bin key must be bytes, not {type(value).__name__}, in {entry!r}")
            raw = value
        else:
            raw = _metadata_bytes(value, entry)
            if not _valid_value(raw):
                raise ValueError(f"metadata was invalid: {entry!r}")
        if not _valid_key(raw_key) or len(raw_key) > 0xffff:
            raise ValueError(f"metadata was invalid: {entry!r}")
        if raw_key in reserved:
            continue
        block += _entry(raw_key, raw)
        count += 1
    if count > 0xffff:
        raise ValueError("metadata was invalid: more than 65535 entries")
    block[0:2] = count.to_bytes(2, "little")
    return bytes(block)


cdef bytes _entry(bytes key, bytes value):
    return len(key).to_bytes(2, "little") + len(value).to_bytes(4, "little") + key + value


cdef bytes _metadata_bytes(text, entry):
    if isinstance(text, bytes):
        return text
    if isinstance(text, str):
        return (<str>text).encode("utf-8")
    if text is None:                           # as grpcio has it
        return b""
    raise TypeError(f"metadata must be str or bytes, not {type(text).__name__}, in {entry!r}")


cdef bint _valid_key(bytes key):
    if not key:
        return False
    for c in key:
        if not (97 <= c <= 122 or 48 <= c <= 57 or c == 45 or c == 95 or c == 46):
            return False
    return True


cdef bint _valid_value(bytes value):
    for c in value:
        if not 32 <= c <= 126:
            return False
    return True


def decode_metadata(bytes block not None):
    """The (key, value) entries of a wire block; values of "-bin" keys are bytes, others str."""
    cdef const uint8_t *p = <const uint8_t *>PyBytes_AS_STRING(block)
    cdef uint32_t size = <uint32_t>PyBytes_GET_SIZE(block), at = 0, count = 0
    cdef sw_entry e
    if sw_metadata_begin(p, size, &at, &count) != 0:
        raise ProtocolViolation("metadata cut short")
    out = []
    for _ in range(count):
        if sw_metadata_next(p, size, &at, &e) != 0:
            raise ProtocolViolation("metadata cut short")
        key = (<const char *>p)[e.key:e.key + e.key_size].decode("utf-8", "replace")
        value = (<const char *>p)[e.value:e.value + e.value_size]
        out.append(Metadatum(key, value if key.endswith("-bin") else value.decode("utf-8", "replace")))
    if at != size:
        raise ProtocolViolation("bytes after the last metadata entry")
    return tuple(out)


# ---------------------------------------------------------------- frames, for tools and tests

def encode_frame(int kind, int flags, uint32_t stream, uint32_t aux, bytes body=b""):
    """One frame as it stands in the ring, padding not included."""
    cdef sw_header h
    h.size = <uint32_t>(SW_FRAME_HEADER + len(body))
    h.type = <uint8_t>kind
    h.flags = <uint8_t>flags
    h.extra = 0
    h.stream = stream
    h.aux = aux
    return PyBytes_FromStringAndSize(<char *>&h, sizeof(h)) + body


def decode_frame(bytes frame not None):
    """Parse one frame into a dict of its parts; ProtocolViolation says what is wrong with it."""
    cdef sw_header h
    cdef sw_view v
    cdef const uint8_t *p = <const uint8_t *>PyBytes_AS_STRING(frame)
    if len(frame) < SW_FRAME_HEADER:
        raise ProtocolViolation("frame shorter than its header")
    h = sw_load_header(p)
    if h.size != len(frame):
        raise ProtocolViolation(f"frame of {len(frame)} bytes says it has {h.size}")
    cdef const char *wrong = sw_parse(&h, p, &v)
    if wrong is not NULL:
        raise ProtocolViolation((<bytes>wrong).decode())
    return {
        "type": h.type, "flags": h.flags, "stream": h.stream, "aux": h.aux,
        "timeout_ns": v.timeout_ns, "total": v.total,
        "name": frame[v.name:v.name + v.name_size],
        "initial": frame[v.initial:v.initial + v.initial_size],
        "metadata": frame[v.metadata:v.metadata + v.metadata_size],
        "details": frame[v.details:v.details + v.details_size],
        "message": frame[v.message:v.message + v.message_size],
    }


# ---------------------------------------------------------------- the mapping

cdef class Segment:
    """A shared segment mapped into this process, each ring's data twice in a row.

    `fd` is only read during construction. `capacity` is the size of each ring in bytes; `create`
    writes the header of a fresh segment, otherwise the header is checked (ProtocolViolation). `arena` is the size of
    each arena of a fresh segment, 0 for none; of another, whether its arenas are wanted. `blocks` says whether they
    are mapped.
    """

    def __cinit__(self, int fd, uint64_t capacity, bint create, uint64_t arena=0):
        cdef uint8_t *at
        cdef sr_segment *header
        cdef sr_geometry seen
        cdef int i, copy
        if not sr_capacity_ok(capacity):
            raise ProtocolViolation(f"ring capacity {capacity} is not a power of two between 4096 and 2**28")
        self.capacity = capacity
        self.length = SR_HEADER_SIZE + 4 * capacity
        at = <uint8_t *>mmap(NULL, self.length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        if <void *>at == MAP_FAILED:
            raise OSError(errno, f"cannot reserve {self.length} bytes of address space: {os.strerror(errno)}")
        self.base = at
        self.owner_pid = getpid()
        self._map(at, fd, 0, SR_HEADER_SIZE)
        for i in range(2):
            for copy in range(2):
                self._map(at + SR_HEADER_SIZE + (2 * i + copy) * capacity, fd, SR_HEADER_SIZE + i * capacity, capacity)
        madvise(at, self.length, MADV_DONTFORK)
        header = <sr_segment *>at
        if create:
            header.version = SW_VERSION
            header.header_size = <uint32_t>SR_HEADER_SIZE
            header.capacity[0] = capacity
            header.capacity[1] = capacity
            header.arena = arena
            header.magic = SR_MAGIC
        else:
            seen = sr_load_geometry(header)    # once: the peer may write there at any time
            if (seen.magic != SR_MAGIC or seen.version != SW_VERSION or seen.capacity[0] != capacity
                    or seen.capacity[1] != capacity):
                raise ProtocolViolation("the segment's header does not match the handshake")
            if arena:
                arena = seen.arena
                if not sr_arena_ok(arena) or <uint64_t>os.fstat(fd).st_size < sr_segment_size(capacity, arena):
                    raise ProtocolViolation("the segment is too small for its arenas")
                if arena > MAX_ARENA_BYTES:
                    arena = 0                  # all goes through the rings
        if arena:
            try:
                self.arenas = Arenas(fd, <long>sr_segment_size(capacity, 0), arena)
            except OSError as error:           # a limit of the address space, say: all goes through the rings
                _LOGGER.debug("%s", error)

    @property
    def blocks(self):
        return self.arenas is not None

    cdef int _map(self, uint8_t *at, int fd, long offset, size_t size) except -1:
        if mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, offset) == MAP_FAILED:
            raise OSError(errno, f"cannot map the shared segment: {os.strerror(errno)}")
        return 0

    def __dealloc__(self):
        # In a forked child the range is not mapped (MADV_DONTFORK) and may serve another purpose.
        if self.base is not NULL and self.owner_pid == getpid():
            munmap(self.base, self.length)


# ---------------------------------------------------------------- memory of large messages

cdef bint memory_kept = False


cdef void large_message():
    """A large message is about to be made: have the allocator keep the memory of those that were freed.

    glibc gives freed memory back to the system beyond a few hundred KiB, and the next large message then pays for
    every page anew: that is most of the time that a message of 256 KiB or more takes, in all the copies that
    protobuf makes of it. Not done where the user has tuned the allocator, or set SAGE_RPC_MALLOC=default.
    """
    global memory_kept
    if memory_kept:
        return
    memory_kept = True
    tuned = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")
    if os.environ.get("SAGE_RPC_MALLOC") != "default" and not any(name in os.environ for name in tuned):
        keep_freed_memory(32 << 20, 64 << 20)


# ---------------------------------------------------------------- what both sides do

include "_arena.pxi"

cdef int64_t watch_ns(Patience *p, bint woke) noexcept:
    """How long to watch now; 0: not at all. `woke`: the peer had to be woken."""
    if p.skips > 0:
        p.skips -= 1
        return 0
    if woke and <int64_t>SPIN_NS < 2 * p.woken_in <= 2 * WAKING * <int64_t>SPIN_NS:
        return min(2 * p.woken_in, WAKING * <int64_t>SPIN_NS)
    return <int64_t>SPIN_NS


cdef void watched(Patience *p, bint found) noexcept:
    if found:
        p.fails = 0
    else:
        if p.fails < MAX_BACKOFF:
            p.fails += 1
        p.skips = (1 << p.fails) - 1


cdef void slept(Patience *p, int64_t since) noexcept:
    """A thread slept from `since` until now, while a peer that had been woken did its part."""
    cdef int64_t ns = <int64_t>sr_now_ns() - since
    ns = min(ns, 8 * WAKING * <int64_t>SPIN_NS)    # a long wait counts, but for a few times only
    p.woken_in = ns if p.woken_in == 0 else p.woken_in + (ns - p.woken_in) // 4


cdef class OutFrame:
    """A frame that did not fit yet; `offset` counts the bytes of `message` already written."""


cdef class Connection:
    """One end of a connection: a socket, a segment, the frames waiting for room."""

    def __cinit__(self, Segment segment not None, int fd, bint client, *args, **kwargs):
        cdef sr_segment *header = <sr_segment *>segment.base
        cdef int mine = 0 if client else 1
        self.segment = segment
        self.fd = fd
        self.outq = deque()
        self.piece = segment.capacity // 4
        sr_init(&self.tx, &header.ring[mine], segment.base + SR_HEADER_SIZE + 2 * mine * segment.capacity,
                segment.capacity)
        sr_init(&self.rx, &header.ring[1 - mine],
                segment.base + SR_HEADER_SIZE + 2 * (1 - mine) * segment.capacity, segment.capacity)
        _live.add(self)

    @property
    def dead(self):
        return self.state == CONN_DEAD

    def fileno(self):
        return self.fd

    def use_blocks(self, bint client):
        """Both sides have the arenas, and said so."""
        self.arenas = self.segment.arenas
        self.pool = Pool(self.arenas, 0 if client else 1)
        self.theirs = self.arenas.base + (self.arenas.size if client else 0)

    def allocate(self, Py_ssize_t size):
        """An `OwnBlock` of `size` bytes of arbitrary content; None when there is no room for it."""
        cdef OwnBlock block
        cdef Allocation found
        if self.pool is None or self.state == CONN_DEAD or size <= 0:
            return None
        found = self.pool.allocate(size)
        if found is None:
            return None
        block = OwnBlock.__new__(OwnBlock)
        found.held = True
        block.pool = self.pool
        block.block = found
        block.size = size
        block.pid = getpid()
        return block

    cdef void bell(self):
        cdef char one = 1
        if self.fd >= 0:
            send(self.fd, &one, 1, MSG_DONTWAIT | MSG_NOSIGNAL)

    cdef void wake_reader(self):
        """After a frame was written: ring if the peer sleeps, and remember whether it did."""
        self.woke = sr_must_wake_reader(&self.tx)
        if self.woke:
            self.bell()

    cdef int read_bells(self):
        """Take the doorbells that wait, up to some thousand at a time. 0: the peer is gone; 1: it is there.

        What is left makes the socket readable again.
        """
        cdef char buf[4096]
        cdef ssize_t n = recv(self.fd, buf, sizeof(buf), MSG_DONTWAIT)
        if n > 0:
            if n > 2:                          # an honest peer rings once for each announced sleep
                self.vain += <int>n
            return 1
        if n == 0:
            return 0
        return 1 if errno == EAGAIN or errno == EINTR else 0

    cdef bint tires(self) noexcept nogil:
        """Has the peer given more vain frames and doorbells than it may in that time? Asked after every turn."""
        cdef int64_t now
        cdef bint tired
        if self.vain < VAIN_LIMIT:
            return False
        now = <int64_t>sr_now_ns()
        tired = now - self.vain_since < VAIN_WINDOW_NS
        self.vain = 0
        self.vain_since = now
        return tired

    # -- sending

    cdef int send_frame(self, int type, int flags, uint32_t stream, uint32_t aux, bytes prefix, bytes message) except -1:
        """Write a frame, or queue it. `prefix` and `message` may be None; `message` sets HAS_MESSAGE."""
        cdef uint64_t size = SW_FRAME_HEADER
        cdef uint8_t *at
        cdef sw_header h
        cdef int got
        cdef OutFrame out
        if self.state == CONN_DEAD:
            return 0
        if prefix is not None:
            size += <uint64_t>PyBytes_GET_SIZE(prefix)
            if size + 8 > self.piece:          # the parts of a prefix are limited where they arise
                raise ValueError(f"a frame's metadata of {size} bytes exceeds the limit of {self.piece - 8}")
        if message is not None:
            size += <uint64_t>PyBytes_GET_SIZE(message)
            flags |= SW_HAS_MESSAGE
        if not self.outq and not self.tx_busy and size <= self.piece and size < GIL_FREE_COPY:
            got = sr_reserve(&self.tx, size, &at)
            if got == SR_READY:
                h.size = <uint32_t>size
                h.type = <uint8_t>type
                h.flags = <uint8_t>flags
                h.extra = <uint16_t>(flags >> 8)
                h.stream = stream
                h.aux = aux
                memcpy(at, &h, SW_FRAME_HEADER)
                at += SW_FRAME_HEADER
                if prefix is not None:
                    memcpy(at, PyBytes_AS_STRING(prefix), PyBytes_GET_SIZE(prefix))
                    at += PyBytes_GET_SIZE(prefix)
                if message is not None:
                    memcpy(at, PyBytes_AS_STRING(message), PyBytes_GET_SIZE(message))
                sr_commit(&self.tx, size)
                if not flags & QUIET:
                    self.wake_reader()
                return 0
            if got == SR_CORRUPT:
                self.fail("the peer's ring counters are impossible")
                return 0
        out = OutFrame.__new__(OutFrame)
        out.type = type
        out.flags = flags
        out.stream = stream
        out.aux = aux
        out.size = <int64_t>size + 256         # with the objects that hold it
        out.prefix = prefix
        out.message = message
        self.outq.append(out)
        self.unsent += out.size
        self.flush()
        return 0

    cdef int flush(self) except -1:
        """Write as much of `outq` as fits now; asks for the doorbell when something is left."""
        cdef OutFrame out
        cdef int got
        if self.tx_busy:
            return 0
        self.tx_busy = True
        try:
            while self.outq and self.state != CONN_DEAD:
                out = self.outq[0]
                got = self.write_piece(out)
                if self.state == CONN_DEAD:                  # given up meanwhile: write_piece may release the GIL
                    break
                if got == SR_CORRUPT:
                    self.fail("the peer's ring counters are impossible")
                elif got == SR_EMPTY:
                    if not sr_writer_wait(&self.tx, self.next_size(out)):
                        break
                elif out.message is None or out.offset == <uint64_t>PyBytes_GET_SIZE(out.message):
                    self.outq.popleft()
                    self.unsent = self.unsent - out.size if self.outq else 0
        finally:
            self.tx_busy = False
            if self.state == CONN_DEAD:
                self.release_if_unused()
        if not self.outq:
            self.room()
        return 0

    cdef int room(self) except -1:
        """All frames have found room: wake the threads that wait for that."""
        return 0

    cdef bint wants_room(self):
        """Before sleeping: ask for the doorbell if frames wait. True when they would fit after all.

        A thread in the middle of flush() asks for itself; its copy may be under way right now.
        """
        return (len(self.outq) > 0 and not self.tx_busy
                and sr_writer_wait(&self.tx, self.next_size(<OutFrame>self.outq[0])))

    cdef uint64_t next_size(self, OutFrame out):
        cdef uint64_t size = SW_FRAME_HEADER, left
        if out.prefix is not None:
            size += <uint64_t>PyBytes_GET_SIZE(out.prefix)
        if out.message is None:
            return size
        left = <uint64_t>PyBytes_GET_SIZE(out.message) - out.offset
        if size + left <= self.piece:
            return size + left
        return self.piece

    cdef int write_piece(self, OutFrame out) except -2:
        """Write the next frame of `out`: SR_READY, SR_EMPTY (no room) or SR_CORRUPT."""
        cdef uint64_t size = self.next_size(out), n = 0, left = 0, total = 0
        cdef uint8_t *at
        cdef const char *source = NULL
        cdef sw_header h
        cdef int got = sr_reserve(&self.tx, size, &at)
        cdef bint first = out.offset == 0
        if got != SR_READY:
            return got
        h.type = <uint8_t>(out.type if first else SW_MESSAGE)
        h.flags = <uint8_t>(out.flags if first else SW_HAS_MESSAGE | SW_CONTINUED | (out.flags & SW_END))
        h.extra = <uint16_t>(out.flags >> 8) if first else 0
        h.stream = out.stream
        h.aux = out.aux if first else 0
        h.size = <uint32_t>size
        if out.message is not None:
            total = <uint64_t>PyBytes_GET_SIZE(out.message)
            left = total - out.offset
            n = size - SW_FRAME_HEADER
            if first and out.prefix is not None:
                n -= <uint64_t>PyBytes_GET_SIZE(out.prefix)
            if n < left:                       # more pieces follow
                h.flags = <uint8_t>((h.flags | SW_MORE) & ~SW_END)
                if first:
                    n -= 8
            source = PyBytes_AS_STRING(out.message) + out.offset
        memcpy(at, &h, SW_FRAME_HEADER)
        at += SW_FRAME_HEADER
        if first and out.prefix is not None:
            memcpy(at, PyBytes_AS_STRING(out.prefix), PyBytes_GET_SIZE(out.prefix))
            at += PyBytes_GET_SIZE(out.prefix)
        if out.message is not None:
            if first and n < left:
                memcpy(at, &total, 8)
                at += 8
            if n >= GIL_FREE_COPY:
                with nogil:
                    memcpy(at, source, n)
            else:
                memcpy(at, source, n)
            out.offset += n
            if first:
                out.prefix = None
        sr_commit(&self.tx, size)
        self.wake_reader()
        return SR_READY

    cdef int64_t send_part(self, uint32_t stream, bytes message, int64_t offset, int64_t window) except -1:
        """Send the next part of a message of a streaming direction: what `window` (at least LEAST_PART, or all
        of it) and a frame allow. -> bytes of the message that went."""
        cdef int64_t total = PyBytes_GET_SIZE(message), n = total - offset
        cdef int flags = SW_CONTINUED if offset else 0
        cdef uint64_t size
        if n > window - CHARGE:
            n = window - CHARGE
        if n > <int64_t>self.piece - CHARGE - 8:
            n = <int64_t>self.piece - CHARGE - 8
        if n == total:
            self.send_frame(SW_MESSAGE, 0, stream, 0, None, message)
            return n
        if offset + n < total:
            flags |= SW_MORE
        size = <uint64_t>total
        prefix = None if offset else PyBytes_FromStringAndSize(<char *>&size, 8)
        self.send_frame(SW_MESSAGE, flags, stream, 0, prefix, message[offset:offset + n])
        return n

    cdef int send_on(self, CallSide call, bytes message, int64_t *offset) except -1:
        """Send of a message of a streaming direction what credit and room allow, from `offset`.

        -> what the rest waits for: W_CREDIT, W_ROOM; W_SENT: there is none; W_END: the call is over.
        """
        cdef int64_t total = PyBytes_GET_SIZE(message), n
        while not call.is_over():
            if call.window < CHARGE + LEAST_PART and call.window < CHARGE + total - offset[0]:
                return W_CREDIT
            if self.outq:
                return W_ROOM
            n = self.send_part(call.stream, message, offset[0], call.window)
            call.window -= CHARGE + n
            offset[0] += n
            if offset[0] == total:
                return W_SENT
        return W_END

    cdef object ready_to_send(self, message):
        """A unary message, Parts or bytes, as a Shipment, or as bytes where it cannot be one. Releases the GIL."""
        cdef Parts parts = None
        cdef Shipment shipment = None
        if type(message) is Parts:
            parts = <Parts>message
        elif self.pool is not None and <uint64_t>PyBytes_GET_SIZE(message) >= self.piece:
            large_message()                    # it would go in pieces, and take turns with the reader
            parts = Parts((message,))
        if parts is None:
            return message
        if self.pool is not None:
            shipment = _ship(self.pool, parts, <Py_ssize_t>(self.piece // 4) - 1024)
        if shipment is not None:
            return shipment
        return parts.join() if type(message) is Parts else message

    cdef int release_block(self, uint32_t page, bint at_once) except -1:
        """Tell the peer that a block of its arena is not used any more. In any thread, at any moment.

        The news may wait until the peer wakes up for something else, unless it is to be told `at_once`.
        """
        self.blocks_in -= 1
        self.send_frame(SW_RELEASE, 0 if at_once else QUIET, 0, page, None, None)
        return self.nudge()

    cdef int nudge(self) except -1:
        """Frames may wait for room, and nobody for anything else."""
        return 0

    cdef int answer_ping(self, sw_header *h) except -1:
        """A peer that does not read the answers gets no more of them."""
        self.vain += 1
        if not h.flags & SW_END and not self.outq:
            self.send_frame(SW_PING, SW_END, 0, h.aux, None, None)
        return 0

    # -- receiving

    cdef Parts parts_at(self, sw_view *v, const uint8_t *at):
        """The message of a frame with blocks; None: it breaks the rules, and the connection has failed."""
        cdef list parts = []
        cdef Block block
        cdef sw_block b
        cdef uint32_t count = 0, entry = 0, inline
        cdef uint64_t done = 0, left, before
        cdef const char *wrong = sw_blocks_begin(at, v, &entry, &count)
        if wrong is NULL and self.blocks_in + count > MAX_BLOCKS_OUT:
            wrong = b"more blocks than may be under way"
        if wrong is NULL:
            inline = entry + count * sizeof(sw_block)
            left = v.message + v.message_size - inline
            while count > 0:
                count -= 1
                before = done
                wrong = sw_blocks_next(at, v, &entry, self.arenas.size, &done, &left, &b)
                if wrong is not NULL:
                    break
                if b.position > before:
                    parts.append(_bytes_at(at, inline, <uint32_t>(b.position - before)))
                    inline += <uint32_t>(b.position - before)
                block = Block.__new__(Block)
                block.arenas = self.arenas
                block.at = self.theirs + b.offset
                block.size = <Py_ssize_t>b.size
                block.page = <uint32_t>(b.offset // PAGE)
                block.made = forks
                block.conn = self
                self.blocks_in += 1
                parts.append(block)
        if wrong is not NULL:
            self.fail(f"the peer sent a bad frame: {(<bytes>wrong).decode()}")
            return None
        if left > 0:
            parts.append(_bytes_at(at, inline, <uint32_t>left))
        return Parts(parts)

    cdef int released(self, uint32_t page) except -1:
        """The peer gives a block back."""
        cdef Allocation block = None
        if self.pool is not None:
            block = self.pool.holding(page * PAGE)
        if block is None or block.sent <= 0:
            return self.fail(f"the peer released page {page}, which it had not got")
        self.pool.entries -= 1
        return self.pool.give_back(block)

    cdef int drain(self, int limit) except -1:
        """Dispatch up to `limit` frames, and DRAIN_BYTES, that are there; returns how many. May set `dead`."""
        cdef int64_t available
        cdef uint64_t end = self.rx.position + DRAIN_BYTES
        cdef sw_header h
        cdef sw_view v
        cdef const uint8_t *at
        cdef const char *wrong
        cdef Parts parts = None
        cdef int count = 0
        if self.state == CONN_DEAD:
            return 0
        while count < limit and self.rx.position < end:
            available = sr_available(&self.rx)
            if available == 0:
                break
            if available < 0:
                self.fail("the peer's ring counters are impossible")
                return count
            at = sr_at(&self.rx)
            h = sw_load_header(at)
            if h.size < SW_FRAME_HEADER or <int64_t>sr_align(h.size) > available:
                self.fail(f"the peer sent a frame of impossible size {h.size}")
                return count
            wrong = sw_parse(&h, at, &v)
            if wrong is not NULL:
                self.fail(f"the peer sent a bad frame: {(<bytes>wrong).decode()}")
                return count
            if h.type == SW_RELEASE:
                self.released(h.aux)
            elif (h.extra & SW_BLOCKS and self.arenas is not None and h.flags & SW_HAS_MESSAGE
                    and (h.type == SW_OPEN or h.type == SW_TRAILERS)):
                if h.flags & SW_MORE:
                    self.fail("the peer sent a message both in pieces and in blocks")
                    return count
                parts = self.parts_at(&v, at)
                if parts is not None:
                    v.total = <uint64_t>parts.size
                    self.dispatch(&h, &v, at, parts)
                    parts = None
            else:
                self.dispatch(&h, &v, at, None)
            if self.state == CONN_DEAD:
                return count
            sr_consume(&self.rx, h.size)
            count += 1
        if count and sr_must_wake_writer(&self.rx):
            self.bell()
        return count

    cdef int dispatch(self, sw_header *h, sw_view *v, const uint8_t *at, Parts parts) except -1:
        """Act on a frame. `parts`: its message, if it has blocks."""
        raise NotImplementedError

    cdef object message_of(self, CallSide call, str side, int64_t limit, int64_t room, sw_header *h, sw_view *v,
                           const uint8_t *at, Parts parts):
        """Take a message for `call`, or a piece of one. Releases the GIL for a large one.

        `limit` is that of its bytes, -1 for none, and `room` what there is for one in pieces. -> the message; None when
        more of it is to come, or when it breaks a rule, and then the connection has failed or `call` has ended.
        """
        cdef Assembly assembly = call.assembly
        if (h.flags & SW_CONTINUED != 0) != (assembly is not None):
            self.fail("the peer mixed up the pieces of its messages")
            return None
        if assembly is None:
            if 0 <= limit < <int64_t>v.total or v.total > <uint64_t>0x7fffffffffff:
                self.refuse(call, f"{side}: Received message larger than max ({v.total} vs. {limit})")
                return None
            if parts is not None:
                return parts
            if not h.flags & SW_MORE:
                return _message_at(at, v)
            if <int64_t>v.total <= room:
                try:
                    assembly = call.assembly = Assembly.begin(v.total)
                except MemoryError:
                    pass
            if assembly is None:
                self.refuse(call, f"{side}: no memory for a message of {v.total} bytes")
                return None
        if assembly.add(at + v.message, v.message_size) != (0 if h.flags & SW_MORE else 1):
            self.fail("the peer sent a message of another length than announced")
            return None
        if h.flags & SW_MORE:
            return None
        call.assembly = None
        return assembly.data

    cdef int refuse(self, CallSide call, str why) except -1:
        """End `call` because of what the peer sends."""
        raise NotImplementedError

    cdef int fail(self, str why) except -1:
        raise NotImplementedError

    cdef void release_if_unused(self):
        """Dead, and no thread is in the mapping or waits at a descriptor: give them back to the system.

        The object may live on, in the traceback of an error that somebody keeps.
        """

    cdef void unmap(self):
        self.rx.ctl = self.tx.ctl = NULL
        self.rx.data = self.tx.data = NULL
        self.segment = None
        self.arenas = None                     # what was received, and not dropped, holds them, too
        self.pool = None
        self.theirs = NULL

    cdef void abandon(self):
        """In a forked child: give up what belongs to the parent without touching it."""
        self.state = CONN_DEAD
        self.death = "the process was forked"
        if self.fd >= 0:
            c_close(self.fd)
            self.fd = -1

    def __dealloc__(self):
        if self.fd >= 0:
            c_close(self.fd)


cdef class Assembly:
    """A message that arrives in pieces."""

    @staticmethod
    cdef Assembly begin(uint64_t total):
        cdef Assembly a = Assembly.__new__(Assembly)
        large_message()
        a.total = total
        a.data = PyBytes_FromStringAndSize(NULL, total)
        return a

    cdef int add(self, const uint8_t *source, uint64_t size) except -1:
        """-> 1 when complete, 0 when more is to come, -2 on a piece beyond the announced length."""
        cdef char *into
        if size > self.total - self.offset:
            return -2
        into = PyBytes_AS_STRING(self.data) + self.offset
        if size >= GIL_FREE_COPY:
            with nogil:
                memcpy(into, source, size)
        else:
            memcpy(into, source, size)
        self.offset += size
        return 1 if self.offset == self.total else 0


cdef class Inbox:
    """What arrived of a streaming direction and was not yet taken, and the credit its sender is owed.

    Messages are charged until the application takes them. The pieces of a message that is still arriving
    are given back as soon as nothing is before it, so that a message larger than the window can arrive.
    """

    def __cinit__(self):
        self.messages = deque()
        self.window = SW_WINDOW

    cdef bint affords(self, int64_t charge):
        """May the sender send what costs `charge`? It has, now."""
        self.window -= charge
        return self.window >= 0

    cdef int add(self, bytes message, int64_t charge) except -1:
        """A message, or a piece of one that is not whole yet: None."""
        self.charged += charge
        if message is not None:
            self.messages.append((message, self.charged))
            self.charged = 0
        return 0

    cdef int64_t settle(self, bint partial):
        """-> credit to be sent now, 0 for none yet. `partial`: a message is arriving in pieces."""
        cdef int64_t credit = 0
        if partial and not self.messages:
            self.owed += self.charged
            self.charged = 0
        if self.owed >= OWED:
            credit = self.owed
            self.owed = 0
            self.window += credit
        return credit

    cdef bytes take(self):
        message, charge = self.messages.popleft()
        self.owed += <int64_t>charge
        return message


cdef class CallSide:
    """A call as one of its two sides has it."""

    cdef bint is_over(self):
        """Is there nothing more to send, or to receive?"""
        raise NotImplementedError

    cdef int wake(self, int what) except -1:
        """`what` may be due, for whoever waits; W_END: everything."""
        return 0


cdef bint _metadata_ok(bytes copy):
    """Is this a complete metadata block, so that decode_metadata() will take it?"""
    cdef const uint8_t *block = <const uint8_t *>PyBytes_AS_STRING(copy)
    cdef uint32_t size = <uint32_t>PyBytes_GET_SIZE(copy), at = 0, count = 0
    cdef sw_entry e
    if sw_metadata_begin(block, size, &at, &count) != 0:
        return False
    while count > 0:
        if sw_metadata_next(block, size, &at, &e) != 0:
            return False
        count -= 1
    return at == size


cdef bytes _bytes_at(const uint8_t *at, uint32_t offset, uint32_t size):
    return PyBytes_FromStringAndSize(<const char *>at + offset, size)


cdef bytes _message_at(const uint8_t *at, sw_view *v):
    """The message of a frame. Releases the GIL for a large one, so the connection may be dead afterwards."""
    cdef bytes message
    cdef char *into
    cdef uint32_t size = v.message_size
    if size < GIL_FREE_COPY:
        return PyBytes_FromStringAndSize(<const char *>at + v.message, size)
    message = PyBytes_FromStringAndSize(NULL, size)
    into = PyBytes_AS_STRING(message)
    at += v.message
    with nogil:
        memcpy(into, at, size)
    return message


cdef bytes _block(data):
    return (<uint32_t>len(data)).to_bytes(4, "little") + data


_live = weakref.WeakSet()


def _after_fork_in_child():
    for thing in list(_live):
        if isinstance(thing, Connection):
            (<Connection>thing).abandon()
        else:
            (<ServerCore>thing).abandon()
            (<ServerCore>thing).owner._forget_parent()
    _live.clear()


os.register_at_fork(after_in_child=_after_fork_in_child)

include "_client.pxi"
include "_client_threads.pxi"
include "_streams.pxi"
include "_handles.pxi"
include "_server.pxi"
include "_server_threads.pxi"
include "_loop.pxi"


globals().update(UnaryUnary=_UnaryUnary, UnaryStream=_UnaryStream, StreamUnary=_StreamUnary,
                 StreamStream=_StreamStream, QuickUnary=_QuickUnary)
