/* Tests of ring.h: one thread against a reference, two threads and two processes over a real segment with
 * the waiting protocol of docs/wire.md, and peers that publish impossible counters.
 *
 * The conversation below is the protocol itself, in the shape that uses it hardest: one thread per side
 * that both sends and receives, never spins, and sleeps only in poll(). FRAMES is set per build.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "check.h"
#include "wire.h"

#ifndef FRAMES
#define FRAMES 1000000u
#endif

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

/* ---- frames whose size and content both sides can compute ---- */

#define SMALLEST 8u

static uint32_t frame_size(uint64_t seed, uint64_t number, uint32_t largest) {
    const uint64_t r = mix(seed + number);
    const uint32_t reach = (r & 15) == 0 ? largest : (r & 15) < 4 ? 512 : 96; /* mostly small, some as large as allowed */
    return SMALLEST + (uint32_t)((r >> 8) % ((reach < largest ? reach : largest) - SMALLEST + 1));
}

static void frame_write(uint8_t *at, uint32_t size, uint64_t seed, uint64_t number) {
    const uint64_t key = mix(seed ^ mix(number));
    const uint32_t word[2] = {size, (uint32_t)number};
    memcpy(at, word, sizeof word);
    uint32_t i = SMALLEST;
    for (; i + 8 <= size; i += 8) {
        const uint64_t v = key + i;
        memcpy(at + i, &v, 8);
    }
    for (; i < size; i++) at[i] = (uint8_t)(key + i);
}

static void frame_check(const uint8_t *at, uint32_t size, uint64_t seed, uint64_t number) {
    const uint64_t key = mix(seed ^ mix(number));
    uint32_t word[2];
    memcpy(word, at, sizeof word);
    CHECK(word[0] == size);
    CHECK(word[1] == (uint32_t)number);
    uint32_t i = SMALLEST;
    for (; i + 8 <= size; i += 8) {
        uint64_t v;
        memcpy(&v, at + i, 8);
        CHECK(v == key + i);
    }
    for (; i < size; i++) CHECK(at[i] == (uint8_t)(key + i));
}

/* ---- one side of a conversation ---- */

typedef struct {
    sr_end in, out;
    int sock;
    uint64_t to_send, to_receive;
    uint64_t out_seed, in_seed;
    uint32_t largest;
    bool in_turn; /* send frame n + 1 only after receiving frame n: every frame meets a sleeper */
    uint64_t sleeps, bells;
} peer;

static void ring_doorbell(peer *p) {
    const uint8_t byte = 0;
    /* A full socket buffer means that a doorbell is already under way. */
    CHECK(send(p->sock, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 || errno == EAGAIN);
    p->bells++;
}

static void sleep_on_socket(peer *p) {
    struct pollfd fd = {.fd = p->sock, .events = POLLIN};
    CHECK(poll(&fd, 1, -1) == 1);
    uint8_t bytes[64];
    CHECK(recv(p->sock, bytes, sizeof bytes, MSG_DONTWAIT) > 0);
    p->sleeps++;
}

static bool send_one(peer *p, uint64_t number, uint32_t size) {
    uint8_t *where;
    const int r = sr_reserve(&p->out, size, &where);
    CHECK(r != SR_CORRUPT);
    if (r == SR_EMPTY) return false;
    frame_write(where, size, p->out_seed, number);
    sr_commit(&p->out, size);
    if (sr_must_wake_reader(&p->out)) ring_doorbell(p);
    return true;
}

static uint64_t receive_all(peer *p, uint64_t number) {
    uint64_t count = 0;
    int64_t there = sr_available(&p->in);
    CHECK(there >= 0);
    while (there > 0) {
        const uint32_t size = frame_size(p->in_seed, number + count, p->largest);
        CHECK((int64_t)size <= there);
        frame_check(sr_at(&p->in), size, p->in_seed, number + count);
        sr_consume(&p->in, size);
        there -= (int64_t)sr_align(size);
        if (sr_must_wake_writer(&p->in)) ring_doorbell(p);
        count++;
    }
    return count;
}

static void converse(peer *p) {
    uint64_t sent = 0, received = 0;
    while (sent < p->to_send || received < p->to_receive) {
        bool moved = false;
        uint32_t size = 0;
        bool may_send;
        while ((may_send = sent < p->to_send && (!p->in_turn || sent <= received))) {
            size = frame_size(p->out_seed, sent, p->largest);
            if (!send_one(p, sent, size)) break;
            sent++;
            moved = true;
        }
        const uint64_t count = receive_all(p, received);
        received += count;
        if (moved || count) continue;

        /* Announce everything this side waits for, look again at each, and only then sleep. */
        bool again = false;
        if (may_send) again |= sr_writer_wait(&p->out, size);
        if (received < p->to_receive) again |= sr_reader_sleep(&p->in);
        if (!again) sleep_on_socket(p);
        sr_reader_awake(&p->in);
    }
    CHECK(received == p->to_receive);
}

static void *converse_thread(void *arg) {
    converse(arg);
    return NULL;
}

typedef struct {
    const char *name;
    uint64_t capacity;
    uint32_t largest;
    uint64_t forth, back;
    bool in_turn;
} talk;

static void peer_init(peer *p, const talk *t, const mapping *m, int side, int sock) {
    memset(p, 0, sizeof *p);
    p->out = segment_end(m, side);
    p->in = segment_end(m, 1 - side);
    p->sock = sock;
    p->to_send = side == 0 ? t->forth : t->back;
    p->to_receive = side == 0 ? t->back : t->forth;
    p->out_seed = 77 + (uint64_t)side * 1000003;
    p->in_seed = 77 + (uint64_t)(1 - side) * 1000003;
    p->largest = t->largest;
    /* The client speaks first; the server waits for frame n + 1 before it sends frame n + 1. */
    p->in_turn = t->in_turn;
}

/* The answering side of a conversation in turns may send number n only after it received number n. */
static void converse_server(peer *p) {
    if (!p->in_turn) {
        converse(p);
        return;
    }
    for (uint64_t n = 0; n < p->to_receive;) {
        const uint64_t count = receive_all(p, n);
        for (uint64_t i = 0; i < count; i++)
            CHECK(send_one(p, n + i, frame_size(p->out_seed, n + i, p->largest)));
        n += count;
        if (count) continue;
        if (!sr_reader_sleep(&p->in)) sleep_on_socket(p);
        sr_reader_awake(&p->in);
    }
}

static void *converse_server_thread(void *arg) {
    converse_server(arg);
    return NULL;
}

static void report(const char *how, const talk *t, const peer *p) {
    printf("  %s, %s: %llu frames forth, %llu back, ring %llu KiB; this side slept %llu times, rang %llu times\n", how,
           t->name, (unsigned long long)t->forth, (unsigned long long)t->back, (unsigned long long)t->capacity / 1024,
           (unsigned long long)p->sleeps, (unsigned long long)p->bells);
    fflush(stdout);
}

static void test_threads(const talk *t) {
    const int fd = segment_create(t->capacity);
    mapping m;
    segment_map(&m, fd, t->capacity);
    int sock[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) == 0);
    peer side[2];
    peer_init(&side[0], t, &m, 0, sock[0]);
    peer_init(&side[1], t, &m, 1, sock[1]);
    pthread_t thread[2];
    CHECK(pthread_create(&thread[0], NULL, converse_thread, &side[0]) == 0);
    CHECK(pthread_create(&thread[1], NULL, converse_server_thread, &side[1]) == 0);
    CHECK(pthread_join(thread[0], NULL) == 0 && pthread_join(thread[1], NULL) == 0);
    report("two threads", t, &side[0]);
    segment_unmap(&m);
    close(fd);
    close(sock[0]);
    close(sock[1]);
}

static void test_processes(const talk *t) {
    const int fd = segment_create(t->capacity);
    int sock[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) == 0);
    const pid_t child = fork();
    CHECK(child >= 0);
    mapping m;
    segment_map(&m, fd, t->capacity); /* after the fork: each process has its own mapping */
    peer p;
    if (child == 0) {
        close(sock[0]);
        fail_after(50);
        peer_init(&p, t, &m, 1, sock[1]);
        converse_server(&p);
        segment_unmap(&m);
        uint8_t bytes[64];
        while (read(sock[1], bytes, sizeof bytes) > 0) continue; /* keep the socket open until the peer is done */
        _exit(0);
    }
    close(sock[1]);
    peer_init(&p, t, &m, 0, sock[0]);
    converse(&p);
    report("two processes", t, &p);
    close(sock[0]);
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    segment_unmap(&m);
    close(fd);
}

/* A sleeper sees the death of its peer as the end of its socket, with no time limit involved. */
static void test_death_wakes_sleeper(void) {
    const int fd = segment_create(4096);
    mapping m;
    segment_map(&m, fd, 4096);
    int sock[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) == 0);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(sock[0]);
        sr_end out = segment_end(&m, 1);
        uint8_t *where;
        CHECK(sr_reserve(&out, 16, &where) == SR_READY); /* dies between reserve and commit: nothing appears */
        memset(where, 0xff, 16);
        raise(SIGKILL);
    }
    close(sock[1]);
    sr_end in = segment_end(&m, 1);
    CHECK(!sr_reader_sleep(&in));
    struct pollfd pfd = {.fd = sock[0], .events = POLLIN};
    CHECK(poll(&pfd, 1, -1) == 1);
    uint8_t byte;
    CHECK(recv(sock[0], &byte, 1, 0) == 0);
    CHECK(sr_available(&in) == 0);
    CHECK(waitpid(child, NULL, 0) == child);
    segment_unmap(&m);
    close(fd);
    close(sock[0]);
}

/* ---- one thread against a reference ---- */

static void test_against_reference(void) {
    enum { CAPACITY = 4096, STEPS = 400000 };
    const int fd = segment_create(CAPACITY);
    mapping m;
    segment_map(&m, fd, CAPACITY);
    sr_end w = segment_end(&m, 0), r = segment_end(&m, 0);
    uint64_t random = 1, written = 0, read_ = 0, bytes_in = 0;
    uint64_t full = 0, empty = 0, wrapped = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        if (draw(&random) & 1) {
            const uint32_t size = frame_size(5, written, CAPACITY);
            uint8_t *where = NULL;
            const int got = sr_reserve(&w, size, &where);
            CHECK(got == (CAPACITY - bytes_in >= sr_align(size) ? SR_READY : SR_EMPTY));
            if (got == SR_EMPTY) {
                CHECK(!sr_writer_wait(&w, size));
                full++;
                continue;
            }
            CHECK(where >= m.data[0] && where + size <= m.data[0] + 2 * CAPACITY);
            wrapped += where + size > m.data[0] + CAPACITY;
            frame_write(where, size, 5, written);
            CHECK(sr_has_data(&r) == (bytes_in > 0)); /* reserving publishes nothing */
            sr_commit(&w, size);
            bytes_in += sr_align(size);
            written++;
        } else {
            const int64_t there = sr_available(&r);
            CHECK(there == (int64_t)bytes_in && sr_has_data(&r) == (there != 0));
            if (there == 0) {
                empty++;
                continue;
            }
            const uint32_t size = frame_size(5, read_, CAPACITY);
            frame_check(sr_at(&r), size, 5, read_);
            sr_consume(&r, size);
            bytes_in -= sr_align(size);
            read_++;
        }
    }
    uint8_t *where;
    CHECK(sr_reserve(&w, CAPACITY + 1, &where) == SR_CORRUPT); /* could never fit */
    CHECK(full > 100 && empty > 100 && wrapped > 100);
    printf("  one thread: %u steps equal the reference (%llu full, %llu empty, %llu frames across the end)\n", STEPS,
           (unsigned long long)full, (unsigned long long)empty, (unsigned long long)wrapped);
    segment_unmap(&m);
    close(fd);
}

/* The four flag transitions of the waiting protocol, one by one. */
static void test_flags(void) {
    const int fd = segment_create(4096);
    mapping m;
    segment_map(&m, fd, 4096);
    sr_end w = segment_end(&m, 0), r = segment_end(&m, 0);
    uint8_t *where;

    CHECK(!sr_must_wake_reader(&w));
    CHECK(!sr_reader_sleep(&r));
    CHECK(sr_reserve(&w, 4096, &where) == SR_READY);
    sr_commit(&w, 4096);
    CHECK(sr_must_wake_reader(&w) && !sr_must_wake_reader(&w)); /* one sleeper, one doorbell */
    CHECK(sr_reader_sleep(&r));                                 /* data came first: no sleep */
    sr_reader_awake(&r);
    CHECK(!sr_must_wake_reader(&w));

    CHECK(sr_reserve(&w, 8, &where) == SR_EMPTY && !sr_writer_wait(&w, 8));
    CHECK(sr_available(&r) == 4096);
    sr_consume(&r, 8);
    CHECK(sr_must_wake_writer(&r) && !sr_must_wake_writer(&r));
    CHECK(sr_writer_wait(&w, 8)); /* room came first */
    CHECK(sr_reserve(&w, 8, &where) == SR_READY && sr_reserve(&w, 16, &where) == SR_EMPTY);

    sr_end *both[2] = {&w, &r};
    CHECK(sr_spin(both + 1, 1, 1000000000, NULL) == 0);
    sr_consume(&r, 4088);
    CHECK(sr_spin(both + 1, 1, 1000, NULL) == -1);
    const _Atomic int stop = 1;
    CHECK(sr_spin(both + 1, 1, UINT64_MAX, &stop) == -1);
    CHECK(ftruncate(fd, 8192) == -1 && errno == EPERM); /* the seals hold */
    segment_unmap(&m);
    close(fd);
}

/* ---- hostile peers ---- */

static void test_impossible_counters(void) {
    enum { CAPACITY = 4096 };
    const int fd = segment_create(CAPACITY);
    mapping m;
    segment_map(&m, fd, CAPACITY);
    sr_control *ctl = &m.header->ring[0];
    uint8_t *where;
    uint64_t random = 9, tried = 0, refused = 0;
    /* `base` bytes went through the ring before; the counters near 2^64 check that nothing wraps around. */
    const uint64_t bases[] = {0, 8, 4096, 1u << 20, (uint64_t)1 << 40, UINT64_MAX - 8191};
    for (size_t b = 0; b < sizeof bases / sizeof *bases; b++) {
        const uint64_t base = bases[b];
        const uint64_t near[] = {base, base + 8, base + CAPACITY, base + CAPACITY + 8, base + CAPACITY + 1, base + 1, base + 7,
                                 base - 8, base - 1, base - CAPACITY, 0, 1, UINT64_MAX, UINT64_MAX - 7,
                                 (uint64_t)1 << 63, base ^ ((uint64_t)1 << 63), base + ((uint64_t)1 << 32)};
        for (uint32_t i = 0; i < 20000; i++) {
            const size_t known = sizeof near / sizeof *near;
            uint64_t value = i < known ? near[i] : (i & 1) ? draw(&random) : base - 2 * CAPACITY + draw_below(&random, 4 * CAPACITY);

            sr_end r = {.ctl = ctl, .data = m.data[0], .capacity = CAPACITY, .position = base, .limit = base};
            atomic_store(&ctl->head, value);
            const bool head_ok = value >= base && value - base <= CAPACITY && value % 8 == 0;
            const int64_t there = sr_available(&r);
            CHECK(there == (head_ok ? (int64_t)(value - base) : SR_CORRUPT));
            if (value != base) CHECK(sr_has_data(&r)); /* a corrupt head wakes its reader, who then sees SR_CORRUPT */

            /* A full ring as the producer knows it: `limit` is base, everything up to base + CAPACITY written. */
            if (base > UINT64_MAX - CAPACITY) continue;
            sr_end w = {.ctl = ctl, .data = m.data[0], .capacity = CAPACITY, .position = base + CAPACITY, .limit = base};
            atomic_store(&ctl->tail, value);
            const bool tail_ok = value >= base && value <= base + CAPACITY && value % 8 == 0;
            const int got = sr_reserve(&w, 64, &where);
            CHECK(got == (!tail_ok ? SR_CORRUPT : value - base >= 64 ? SR_READY : SR_EMPTY));
            if (got == SR_CORRUPT) CHECK(sr_writer_wait(&w, 64)); /* never sleeps on a corrupt ring */
            tried += 2;
            refused += (uint64_t)(!head_ok) + (uint64_t)(!tail_ok);
        }
    }
    /* A counter that was right and then moves back. */
    sr_end r = {.ctl = ctl, .data = m.data[0], .capacity = CAPACITY, .position = 800, .limit = 800};
    atomic_store(&ctl->head, 1600);
    CHECK(sr_available(&r) == 800);
    atomic_store(&ctl->head, 1592);
    CHECK(sr_available(&r) == SR_CORRUPT);
    printf("  hostile counters: %llu values, %llu of them impossible and refused\n", (unsigned long long)tried,
           (unsigned long long)refused);
    segment_unmap(&m);
    close(fd);
}

#ifndef UNDER_TSAN /* the scribbler is a data race on purpose */

typedef struct {
    mapping *m;
    _Atomic int stop;
} scribbler;

static void *scribble(void *arg) {
    scribbler *s = arg;
    uint64_t random = 3;
    sr_control *ctl = &s->m->header->ring[0];
    uint64_t words = s->m->capacity / 8;
    volatile uint64_t *data = (volatile uint64_t *)(void *)s->m->data[0];
    while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
        const uint64_t tail = atomic_load_explicit(&ctl->tail, memory_order_relaxed);
        atomic_store(&ctl->head, (draw(&random) & 63) ? tail + 8u * draw_below(&random, 512) : draw(&random));
        for (int i = 0; i < 64; i++) {
            const uint64_t r = draw(&random);
            uint64_t word = draw(&random);
            if (r & 1) word = (16 + (word >> 32) % 200) | (1 + (word & 7)) << 32 | (word & 0x7b) << 40; /* a likely header */
            else if (r & 2) word &= 0x0000003f0000003fu;                                                /* small lengths */
            data[(r >> 8) % words] = word;
        }
    }
    return NULL;
}

/* A whole reader, header to metadata, while its peer rewrites every byte under it. */
static void test_scribbling_peer(void) {
    enum { CAPACITY = 4096, READS = 400000 };
    const int fd = segment_create(CAPACITY);
    mapping m;
    segment_map(&m, fd, CAPACITY);
    scribbler s = {.m = &m};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, scribble, &s) == 0);
    sr_end r = segment_end(&m, 0);
    uint64_t corrupt = 0, refused = 0, parsed = 0, entries = 0, sum = 0;
    while (corrupt + refused + parsed < READS) {
        const int64_t there = sr_available(&r);
        if (there < 0) {
            corrupt++;
            r.limit = r.position; /* a new connection, as it were */
            continue;
        }
        CHECK(there <= CAPACITY);
        if (there < (int64_t)SW_FRAME_HEADER) continue;
        const uint8_t *frame = sr_at(&r);
        const sw_header h = sw_load_header(frame);
        sw_view v;
        if (h.size < SW_FRAME_HEADER || h.size > (uint64_t)there || sw_parse(&h, frame, &v) != NULL) {
            refused++;
            sr_consume(&r, 8);
            continue;
        }
        CHECK((uint64_t)v.message + v.message_size <= h.size && (uint64_t)v.metadata + v.metadata_size <= h.size);
        CHECK((uint64_t)v.name + v.name_size <= h.size && (uint64_t)v.details + v.details_size <= h.size);
        CHECK((uint64_t)v.initial + v.initial_size <= h.size);
        for (uint32_t i = 0; i < v.message_size; i++) sum += frame[v.message + i];
        uint32_t at, count;
        if (v.metadata_size && sw_metadata_begin(frame + v.metadata, v.metadata_size, &at, &count) == 0) {
            sw_entry e;
            while (count-- && sw_metadata_next(frame + v.metadata, v.metadata_size, &at, &e) == 0) {
                CHECK((uint64_t)e.value + e.value_size <= v.metadata_size && e.key + e.key_size <= e.value);
                entries++;
            }
        }
        parsed++;
        sr_consume(&r, h.size);
    }
    atomic_store(&s.stop, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    printf("  scribbling peer: %u reads in bounds (%llu counters and %llu frames refused, %llu parsed, %llu entries, sum %llu)\n",
           READS, (unsigned long long)corrupt, (unsigned long long)refused, (unsigned long long)parsed,
           (unsigned long long)entries, (unsigned long long)sum);
    segment_unmap(&m);
    close(fd);
}
#endif

int main(void) {
    fail_after(50);
    CHECK(sr_capacity_ok(4096) && sr_capacity_ok(1u << 28));
    CHECK(!sr_capacity_ok(0) && !sr_capacity_ok(2048) && !sr_capacity_ok(12288) && !sr_capacity_ok(1u << 29));
    test_flags();
    test_against_reference();
    test_impossible_counters();
#ifndef UNDER_TSAN
    test_scribbling_peer();
#endif
    const talk talks[] = {
        {"one way, tiny ring", 4096, 2048, FRAMES / 4, 0, false},
        {"one way back, tiny ring", 4096, 4096, 0, FRAMES / 8, false},
        {"both ways, tiny ring", 4096, 2048, FRAMES / 4, FRAMES / 4, false},
        {"both ways", 1u << 20, 1u << 14, FRAMES / 2, FRAMES / 2, false},
        {"in turns", 65536, 200, 8000, 8000, true},
    };
    for (size_t i = 0; i < sizeof talks / sizeof *talks; i++) test_threads(&talks[i]);
    for (size_t i = 0; i < sizeof talks / sizeof *talks; i++) test_processes(&talks[i]);
    test_death_wakes_sleeper();
    printf("  death: a killed peer wakes its sleeper\n");
    return 0;
}
