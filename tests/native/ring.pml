/* No wake-up is lost: the waiting protocol of ring.h, checked over every interleaving.
 *
 * Machine: total store order. A store goes into its thread's FIFO buffer and reaches memory at any later
 * moment (Flush); a load reads memory; a fence waits until the buffer is empty; an exchange does that too
 * and is atomic. No thread here loads a variable that it also stores, so no forwarding is needed.
 *
 * Peer is a side of a connection: one thread that sends and receives, with private counters, and sleeps only in
 * poll(), as in test_ring.c. Each side's socket buffer is a channel of doorbell bytes; a doorbell that does
 * not fit is dropped (EAGAIN). Spin reports an invalid end state when somebody sleeps for ever: that is a
 * lost wake-up, or a deadlock of two full rings.
 *
 * N        frames in each direction (default 3), ONEWAY: only from side 0 to side 1
 * C        frames that fit into a ring (default 1)
 * NOFENCE  mask of fences to leave out: 1 after publishing, 2 before a reader sleeps, 4 before a writer waits.
 *          Each of them must fail alone: the model can find the fault, and no fence is idle.
 * THREADS  side 0 is a process of two threads: one receives, and also sends what found no room; the other
 *          only sends, and queues what finds no room. One lock; it is not held in poll().
 * TWOPOLLERS  the threads of side 0 wait for room and for data by themselves, both in poll() on the one
 *          socket: must fail, one eats the other's doorbell. Hence the rule of docs/wire.md: one thread at a time polls,
 *          and it looks at both rings.
 * DRAINLATE   the receiver empties its socket between its last look and poll(): must fail.
 */
#ifndef N
#define N 3
#endif
#ifndef C
#define C 1
#endif
#ifdef ONEWAY
#define BACK 0
#else
#define BACK N
#endif

/* Shared memory: four variables for each of the rings 0 and 1; ring r is written by side r. */
byte mem[8];
#define HEAD(r) (r)
#define TAIL(r) (2 + r)
#define ASLEEP(r) (4 + r)
#define WAITING(r) (6 + r)

chan buffer[3] = [3] of { byte, byte };  /* of the threads 0, 1 and 2 */
chan sock[2] = [2] of { bit };           /* doorbells on their way to side 0 and side 1 */

#define STORE(cpu, variable, value) buffer[cpu] ! variable, value
#ifndef NOFENCE
#define NOFENCE 0
#endif
#define FENCE(cpu, which) ((NOFENCE & which) || empty(buffer[cpu]))

inline ring_doorbell(side) {
    if
    :: nfull(sock[side]) -> sock[side] ! 1
    :: full(sock[side])
    fi
}

/* After publishing: fence, look at the flag, exchange it, and ring if it was set. */
inline wake(core, flag, other) {
    FENCE(core, 1);
    if
    :: mem[flag] == 0
    :: mem[flag] != 0 ->
        atomic { empty(buffer[core]) -> was = mem[flag]; mem[flag] = 0 };
        if
        :: was -> ring_doorbell(other)
        :: else
        fi
    fi
}

/* At least one byte is read, perhaps all of them: recv() has no promise to return everything. */
inline empty_socket(side) {
    do
    :: nempty(sock[side]) -> sock[side] ? _
    :: break
    od
}

active [3] proctype Flush() {
    byte variable, value;
end:
    do
    :: atomic { buffer[_pid] ? variable, value -> mem[variable] = value }
    od
}

/* Private counters of a side; with THREADS the lock guards those of side 0. */
byte sent[2], limit[2], got[2];

inline try_send(cpu, me, quota) {
    do
    :: sent[me] < quota ->
        if
        :: sent[me] - limit[me] == C -> limit[me] = mem[TAIL(me)]
        :: else
        fi;
        if
        :: sent[me] - limit[me] == C -> break
        :: else
        fi;
        sent[me]++;
        STORE(cpu, HEAD(me), sent[me]);
        wake(cpu, ASLEEP(me), 1 - me);
        moved = true
    :: else -> break
    od
}

/* Takes what is there and announces the room once per batch. */
inline try_receive(cpu, me) {
    seen = mem[HEAD((1 - me))];
    if
    :: seen > got[me] ->
        assert(seen - got[me] <= C);
        do
        :: got[me] < seen -> got[me]++; STORE(cpu, TAIL((1 - me)), got[me])
        :: else -> break
        od;
        wake(cpu, WAITING((1 - me)), 1 - me);
        moved = true
    :: else
    fi
}

inline announce_sender(cpu, me) {
    STORE(cpu, WAITING(me), 1);
    FENCE(cpu, 4);
    limit[me] = mem[TAIL(me)];
    if
    :: sent[me] - limit[me] < C -> again = true
    :: else
    fi
}

inline announce_receiver(cpu, me) {
    STORE(cpu, ASLEEP((1 - me)), 1);
    FENCE(cpu, 2);
    if
    :: mem[HEAD((1 - me))] != got[me] -> again = true
    :: else
    fi
}

proctype Peer(byte self, sends, receives) {
    bool moved, again;
    byte seen;
    bit was;
    do
    :: sent[self] == sends && got[self] == receives -> break
    :: else ->
        moved = false;
        try_send(self, self, sends);
        try_receive(self, self);
        if
        :: moved
        :: else ->
            again = false;
            if
            :: sent[self] < sends -> announce_sender(self, self)
            :: else
            fi;
            if
            :: got[self] < receives -> announce_receiver(self, self)
            :: else
            fi;
            if
            :: again
            :: else ->
#ifdef DRAINLATE
                do
                :: nempty(sock[self]) -> sock[self] ? _
                :: empty(sock[self]) -> break
                od;
#endif
                sock[self] ? _;          /* poll(), then the first byte */
                empty_socket(self)
            fi;
            STORE(self, ASLEEP((1 - self)), 0)
        fi
    od
}

#ifdef THREADS
bool locked;
byte queued, produced;   /* frames that found no room; frames handed over by the sending thread */

#define LOCK atomic { !locked -> locked = true }
#define UNLOCK(cpu) empty(buffer[cpu]); locked = false

/* Both threads: send what is queued, and ask for the doorbell when something is left. */
inline flush_queue(thread) {
    do
    :: queued == 0 -> break
    :: else ->
        moved = false;
        goal = sent[0] + queued;
        try_send(thread, 0, goal);
        queued = goal - sent[0];
        if
        :: queued == 0 -> break
        :: else ->
            again = false;
            announce_sender(thread, 0);
            if
            :: again
            :: else -> break
            fi
        fi
    od
}

proctype Sender() {
    bool moved, again;
    byte goal;
    bit was;
    do
    :: produced == N -> break
    :: else ->
        LOCK;
        produced++;
        queued++;
        flush_queue(2);
        UNLOCK(2)
    od
}

proctype Receiver() {
    bool moved, again;
    byte seen, goal;
    bit was;
    LOCK;
    do
    :: flush_queue(0);
       try_receive(0, 0);
       again = false;
       announce_receiver(0, 0);
       if
       :: again
       :: else ->
            UNLOCK(0);
            if
            :: sock[0] ? _ -> empty_socket(0)
            :: got[0] == BACK && produced == N && queued == 0 && !locked -> goto done
            fi;
            LOCK
       fi;
       STORE(0, ASLEEP(1), 0)
    od;
done:
    skip
}
#endif

#ifdef TWOPOLLERS
proctype LoneSender() {
    bool moved, again;
    bit was;
    do
    :: sent[0] == N -> break
    :: else ->
        try_send(2, 0, N);
        if
        :: sent[0] < N ->
            again = false;
            announce_sender(2, 0);
            if
            :: again
            :: else -> (nempty(sock[0])); empty_socket(0)
            fi
        :: else
        fi
    od
}

proctype LoneReceiver() {
    bool moved, again;
    byte seen;
    bit was;
    do
    :: got[0] == BACK -> break
    :: else ->
        try_receive(0, 0);
        again = false;
        announce_receiver(0, 0);
        if
        :: again || got[0] == BACK
        :: else -> (nempty(sock[0])); empty_socket(0)
        fi;
        STORE(0, ASLEEP(1), 0)
    od
}
#endif

init {
    atomic {
#ifdef THREADS
        run Sender();
        run Receiver();
#else
#ifdef TWOPOLLERS
        run LoneSender();
        run LoneReceiver();
#else
        run Peer(0, N, BACK);
#endif
#endif
        run Peer(1, BACK, N)
    }
}
