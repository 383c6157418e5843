/* Who receives on a client's connection: the hand-over of that role, checked over every interleaving.
 *
 * What is checked of _client_threads.pxi: no call whose response is in the ring waits for ever, never do two threads
 * read, and whoever gives the role up, or does not use it when it was offered, offers it to another that waits.
 * Spin reports the first and the last as an invalid end state, the second as a violated assertion.
 *
 * Machine: the threads of one process, of which one runs at a time (`gil`), and the server, which answers the calls in
 * any order. Memory is sequentially consistent here: the fences of the announced sleep are the matter of ring.pml. A
 * reader gives the GIL up in poll(), where it copies a large message, and where a signal handler may run.
 *
 * CALLERS  threads that wait each for a call of its own (default 2)
 * FUTURES  calls that nobody waits for (default 1); the listener receives for them
 * TIMEOUT  the first caller may give up at any moment
 * CANCEL   another thread ends the last caller's call at any moment
 * GLANCE   another thread takes the role, reads what is there, and does not wait
 * BROKEN   one of these rules is left out, and the model must fail:
 *          1  who gives the role up offers it to a caller that waits
 *          2  a caller that was offered the role and leaves without it passes the offer on
 *          3  a listener that slept looks whether the role was taken from it
 *          4  a caller looks whether the role is free before it sleeps on its lock
 *          5  who ends a call wakes the reader that sleeps in poll() for this very call
 *          6  who gives the role up wakes the listener if there are calls that nobody waits for
 *          7  a reader looks whether its own call has ended before it sleeps in poll()
 */
#ifndef CALLERS
#define CALLERS 2
#endif
#ifndef FUTURES
#define FUTURES 1
#endif
#ifndef BROKEN
#define BROKEN 0
#endif
#define CALLS (CALLERS + FUTURES)
#define NONE 255

mtype = { nobody, caller, caller_asleep, listener, listener_asleep };

/* The connection, guarded by the GIL. */
bool gil;
mtype role = nobody;
byte token, led_for = NONE, unattended;
bool in_poll;                       /* the listener is, and may be kicked */
chan followers = [CALLERS] of { byte };
bool started[CALLS], done[CALLS];

/* What a thread waits for outside of the GIL. */
bool lock[CALLERS], poke, kick;
bool bell;                          /* the socket is readable */

/* The ring, and what the reader has announced. */
chan ring = [CALLS] of { byte };
bool asleep;

bool reading;                       /* for the assertion alone: somebody is about to take a frame */

#define DROP_GIL gil = false

inline wake_listener() {
    if
    :: in_poll && role != listener && role != listener_asleep -> kick = true
    :: else
    fi
}

inline wake_first() {
    if
    :: nempty(followers) -> followers ? <first>; lock[first] = true
    :: empty(followers)
    fi
}

inline offer_role() {
    if
    :: len(followers) > 0 && BROKEN != 1 -> wake_first()
    :: else ->
        if
        :: unattended > 0 && BROKEN != 6 -> wake_listener()
        :: else
        fi
    fi
}

inline finish(call) {
    if
    :: !done[call] ->
        done[call] = true;
        if
        :: call < CALLERS -> lock[call] = true
        :: else -> unattended--
        fi;
        if
        :: led_for == call && role == caller_asleep && BROKEN != 5 -> poke = true
        :: else
        fi
    :: else
    fi
}

inline receive() {
    do
    :: atomic { nempty(ring) -> assert(!reading); reading = true; DROP_GIL };
       atomic { !gil -> gil = true; ring ? response; reading = false; finish(response); response = 0 }
    :: empty(ring) -> break
    od
}

proctype Server() {
    byte call;
end:
    do
    :: atomic {
        if
        :: started[0] -> call = 0
        :: CALLS > 1 && started[1] -> call = 1
        :: CALLS > 2 && started[2 % CALLS] -> call = 2
        :: CALLS > 3 && started[3 % CALLS] -> call = 3
        fi;
        started[call] = false;
        ring ! call;
        call = 0
       }
       atomic {
        if
        :: asleep -> asleep = false; bell = true
        :: else
        fi
       }
    od
}

#ifdef TIMEOUT
#define MAY_GIVE_UP (me == 0)
#else
#define MAY_GIVE_UP false
#endif

inline take_role() {
    if
    :: role == listener_asleep -> asleep = false
    :: else
    fi;
    role = caller;
    token++
}

proctype Caller(byte me) {
    byte response, first;
    bool late;
    atomic {
        !gil -> gil = true;
#ifdef CANCEL
        started[me] = me != CALLERS - 1         /* the server never answers the call that another thread ends */
#else
        started[me] = true
#endif
    };
    do
    :: done[me] || late -> break
    :: else ->
        if
        :: atomic { role == nobody || role == listener_asleep -> take_role(); led_for = me };
            do
            :: receive();
               if
               :: done[me] || late -> break
               :: else -> asleep = true
               fi;
               if
               :: nempty(ring) -> asleep = false
               :: atomic { empty(ring) -> DROP_GIL };          /* a signal handler may run here */
                    atomic { !gil -> gil = true };
                    if
                    :: done[me] && BROKEN != 7 -> asleep = false; break
                    :: else
                    fi;
                    atomic { role = caller_asleep; DROP_GIL };
                    if
                    :: bell || poke
                    :: MAY_GIVE_UP -> late = true
                    fi;
                    atomic { !gil -> gil = true; role = caller; poke = false };
                    asleep = false;
                    bell = false
               fi
            od;
            atomic { led_for = NONE; role = nobody; offer_role() }
        :: else ->
            DROP_GIL;               /* making the entry may let others run */
            atomic { !gil -> gil = true; lock[me] = false; followers ! me };
            if
            :: atomic { (role != nobody || BROKEN == 4) && !done[me] -> DROP_GIL };
                if
                :: lock[me]
                :: MAY_GIVE_UP -> late = true
                fi;
                atomic { !gil -> gil = true }
            :: else
            fi;
            atomic {
                followers ?? eval(me);
                if
                :: (done[me] || late) && role == nobody && BROKEN != 2 -> offer_role()
                :: else
                fi
            }
        fi
    od;
    atomic {
        if
        :: late -> finish(me)
        :: else
        fi;
        DROP_GIL
    }
}

proctype Listener() {
    byte response, first, mine;
    atomic { !gil -> gil = true };
    do
    :: atomic { unattended > 0 && role == nobody -> role = listener; token++; mine = token };
        do
        :: receive();
           if
           :: unattended == 0 -> atomic { role = nobody; wake_first() }; break
           :: else -> asleep = true
           fi;
           if
           :: nempty(ring) -> asleep = false
           :: atomic { empty(ring) -> DROP_GIL };
                atomic { !gil -> gil = true; role = listener_asleep; in_poll = true; DROP_GIL };
end_taken:      (bell || kick);
                atomic { !gil -> gil = true; in_poll = false; kick = false };
                if
                :: token != mine && BROKEN != 3 -> break
                :: else -> role = listener
                fi;
                asleep = false;
                bell = false
           fi
        od;
        mine = 0
    :: else ->
        atomic { in_poll = true; DROP_GIL };
end_idle:
        atomic { kick && !gil -> gil = true; in_poll = false; kick = false }
    od
}

/* Begins the calls that nobody waits for, and sees them end. */
proctype Starter() {
    byte next = CALLERS;
    do
    :: next < CALLS -> atomic { !gil -> unattended++; started[next] = true; wake_listener(); next++ }
    :: else -> break
    od;
    do
    :: next > CALLERS -> done[next - 1] -> next--
    :: else -> break
    od
}

#ifdef CANCEL
proctype Canceller() {
    atomic { !gil -> finish((CALLERS - 1)) }
}
#endif

#ifdef GLANCE
proctype Glancer() {
    byte response, first;
    atomic { !gil -> gil = true };
    if
    :: atomic { role == nobody || role == listener_asleep -> take_role() };
        receive();
        bell = false;
        atomic { role = nobody; offer_role() }
    :: else
    fi;
    DROP_GIL
}
#endif

init {
    byte i;
    atomic {
        run Server();
        run Listener();
        run Starter();
#ifdef CANCEL
        run Canceller();
#endif
#ifdef GLANCE
        run Glancer();
#endif
        do
        :: i < CALLERS -> run Caller(i); i++
        :: else -> break
        od
    }
}
