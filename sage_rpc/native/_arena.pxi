# Large parts of messages without copies of copies: arenas, their blocks, and messages in parts. Included by _core.pyx.
#
# Theory of operation. A segment may have two arenas, sparse memory of which only touched pages exist. Each belongs to
# one side, which alone allocates in it: a *block* is a run of whole pages. A sender copies a large buffer into a block
# (or has it there already, `Connection.allocate`), and sends the block's place instead of the bytes. The receiver
# reads it where it is, through a read-only `Block`; when nothing refers to that any more, a RELEASE frame gives the
# block back. First fit keeps the blocks in use at the low end, where the pages are there and warm.
#
# A block that nobody gives back stays allocated until the connection ends. An arena stays mapped, in both
# processes, for as long as anything refers to it: a view outlives its connection.
#
# A forked child shares the arenas with its parent, and its copy of a `Block` must not be pulled away: blocks that
# were held while the process forked are not given back.

cdef extern from "Python.h":
    ctypedef struct Py_buffer:
        void *buf
        Py_ssize_t len
    int PyObject_GetBuffer(object, Py_buffer *, int) except -1
    void PyBuffer_Release(Py_buffer *)
    int PyBuffer_FillInfo(Py_buffer *, object, void *, Py_ssize_t, int, int) except -1
    int PyBUF_SIMPLE

cdef uint64_t PAGE = SR_PAGE
cdef uint64_t KEPT = 64 << 20         # bytes of an arena that stay when nothing in it is in use,
cdef uint64_t KEPT_IN_ALL = 256 << 20 # as long as the arenas of this process have not more than this
cdef uint64_t touched_in_all = 0
cdef Py_ssize_t LARGE_BLOCK = 1 << 20 # a sleeping peer is woken to hear that it has these back
cdef uint64_t forks = 0


def _after_fork_in_parent():
    global forks
    forks += 1


os.register_at_fork(after_in_parent=_after_fork_in_parent)


cdef class Arenas:
    """The mapping of both arenas of a segment. `size` is that of one."""

    def __cinit__(self, int fd, long offset, uint64_t size):
        cdef void *at = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, offset)
        if at == MAP_FAILED:
            raise OSError(errno, f"cannot map two arenas of {size} bytes: {os.strerror(errno)}")
        self.base = <uint8_t *>at
        self.size = size

    def __dealloc__(self):
        if self.base is not NULL:
            munmap(self.base, 2 * self.size)


cdef class Allocation:
    """A block in use: `sent` counts the messages that carry it, `held` says whether an `OwnBlock` does, too."""


cdef class Pool:
    """Allocates the blocks of one side's own arena. The GIL guards it."""

    def __cinit__(self, Arenas arenas not None, int side):
        self.arenas = arenas
        self.base = arenas.base + side * arenas.size
        self.size = min(arenas.size, MAX_OWN_ARENA)
        self.blocks = []

    def __dealloc__(self):
        self.set_touched(0)

    cdef void set_touched(self, uint64_t touched):
        global touched_in_all
        touched_in_all += touched - self.touched
        self.touched = touched

    cdef Allocation allocate(self, uint64_t size):
        """The first gap that is large enough; None when there is none."""
        cdef Allocation each, new
        cdef uint64_t at = 0, n = (size + PAGE - 1) & ~(PAGE - 1)
        cdef Py_ssize_t index = 0
        if size == 0 or n > self.size:
            return None
        for each in self.blocks:
            if each.offset - at >= n:
                break
            at = each.offset + each.size
            index += 1
        if self.size - at < n:
            return None
        new = Allocation.__new__(Allocation)
        new.offset = at
        new.size = n
        self.blocks.insert(index, new)
        if at + n > self.touched:
            self.set_touched(at + n)
        return new

    cdef Allocation holding(self, uint64_t offset):
        """The block in use that `offset` is in, or None."""
        cdef Py_ssize_t low = 0, high = len(self.blocks), middle
        cdef Allocation each
        while low < high:
            middle = (low + high) // 2
            each = <Allocation>self.blocks[middle]
            if offset < each.offset:
                high = middle
            elif offset >= each.offset + each.size:
                low = middle + 1
            else:
                return each
        return None

    cdef int give_back(self, Allocation block) except -1:
        """One message less carries `block`."""
        block.sent -= 1
        return self.free_if_unused(block)

    cdef int free_if_unused(self, Allocation block) except -1:
        cdef uint64_t kept
        if block.sent > 0 or block.held:
            return 0
        self.blocks.remove(block)
        if not self.blocks:
            kept = KEPT if touched_in_all <= KEPT_IN_ALL else 0
            if self.touched > kept:
                madvise(self.base + kept, self.touched - kept, MADV_REMOVE)
                self.set_touched(kept)
        return 0

    cdef int64_t find(self, const void *at, uint64_t size):
        """Where `size` bytes at `at` are in a block of this arena; -1: they are not."""
        cdef uint64_t offset
        cdef Allocation block
        if <const uint8_t *>at < self.base or <const uint8_t *>at >= self.base + self.size:
            return -1
        offset = <uint64_t>(<const uint8_t *>at - self.base)
        block = self.holding(offset)
        if block is None or offset + size > block.offset + block.size:
            return -1
        return <int64_t>offset


cdef class OwnBlock:
    """Memory of this side's arena, for a buffer that will be sent: writable, and given back with its last reference."""

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.pool.base + self.block.offset, self.size, 0, flags)

    def __len__(self):
        return self.size

    def __repr__(self):
        return f"<OwnBlock of {self.size} bytes>"

    def __del__(self):
        if self.pid == getpid():
            self.block.held = False
            self.pool.free_if_unused(self.block)


cdef class Block:
    """A part of a received message, in the sender's memory: read-only, and given back with its last reference."""

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, <void *>self.at, self.size, 1, flags)

    def __len__(self):
        return self.size

    def __repr__(self):
        return f"<Block of {self.size} bytes>"

    def __del__(self):
        if self.made == forks:
            self.conn.release_block(self.page, self.size >= LARGE_BLOCK)


cdef class Parts:
    """A message as the buffers whose bytes it consists of, in this order: bytes, and whatever gives bytes one by one
    (a `memoryview` of format "B", a `Block`)."""

    def __init__(self, parts):
        self.parts = list(parts)
        self.size = 0
        for part in self.parts:
            self.size += len(part)

    def join(self):
        """The message as bytes."""
        cdef Py_buffer part
        if <uint64_t>self.size >= GIL_FREE_COPY:
            large_message()
        cdef bytes message = PyBytes_FromStringAndSize(NULL, self.size)
        cdef char *into = PyBytes_AS_STRING(message)
        for each in self.parts:
            PyObject_GetBuffer(each, &part, PyBUF_SIMPLE)
            if <uint64_t>part.len >= GIL_FREE_COPY:
                with nogil:
                    memcpy(into, part.buf, part.len)
            else:
                memcpy(into, part.buf, part.len)
            into += part.len
            PyBuffer_Release(&part)
        return message

    def __len__(self):
        return self.size


cdef class PartsSerializer:
    """A serializer whose `serialize(message)` gives bytes or `Parts`; where bytes are needed, it gives these."""

    def __init__(self, serialize):
        self.serialize = serialize

    def __call__(self, message):
        data = self.serialize(message)
        return (<Parts>data).join() if type(data) is Parts else data


cdef class PartsDeserializer:
    """A deserializer whose `deserialize(data)` takes bytes or `Parts` of bytes and `Block`s."""

    def __init__(self, deserialize):
        self.deserialize = deserialize

    def __call__(self, data):
        return self.deserialize(data)


cdef Py_ssize_t LEAST_BLOCK = 32768   # bytes; what is smaller travels in its frame


cdef class Shipment:
    """A message that is about to be sent: what its frame carries, and the blocks that hold the rest."""

    cdef int undo(self) except -1:
        """It is not sent after all."""
        for block in self.blocks:
            self.pool.entries -= 1
            self.pool.give_back(<Allocation>block)
        self.blocks = []
        return 0


cdef int _undo(message) except -1:
    """`message`, a Shipment or anything else, is not sent after all."""
    if type(message) is Shipment:
        (<Shipment>message).undo()
    return 0


cdef Shipment _ship(Pool pool, Parts parts, Py_ssize_t limit):
    """`parts` with the large ones in blocks. Releases the GIL.

    None when that cannot be: no room in the arena, or more than `limit` bytes would be left for the frame.
    """
    cdef Shipment shipment = Shipment.__new__(Shipment)
    cdef list inline = []
    cdef bytearray table = bytearray(4)
    cdef uint64_t entry[3]
    cdef uint64_t position = 0
    cdef Py_ssize_t n, size = 4
    cdef Allocation block
    shipment.pool = pool
    shipment.blocks = []
    for part in parts.parts:
        n = len(part)
        block = None
        if n >= LEAST_BLOCK and len(shipment.blocks) < SW_MAX_BLOCKS and pool.entries < MAX_BLOCKS_OUT:
            block = _as_block(pool, part, n, &entry[1])
        if block is None:
            size += n
            inline.append(part)
        else:
            size += sizeof(entry)
            shipment.blocks.append(block)
            pool.entries += 1
            entry[0] = position
            entry[2] = <uint64_t>n
            table += PyBytes_FromStringAndSize(<char *>entry, sizeof(entry))
        if size > limit:
            shipment.undo()
            return None
        position += n
    table[:4] = len(shipment.blocks).to_bytes(4, "little")
    shipment.message = b"".join([table, *inline])
    return shipment


cdef Allocation _as_block(Pool pool, part, Py_ssize_t n, uint64_t *offset):
    """A block that holds `part`: the one it is in already, or a new one, with a copy. None: there is no room."""
    cdef Py_buffer source
    cdef Allocation block = None
    cdef uint8_t *into
    cdef int64_t found
    PyObject_GetBuffer(part, &source, PyBUF_SIMPLE)
    try:
        found = pool.find(source.buf, n)
        if found >= 0:
            block = pool.holding(<uint64_t>found)
            block.sent += 1
            offset[0] = <uint64_t>found
            return block
        block = pool.allocate(n)
        if block is None:
            return None
        block.sent = 1
        offset[0] = block.offset
        into = pool.base + block.offset
        with nogil:
            memcpy(into, source.buf, n)
    finally:
        PyBuffer_Release(&source)
    return block
