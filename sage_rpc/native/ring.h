/* Single-producer single-consumer byte ring in memory shared by two processes.
 *
 * This header compiles alone (C11, GCC or Clang builtins, Linux); Python knows nothing of it and it
 * knows nothing of Python, so that sanitizers, a fuzzer and a model can run it.
 *
 * Theory of operation
 * -------------------
 * A ring is a control block and a data area whose size is a power of two. `head` counts the bytes
 * ever produced, `tail` the bytes ever consumed; both only grow. The producer owns `head`, the
 * consumer owns `tail`, each on a cache line of its own. The data area is mapped twice in a row, so
 * a frame that wraps is still contiguous for both sides.
 *
 * Each side keeps its own counter in private memory and only publishes it. What the other side
 * publishes is untrusted: it is loaded once, checked against the private counter and then used.
 *
 * Waiting. A consumer that wants to sleep stores reader_asleep = 1, issues a full fence, looks at
 * `head` once more and then polls its socket. A producer publishes `head`, issues a full fence and
 * looks at reader_asleep; if it is set it exchanges it to 0 and, when the exchange returned 1, sends
 * one byte (the doorbell). Whichever fence comes first in the total order of fences, either the
 * producer sees the flag or the consumer sees the data: no wake-up is lost (tests/native/ring.pml
 * checks this exhaustively). A producer that finds the ring full waits for room the same way, with
 * writer_waiting, `tail` and the consumer in the mirrored roles.
 */
#ifndef SAGE_RPC_RING_H
#define SAGE_RPC_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define SR_LINE 64u
#define SR_HEADER_SIZE 4096u     /* first page of a segment: geometry and the two control blocks */
#define SR_MIN_CAPACITY 4096u    /* one page: the double mapping works in pages */
#define SR_MAX_CAPACITY (1u << 28)
#define SR_ALIGN 8u              /* every frame starts on a multiple of this */

enum { SR_EMPTY = 0, SR_READY = 1, SR_CORRUPT = -1 };

typedef struct {
    _Alignas(64) _Atomic uint64_t head;          /* producer: bytes ever written */
    _Alignas(64) _Atomic uint64_t tail;          /* consumer: bytes ever read */
    _Alignas(64) _Atomic uint32_t reader_asleep; /* consumer sets it, the producer's exchange clears it */
    _Alignas(64) _Atomic uint32_t writer_waiting;/* producer sets it, the consumer's exchange clears it */
} sr_control;

typedef struct {
    sr_control *ctl;
    uint8_t *data;       /* mapped twice: data[0 .. 2 * capacity) */
    uint64_t capacity;
    uint64_t position;   /* private copy of the counter this side owns */
    uint64_t limit;      /* last accepted value of the counter the peer owns */
} sr_end;

static inline uint64_t sr_align(uint64_t size) { return (size + (SR_ALIGN - 1)) & ~(uint64_t)(SR_ALIGN - 1); }

static inline bool sr_capacity_ok(uint64_t capacity) {
    return capacity >= SR_MIN_CAPACITY && capacity <= SR_MAX_CAPACITY && (capacity & (capacity - 1)) == 0;
}

static inline void sr_init(sr_end *end, sr_control *ctl, uint8_t *data, uint64_t capacity) {
    end->ctl = ctl;
    end->data = data;
    end->capacity = capacity;
    end->position = 0;
    end->limit = 0;
}

static inline void sr_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield" ::: "memory");
#endif
}

static inline uint64_t sr_now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The same to a few milliseconds, for much less. */
static inline uint64_t sr_coarse_ns(void) {
    struct timespec ts;
#ifdef CLOCK_MONOTONIC_COARSE
    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
#else
    clock_gettime(CLOCK_MONOTONIC, &ts);
#endif
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- producer ---- */

/* Room for `size` bytes? Sets *where to the place to write. SR_EMPTY when the ring is too full now. */
static inline int sr_reserve(sr_end *w, uint64_t size, uint8_t **where) {
    uint64_t need = sr_align(size);
    if (need > w->capacity) return SR_CORRUPT;
    if (w->capacity - (w->position - w->limit) < need) {
        uint64_t tail = atomic_load_explicit(&w->ctl->tail, memory_order_acquire);
        if (tail < w->limit || tail > w->position || tail % SR_ALIGN) return SR_CORRUPT;
        w->limit = tail;
        if (w->capacity - (w->position - tail) < need) return SR_EMPTY;
    }
    *where = w->data + (w->position & (w->capacity - 1));
    return SR_READY;
}

static inline void sr_commit(sr_end *w, uint64_t size) {
    w->position += sr_align(size);
    atomic_store_explicit(&w->ctl->head, w->position, memory_order_release);
}

/* After a commit: must the doorbell be rung? */
static inline bool sr_must_wake_reader(sr_end *w) {
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&w->ctl->reader_asleep, memory_order_relaxed) != 0 &&
           atomic_exchange_explicit(&w->ctl->reader_asleep, 0, memory_order_seq_cst) != 0;
}

/* The ring was too full for `size`: announce it. True when there is room now after all. */
static inline bool sr_writer_wait(sr_end *w, uint64_t size) {
    atomic_store_explicit(&w->ctl->writer_waiting, 1, memory_order_seq_cst);
    atomic_thread_fence(memory_order_seq_cst);
    uint8_t *where;
    return sr_reserve(w, size, &where) != SR_EMPTY;
}

/* What the consumer says it has read, unchecked: for reports, never for arithmetic on the ring. */
static inline uint64_t sr_consumed(const sr_end *w) {
    return atomic_load_explicit(&w->ctl->tail, memory_order_acquire);
}

/* ---- consumer ---- */

/* Bytes that may be read now; SR_CORRUPT when the peer's counter is impossible. */
static inline int64_t sr_available(sr_end *r) {
    uint64_t head = atomic_load_explicit(&r->ctl->head, memory_order_acquire);
    if (head < r->limit || head - r->position > r->capacity || head % SR_ALIGN) return SR_CORRUPT;
    r->limit = head;
    return (int64_t)(head - r->position);
}

static inline const uint8_t *sr_at(const sr_end *r) { return r->data + (r->position & (r->capacity - 1)); }

static inline void sr_consume(sr_end *r, uint64_t size) {
    r->position += sr_align(size);
    atomic_store_explicit(&r->ctl->tail, r->position, memory_order_release);
}

/* After consuming: must the doorbell be rung for a producer that waits for room? */
static inline bool sr_must_wake_writer(sr_end *r) {
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&r->ctl->writer_waiting, memory_order_relaxed) != 0 &&
           atomic_exchange_explicit(&r->ctl->writer_waiting, 0, memory_order_seq_cst) != 0;
}

/* Without any check: has `head` moved away from what was consumed? (A corrupt head counts as moved.) */
static inline bool sr_has_data(const sr_end *r) {
    return atomic_load_explicit(&r->ctl->head, memory_order_acquire) != r->position;
}

/* Announce sleep. True when there is data after all, and the sleep must not happen. */
static inline bool sr_reader_sleep(sr_end *r) {
    atomic_store_explicit(&r->ctl->reader_asleep, 1, memory_order_seq_cst);
    atomic_thread_fence(memory_order_seq_cst);
    return sr_has_data(r);
}

static inline void sr_reader_awake(sr_end *r) {
    atomic_store_explicit(&r->ctl->reader_asleep, 0, memory_order_relaxed);
}

/* Watch `n` rings for at most `budget_ns`. Returns the index of one with data, or -1. `stop` (may be
 * NULL) ends the watch early when it becomes non-zero. */
static inline int sr_spin(sr_end *const *rings, int n, uint64_t budget_ns, const _Atomic int *stop) {
    uint64_t start = 0;
    for (unsigned turn = 0;; turn++) {
        for (int i = 0; i < n; i++)
            if (sr_has_data(rings[i])) return i;
        if ((turn & 31) == 31) {
            uint64_t now = sr_now_ns();
            if (start == 0) start = now;
            else if (now - start >= budget_ns) return -1;
            if (stop != NULL && atomic_load_explicit(stop, memory_order_relaxed)) return -1;
        }
        sr_pause();
    }
}

/* Either ring may move: data to read in `r`, or room beyond what is known in `w`. Watches for at most
 * `budget_ns`; used while a message larger than the ring is under way. */
static inline bool sr_spin_transfer(sr_end *r, sr_end *w, uint64_t budget_ns) {
    const uint64_t start = sr_now_ns();
    do {
        for (int i = 0; i < 64; i++) {
            if (sr_has_data(r) || atomic_load_explicit(&w->ctl->tail, memory_order_acquire) != w->limit) return true;
            sr_pause();
        }
    } while (sr_now_ns() - start < budget_ns);
    return false;
}

/* ---- the segment: one page of header, ring 0 (client to server), ring 1 (server to client), and the two
 * arenas, from which the client and the server hand over large buffers ---- */

#define SR_MAGIC 0x3143505245474153ull /* "SAGERPC1" in little-endian byte order */

typedef struct {
    uint64_t magic;
    uint32_t version;
    uint32_t header_size;
    uint64_t capacity[2];
    uint64_t arena; /* bytes of each arena; 0: there are none */
    /* Server to client, a hint only: how many connections the server found busy lately. */
    _Alignas(64) _Atomic uint32_t busy_connections;
    _Alignas(64) sr_control ring[2];
} sr_segment;

_Static_assert(sizeof(sr_control) == 4 * SR_LINE, "the control block is four cache lines");
_Static_assert(offsetof(sr_segment, arena) == 32, "layout of docs/wire.md");
_Static_assert(offsetof(sr_segment, busy_connections) == 64, "layout of docs/wire.md");
_Static_assert(offsetof(sr_segment, ring) == 128, "layout of docs/wire.md");
_Static_assert(sizeof(sr_segment) <= SR_HEADER_SIZE, "the header fits its page");

/* What a segment's header says of its geometry. The peer may write there at any time: it is copied once, and the
 * compiler may not look at the original again. */
typedef struct {
    uint64_t magic;
    uint32_t version;
    uint32_t header_size;
    uint64_t capacity[2];
    uint64_t arena;
} sr_geometry;

static inline sr_geometry sr_load_geometry(const sr_segment *s) {
    sr_geometry g;
    memcpy(&g, s, sizeof g);
    __asm__ __volatile__("" ::: "memory");
    return g;
}

_Static_assert(offsetof(sr_geometry, arena) == offsetof(sr_segment, arena), "the geometry is the header's beginning");

static inline void sr_set_busy_connections(sr_segment *s, uint32_t n) {
    atomic_store_explicit(&s->busy_connections, n, memory_order_relaxed);
}

static inline uint32_t sr_busy_connections(const sr_segment *s) {
    return atomic_load_explicit(&s->busy_connections, memory_order_relaxed);
}

static inline uint64_t sr_segment_size(uint64_t capacity, uint64_t arena) {
    return SR_HEADER_SIZE + 2 * capacity + 2 * arena;
}

#define SR_PAGE 4096u
#define SR_MAX_ARENA (1ull << 40)

/* Arenas are whole pages: their pages are what RELEASE frames count in. */
static inline bool sr_arena_ok(uint64_t arena) { return arena % SR_PAGE == 0 && arena <= SR_MAX_ARENA; }

#endif
