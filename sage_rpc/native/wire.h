/* Frames of the memory queue: their layout, and checks of everything a peer may have written.
 *
 * Compiles alone, does no I/O and keeps no state; docs/wire.md is the specification. Two rules:
 *
 * 1. A byte of shared memory is read once. The frame header and every length are copied into private
 *    memory, checked, and only the copies are used; a peer that rewrites a frame while it is parsed
 *    can change its content but never make a reader step outside it.
 * 2. A parser returns a view made of offsets into the frame, never a pointer the peer supplied.
 */
#ifndef SAGE_RPC_WIRE_H
#define SAGE_RPC_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SW_VERSION 1u
#define SW_FRAME_HEADER 16u
#define SW_NO_STREAM 0u

enum {
    SW_OPEN = 1,      /* client: method, timeout, metadata, perhaps the whole request */
    SW_HEADERS = 2,   /* server: initial metadata */
    SW_MESSAGE = 3,   /* either: a message, or one piece of it */
    SW_TRAILERS = 4,  /* server: status, details, metadata, perhaps the whole response */
    SW_CANCEL = 5,    /* either: the stream is over; aux = status code */
    SW_CREDIT = 6,    /* either: aux = bytes of messages the peer may send in addition */
    SW_PING = 7,      /* either, stream 0: answered by the same frame with END set */
    SW_GOAWAY = 8,    /* either, stream 0: no streams after number aux */
    SW_RELEASE = 9    /* either, stream 0: the block with page aux of the receiver's own arena is not used any more */
};

enum {
    SW_FEATURE_STREAMS = 1, /* feature bit 0: calls of all four kinds */
    SW_FEATURE_BLOCKS = 2,  /* feature bit 1: large parts of messages stay in the sender's arena */
    SW_WINDOW = 1 << 20     /* bytes that may be under way in a streaming direction before credit is given */
};

enum {
    SW_END = 0x01,      /* the sender's half is closed after this frame (PING: this is the answer) */
    SW_HAS_MESSAGE = 0x02,
    SW_MORE = 0x04,     /* the message goes on in MESSAGE frames with SW_CONTINUED */
    SW_HAS_METADATA = 0x08,
    SW_HAS_TIMEOUT = 0x10,
    SW_HAS_NAME = 0x20, /* OPEN: the name of the method that aux numbers */
    SW_HAS_INITIAL = 0x20,
    SW_HAS_DETAILS = 0x40,
    SW_CONTINUED = 0x80
};

enum {
    SW_BLOCKS = 1,        /* in `extra`, OPEN and TRAILERS: the message is a table of blocks and what is between them */
    SW_MAX_BLOCKS = 1024, /* of one message */
    SW_BLOCK_ENTRY = 24
};

typedef struct {
    uint32_t size; /* bytes of the frame, header included, padding not included */
    uint8_t type;
    uint8_t flags;
    uint16_t extra; /* more flags; unknown ones are sent as 0 and ignored */
    uint32_t stream;
    uint32_t aux; /* OPEN: method number; TRAILERS, CANCEL: status code; CREDIT: bytes; GOAWAY: stream */
} sw_header;

_Static_assert(sizeof(sw_header) == SW_FRAME_HEADER, "layout of docs/wire.md");

/* Where the parts of a frame are; offsets count from the start of the frame. */
typedef struct {
    uint64_t timeout_ns;
    uint64_t total; /* length of the whole message, this piece included */
    uint32_t name, name_size;
    uint32_t initial, initial_size;
    uint32_t metadata, metadata_size;
    uint32_t details, details_size;
    uint32_t message, message_size;
} sw_view;

/* After a copy out of shared memory: the compiler may no longer assume that the original still equals the
 * copy, so it cannot fetch a value a second time after the value was checked (rule 1). Emits nothing. */
static inline void sw_copied(void) { __asm__ __volatile__("" ::: "memory"); }

static inline sw_header sw_load_header(const uint8_t *at) {
    sw_header h;
    memcpy(&h, at, sizeof h);
    sw_copied();
    return h;
}

/* Which flags a type may carry; the table is the specification's. */
static inline uint8_t sw_allowed_flags(uint8_t type) {
    switch (type) {
    case SW_OPEN: return SW_END | SW_HAS_MESSAGE | SW_MORE | SW_HAS_METADATA | SW_HAS_TIMEOUT | SW_HAS_NAME;
    case SW_HEADERS: return SW_HAS_METADATA;
    case SW_MESSAGE: return SW_END | SW_HAS_MESSAGE | SW_MORE | SW_CONTINUED;
    case SW_TRAILERS: return SW_END | SW_HAS_MESSAGE | SW_HAS_METADATA | SW_HAS_INITIAL | SW_HAS_DETAILS;
    case SW_PING: return SW_END;
    case SW_GOAWAY: return SW_HAS_DETAILS;
    case SW_CANCEL:
    case SW_CREDIT:
    case SW_RELEASE: return 0;
    default: return 0;
    }
}

static inline bool sw_take(const uint8_t *frame, uint32_t size, uint32_t *at, void *into, uint32_t n) {
    if (size - *at < n) return false;
    memcpy(into, frame + *at, n);
    sw_copied();
    *at += n;
    return true;
}

static inline bool sw_take_block(const uint8_t *frame, uint32_t size, uint32_t *at, uint32_t *where, uint32_t *length) {
    uint32_t n;
    if (!sw_take(frame, size, at, &n, sizeof n) || n > size - *at) return false;
    *where = *at;
    *length = n;
    *at += n;
    return true;
}

/* Parse the frame at `frame`, whose header was copied to *h and whose h->size bytes are readable.
 * Returns NULL, or what is wrong with it. */
static inline const char *sw_parse(const sw_header *h, const uint8_t *frame, sw_view *v) {
    memset(v, 0, sizeof *v);
    uint32_t at = SW_FRAME_HEADER;
    const uint8_t flags = h->flags;
    if (h->size < SW_FRAME_HEADER) return "frame shorter than its header";
    if (h->type < SW_OPEN || h->type > SW_RELEASE) return "unknown frame type";
    if (flags & (uint8_t)~sw_allowed_flags(h->type)) return "flag not allowed on this frame type";
    if ((h->stream == SW_NO_STREAM) != (h->type == SW_PING || h->type == SW_GOAWAY || h->type == SW_RELEASE) && h->type != SW_CREDIT)
        return "wrong stream number for this frame type";
    if ((flags & SW_MORE) && !(flags & SW_HAS_MESSAGE)) return "MORE without a message";
    if ((flags & SW_CONTINUED) && !(flags & SW_HAS_MESSAGE)) return "CONTINUED without a message";
    if ((flags & SW_MORE) && (flags & SW_END)) return "END before the end of a message";
    if (h->type == SW_OPEN && (flags & SW_HAS_TIMEOUT) && !sw_take(frame, h->size, &at, &v->timeout_ns, 8))
        return "timeout cut short";
    if (h->type == SW_OPEN && (flags & SW_HAS_NAME) && !sw_take_block(frame, h->size, &at, &v->name, &v->name_size))
        return "method name cut short";
    if (h->type == SW_TRAILERS && (flags & SW_HAS_INITIAL) &&
        !sw_take_block(frame, h->size, &at, &v->initial, &v->initial_size))
        return "initial metadata cut short";
    if ((flags & SW_HAS_METADATA) && !sw_take_block(frame, h->size, &at, &v->metadata, &v->metadata_size))
        return "metadata cut short";
    if ((h->type == SW_TRAILERS || h->type == SW_GOAWAY) && (flags & SW_HAS_DETAILS) &&
        !sw_take_block(frame, h->size, &at, &v->details, &v->details_size))
        return "details cut short";
    if (flags & SW_HAS_MESSAGE) {
        const bool first_of_many = (flags & SW_MORE) && !(flags & SW_CONTINUED);
        if (first_of_many && !sw_take(frame, h->size, &at, &v->total, 8)) return "message length cut short";
        v->message = at;
        v->message_size = h->size - at;
        if (!first_of_many) v->total = v->message_size;
        else if (v->total <= v->message_size) return "message longer than announced";
    } else if (at != h->size) {
        return "bytes after the last part of the frame";
    }
    return NULL;
}

/* A message with blocks: u32 count, per block an entry, and then the bytes that are in no block. `position` says
 * where in the whole message the block stands; blocks come in that order and do not overlap. */
typedef struct {
    uint64_t position, offset, size;
} sw_block;

/* Reads the count; *at is where the entries begin. NULL, or what is wrong. */
static inline const char *sw_blocks_begin(const uint8_t *frame, const sw_view *v, uint32_t *at, uint32_t *count) {
    const uint32_t end = v->message + v->message_size;
    *at = v->message;
    if (!sw_take(frame, end, at, count, sizeof *count)) return "table of blocks cut short";
    if (*count > SW_MAX_BLOCKS) return "too many blocks";
    if (end - *at < *count * SW_BLOCK_ENTRY) return "table of blocks cut short";
    return NULL;
}

/* Reads the next entry. `done` counts the bytes of the message before it, of blocks and others; `left` those
 * that are in no block and were not counted yet: both are the caller's to begin with 0 and the number of them. */
static inline const char *sw_blocks_next(const uint8_t *frame, const sw_view *v, uint32_t *at, uint64_t arena,
                                         uint64_t *done, uint64_t *left, sw_block *b) {
    if (!sw_take(frame, v->message + v->message_size, at, b, sizeof *b)) return "table of blocks cut short";
    if (b->offset > arena || b->size > arena - b->offset || b->size == 0) return "block outside of the arena";
    if (b->position < *done || b->position - *done > *left) return "block out of order";
    *left -= b->position - *done;
    *done = b->position + b->size;
    return NULL;
}

/* Metadata block: u16 count, then per entry u16 key length, u32 value length, key, value. */
typedef struct {
    uint32_t key, key_size, value, value_size;
} sw_entry;

/* Reads the count; 0 with *at untouched beyond the count on success, -1 when cut short. */
static inline int sw_metadata_begin(const uint8_t *block, uint32_t size, uint32_t *at, uint32_t *count) {
    uint16_t n;
    *at = 0;
    if (!sw_take(block, size, at, &n, sizeof n)) return -1;
    *count = n;
    return 0;
}

static inline int sw_metadata_next(const uint8_t *block, uint32_t size, uint32_t *at, sw_entry *e) {
    uint16_t k;
    uint32_t v;
    if (!sw_take(block, size, at, &k, sizeof k) || !sw_take(block, size, at, &v, sizeof v)) return -1;
    if (k > size - *at || v > size - *at - k) return -1;
    e->key = *at;
    e->key_size = k;
    e->value = *at + k;
    e->value_size = v;
    *at += k + v;
    return 0;
}

#endif
