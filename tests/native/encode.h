/* An encoder of frames, written from docs/wire.md and not from the parser: wire.h is tested against it.
 *
 * It writes whatever it is told, legal or not, in the body order of the specification; lengths follow
 * from the parts. The caller's buffer must be large enough.
 */
#ifndef SAGE_RPC_TESTS_ENCODE_H
#define SAGE_RPC_TESTS_ENCODE_H

#include "check.h"
#include "wire.h"

typedef struct {
    const uint8_t *bytes;
    uint32_t size;
} part;

typedef struct {
    uint8_t type, flags;
    uint32_t stream, aux;
    uint64_t timeout_ns, total;
    part name, initial, metadata, details, message;
} frame_parts;

static inline uint8_t *put(uint8_t *at, const void *from, size_t n) {
    if (n) memcpy(at, from, n);
    return at + n;
}

static inline uint8_t *put_block(uint8_t *at, part p) { return put(put(at, &p.size, 4), p.bytes, p.size); }

static inline uint32_t encode_frame(uint8_t *out, const frame_parts *f) {
    uint8_t *at = out + 16;
    if (f->type == 1 && (f->flags & 0x10)) at = put(at, &f->timeout_ns, 8);
    if (f->type == 1 && (f->flags & 0x20)) at = put_block(at, f->name);
    if (f->type == 4 && (f->flags & 0x20)) at = put_block(at, f->initial);
    if (f->flags & 0x08) at = put_block(at, f->metadata);
    if ((f->type == 4 || f->type == 8) && (f->flags & 0x40)) at = put_block(at, f->details);
    if (f->flags & 0x02) {
        if ((f->flags & 0x84) == 0x04) at = put(at, &f->total, 8);
        at = put(at, f->message.bytes, f->message.size);
    }
    const uint32_t size = (uint32_t)(at - out);
    const uint16_t reserved = 0;
    uint8_t *head = put(out, &size, 4);
    *head++ = f->type;
    *head++ = f->flags;
    head = put(head, &reserved, 2);
    head = put(head, &f->stream, 4);
    put(head, &f->aux, 4);
    return size;
}

/* Some bytes of the pool; content does not matter to a frame. */
static inline part draw_part(uint64_t *random, uint32_t largest) {
    static uint8_t pool[4096];
    if (pool[0] == 0)
        for (uint32_t i = 0; i < sizeof pool; i++) pool[i] = (uint8_t)(1 + mix(i) % 255);
    const uint32_t size = draw_below(random, 4) ? draw_below(random, largest + 1) : 0;
    return (part){pool + draw_below(random, (uint32_t)sizeof pool - size), size};
}

/* A random frame of the given type and flags; legal if the flags are. */
static inline frame_parts draw_frame(uint64_t *random, uint8_t type, uint8_t flags, uint32_t stream, uint32_t largest) {
    frame_parts f = {.type = type, .flags = flags, .stream = stream, .aux = (uint32_t)draw(random), .timeout_ns = draw(random)};
    f.name = draw_part(random, largest);
    f.initial = draw_part(random, largest);
    f.metadata = draw_part(random, largest);
    f.details = draw_part(random, largest);
    f.message = draw_part(random, largest);
    f.total = f.message.size + 1 + draw_below(random, 1u << 30);
    return f;
}

#endif
