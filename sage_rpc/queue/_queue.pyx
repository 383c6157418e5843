# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, infer_types=False
"""Python's side of queue.h: one mapped queue, its items as Python objects, its results as exceptions.

Rules of this file:

1. The GIL is kept only for a first attempt that cannot wait, with an item that is copied in no time;
   whatever may sleep or copies much runs without it.
2. Signal handlers run with no lock of the queue held, so a handler may use the queue itself.
3. bytes, bytearray and memoryview travel as they are and arrive as bytes; everything else is encoded
   by sage_rpc.encoding.values, which never runs code that the sender chose.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals
from libc.errno cimport errno
from libc.stdint cimport int64_t, uint32_t, uint64_t

import os
from queue import Empty, Full

from sage_rpc.encoding.values import decode, encode

cdef extern from "sys/mman.h" nogil:
    void *mmap(void *, size_t, int, int, int, long)
    int munmap(void *, size_t)
    int PROT_READ, PROT_WRITE, MAP_SHARED
    void *MAP_FAILED

cdef extern from "queue.h" nogil:
    const int64_t RL_FOREVER
    int64_t rl_now_ns()
    int rl_enter_thread()

    const uint64_t SQ_HEADER_SIZE, SQ_PAGE, SQ_MAX_CAPACITY, SQ_RECORD_SIZE
    const uint32_t SQ_VERSION
    ctypedef enum sq_result:
        SQ_OK, SQ_EMPTY, SQ_FULL, SQ_TOO_SMALL, SQ_BUSY, SQ_INTERRUPTED, SQ_CLOSED, SQ_CORRUPT
    ctypedef enum sq_patience:
        SQ_TRY, SQ_NOWAIT, SQ_WAIT
    ctypedef struct sq_view:
        uint64_t head, tail, puts, gets
    ctypedef struct sq_shared:
        uint32_t version
        uint64_t capacity, maxsize, token, pid_namespace
        uint64_t recoveries
    ctypedef struct sq_queue:
        sq_shared *shared
        uint64_t capacity, maxsize
        uint32_t closed
    ctypedef struct sq_call:
        const void *item
        void *buffer
        uint64_t length
        uint32_t kind
    void sq_format(sq_shared *, uint64_t, uint64_t, uint64_t, uint64_t)
    bint sq_is_formatted(const sq_shared *)
    bint sq_attach(sq_queue *, sq_shared *, uint64_t, bint)
    bint sq_fits(const sq_queue *, const sq_view *, uint64_t)
    uint64_t sq_footprint(uint64_t)
    uint64_t sq_largest(const sq_queue *)
    void sq_close(sq_queue *)
    void sq_after_fork(sq_queue *)
    sq_result sq_put(sq_queue *, sq_call *, sq_patience, int64_t)
    sq_result sq_get(sq_queue *, sq_call *, sq_patience, int64_t)
    sq_result sq_measure(sq_queue *, sq_view *)

__all__ = ["HEADER_BYTES", "MAX_CAPACITY", "PAGE", "RECORD_BYTES", "VERSION", "Handle", "format_segment", "inspect"]

HEADER_BYTES = SQ_HEADER_SIZE
PAGE = SQ_PAGE
MAX_CAPACITY = SQ_MAX_CAPACITY
RECORD_BYTES = SQ_RECORD_SIZE
VERSION = SQ_VERSION

cdef enum:
    RAW = 0  # bytes
    VALUE = 1  # what sage_rpc.encoding.values.encode made
    AT_ONCE = 4096  # bytes of an item that is copied with the GIL held


cdef sq_shared *map_segment(int fd, size_t size) except NULL:
    cdef void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
    if at == MAP_FAILED:
        raise OSError(errno, f"cannot map {size} bytes of shared memory: {os.strerror(errno)}")
    return <sq_shared *>at


def format_segment(int fd, uint64_t capacity, uint64_t maxsize, uint64_t token, uint64_t pid_namespace):
    """Write the header of a new queue; the segment is zeroed, has its full size, and nobody uses it yet."""
    cdef sq_shared *shared = map_segment(fd, SQ_HEADER_SIZE)
    sq_format(shared, capacity, maxsize, token, pid_namespace)
    munmap(shared, SQ_HEADER_SIZE)


def inspect(int fd):
    """(version, capacity, maxsize, token, pid_namespace) of a segment, None where no queue is in it (yet)."""
    if os.fstat(fd).st_size < SQ_HEADER_SIZE:
        return None
    cdef sq_shared *shared = map_segment(fd, SQ_HEADER_SIZE)
    try:
        if not sq_is_formatted(shared):
            return None
        return shared.version, shared.capacity, shared.maxsize, shared.token, shared.pid_namespace
    finally:
        munmap(shared, SQ_HEADER_SIZE)


cdef int64_t deadline_of(block, timeout) except -2:
    """RL_FOREVER, -1 for "do not wait", or a time of CLOCK_MONOTONIC in ns."""
    if block is not True and block is not False:
        raise TypeError(f"block is {block!r}: expected True or False (a time to wait is timeout=...)")
    if not block:
        return -1
    if timeout is None:
        return RL_FOREVER
    cdef double seconds = timeout
    if not seconds >= 0:
        raise ValueError(f"timeout is {timeout!r}: expected seconds, not negative, or None to wait for ever")
    if seconds == 0:
        return -1
    if seconds > 3e9:
        return RL_FOREVER
    return rl_now_ns() + <int64_t>(seconds * 1e9)


cdef class Handle:
    """This process's mapping of one named queue."""

    cdef sq_queue q
    cdef size_t size
    cdef readonly str name
    cdef object __weakref__

    def __cinit__(self, int fd, str name, bint may_spin):
        self.name = name
        self.size = os.fstat(fd).st_size
        cdef sq_shared *shared = map_segment(fd, self.size)
        if not sq_attach(&self.q, shared, self.size, may_spin):
            munmap(shared, self.size)
            self.q.shared = NULL
            self.q.closed = 1
            raise self.error(SQ_CORRUPT)

    def __dealloc__(self):
        # Nobody is inside a call: a call holds a reference.
        if self.q.shared != NULL:
            munmap(self.q.shared, self.size)

    @property
    def capacity(self):
        return self.q.capacity

    @property
    def maxsize(self):
        return self.q.maxsize

    @property
    def closed(self):
        return self.q.closed != 0

    def close(self):
        """End this process's calls and unmap; does nothing the second time."""
        cdef sq_shared *shared
        if self.q.closed:
            return
        with nogil:
            sq_close(&self.q)
        shared, self.q.shared = self.q.shared, NULL
        if shared != NULL:
            munmap(shared, self.size)

    def after_fork(self):
        """In a forked child, before it uses the queue."""
        sq_after_fork(&self.q)

    def measure(self):
        """(items, bytes they take in the ring, whether an empty item would not fit)."""
        cdef sq_view view
        cdef sq_result result = sq_measure(&self.q, &view)
        if result != SQ_OK:
            raise self.error(result)
        return view.puts - view.gets, view.head - view.tail, not sq_fits(&self.q, &view, sq_footprint(0))

    def recoveries(self):
        """How often some process found that the lock's owner had died."""
        if self.q.closed:
            raise self.error(SQ_CLOSED)
        return self.q.shared.recoveries

    def put(self, item, block, timeout):
        cdef int64_t deadline = deadline_of(block, timeout)
        cdef Py_buffer view
        kind = type(item)
        if kind is bytes:
            self.put_bytes(PyBytes_AS_STRING(item), PyBytes_GET_SIZE(item), RAW, deadline)
            return
        if kind is memoryview and not item.c_contiguous:
            item = bytes(item)
        elif kind is not bytearray and kind is not memoryview:
            item = encode(item)
            self.put_bytes(PyBytes_AS_STRING(item), PyBytes_GET_SIZE(item), VALUE, deadline)
            return
        PyObject_GetBuffer(item, &view, PyBUF_SIMPLE)
        try:
            self.put_bytes(view.buf, view.len, RAW, deadline)
        finally:
            PyBuffer_Release(&view)

    cdef int put_bytes(self, const void *data, uint64_t length, uint32_t kind, int64_t deadline) except -1:
        cdef sq_call call
        cdef sq_patience patience = SQ_NOWAIT if deadline < 0 else SQ_WAIT
        cdef sq_result result = SQ_BUSY
        self.enter()
        if length > sq_largest(&self.q):
            raise ValueError(
                f"an item of {length} bytes can never fit into the queue {self.name!r} with a capacity of "
                f"{self.q.capacity} bytes (largest item: {sq_largest(&self.q)}); make the queue with a larger capacity="
            )
        call.item, call.length, call.kind = data, length, kind
        if length <= AT_ONCE:
            result = sq_put(&self.q, &call, SQ_TRY, deadline)
            if result == SQ_OK:
                return 0
            if result == SQ_FULL and patience == SQ_NOWAIT:
                raise Full
        while True:
            with nogil:
                result = sq_put(&self.q, &call, patience, deadline)
            if result == SQ_OK:
                return 0
            if result == SQ_FULL:
                raise Full
            if result != SQ_INTERRUPTED:
                raise self.error(result)
            PyErr_CheckSignals()

    def get(self, block, timeout):
        cdef int64_t deadline = deadline_of(block, timeout)
        cdef sq_patience patience = SQ_NOWAIT if deadline < 0 else SQ_WAIT
        cdef char at_once[AT_ONCE]
        cdef sq_call call
        cdef sq_result result
        cdef bytes data = None
        self.enter()
        call.buffer, call.length = at_once, AT_ONCE
        result = sq_get(&self.q, &call, SQ_TRY, deadline)
        if result == SQ_EMPTY and patience == SQ_NOWAIT:
            raise Empty
        while result != SQ_OK:
            if result == SQ_TOO_SMALL:
                data = PyBytes_FromStringAndSize(NULL, call.length)
                call.buffer = PyBytes_AS_STRING(data)
            elif data is None:
                call.length = AT_ONCE
            else:
                call.length = PyBytes_GET_SIZE(data)
            with nogil:
                result = sq_get(&self.q, &call, patience, deadline)
            if result == SQ_EMPTY:
                raise Empty
            if result == SQ_INTERRUPTED:
                PyErr_CheckSignals()
            elif result != SQ_OK and result != SQ_TOO_SMALL:
                raise self.error(result)
        if data is None:
            data = PyBytes_FromStringAndSize(at_once, call.length)
        elif <uint64_t>PyBytes_GET_SIZE(data) != call.length:
            # The buffer was made for an item that another process then took.
            data = data[:call.length]
        if call.kind == RAW:
            return data
        if call.kind == VALUE:
            return decode(data)
        raise self.error(SQ_CORRUPT)

    cdef int enter(self) except -1:
        cdef int error
        if self.q.closed:
            raise self.error(SQ_CLOSED)
        error = rl_enter_thread()
        if error:
            raise OSError(error, "named queues need robust futexes (get_robust_list), which this kernel or sandbox lacks")
        return 0

    cdef error(self, sq_result result):
        # Imported late: sage_rpc.queue imports this module.
        from sage_rpc.queue.named import QueueClosed, QueueCorrupted

        if result == SQ_CLOSED:
            return QueueClosed(f"the queue {self.name!r} was closed in this process")
        return QueueCorrupted(
            f"the shared memory of the queue {self.name!r} holds what no queue writes: some process overwrote it; "
            f"stop its users and remove it with SageQueue.remove({self.name!r})"
        )
