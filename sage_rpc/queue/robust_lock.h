/* A lock in memory shared by processes that outlives its owner: one futex word, the kernel's robust list.
 *
 * This header compiles alone (C11, Linux). Rules of this file:
 *
 * 1. Nothing read from shared memory is used as a pointer. glibc's robust mutex keeps list pointers in the
 *    mutex itself and follows them on unlock, so a peer that scribbles there crashes us; here the list
 *    is unlinked with a pointer that stayed in private memory (rl_hold). The kernel, which does follow the
 *    pointers when a thread dies, survives any value.
 * 2. Waiting ends at a deadline, on a signal, or when *stop is set, and uses no CPU meanwhile.
 * 3. Locks are released in the reverse order of their acquisition, in the function that took them.
 *
 * Theory of operation
 * -------------------
 * The word holds the owner's thread id (0: free), FUTEX_WAITERS, and FUTEX_OWNER_DIED, as the kernel's
 * robust-futex ABI wants it (Documentation/locking/robust-futex-ABI.rst). Every thread has one robust list, which
 * the C library registered; its head tells where the futex word lies relative to a list node. When a
 * thread dies holding a lock, the kernel walks that list, sets FUTEX_OWNER_DIED in each word that still holds its id
 * and wakes one waiter. `list_op_pending` covers the moments in which a lock is taken but not yet on the list, or
 * released while nobody has been woken yet, and a waiter that dies after it was woken.
 *
 * FUTEX_WAITERS stays in the word after a release, so that a newcomer who takes the lock before the woken waiter does
 * still knows of the others. Only a release that found nobody to wake takes it away.
 */
#ifndef SAGE_RPC_ROBUST_LOCK_H
#define SAGE_RPC_ROBUST_LOCK_H

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RL_FOREVER INT64_MAX
#define RL_REACH 120        /* a list node lies at most this many bytes from the word, on every C library */
#define RL_CHECK_NS 100000000 /* a lock that is only ever held shortly: how often to ask whether its owner exists */

typedef enum {
    RL_TAKEN = 0,
    RL_INHERITED = 1, /* taken; its owner died holding it, and what it guards may be half-changed */
    RL_BUSY = 2,
    RL_TIMED_OUT = 3,
    RL_INTERRUPTED = 4,
    RL_STOPPED = 5,
} rl_result;

typedef struct {
    _Alignas(64) uint8_t before[128]; /* room for the list node, wherever the C library's offset puts it */
    _Atomic uint32_t word;
    uint8_t after[124];
} rl_lock;

_Static_assert(sizeof(rl_lock) == 256, "the layout of docs/queue.md");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "shared memory needs lock-free atomics");

/* What the holder of a lock must keep to release it. */
typedef struct {
    struct robust_list *next;
} rl_hold;

typedef struct {
    struct robust_list_head *list;
    uint32_t tid;
} rl_thread;

static _Thread_local rl_thread rl_me;

static inline int64_t rl_now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static inline void rl_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield" ::: "memory");
#endif
}

/* ---- futexes ---- */

/* Sleep while *word is `expected`, until `deadline` (CLOCK_MONOTONIC). 0, or ETIMEDOUT, EINTR, EAGAIN. */
static inline int rl_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t deadline) {
    struct timespec until, *at = NULL;
    if (deadline != RL_FOREVER) {
        until.tv_sec = (time_t)(deadline / 1000000000);
        until.tv_nsec = (long)(deadline % 1000000000);
        at = &until;
    }
    long rc = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, at, NULL, FUTEX_BITSET_MATCH_ANY);
    return rc == 0 ? 0 : errno;
}

/* How many were woken, of at most `count`. */
static inline long rl_futex_wake(_Atomic uint32_t *word, int count) {
    return syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}

/* ---- the calling thread ---- */

/* A forked child's only thread has a new id. */
static void rl_forget_thread(void) { rl_me.tid = 0; }

static void rl_watch_forks(void) { pthread_atfork(NULL, NULL, rl_forget_thread); }

/* musl registers a thread's list when the thread first locks a robust mutex. */
static inline void rl_touch_robust_mutex(void) {
    pthread_mutex_t mutex;
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    if (pthread_mutex_init(&mutex, &attr) == 0) {
        if (pthread_mutex_lock(&mutex) == 0) pthread_mutex_unlock(&mutex);
        pthread_mutex_destroy(&mutex);
    }
    pthread_mutexattr_destroy(&attr);
}

static inline int rl_find_list(struct robust_list_head **found) {
    size_t size = 0;
    *found = NULL;
    if (syscall(SYS_get_robust_list, 0, found, &size) != 0) return errno;
    if (*found == NULL) {
        rl_touch_robust_mutex();
        if (syscall(SYS_get_robust_list, 0, found, &size) != 0) return errno;
    }
    if (*found == NULL || size != sizeof **found) return ENOSYS;
    return 0;
}

/* Learn this thread's id and list, once per thread: 0, or an errno where there are no robust futexes. */
static inline int rl_enter_thread(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (rl_me.tid != 0) return 0;
    pthread_once(&once, rl_watch_forks);
    struct robust_list_head *list;
    const int error = rl_find_list(&list);
    if (error != 0) return error;
    if (list->futex_offset > RL_REACH || list->futex_offset < -RL_REACH || list->futex_offset % 4 != 0) return ENOSYS;
    rl_me.list = list;
    rl_me.tid = (uint32_t)syscall(SYS_gettid);
    return 0;
}

static inline struct robust_list *rl_node(rl_lock *lock) {
    uint8_t *word = (uint8_t *)lock + offsetof(rl_lock, word);
    return (struct robust_list *)(void *)(word - rl_me.list->futex_offset);
}

/* The kernel reads the list when the thread has died, between any two instructions: the compiler must keep
 * the order of the stores, the processor need not. */
static inline void rl_set_pending(struct robust_list *node) {
    atomic_signal_fence(memory_order_seq_cst);
    *(struct robust_list *volatile *)&rl_me.list->list_op_pending = node;
    atomic_signal_fence(memory_order_seq_cst);
}

/* ---- the lock ---- */

static inline rl_result rl_taken(rl_lock *lock, rl_hold *hold, uint32_t old) {
    struct robust_list *node = rl_node(lock);
    hold->next = rl_me.list->list.next;
    memcpy((void *)node, &hold->next, sizeof(void *)); /* node->next, which may be aligned to 4 only */
    atomic_signal_fence(memory_order_seq_cst);
    *(struct robust_list *volatile *)&rl_me.list->list.next = node;
    rl_set_pending(NULL);
    return old & FUTEX_OWNER_DIED ? RL_INHERITED : RL_TAKEN;
}

/* One attempt; list_op_pending is set. `waited` is FUTEX_WAITERS when this thread slept: others may sleep still. */
static inline bool rl_attempt(rl_lock *lock, uint32_t *old, uint32_t waited) {
    *old = atomic_load_explicit(&lock->word, memory_order_relaxed);
    if ((*old & FUTEX_TID_MASK) != 0) return false;
    const uint32_t mine = rl_me.tid | (*old & FUTEX_WAITERS) | waited;
    return atomic_compare_exchange_strong_explicit(&lock->word, old, mine, memory_order_acquire, memory_order_relaxed);
}

/* Take the lock if it is, or becomes within `spins` short pauses, free. rl_enter_thread() came first. */
static inline rl_result rl_try(rl_lock *lock, rl_hold *hold, int spins) {
    uint32_t old;
    rl_set_pending(rl_node(lock));
    for (;; spins--) {
        if (rl_attempt(lock, &old, 0)) return rl_taken(lock, hold, old);
        if (spins <= 0) break;
        rl_pause();
    }
    rl_set_pending(NULL);
    return RL_BUSY;
}

/* An owner that does not exist and is not marked dead: the word was overwritten, or the kernel could not
 * mark it. Either way nobody will release the lock. */
static inline bool rl_owner_is_missing(uint32_t word) {
    return syscall(SYS_tkill, (pid_t)(word & FUTEX_TID_MASK), 0) != 0 && errno == ESRCH;
}

/* Leave without the lock. A wake-up that was meant for this thread goes to the next waiter. */
static inline rl_result rl_give_up(rl_lock *lock, uint32_t waited, rl_result why) {
    if (waited != 0) rl_futex_wake(&lock->word, 1);
    rl_set_pending(NULL);
    return why;
}

/* Wait for the lock. `brief` says that owners hold it briefly, so that a long wait is suspicious. */
static inline rl_result rl_wait(rl_lock *lock, rl_hold *hold, int64_t deadline, bool brief,
                                const _Atomic uint32_t *stop) {
    uint32_t old, waited = 0;
    rl_set_pending(rl_node(lock));
    for (bool first = true;; first = false) {
        if (rl_attempt(lock, &old, waited)) return rl_taken(lock, hold, old);
        if ((old & FUTEX_TID_MASK) == 0) continue;
        if (atomic_load_explicit(stop, memory_order_acquire)) return rl_give_up(lock, waited, RL_STOPPED);
        if ((first || brief) && rl_owner_is_missing(old)) {
            const uint32_t orphaned = (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
            atomic_compare_exchange_strong(&lock->word, &old, orphaned);
            continue;
        }
        if (!(old & FUTEX_WAITERS)) {
            if (!atomic_compare_exchange_strong(&lock->word, &old, old | FUTEX_WAITERS)) continue;
            old |= FUTEX_WAITERS;
        }
        const int64_t slice = brief ? rl_now_ns() + RL_CHECK_NS : RL_FOREVER;
        const int rc = rl_futex_wait(&lock->word, old, slice < deadline ? slice : deadline);
        if (rc == EINTR) return rl_give_up(lock, waited, RL_INTERRUPTED);
        if (rc == ETIMEDOUT && rl_now_ns() >= deadline) return rl_give_up(lock, waited, RL_TIMED_OUT);
        waited = FUTEX_WAITERS;
    }
}

static inline void rl_release(rl_lock *lock, rl_hold *hold) {
    rl_set_pending(rl_node(lock));
    *(struct robust_list *volatile *)&rl_me.list->list.next = hold->next;
    atomic_signal_fence(memory_order_seq_cst);
    const uint32_t old = atomic_fetch_and_explicit(&lock->word, FUTEX_WAITERS, memory_order_release);
    if (old & FUTEX_WAITERS && rl_futex_wake(&lock->word, 1) == 0) {
        uint32_t idle = FUTEX_WAITERS;
        /* Between the two somebody may have begun to sleep and woken others: then the bit is put back. */
        if (atomic_compare_exchange_strong(&lock->word, &idle, 0) && rl_futex_wake(&lock->word, 1) > 0)
            atomic_fetch_or(&lock->word, FUTEX_WAITERS);
    }
    rl_set_pending(NULL);
}

#endif
