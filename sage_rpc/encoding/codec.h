/* What _codec.py needs of C, and has a twin of in Python for where it is not compiled: doubles as they are, and
   copies without an object between. Callers have checked that there is room. */

#ifndef SAGE_RPC_CODEC_H
#define SAGE_RPC_CODEC_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

static inline double codec_load_double(PyObject *data, Py_ssize_t at) {
    const unsigned char *from = (const unsigned char *)PyBytes_AS_STRING(data) + at;
    uint64_t bits = 0;
    double number;
    for (int i = 0; i < 8; i++) bits = bits << 8 | from[i];
    memcpy(&number, &bits, sizeof number);
    return number;
}

static inline void codec_store_double(PyObject *out, Py_ssize_t at, double number) {
    unsigned char *into = (unsigned char *)PyByteArray_AS_STRING(out) + at;
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    for (int i = 7; i >= 0; i--, bits >>= 8) into[i] = (unsigned char)bits;
}

static inline void codec_store(PyObject *out, Py_ssize_t at, PyObject *data) {
    memcpy(PyByteArray_AS_STRING(out) + at, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data));
}

static inline PyObject *codec_first(PyObject *out, Py_ssize_t size) {
    return PyBytes_FromStringAndSize(PyByteArray_AS_STRING(out), size);
}

#endif
