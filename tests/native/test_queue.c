/* Tests of queue.h and robust_lock.h: one thread against a reference, threads, processes, processes that die at
 * every step and at random, and a segment that somebody scribbles on.
 *
 * Rules: an item carries its producer, its number and bytes computed from both, so that a wrong, doubled or
 * reordered item is noticed wherever it is got. The segment lies between pages that cannot be touched. `./test_queue
 * NAME` runs one test. ITEMS is set per build.
 */
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "check.h"
#include "queue.h"

#ifndef ITEMS
#define ITEMS 200000u
#endif

#ifndef FAIL_AFTER
#define FAIL_AFTER 100 /* seconds */
#endif
#define CAPACITY 8192u
#define LARGEST 3000u

/* ---- a segment, and handles of it ---- */

static sq_shared *segment_new(uint64_t capacity, uint64_t maxsize) {
    const size_t size = SQ_HEADER_SIZE + capacity, guard = 65536;
    const int fd = memfd_create("sage-rpc-queue-test", MFD_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(ftruncate(fd, (off_t)size) == 0);
    uint8_t *reserved = mmap(NULL, size + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(reserved != MAP_FAILED);
    CHECK(mmap(reserved + guard, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED);
    close(fd);
    sq_shared *shared = (sq_shared *)(void *)(reserved + guard);
    sq_format(shared, capacity, maxsize, 1, 1);
    return shared;
}

static void segment_free(sq_shared *shared, uint64_t capacity) {
    CHECK(munmap((uint8_t *)shared - 65536, SQ_HEADER_SIZE + capacity + 2 * 65536) == 0);
}

static sq_queue handle_of(sq_shared *shared, uint64_t capacity) {
    sq_queue q;
    CHECK(sq_attach(&q, shared, SQ_HEADER_SIZE + capacity, true));
    return q;
}

static sq_queue queue_new(uint64_t maxsize) { return handle_of(segment_new(CAPACITY, maxsize), CAPACITY); }

static void queue_free(sq_queue *q) {
    sq_close(q);
    segment_free(q->shared, q->capacity);
}

static int64_t in_ms(int64_t ms) { return rl_now_ns() + ms * 1000000; }

static sq_result put(sq_queue *q, const void *item, uint64_t length, sq_patience patience, int64_t deadline) {
    CHECK(rl_enter_thread() == 0);
    sq_call call = {.item = item, .length = length, .kind = 0};
    sq_result r;
    do r = sq_put(q, &call, patience, deadline);
    while (r == SQ_INTERRUPTED);
    return r;
}

static sq_result get(sq_queue *q, void *buffer, uint64_t *length, sq_patience patience, int64_t deadline) {
    CHECK(rl_enter_thread() == 0);
    sq_call call = {.buffer = buffer, .length = *length};
    sq_result r;
    do r = sq_get(q, &call, patience, deadline);
    while (r == SQ_INTERRUPTED);
    *length = call.length;
    return r;
}

/* ---- items ---- */

typedef struct {
    uint64_t producer, number;
} label;

static uint64_t item_length(label id) {
    const uint64_t r = mix(id.producer * 1000003 + id.number);
    return sizeof(label) + ((r & 31) == 0 ? (r >> 8) % (LARGEST - sizeof(label)) : (r >> 8) % 80);
}

static void item_write(uint8_t *at, label id) {
    const uint64_t length = item_length(id);
    memcpy(at, &id, sizeof id);
    for (uint64_t i = sizeof id; i < length; i++) at[i] = (uint8_t)(mix(id.number) + i + id.producer);
}

static label item_check(const uint8_t *at, uint64_t length) {
    label id;
    CHECK(length >= sizeof id);
    memcpy(&id, at, sizeof id);
    CHECK(length == item_length(id));
    for (uint64_t i = sizeof id; i < length; i++) CHECK(at[i] == (uint8_t)(mix(id.number) + i + id.producer));
    return id;
}

static sq_result put_item(sq_queue *q, label id, sq_patience patience, int64_t deadline) {
    uint8_t item[LARGEST];
    item_write(item, id);
    return put(q, item, item_length(id), patience, deadline);
}

static sq_result get_item(sq_queue *q, label *id, sq_patience patience, int64_t deadline) {
    uint8_t item[LARGEST];
    uint64_t length = sizeof item;
    const sq_result r = get(q, item, &length, patience, deadline);
    if (r == SQ_OK) *id = item_check(item, length);
    return r;
}

/* ---- one thread against a reference ---- */

static void reference(void) {
    for (uint64_t maxsize = 0; maxsize <= 7; maxsize += 7) {
        sq_queue q = queue_new(maxsize);
        uint64_t seed = 1, first = 0, next = 0, used = 0;
        for (unsigned step = 0; step < ITEMS; step++) {
            label id = {3, next}, got = {0, 0};
            if (draw_below(&seed, 100) < (step / 500 % 2 ? 60u : 40u)) {
                const bool fits = used + sq_footprint(item_length(id)) <= CAPACITY &&
                                  (maxsize == 0 || next - first < maxsize);
                CHECK(put_item(&q, id, step % 2 ? SQ_TRY : SQ_NOWAIT, 0) == (fits ? SQ_OK : SQ_FULL));
                if (fits) used += sq_footprint(item_length(id)), next++;
            } else {
                CHECK(get_item(&q, &got, step % 2 ? SQ_TRY : SQ_NOWAIT, 0) == (first < next ? SQ_OK : SQ_EMPTY));
                if (first == next) continue;
                CHECK(got.producer == 3 && got.number == first);
                used -= sq_footprint(item_length(got)), first++;
            }
            sq_view v;
            CHECK(sq_measure(&q, &v) == SQ_OK && v.puts - v.gets == next - first && v.head - v.tail == used);
        }
        queue_free(&q);
    }
}

static void sizes_at_the_limit(void) {
    sq_queue q = queue_new(0);
    static uint8_t in[CAPACITY], out[CAPACITY];
    memset(in, 7, sizeof in);
    uint64_t length = sizeof out;
    for (uint64_t shift = 0; shift < 64; shift++) { /* the largest item at many positions of the ring */
        CHECK(put(&q, in, shift, SQ_NOWAIT, 0) == SQ_OK);
        CHECK(put(&q, in, sq_largest(&q), SQ_NOWAIT, 0) == SQ_FULL);
        length = sizeof out;
        CHECK(get(&q, out, &length, SQ_NOWAIT, 0) == SQ_OK && length == shift);
        CHECK(put(&q, in, sq_largest(&q), SQ_NOWAIT, 0) == SQ_OK);
        CHECK(put(&q, in, 0, SQ_NOWAIT, 0) == SQ_FULL);
        length = 10;
        CHECK(get(&q, out, &length, SQ_NOWAIT, 0) == SQ_TOO_SMALL && length == sq_largest(&q));
        CHECK(get(&q, out, &length, SQ_NOWAIT, 0) == SQ_OK && length == sq_largest(&q));
        CHECK(memcmp(in, out, length) == 0);
    }
    CHECK(put(&q, in, sq_largest(&q) + 1, SQ_WAIT, RL_FOREVER) == SQ_FULL);
    queue_free(&q);
}

static void deadlines(void) {
    sq_queue q = queue_new(1);
    label id = {0, 0};
    const int64_t start = rl_now_ns();
    CHECK(get_item(&q, &id, SQ_WAIT, start + 30000000) == SQ_EMPTY && rl_now_ns() >= start + 30000000);
    CHECK(put_item(&q, id, SQ_WAIT, 0) == SQ_OK);
    const int64_t again = rl_now_ns();
    CHECK(put_item(&q, id, SQ_WAIT, again + 30000000) == SQ_FULL && rl_now_ns() >= again + 30000000);
    CHECK(get_item(&q, &id, SQ_WAIT, 0) == SQ_OK);
    queue_free(&q);
}

/* ---- several producers and consumers: every item once, each producer's in order ---- */

#define PRODUCERS 3u
#define CONSUMERS 3u

/* In memory that all of a test's processes share. */
typedef struct {
    _Atomic uint64_t number[8];      /* what a producer puts next */
    _Atomic uint32_t got[4u << 20];  /* how often an item was got */
    _Atomic uint32_t received;
} ledger;

static ledger *ledger_new(void) {
    void *at = mmap(NULL, sizeof(ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    return at;
}

typedef struct {
    sq_queue *q;
    ledger *book;
    uint64_t producer;
} worker;

static const label END = {7, 0};

static void *produce(void *of) {
    const worker *w = of;
    for (uint64_t number = 0; number < ITEMS / PRODUCERS; number++)
        CHECK(put_item(w->q, (label){w->producer, number}, SQ_WAIT, RL_FOREVER) == SQ_OK);
    return NULL;
}

static void *consume(void *of) {
    const worker *w = of;
    uint64_t next[PRODUCERS] = {0};
    for (;;) {
        label id;
        CHECK(get_item(w->q, &id, SQ_WAIT, RL_FOREVER) == SQ_OK);
        if (id.producer == END.producer) return NULL;
        CHECK(id.producer < PRODUCERS && id.number < ITEMS / PRODUCERS);
        CHECK(id.number >= next[id.producer]); /* one consumer sees each producer's items in order */
        next[id.producer] = id.number + 1;
        CHECK(atomic_fetch_add(&w->book->got[id.producer * (ITEMS / PRODUCERS) + id.number], 1) == 0);
        atomic_fetch_add(&w->book->received, 1);
    }
}

static void threads(void) {
    for (uint64_t maxsize = 0; maxsize <= 2; maxsize += 2) {
        sq_queue q = queue_new(maxsize);
        ledger *book = ledger_new();
        pthread_t producer[PRODUCERS], consumer[CONSUMERS];
        worker w[PRODUCERS];
        for (unsigned i = 0; i < CONSUMERS; i++) {
            w[i] = (worker){&q, book, i};
            CHECK(pthread_create(&consumer[i], NULL, consume, &w[i]) == 0);
        }
        for (unsigned i = 0; i < PRODUCERS; i++) CHECK(pthread_create(&producer[i], NULL, produce, &w[i]) == 0);
        for (unsigned i = 0; i < PRODUCERS; i++) CHECK(pthread_join(producer[i], NULL) == 0);
        for (unsigned i = 0; i < CONSUMERS; i++) CHECK(put_item(&q, END, SQ_WAIT, RL_FOREVER) == SQ_OK);
        for (unsigned i = 0; i < CONSUMERS; i++) CHECK(pthread_join(consumer[i], NULL) == 0);
        CHECK(atomic_load(&book->received) == ITEMS / PRODUCERS * PRODUCERS);
        CHECK(munmap(book, sizeof *book) == 0);
        queue_free(&q);
    }
}

static pid_t start(void *(*run)(void *), sq_queue *q, ledger *book, uint64_t producer) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child != 0) return child;
    fail_after(FAIL_AFTER);
    CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0); /* a failed test leaves no process behind */
    sq_queue own = *q; /* as a forked process has it */
    worker w = {&own, book, producer};
    run(&w);
    _exit(0);
}

static void finish(pid_t child) {
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void processes(void) {
    sq_queue q = queue_new(5);
    ledger *book = ledger_new();
    pid_t producer[PRODUCERS], consumer[CONSUMERS];
    for (unsigned i = 0; i < CONSUMERS; i++) consumer[i] = start(consume, &q, book, i);
    for (unsigned i = 0; i < PRODUCERS; i++) producer[i] = start(produce, &q, book, i);
    for (unsigned i = 0; i < PRODUCERS; i++) finish(producer[i]);
    for (unsigned i = 0; i < CONSUMERS; i++) CHECK(put_item(&q, END, SQ_WAIT, RL_FOREVER) == SQ_OK);
    for (unsigned i = 0; i < CONSUMERS; i++) finish(consumer[i]);
    CHECK(atomic_load(&book->received) == ITEMS / PRODUCERS * PRODUCERS);
    CHECK(munmap(book, sizeof *book) == 0);
    queue_free(&q);
}

/* ---- death at a chosen step ---- */

typedef enum { LOCKED, HALF_WRITTEN, WOKEN, COMMITTED, HALF_READ, TAKEN, STEPS } step;

static void die(void) {
    raise(SIGKILL);
    _exit(9);
}

/* The steps of sq_put_locked and sq_get_locked, up to one of them. */
static void *die_at(void *of) {
    const worker *w = of;
    const step last = (step)w->producer;
    sq_queue *q = w->q;
    rl_hold hold;
    sq_view v;
    uint8_t item[LARGEST];
    CHECK(rl_enter_thread() == 0);
    CHECK(sq_lock(q, &hold, SQ_WAIT, RL_FOREVER, SQ_FULL) == SQ_OK);
    CHECK(sq_read(q, &v));
    if (last == LOCKED) die();
    if (last == HALF_READ || last == TAKEN) {
        sq_copy_out(q, v.tail + SQ_RECORD_SIZE, item, 4);
        if (last == HALF_READ) die();
        sq_call call = {.buffer = item, .length = sizeof item};
        CHECK(sq_get_locked(q, &call) == SQ_OK);
        die();
    }
    const label id = {1, 1};
    const sq_record record = {item_length(id), 0, sq_seal(v.head, 0)};
    item_write(item, id);
    sq_copy_in(q, v.head, &record, sizeof record);
    if (last == HALF_WRITTEN) die();
    sq_copy_in(q, v.head + SQ_RECORD_SIZE, item, record.length);
    v.head += sq_footprint(record.length);
    v.puts++;
    sq_wake_getter(q);
    if (last == WOKEN) die();
    sq_commit(q, &v);
    die();
    return NULL;
}

static void expect_killed(pid_t child) {
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static uint64_t recoveries(const sq_queue *q) { return atomic_load(&q->shared->recoveries); }

static void death_at_each_step(void) {
    for (step last = LOCKED; last < STEPS; last++) {
        sq_queue q = queue_new(0);
        CHECK(put_item(&q, (label){0, 0}, SQ_NOWAIT, 0) == SQ_OK);
        expect_killed(start(die_at, &q, NULL, last));
        CHECK(put_item(&q, (label){2, 2}, SQ_NOWAIT, 0) == SQ_OK);
        CHECK(recoveries(&q) == 1);
        label id;
        if (last != TAKEN) CHECK(get_item(&q, &id, SQ_NOWAIT, 0) == SQ_OK && id.producer == 0);
        if (last == COMMITTED) CHECK(get_item(&q, &id, SQ_NOWAIT, 0) == SQ_OK && id.producer == 1);
        CHECK(get_item(&q, &id, SQ_NOWAIT, 0) == SQ_OK && id.producer == 2);
        CHECK(get_item(&q, &id, SQ_NOWAIT, 0) == SQ_EMPTY);
        CHECK(recoveries(&q) == 1);
        queue_free(&q);
    }
}

static void wait_until_asleep(const sq_queue *q, bool putter) {
    while (putter ? atomic_load(&q->shared->putter_needs) == 0 : atomic_load(&q->shared->getter_asleep) == 0) rl_pause();
}

static void *get_one(void *of) {
    const worker *w = of;
    label id;
    CHECK(get_item(w->q, &id, SQ_WAIT, RL_FOREVER) == SQ_OK);
    atomic_fetch_add(&w->book->got[id.producer], 1);
    return NULL;
}

static void *put_one(void *of) {
    const worker *w = of;
    CHECK(put_item(w->q, (label){w->producer, 1}, SQ_WAIT, RL_FOREVER) == SQ_OK);
    return NULL;
}

/* A producer that dies between commit and release, when nobody else will ever call: the sleeper gets the item. */
static void death_leaves_no_sleeper(void) {
    for (unsigned round = 0; round < 20; round++) {
        sq_queue q = queue_new(0);
        ledger *book = ledger_new();
        const pid_t sleeper = start(get_one, &q, book, 0);
        wait_until_asleep(&q, false);
        expect_killed(start(die_at, &q, NULL, COMMITTED));
        finish(sleeper);
        CHECK(atomic_load(&book->got[1]) == 1);
        CHECK(munmap(book, sizeof *book) == 0);
        queue_free(&q);
    }
}

static bool has_waiters(const rl_lock *lock) { return (atomic_load(&lock->word) & FUTEX_WAITERS) != 0; }

/* The process that sleeps for all dies, before or after an item was put: the next in line takes its place. */
static void death_of_the_sleeping_getter(void) {
    for (unsigned round = 0; round < 40; round++) {
        sq_queue q = queue_new(0);
        ledger *book = ledger_new();
        const pid_t first = start(get_one, &q, book, 0);
        wait_until_asleep(&q, false);
        const pid_t second = start(get_one, &q, book, 0);
        while (!has_waiters(&q.shared->getters)) rl_pause();
        CHECK(kill(first, SIGSTOP) == 0); /* it can be woken but not run */
        if (round % 2) CHECK(put_item(&q, (label){4, 0}, SQ_WAIT, RL_FOREVER) == SQ_OK);
        CHECK(kill(first, SIGKILL) == 0);
        expect_killed(first);
        if (round % 2 == 0) CHECK(put_item(&q, (label){4, 0}, SQ_WAIT, RL_FOREVER) == SQ_OK);
        finish(second);
        CHECK(atomic_load(&book->got[4]) == 1);
        CHECK(munmap(book, sizeof *book) == 0);
        queue_free(&q);
    }
}

static void death_of_the_sleeping_putter(void) {
    for (unsigned round = 0; round < 40; round++) {
        sq_queue q = queue_new(1);
        CHECK(put_item(&q, (label){0, 0}, SQ_NOWAIT, 0) == SQ_OK);
        const pid_t first = start(put_one, &q, NULL, 1);
        wait_until_asleep(&q, true);
        const pid_t second = start(put_one, &q, NULL, 2);
        while (!has_waiters(&q.shared->putters)) rl_pause();
        CHECK(kill(first, SIGSTOP) == 0);
        label id;
        if (round % 2) CHECK(get_item(&q, &id, SQ_WAIT, RL_FOREVER) == SQ_OK && id.producer == 0);
        CHECK(kill(first, SIGKILL) == 0);
        expect_killed(first);
        if (round % 2 == 0) CHECK(get_item(&q, &id, SQ_WAIT, RL_FOREVER) == SQ_OK && id.producer == 0);
        finish(second);
        CHECK(get_item(&q, &id, SQ_NOWAIT, 0) == SQ_OK && id.producer == 2);
        queue_free(&q);
    }
}

/* ---- death at every instruction ---- */

#ifndef STRIDE
#define STRIDE 1u
#endif

/* What runs one instruction at a time; each is ready to make its one call. */
static void *put_traced(void *of) {
    const worker *w = of;
    uint8_t item[LARGEST];
    const label id = {1, 1};
    item_write(item, id);
    sq_call call = {.item = item, .length = item_length(id)};
    CHECK(rl_enter_thread() == 0);
    w->q->may_spin = false;
    raise(SIGSTOP);
    sq_put(w->q, &call, SQ_WAIT, RL_FOREVER);
    raise(SIGSTOP);
    return NULL;
}

static void *get_traced(void *of) {
    const worker *w = of;
    uint8_t item[LARGEST];
    sq_call call = {.buffer = item, .length = sizeof item};
    CHECK(rl_enter_thread() == 0);
    w->q->may_spin = false;
    raise(SIGSTOP);
    sq_get(w->q, &call, SQ_WAIT, (int64_t)w->producer); /* 0: asks to sleep, and is told that the time is over */
    raise(SIGSTOP);
    return NULL;
}

/* Start `run`, execute so many instructions of its call, kill it. False when the call was over before. */
static bool kill_after(unsigned instructions, void *(*run)(void *), sq_queue *q, uint64_t argument) {
    int status;
    const pid_t child = start(run, q, NULL, argument);
    CHECK(ptrace(PTRACE_SEIZE, child, NULL, (void *)(uintptr_t)PTRACE_O_EXITKILL) == 0);
    do CHECK(waitpid(child, &status, WUNTRACED) == child);
    while (WIFSTOPPED(status) && WSTOPSIG(status) != SIGSTOP && ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
    bool running = WIFSTOPPED(status);
    for (unsigned i = 0; running && i < instructions; i++) {
        CHECK(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0);
        CHECK(waitpid(child, &status, 0) == child);
        running = WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
    }
    CHECK(kill(child, SIGKILL) == 0);
    expect_killed(child);
    return running;
}

static bool can_trace(void) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : 1);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    if (WEXITSTATUS(status) != 0) printf("  skipped: this sandbox does not allow ptrace\n");
    return WEXITSTATUS(status) == 0;
}

/* A producer dies while one consumer sleeps and nobody else calls: if the item counts, the sleeper gets it. */
static unsigned kill_putter(unsigned instructions) {
    sq_queue q = queue_new(0);
    ledger *book = ledger_new();
    const pid_t sleeper = start(get_one, &q, book, 0);
    wait_until_asleep(&q, false);
    const bool more = kill_after(instructions, put_traced, &q, 0);
    sq_view v;
    CHECK(sq_peek(&q, &v));
    const bool committed = v.puts == 1;
    if (!committed) CHECK(put_item(&q, (label){2, 2}, SQ_WAIT, RL_FOREVER) == SQ_OK);
    finish(sleeper);
    CHECK(atomic_load(&book->got[1]) == committed && atomic_load(&book->got[2]) == !committed);
    label id;
    CHECK(get_item(&q, &id, SQ_NOWAIT, 0) == SQ_EMPTY);
    CHECK(munmap(book, sizeof *book) == 0);
    queue_free(&q);
    return more;
}

/* A consumer dies while one producer waits for room: if the item was taken, the sleeper puts its own. */
static unsigned kill_getter(unsigned instructions) {
    sq_queue q = queue_new(1);
    CHECK(put_item(&q, (label){0, 0}, SQ_NOWAIT, 0) == SQ_OK);
    const pid_t sleeper = start(put_one, &q, NULL, 2);
    wait_until_asleep(&q, true);
    const bool more = kill_after(instructions, get_traced, &q, (uint64_t)RL_FOREVER);
    sq_view v;
    CHECK(sq_peek(&q, &v));
    label id;
    if (v.gets == 0) CHECK(get_item(&q, &id, SQ_WAIT, RL_FOREVER) == SQ_OK && id.producer == 0);
    finish(sleeper);
    CHECK(get_item(&q, &id, SQ_NOWAIT, 0) == SQ_OK && id.producer == 2);
    queue_free(&q);
    return more;
}

/* A consumer dies on its way to sleep and back, when another one wants to sleep too. */
static unsigned kill_sleeper(unsigned instructions) {
    sq_queue q = queue_new(0);
    ledger *book = ledger_new();
    const bool more = kill_after(instructions, get_traced, &q, 0);
    const pid_t next = start(get_one, &q, book, 0);
    CHECK(put_item(&q, (label){2, 2}, SQ_WAIT, RL_FOREVER) == SQ_OK);
    finish(next);
    CHECK(atomic_load(&book->got[2]) == 1);
    CHECK(munmap(book, sizeof *book) == 0);
    queue_free(&q);
    return more;
}

static void death_at_every_instruction(void) {
    static const struct {
        const char *name;
        unsigned (*run)(unsigned);
    } victims[] = {{"put", kill_putter}, {"get", kill_getter}, {"get that sleeps", kill_sleeper}};
    if (!can_trace()) return;
    for (size_t i = 0; i < sizeof victims / sizeof *victims; i++) {
        const unsigned first = (unsigned)mix((uint64_t)rl_now_ns()) % STRIDE;
        unsigned instructions = first;
        fail_after(FAIL_AFTER);
        while (victims[i].run(instructions)) instructions += STRIDE;
        printf("  %s: killed after %u to %u of its instructions, every %u\n", victims[i].name, first, instructions, STRIDE);
        CHECK(instructions > 50);
    }
}

/* ---- threads that die ---- */

static void *take_and_exit(void *of) {
    static _Thread_local rl_hold hold;
    CHECK(rl_enter_thread() == 0);
    CHECK(rl_try(of, &hold, 0) == RL_TAKEN);
    return NULL;
}

static void a_thread_dies_with_the_lock(void) {
    rl_lock *lock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(lock != MAP_FAILED);
    CHECK(rl_enter_thread() == 0);
    const _Atomic uint32_t stop = 0;
    for (unsigned round = 0; round < 100; round++) {
        pthread_t thread;
        rl_hold hold;
        CHECK(pthread_create(&thread, NULL, take_and_exit, lock) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        /* The kernel marks the lock a little after it lets pthread_join go on. */
        CHECK(rl_wait(lock, &hold, in_ms(5000), round % 2, &stop) == RL_INHERITED);
        CHECK(rl_try(lock, &hold, 0) == RL_BUSY);
        rl_release(lock, &hold);
        CHECK(rl_try(lock, &hold, 0) == RL_TAKEN);
        rl_release(lock, &hold);
        CHECK(atomic_load(&lock->word) == 0);
    }
    CHECK(munmap(lock, 4096) == 0);
}

/* ---- death at random ---- */

static void *produce_until_killed(void *of) {
    const worker *w = of;
    for (;;) {
        const uint64_t number = atomic_fetch_add(&w->book->number[w->producer], 1);
        CHECK(put_item(w->q, (label){w->producer, number}, SQ_WAIT, RL_FOREVER) == SQ_OK);
    }
}

#define SLOTS (1u << 20) /* of the ledger, per producer */

static void note(ledger *book, label id) {
    CHECK(id.producer < 4);
    CHECK(id.number < atomic_load(&book->number[id.producer]));
    if (id.number < SLOTS) CHECK(atomic_fetch_add(&book->got[id.producer * SLOTS + id.number], 1) == 0);
    atomic_fetch_add(&book->received, 1);
}

static void *consume_until_killed(void *of) {
    const worker *w = of;
    label id;
    for (;;) {
        CHECK(get_item(w->q, &id, SQ_WAIT, RL_FOREVER) == SQ_OK);
        note(w->book, id);
    }
}

#ifndef KILLS
#define KILLS 300u
#endif

/* Four producers and four consumers, one of which is killed and replaced again and again. What is lost is at most
 * one item per killed process; nothing is doubled, nothing is wrong, and the others always go on. */
static void death_at_random(void) {
    sq_queue q = queue_new(6);
    ledger *book = ledger_new();
    pid_t child[8];
    uint64_t seed = (uint64_t)rl_now_ns();
    printf("  seed %llu\n", (unsigned long long)seed);
    for (unsigned i = 0; i < 8; i++) child[i] = start(i < 4 ? produce_until_killed : consume_until_killed, &q, book, i % 4);
    for (unsigned kills = 0; kills < KILLS; kills++) {
        const uint32_t before = atomic_load(&book->received);
        while (atomic_load(&book->received) - before < 20 + draw_below(&seed, 50)) usleep(50);
        const unsigned i = draw_below(&seed, 8);
        CHECK(kill(child[i], SIGKILL) == 0);
        expect_killed(child[i]);
        child[i] = start(i < 4 ? produce_until_killed : consume_until_killed, &q, book, i % 4);
    }
    for (unsigned i = 0; i < 8; i++) CHECK(kill(child[i], SIGKILL) == 0);
    for (unsigned i = 0; i < 8; i++) expect_killed(child[i]);
    for (label id; get_item(&q, &id, SQ_NOWAIT, 0) == SQ_OK;) note(book, id);
    sq_view v;
    CHECK(sq_measure(&q, &v) == SQ_OK && v.puts == v.gets && v.head == v.tail);
    uint64_t begun = 0;
    for (unsigned i = 0; i < 4; i++) begun += atomic_load(&book->number[i]);
    const uint64_t lost = begun - atomic_load(&book->received);
    CHECK(lost <= KILLS + 8);
    printf("  %u killed, %u received, %llu died with their process, %llu deaths inside the lock\n", KILLS + 8,
           atomic_load(&book->received), (unsigned long long)lost, (unsigned long long)recoveries(&q));
    CHECK(munmap(book, sizeof *book) == 0);
    queue_free(&q);
}

/* ---- signals and closing ---- */

static void ignore(int signo) { (void)signo; }

static void *get_until_interrupted(void *of) {
    const worker *w = of;
    uint8_t item[LARGEST];
    sq_call call = {.buffer = item, .length = sizeof item};
    struct sigaction action = {.sa_handler = ignore};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(rl_enter_thread() == 0);
    CHECK(sq_get(w->q, &call, SQ_WAIT, RL_FOREVER) == SQ_INTERRUPTED);
    return NULL;
}

static void a_signal_ends_waiting(void) {
    sq_queue q = queue_new(0);
    const pid_t first = start(get_until_interrupted, &q, NULL, 0);
    wait_until_asleep(&q, false);
    const pid_t second = start(get_until_interrupted, &q, NULL, 0);
    while (!has_waiters(&q.shared->getters)) rl_pause();
    for (int status; waitpid(second, &status, WNOHANG) == 0;) { /* it may be on its way to sleep still */
        CHECK(kill(second, SIGUSR1) == 0);
        usleep(1000);
    }
    for (int status; waitpid(first, &status, WNOHANG) == 0;) {
        CHECK(kill(first, SIGUSR1) == 0);
        usleep(1000);
    }
    queue_free(&q);
}

static void *get_until_closed(void *of) {
    const worker *w = of;
    label id;
    CHECK(get_item(w->q, &id, SQ_WAIT, RL_FOREVER) == SQ_CLOSED);
    return NULL;
}

static void closing_ends_waiting(void) {
    for (unsigned round = 0; round < 50; round++) {
        sq_queue q = queue_new(0), other = handle_of(q.shared, q.capacity);
        pthread_t thread[3];
        worker w = {&q, NULL, 0};
        for (unsigned i = 0; i < 3; i++) CHECK(pthread_create(&thread[i], NULL, get_until_closed, &w) == 0);
        if (round % 2) wait_until_asleep(&q, false);
        sq_close(&q);
        CHECK(atomic_load(&q.users) == 0);
        label id = {5, 5};
        CHECK(put_item(&q, id, SQ_NOWAIT, 0) == SQ_CLOSED);
        CHECK(put_item(&other, id, SQ_NOWAIT, 0) == SQ_OK && get_item(&other, &id, SQ_NOWAIT, 0) == SQ_OK);
        for (unsigned i = 0; i < 3; i++) CHECK(pthread_join(thread[i], NULL) == 0);
        queue_free(&other);
    }
}

/* ---- hostile memory ---- */

static void *scribble(void *of) {
    const worker *w = of;
    uint64_t seed = (uint64_t)getpid();
    uint8_t *at = (uint8_t *)w->q->shared;
    while (!atomic_load(&w->q->closed)) {
        const uint32_t where = draw_below(&seed, draw_below(&seed, 4) ? sizeof(sq_shared) : SQ_HEADER_SIZE + CAPACITY);
        *(volatile uint8_t *)(at + where) = (uint8_t)draw(&seed);
        if (draw_below(&seed, 1000) == 0) usleep(1);
    }
    return NULL;
}

static void *use_for_a_while(void *of) {
    const worker *w = of;
    uint8_t item[LARGEST];
    memset(item, 1, sizeof item);
    const int64_t end = in_ms(400);
    for (unsigned i = 0; rl_now_ns() < end; i++) {
        sq_view v;
        uint64_t length = sizeof item;
        const sq_result r[3] = {put(w->q, item, i % sizeof item, i % 3 ? SQ_TRY : SQ_WAIT, rl_now_ns() + 10000),
                                get(w->q, item, &length, i % 2 ? SQ_TRY : SQ_WAIT, rl_now_ns() + 10000),
                                sq_measure(w->q, &v)};
        for (int k = 0; k < 3; k++) atomic_fetch_add(&w->book->got[r[k]], 1);
        /* A lock held by somebody else's number, or a state that makes no sense, would soon be all there is. */
        if (i % 4 == 0) memset(w->q->shared->state, 0, sizeof w->q->shared->state);
        if (i % 4 == 0) atomic_store(&w->q->shared->state_lock.word, 0);
    }
    return NULL;
}

static void nothing_in_memory_crashes_us(void) {
    sq_queue q = queue_new(0);
    ledger *book = ledger_new();
    const pid_t vandal = start(scribble, &q, NULL, 0);
    const pid_t victim[2] = {start(use_for_a_while, &q, book, 0), start(use_for_a_while, &q, book, 0)};
    finish(victim[0]);
    finish(victim[1]);
    CHECK(kill(vandal, SIGKILL) == 0);
    expect_killed(vandal);
    printf("  %u calls saw nothing wrong, %u were told of corruption\n", atomic_load(&book->got[SQ_OK]),
           atomic_load(&book->got[SQ_CORRUPT]));
    CHECK(atomic_load(&book->got[SQ_OK]) > 0 && atomic_load(&book->got[SQ_CORRUPT]) > 0);
    CHECK(munmap(book, sizeof *book) == 0);
    queue_free(&q);
}

static void an_owner_that_does_not_exist_is_replaced(void) {
    sq_queue q = queue_new(0);
    const pid_t gone = fork();
    CHECK(gone >= 0);
    if (gone == 0) _exit(0);
    finish(gone);
    atomic_store(&q.shared->state_lock.word, (uint32_t)gone);
    label id = {1, 2};
    CHECK(put_item(&q, id, SQ_NOWAIT, 0) == SQ_OK && recoveries(&q) == 1);
    atomic_store(&q.shared->getters.word, (uint32_t)gone);
    CHECK(get_item(&q, &id, SQ_WAIT, RL_FOREVER) == SQ_OK);
    CHECK(get_item(&q, &id, SQ_WAIT, in_ms(5)) == SQ_EMPTY);
    queue_free(&q);
}

static void foreign_segments_are_refused(void) {
    sq_shared *shared = segment_new(CAPACITY, 0);
    sq_queue q;
    const uint64_t size = SQ_HEADER_SIZE + CAPACITY;
    CHECK(!sq_attach(&q, shared, size - SQ_PAGE, true));
    CHECK(!sq_attach(&q, shared, SQ_HEADER_SIZE, true));
    shared->capacity = CAPACITY + 1;
    CHECK(!sq_attach(&q, shared, size, true));
    shared->capacity = CAPACITY;
    shared->version = 2;
    CHECK(!sq_attach(&q, shared, size, true));
    shared->version = 1;
    CHECK(sq_attach(&q, shared, size, true));
    atomic_store(&shared->magic, 0);
    CHECK(!sq_attach(&q, shared, size, true));
    segment_free(shared, CAPACITY);
}

#define TEST(name) {#name, name}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        TEST(reference), TEST(sizes_at_the_limit), TEST(deadlines), TEST(foreign_segments_are_refused),
        TEST(processes), TEST(death_at_each_step), TEST(death_leaves_no_sleeper), TEST(death_of_the_sleeping_getter),
        TEST(death_of_the_sleeping_putter), TEST(death_at_every_instruction), TEST(death_at_random), TEST(a_signal_ends_waiting),
        TEST(nothing_in_memory_crashes_us), TEST(an_owner_that_does_not_exist_is_replaced),
        /* Threads last: a process that had threads does not fork here. */
        TEST(threads), TEST(a_thread_dies_with_the_lock), TEST(closing_ends_waiting),
    };
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (argc > 1 && strcmp(argv[1], tests[i].name) != 0) continue;
        fail_after(FAIL_AFTER);
        const int64_t begin = rl_now_ns();
        tests[i].run();
        printf("  %s (%lld ms)\n", tests[i].name, (long long)(rl_now_ns() - begin) / 1000000);
    }
    return 0;
}
