/* What the native tests share: a check that says where it failed, random numbers that can be repeated,
 * and a real segment, mapped the way a connection maps it.
 *
 * Rules: a failed check ends the program with status 1; every program arms alarm(), so that a lost
 * wake-up is a failure and not a hang; nothing is left behind (memfd, unnamed sockets, waited children).
 */
#ifndef SAGE_RPC_TESTS_CHECK_H
#define SAGE_RPC_TESTS_CHECK_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring.h"

#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            fprintf(stderr, "%s:%d: %s: not true: %s\n", __FILE__, __LINE__, __func__, #condition); \
            _exit(1);                                                                        \
        }                                                                                    \
    } while (0)

static inline uint64_t mix(uint64_t x) { /* splitmix64 */
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t draw(uint64_t *state) { return mix((*state)++); }

static inline uint32_t draw_below(uint64_t *state, uint32_t bound) { return (uint32_t)(draw(state) % bound); }

static inline void on_hang(int signo) {
    (void)signo;
    static const char text[] = "no progress: a wake-up was lost, or the machine is far too slow\n";
    if (write(2, text, sizeof text - 1) < 0) _exit(3);
    _exit(2);
}

static inline void fail_after(unsigned seconds) {
    signal(SIGALRM, on_hang);
    alarm(seconds);
}

/* A segment as docs/wire.md describes it, and one mapping of it. Each data area lies between pages that
 * cannot be touched, so a step outside the double mapping is a crash in every build. */
typedef struct {
    int fd;
    uint64_t capacity;
    sr_segment *header;
    uint8_t *reserved[2];
    uint8_t *data[2];
} mapping;

static inline int segment_create(uint64_t capacity) {
    int fd = memfd_create("sage-rpc-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK(fd >= 0);
    CHECK(ftruncate(fd, (off_t)sr_segment_size(capacity, 0)) == 0);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0);
    sr_segment header = {.magic = SR_MAGIC, .version = 1, .header_size = SR_HEADER_SIZE, .capacity = {capacity, capacity}};
    CHECK(pwrite(fd, &header, offsetof(sr_segment, busy_connections), 0) == (ssize_t)offsetof(sr_segment, busy_connections));
    return fd;
}

static inline void segment_map(mapping *m, int fd, uint64_t capacity) {
    m->fd = fd;
    m->capacity = capacity;
    void *header = mmap(NULL, SR_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(header != MAP_FAILED);
    m->header = header;
    for (int ring = 0; ring < 2; ring++) {
        const size_t guard = 65536;
        uint8_t *at = mmap(NULL, 2 * (size_t)capacity + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(at != MAP_FAILED);
        m->reserved[ring] = at;
        m->data[ring] = at + guard;
        for (uint64_t half = 0; half < 2; half++)
            CHECK(mmap(m->data[ring] + half * capacity, capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
                       (off_t)(SR_HEADER_SIZE + (uint64_t)ring * capacity)) != MAP_FAILED);
    }
}

static inline void segment_unmap(mapping *m) {
    CHECK(munmap(m->header, SR_HEADER_SIZE) == 0);
    for (int ring = 0; ring < 2; ring++) CHECK(munmap(m->reserved[ring], 2 * (size_t)m->capacity + 2 * 65536) == 0);
}

static inline sr_end segment_end(const mapping *m, int ring) {
    sr_end end;
    sr_init(&end, &m->header->ring[ring], m->data[ring], m->capacity);
    return end;
}

#endif
