# The types of _codec.py, for compiling it. What stands here changes how fast it is, and nothing else.

cimport cython

cdef extern from "codec.h":
    double load_double "codec_load_double"(bytes data, Py_ssize_t at)
    void store_double "codec_store_double"(bytearray out, Py_ssize_t at, double number)
    void store "codec_store"(bytearray out, Py_ssize_t at, bytes data)
    bytes first "codec_first"(bytearray out, Py_ssize_t size)

cdef int _TUPLE, _BUFFER, _FEW_KEYS, _PROBES_PER_KEY
cdef Py_ssize_t _LEAST_BYTES, _KEPT_BYTES, _UNSIGNED_SHIFT
cdef list _spare

cdef class Encoder:
    cdef bytearray out
    cdef Py_ssize_t at
    cdef list buffers
    cdef object other

    cdef int room(self, Py_ssize_t more) except -1
    cdef int number(self, unsigned long long number, int size) except -1
    cdef int head(self, Py_ssize_t size, int few, int few_marker, int marker, bint short) except -1
    cdef int put(self, value, int levels) except -1
    @cython.locals(data=bytes)
    cdef int put_text(self, str text) except -1
    cdef int put_int(self, value) except -1
    cdef int put_positive(self, unsigned long long number) except -1
    cdef int put_negative(self, long long number) except -1
    cdef int put_bytes(self, bytes data) except -1
    cdef int put_list(self, list value, int levels) except -1
    cdef int put_tuple(self, tuple value, int levels) except -1
    cdef int put_dict(self, dict value, int levels) except -1
    cdef int put_other(self, value) except -1
    cdef Py_ssize_t begin_ext(self, int code) except -1
    cdef int end_ext(self, Py_ssize_t begin) except -1
    cpdef bytes take(self)

cdef class Decoder:
    cdef bytes data
    cdef Py_ssize_t at
    cdef Py_ssize_t end
    cdef object buffers
    cdef object other

    cdef int need(self, Py_ssize_t size) except -1
    cdef unsigned long long number(self, int size) except? 0xFFFFFFFFFFFFFFFF
    cdef Py_ssize_t size(self, int size) except -1
    cdef object get(self, int levels)
    cdef object get_int(self, int size)
    cdef object get_float(self)
    cdef object get_double(self)
    cdef str get_text(self, Py_ssize_t size)
    cdef bytes get_bytes(self, Py_ssize_t size)
    @cython.locals(found=list)
    cdef list get_list(self, Py_ssize_t size, int levels)
    @cython.locals(found=dict, probes=Probes, left=Py_ssize_t)
    cdef dict get_dict(self, Py_ssize_t size, int levels)
    @cython.locals(code=int)
    cdef object get_ext(self, Py_ssize_t size, int levels)
    cdef tuple get_tuple(self, Py_ssize_t size, int levels)

cdef class Probes:
    cdef bytearray slots
    cdef list hashes
    cdef Py_ssize_t mask
    cdef Py_ssize_t count

    cdef int add(self, Py_ssize_t number) except -1
    @cython.locals(at=Py_ssize_t, slots=bytearray)
    cdef int occupy(self, Py_ssize_t number) except -1

@cython.locals(encoder=Encoder)
cpdef bytes encode(value, list buffers, other, int levels)
@cython.locals(encoder=Encoder)
cpdef bytes encode_list(list parts)
@cython.locals(decoder=Decoder)
cpdef object decode(bytes data, buffers, other, int levels)
