/* A queue of byte strings in memory shared by processes: many producers, many consumers, first in first out.
 *
 * This header compiles alone (C11, Linux) and knows nothing of Python. docs/queue.md has the layout and what users
 * may rely on; docs/decisions/0005-named-queue.md says why. Rules of this file:
 *
 * 1. A process may die between any two instructions. What others must see changes in one store: `turn`, whose lowest
 *    bit says which of two copies of the state is true. A half-written item is beyond `head` and never
 *    seen; a half-read one is still the first. So there is nothing to repair but sleepers.
 * 2. Whoever changes the state wakes the sleepers it concerns before it commits, under the lock. Dying after
 *    the wake-up costs a sleeper one look; dying before it changes nothing that anybody could miss.
 * 3. What is read from shared memory is copied, then checked, then used. The geometry is copied at attach.
 *
 * Waiting. Of the getters only the one that holds `getters` (a robust lock) sleeps on items_wake, the others sleep on that
 * lock; so an item wakes one process, and when that one is killed the kernel makes the next of them look. The sleeper
 * reads items_wake and sets getter_asleep under state_lock, having found nothing there; a producer raises
 * items_wake under the same lock before it commits. So the sleeper either sees the item, or the raised word ends its
 * sleep at once. Putters wait for room likewise. `getters` and `putters` are taken before state_lock, never after.
 */
#ifndef SAGE_RPC_QUEUE_H
#define SAGE_RPC_QUEUE_H

#include <limits.h>

#include "robust_lock.h"

#define SQ_MAGIC 0x3145554551454753ull /* "SGEQUEU1" in little-endian byte order */
#define SQ_VERSION 1u
#define SQ_HEADER_SIZE 4096u /* bytes before the ring of items */
#define SQ_PAGE 4096u        /* a capacity is a multiple of this */
#define SQ_MAX_CAPACITY ((uint64_t)1 << 40)
#define SQ_RECORD_SIZE 16u /* bytes before each item's own */

#define SQ_TRY_SPINS 60        /* pauses spent on a lock that is held, before anything costlier */
#define SQ_GRACE_NS 200000000  /* how much longer than its deadline a call may wait for state_lock */
#define SQ_SPIN_MAX_NS 30000u  /* about the price of a sleep and a wake-up */
#define SQ_SPIN_MIN_NS 1000u
#define SQ_SPIN_RETRY 32u      /* of the waits that do not spin, one in so many tries again */

typedef enum {
    SQ_OK = 0,
    SQ_EMPTY = 1,       /* and stayed so until the deadline */
    SQ_FULL = 2,        /* likewise */
    SQ_TOO_SMALL = 3,   /* the next item is larger than the buffer; its length is reported */
    SQ_BUSY = 4,        /* SQ_TRY only: the lock is held */
    SQ_INTERRUPTED = 5, /* a signal came; call again */
    SQ_CLOSED = 6,
    SQ_CORRUPT = 7,
} sq_result;

typedef enum {
    SQ_TRY,    /* never sleep: SQ_BUSY when the lock is held */
    SQ_NOWAIT, /* sleep for the lock at most, never for an item or room */
    SQ_WAIT,
} sq_patience;

/* Positions count bytes, `puts` and `gets` items, since the queue was made; none ever decreases. */
typedef struct {
    uint64_t head, tail, puts, gets;
} sq_view;

typedef struct {
    _Alignas(64) _Atomic uint64_t head;
    _Atomic uint64_t tail, puts, gets;
} sq_state;

typedef struct {
    /* Constant once `magic`, which is written last, is there. */
    _Atomic uint64_t magic;
    uint32_t version;
    uint32_t header_size;
    uint64_t capacity; /* bytes of the ring */
    uint64_t maxsize;  /* items; 0 means as many as fit */
    uint64_t token;    /* random: tells two queues of one name apart */
    uint64_t pid_namespace; /* thread ids in the locks mean something only in there */
    /* Guarded by state_lock for writing. */
    _Alignas(64) _Atomic uint32_t turn;
    sq_state state[2];
    _Alignas(64) _Atomic uint32_t items_wake;
    _Atomic uint32_t getter_asleep;
    _Alignas(64) _Atomic uint32_t room_wake;
    _Atomic uint64_t putter_needs; /* bytes the sleeping putter needs; 0: none sleeps */
    _Atomic uint64_t recoveries;   /* how often an owner of state_lock was found dead */
    rl_lock state_lock, getters, putters;
} sq_shared;

_Static_assert(offsetof(sq_shared, turn) == 64, "the layout of docs/queue.md");
_Static_assert(offsetof(sq_shared, state) == 128, "the layout of docs/queue.md");
_Static_assert(offsetof(sq_shared, items_wake) == 256, "the layout of docs/queue.md");
_Static_assert(offsetof(sq_shared, room_wake) == 320, "the layout of docs/queue.md");
_Static_assert(offsetof(sq_shared, state_lock) == 384, "the layout of docs/queue.md");
_Static_assert(sizeof(sq_shared) <= SQ_HEADER_SIZE, "the header fits its page");

/* One process's handle, in private memory. */
typedef struct {
    sq_shared *shared;
    uint8_t *data;
    uint64_t capacity, maxsize;
    bool may_spin;
    _Atomic uint32_t spin_ns, skipped; /* how long waiting actively has lately been worth */
    _Atomic uint32_t users;            /* threads inside a call; also the futex that sq_close sleeps on */
    _Atomic uint32_t closed;
} sq_queue;

/* ---- making and attaching ---- */

/* `shared` is zeroed memory of SQ_HEADER_SIZE + capacity bytes that nobody else uses yet. */
static inline void sq_format(sq_shared *shared, uint64_t capacity, uint64_t maxsize, uint64_t token,
                             uint64_t pid_namespace) {
    shared->version = SQ_VERSION;
    shared->header_size = SQ_HEADER_SIZE;
    shared->capacity = capacity;
    shared->maxsize = maxsize;
    shared->token = token;
    shared->pid_namespace = pid_namespace;
    atomic_store_explicit(&shared->magic, SQ_MAGIC, memory_order_release);
}

static inline bool sq_is_formatted(const sq_shared *shared) {
    return atomic_load_explicit(&shared->magic, memory_order_acquire) == SQ_MAGIC;
}

/* `size` is that of the mapping, in bytes. False when header and mapping do not belong together. */
static inline bool sq_attach(sq_queue *q, sq_shared *shared, uint64_t size, bool may_spin) {
    memset(q, 0, sizeof *q);
    if (size < SQ_HEADER_SIZE + SQ_PAGE || !sq_is_formatted(shared)) return false;
    q->shared = shared;
    q->data = (uint8_t *)shared + SQ_HEADER_SIZE;
    q->capacity = *(volatile uint64_t *)&shared->capacity;
    q->maxsize = *(volatile uint64_t *)&shared->maxsize;
    q->may_spin = may_spin;
    atomic_init(&q->spin_ns, SQ_SPIN_MAX_NS);
    return shared->version == SQ_VERSION && shared->header_size == SQ_HEADER_SIZE && q->capacity % SQ_PAGE == 0 &&
           q->capacity == size - SQ_HEADER_SIZE;
}

/* ---- the state ---- */

/* Bytes an item of `length` takes in the ring; `length` is at most SQ_MAX_CAPACITY. */
static inline uint64_t sq_footprint(uint64_t length) { return SQ_RECORD_SIZE + ((length + 7) & ~(uint64_t)7); }

static inline uint64_t sq_largest(const sq_queue *q) { return q->capacity - SQ_RECORD_SIZE; }

static inline bool sq_view_ok(const sq_queue *q, const sq_view *v) {
    const uint64_t used = v->head - v->tail, items = v->puts - v->gets;
    return v->head >= v->tail && used <= q->capacity && used % 8 == 0 && v->puts >= v->gets &&
           items <= used / SQ_RECORD_SIZE && (items == 0) == (used == 0);
}

static inline void sq_load(const sq_state *from, sq_view *v) {
    v->head = atomic_load_explicit(&from->head, memory_order_relaxed);
    v->tail = atomic_load_explicit(&from->tail, memory_order_relaxed);
    v->puts = atomic_load_explicit(&from->puts, memory_order_relaxed);
    v->gets = atomic_load_explicit(&from->gets, memory_order_relaxed);
}

/* With state_lock. */
static inline bool sq_read(const sq_queue *q, sq_view *v) {
    sq_load(&q->shared->state[atomic_load_explicit(&q->shared->turn, memory_order_relaxed) & 1], v);
    return sq_view_ok(q, v);
}

/* Without the lock: a state that was true a moment ago. A copy is rewritten only after `turn` left it. */
static inline bool sq_peek(const sq_queue *q, sq_view *v) {
    for (int tries = 0; tries < 1000; tries++) {
        const uint32_t turn = atomic_load_explicit(&q->shared->turn, memory_order_acquire);
        sq_load(&q->shared->state[turn & 1], v);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&q->shared->turn, memory_order_relaxed) == turn) return sq_view_ok(q, v);
        rl_pause();
    }
    return false;
}

/* With state_lock: the one store that makes `v` true. */
static inline void sq_commit(sq_queue *q, const sq_view *v) {
    const uint32_t turn = atomic_load_explicit(&q->shared->turn, memory_order_relaxed) + 1;
    sq_state *to = &q->shared->state[turn & 1];
    atomic_thread_fence(memory_order_release); /* sq_peek: the last `turn` is visible before this copy changes */
    atomic_store_explicit(&to->head, v->head, memory_order_relaxed);
    atomic_store_explicit(&to->tail, v->tail, memory_order_relaxed);
    atomic_store_explicit(&to->puts, v->puts, memory_order_relaxed);
    atomic_store_explicit(&to->gets, v->gets, memory_order_relaxed);
    atomic_store_explicit(&q->shared->turn, turn, memory_order_release);
}

static inline bool sq_fits(const sq_queue *q, const sq_view *v, uint64_t footprint) {
    return q->capacity - (v->head - v->tail) >= footprint && (q->maxsize == 0 || v->puts - v->gets < q->maxsize);
}

/* ---- the ring; `size` is at most the capacity ---- */

static inline void sq_copy_in(sq_queue *q, uint64_t position, const void *from, uint64_t size) {
    const uint64_t at = position % q->capacity;
    const uint64_t first = size < q->capacity - at ? size : q->capacity - at;
    if (first != 0) memcpy(q->data + at, from, first);
    if (size != first) memcpy(q->data, (const uint8_t *)from + first, size - first);
}

static inline void sq_copy_out(const sq_queue *q, uint64_t position, void *to, uint64_t size) {
    const uint64_t at = position % q->capacity;
    const uint64_t first = size < q->capacity - at ? size : q->capacity - at;
    if (first != 0) memcpy(to, q->data + at, first);
    if (size != first) memcpy((uint8_t *)to + first, q->data, size - first);
}

typedef struct {
    uint64_t length;
    uint32_t kind;
    uint32_t seal; /* depends on the position, so that a ring out of step is noticed */
} sq_record;

_Static_assert(sizeof(sq_record) == SQ_RECORD_SIZE, "the layout of docs/queue.md");

static inline uint32_t sq_seal(uint64_t position, uint32_t kind) {
    return (uint32_t)((position + kind) * 0x9e3779b97f4a7c15u >> 32);
}

/* ---- sleepers; all with state_lock ---- */

static inline void sq_wake(_Atomic uint32_t *word) {
    atomic_fetch_add_explicit(word, 1, memory_order_release);
    rl_futex_wake(word, INT_MAX);
}

static inline void sq_wake_getter(sq_queue *q) {
    if (atomic_load_explicit(&q->shared->getter_asleep, memory_order_relaxed) == 0) return;
    sq_wake(&q->shared->items_wake);
    atomic_store_explicit(&q->shared->getter_asleep, 0, memory_order_relaxed);
}

static inline void sq_wake_putter(sq_queue *q, const sq_view *after) {
    const uint64_t needs = atomic_load_explicit(&q->shared->putter_needs, memory_order_relaxed);
    if (needs == 0 || (needs <= q->capacity && !sq_fits(q, after, needs))) return;
    sq_wake(&q->shared->room_wake);
    atomic_store_explicit(&q->shared->putter_needs, 0, memory_order_relaxed);
}

/* The last owner died: the state is one copy or the other, but it may have owed somebody a wake-up. */
static inline void sq_recover(sq_queue *q) {
    sq_wake(&q->shared->items_wake);
    sq_wake(&q->shared->room_wake);
    atomic_fetch_add_explicit(&q->shared->recoveries, 1, memory_order_relaxed);
}

/* ---- calls of this process ---- */

static inline void sq_leave(sq_queue *q) {
    if (atomic_fetch_sub(&q->users, 1) == 1 && atomic_load(&q->closed)) rl_futex_wake(&q->users, INT_MAX);
}

static inline bool sq_enter(sq_queue *q) {
    atomic_fetch_add(&q->users, 1);
    if (!atomic_load(&q->closed)) return true;
    sq_leave(q);
    return false;
}

/* End this process's calls, those that wait included, with SQ_CLOSED; afterwards the mapping may go. */
static inline void sq_close(sq_queue *q) {
    sq_shared *s = q->shared;
    atomic_store(&q->closed, 1);
    for (;;) {
        const uint32_t users = atomic_load(&q->users);
        if (users == 0) return;
        sq_wake(&s->items_wake);
        sq_wake(&s->room_wake);
        rl_futex_wake(&s->getters.word, INT_MAX);
        rl_futex_wake(&s->putters.word, INT_MAX);
        rl_futex_wake(&s->state_lock.word, INT_MAX);
        /* A thread that was about to sleep on a lock's word was not woken: hence again, after a moment. */
        rl_futex_wait(&q->users, users, rl_now_ns() + 1000000);
    }
}

/* In a forked child: the threads that were inside a call are not here. */
static inline void sq_after_fork(sq_queue *q) { atomic_store(&q->users, 0); }

static inline sq_result sq_of(rl_result r, sq_result timed_out) {
    switch (r) {
        case RL_TAKEN:
        case RL_INHERITED: return SQ_OK;
        case RL_BUSY: return SQ_BUSY;
        case RL_INTERRUPTED: return SQ_INTERRUPTED;
        case RL_STOPPED: return SQ_CLOSED;
        default: return timed_out;
    }
}

static inline sq_result sq_lock(sq_queue *q, rl_hold *hold, sq_patience patience, int64_t deadline, sq_result timed_out) {
    rl_result r = rl_try(&q->shared->state_lock, hold, q->may_spin ? SQ_TRY_SPINS : 0);
    if (r == RL_BUSY && patience != SQ_TRY) {
        if (patience == SQ_NOWAIT || deadline != RL_FOREVER) {
            const int64_t now = rl_now_ns();
            deadline = (patience == SQ_WAIT && deadline > now ? deadline : now) + SQ_GRACE_NS;
        }
        r = rl_wait(&q->shared->state_lock, hold, deadline, true, &q->closed);
    }
    if (r == RL_INHERITED) sq_recover(q);
    return sq_of(r, timed_out);
}

/* What a call wants; the one shape of both directions, so that waiting is written once. */
typedef struct {
    const void *item; /* put: what, NULL for get */
    void *buffer;     /* get: where to */
    uint64_t length;  /* put: of the item; get: room in the buffer, then the item's length */
    uint32_t kind;    /* put: to store; get: stored */
    bool is_put;
} sq_call;

/* With state_lock: put, or SQ_FULL. */
static inline sq_result sq_put_locked(sq_queue *q, sq_call *call) {
    sq_view v;
    if (!sq_read(q, &v)) return SQ_CORRUPT;
    const uint64_t footprint = sq_footprint(call->length);
    if (!sq_fits(q, &v, footprint)) return SQ_FULL;
    const sq_record record = {call->length, call->kind, sq_seal(v.head, call->kind)};
    sq_copy_in(q, v.head, &record, sizeof record);
    sq_copy_in(q, v.head + SQ_RECORD_SIZE, call->item, call->length);
    v.head += footprint;
    v.puts++;
    sq_wake_getter(q);
    sq_commit(q, &v);
    return SQ_OK;
}

/* With state_lock: get, SQ_EMPTY or SQ_TOO_SMALL. */
static inline sq_result sq_get_locked(sq_queue *q, sq_call *call) {
    sq_view v;
    if (!sq_read(q, &v)) return SQ_CORRUPT;
    if (v.puts == v.gets) return SQ_EMPTY;
    const uint64_t used = v.head - v.tail;
    sq_record record;
    sq_copy_out(q, v.tail, &record, sizeof record);
    if (record.length > used - SQ_RECORD_SIZE || record.seal != sq_seal(v.tail, record.kind)) return SQ_CORRUPT;
    if (record.length > call->length) {
        call->length = record.length;
        return SQ_TOO_SMALL;
    }
    const uint64_t at = v.tail + SQ_RECORD_SIZE;
    v.tail += sq_footprint(record.length);
    v.gets++;
    if (!sq_view_ok(q, &v)) return SQ_CORRUPT;
    sq_copy_out(q, at, call->buffer, record.length);
    call->length = record.length;
    call->kind = record.kind;
    sq_wake_putter(q, &v);
    sq_commit(q, &v);
    return SQ_OK;
}

static inline sq_result sq_locked(sq_queue *q, sq_call *call) {
    return call->is_put ? sq_put_locked(q, call) : sq_get_locked(q, call);
}

static inline sq_result sq_not_ready(const sq_call *call) { return call->is_put ? SQ_FULL : SQ_EMPTY; }

static inline sq_result sq_attempt(sq_queue *q, sq_call *call, sq_patience patience, int64_t deadline) {
    rl_hold hold;
    sq_result r = sq_lock(q, &hold, patience, deadline, sq_not_ready(call));
    if (r != SQ_OK) return r;
    r = sq_locked(q, call);
    rl_release(&q->shared->state_lock, &hold);
    return r;
}

static inline bool sq_looks_ready(const sq_queue *q, const sq_call *call) {
    sq_view v;
    if (!sq_peek(q, &v)) return true; /* let the attempt report it */
    return call->is_put ? sq_fits(q, &v, sq_footprint(call->length)) : v.puts != v.gets;
}

/* Watch for a while without sleeping: what a wait that was short last time is worth. */
static inline bool sq_spin(sq_queue *q, const sq_call *call) {
    if (!q->may_spin) return false;
    uint32_t budget = atomic_load_explicit(&q->spin_ns, memory_order_relaxed);
    if (budget < SQ_SPIN_MIN_NS) {
        if (atomic_fetch_add_explicit(&q->skipped, 1, memory_order_relaxed) % SQ_SPIN_RETRY != 0) return false;
        budget = SQ_SPIN_MAX_NS;
    }
    const int64_t end = rl_now_ns() + budget;
    do {
        for (int i = 0; i < 16; i++) {
            if (sq_looks_ready(q, call)) {
                atomic_store_explicit(&q->spin_ns, SQ_SPIN_MAX_NS, memory_order_relaxed);
                return true;
            }
            rl_pause();
        }
    } while (rl_now_ns() < end);
    atomic_store_explicit(&q->spin_ns, budget / 2, memory_order_relaxed);
    return false;
}

/* As the one sleeper of its direction: attempt, sleep, attempt. */
static inline sq_result sq_sleep_turns(sq_queue *q, sq_call *call, int64_t deadline) {
    sq_shared *s = q->shared;
    _Atomic uint32_t *word = call->is_put ? &s->room_wake : &s->items_wake;
    for (bool last = false;;) {
        rl_hold hold;
        sq_result r = sq_lock(q, &hold, SQ_WAIT, deadline, sq_not_ready(call));
        if (r != SQ_OK) return r;
        r = sq_locked(q, call);
        const bool sleep = r == sq_not_ready(call) && !last;
        const uint32_t seen = atomic_load_explicit(word, memory_order_relaxed);
        if (call->is_put)
            atomic_store_explicit(&s->putter_needs, sleep ? sq_footprint(call->length) : 0, memory_order_relaxed);
        else
            atomic_store_explicit(&s->getter_asleep, sleep ? 1 : 0, memory_order_relaxed);
        rl_release(&s->state_lock, &hold);
        if (!sleep) return r;
        if (atomic_load(&q->closed)) return SQ_CLOSED;
        const int rc = rl_futex_wait(word, seen, deadline);
        if (rc == EINTR) return SQ_INTERRUPTED;
        last = rc == ETIMEDOUT;
    }
}

static inline sq_result sq_wait(sq_queue *q, sq_call *call, int64_t deadline) {
    rl_lock *line = call->is_put ? &q->shared->putters : &q->shared->getters;
    rl_hold hold;
    sq_result r = sq_of(rl_wait(line, &hold, deadline, false, &q->closed), sq_not_ready(call));
    if (r != SQ_OK) return r;
    r = sq_sleep_turns(q, call, deadline);
    rl_release(line, &hold);
    return r;
}

static inline sq_result sq_run(sq_queue *q, sq_call *call, sq_patience patience, int64_t deadline) {
    /* A putter that waits for much room must not starve: whoever is willing to wait lines up behind it. */
    const bool line_up = call->is_put && patience == SQ_WAIT &&
                         atomic_load_explicit(&q->shared->putter_needs, memory_order_relaxed) != 0;
    do {
        if (line_up) break;
        const sq_result r = sq_attempt(q, call, patience, deadline);
        if (r != sq_not_ready(call) || patience != SQ_WAIT) return r;
    } while (sq_spin(q, call));
    return sq_wait(q, call, deadline);
}

/* Put call->length bytes at call->item. `deadline` (CLOCK_MONOTONIC, ns, or RL_FOREVER) matters to SQ_WAIT. An item
 * larger than sq_largest() is the caller's mistake and SQ_FULL. rl_enter_thread() came first. */
static inline sq_result sq_put(sq_queue *q, sq_call *call, sq_patience patience, int64_t deadline) {
    if (call->length > sq_largest(q)) return SQ_FULL;
    if (!sq_enter(q)) return SQ_CLOSED;
    call->is_put = true;
    const sq_result r = sq_run(q, call, patience, deadline);
    sq_leave(q);
    return r;
}

/* Get the next item into call->buffer of call->length bytes. */
static inline sq_result sq_get(sq_queue *q, sq_call *call, sq_patience patience, int64_t deadline) {
    if (!sq_enter(q)) return SQ_CLOSED;
    call->is_put = false;
    const sq_result r = sq_run(q, call, patience, deadline);
    sq_leave(q);
    return r;
}

/* How many items and bytes are queued: true a moment ago. */
static inline sq_result sq_measure(sq_queue *q, sq_view *v) {
    if (!sq_enter(q)) return SQ_CLOSED;
    const sq_result r = sq_peek(q, v) ? SQ_OK : SQ_CORRUPT;
    sq_leave(q);
    return r;
}

#endif
