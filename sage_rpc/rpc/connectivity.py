"""The state of a channel, and who is told of it.

Callbacks are told every state in order, one after the other, by a thread that exists only while there is
something to tell. A callback that blocks keeps the others waiting, as in grpcio; its own states wait in a
queue that forgets the oldest.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

import grpc

__all__ = ["Connectivity"]

MOST_WAITING = 16  # states that one callback can be behind
_LOGGER = logging.getLogger("sage_rpc")

_Callback = Callable[[grpc.ChannelConnectivity], None]


class _Subscription:
    def __init__(self, callback: _Callback) -> None:
        self.callback = callback
        self.states: deque[grpc.ChannelConnectivity] = deque(maxlen=MOST_WAITING)
        self.ended = False


class Connectivity:
    """One channel's; usable from any thread, and from a callback."""

    def __init__(self) -> None:
        self.state = grpc.ChannelConnectivity.IDLE
        self._forget_threads()
        self._subscriptions: list[_Subscription] = []

    def _forget_threads(self) -> None:
        self._lock = threading.Lock()  # guards everything here; no callback runs under it
        self._waiting: deque[_Subscription] = deque()  # each once per state that it is to be told
        self._telling = False

    def __repr__(self) -> str:
        return f"<Connectivity {self.state.name}, {len(self._subscriptions)} subscriptions>"

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be told."""
        return bool(self._subscriptions)

    def subscribe(self, callback: _Callback) -> None:
        """Tell `callback` the state as it is, and every later one. It may be subscribed many times."""
        with self._lock:
            subscription = _Subscription(callback)
            self._subscriptions.append(subscription)
            self._tell(subscription)

    def unsubscribe(self, callback: _Callback) -> None:
        """Tell one subscription of `callback`, if there is any, nothing more."""
        with self._lock:
            for index, subscription in enumerate(self._subscriptions):
                if subscription.callback == callback:
                    subscription.ended = True
                    del self._subscriptions[index]
                    break

    def unsubscribe_all(self) -> None:
        """Tell nobody anything more. Takes no lock, so a finalizer may call it."""
        subscriptions, self._subscriptions = self._subscriptions, []
        for subscription in subscriptions:
            subscription.ended = True

    def tell(self, state: grpc.ChannelConnectivity) -> None:
        """The channel is in `state` now."""
        with self._lock:
            if state is not self.state:
                self.state = state
                for subscription in self._subscriptions:
                    self._tell(subscription)

    def forget_parent(self) -> None:
        """In a forked child: nothing is connected, and no thread tells."""
        self.state = grpc.ChannelConnectivity.IDLE
        self._forget_threads()
        for subscription in self._subscriptions:
            subscription.states.clear()

    def _tell(self, subscription: _Subscription) -> None:
        if len(subscription.states) < MOST_WAITING:
            self._waiting.append(subscription)
        subscription.states.append(self.state)
        if not self._telling:
            self._telling = True
            threading.Thread(target=self._run, name="sage_rpc connectivity", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._telling = False
                    return
                subscription = self._waiting.popleft()
                state = subscription.states.popleft()
                callback = None if subscription.ended else subscription.callback
            if callback is None:
                continue
            try:
                callback(state)
            except Exception:
                _LOGGER.exception("Exception in a callback that was told the state of a channel")
            del subscription, callback
