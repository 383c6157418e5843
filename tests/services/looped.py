"""An asyncio manager behind the face of the synchronous one, so that one test serves both.

The event loop has a thread of its own; whoever calls waits for a future of that thread's.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import sage_rpc
from sage_rpc import errors

__all__ = ["FACES", "LoopedManager"]

_SECONDS = 60


class _LoopThread:
    """A loop that goes on until it is closed."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def start(self, made: Callable[[], Coroutine[Any, Any, Any]]) -> concurrent.futures.Future[Any]:
        """Begin what is awaited; what is refused at once is raised, as where threads call."""
        refused: list[Exception] = []

        async def run() -> Any:
            first_step = [True]
            asyncio.get_running_loop().call_soon(first_step.clear)
            try:
                return await made()
            except Exception as error:
                if first_step and (
                    isinstance(error, errors.InvalidArgument) or not isinstance(error, errors.RpcError)
                ):
                    refused.append(error)
                raise

        future = asyncio.run_coroutine_threadsafe(run(), self.loop)
        self.call(int)  # by then it has taken its arguments as they are
        if refused:
            raise refused[0]
        return future

    def run(self, made: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return self.start(made).result(_SECONDS)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What the function gives, called in the loop."""

        async def run() -> Any:
            return function(*args, **kwargs)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(_SECONDS)

    def close(self) -> None:
        async def left() -> list[asyncio.Task[Any]]:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others:
                _, others = await asyncio.wait(others, timeout=2.0)
            return list(others)

        try:
            assert self.run(left) == [], "tasks are left"
            self.run(self.loop.shutdown_asyncgens)
            self.run(self.loop.shutdown_default_executor)
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()


class _Method:
    """A method of a proxy: called, it waits, or gives a future."""

    def __init__(self, thread: _LoopThread, method: Any, *, waits: bool) -> None:
        self._thread = thread
        self._method = method
        self._waits = waits

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        future = self._thread.start(lambda: self._method(*args, **kwargs))
        return future.result(_SECONDS) if self._waits else future

    def with_options(self, **options: Any) -> _Method:
        return _Method(
            self._thread, self._thread.call(self._method.with_options, **options), waits=self._waits
        )

    def invalidate(self, *args: Any, **kwargs: Any) -> None:
        self._thread.call(self._method.invalidate, *args, **kwargs)

    def start(self, args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None) -> Any:
        return self._thread.start(lambda: self._method.call(args, kwargs, timeout))


class _Proxy:
    def __init__(self, thread: _LoopThread, proxy: Any, *, waits: bool) -> None:
        self._thread = thread
        self._proxy = proxy
        self._waits = waits

    def __getattr__(self, name: str) -> _Method:
        return _Method(self._thread, self._thread.call(getattr, self._proxy, name), waits=self._waits)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _Method(self._thread, self._proxy, waits=self._waits)(*args, **kwargs)

    def batch(self, *args: Any, **kwargs: Any) -> Any:
        return self._thread.run(lambda: self._proxy.batch(*args, **kwargs))

    def batch_stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        results = self._proxy.batch_stream(*args, **kwargs)
        try:
            while True:
                try:
                    yield self._thread.run(results.__anext__)
                except StopAsyncIteration:
                    return
        finally:
            self._thread.run(results.aclose)


class LoopedManager:
    """Takes what `sage_rpc.ServiceManager` takes, and does what it does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._manager = sage_rpc.aio.ServiceManager(*args, **kwargs)
        self._thread = _LoopThread()

    def get_sync_proxy(self, name: str) -> _Proxy:
        return _Proxy(self._thread, self._thread.call(self._manager.get_proxy, name), waits=True)

    def get_async_proxy(self, name: str) -> _Proxy:
        return _Proxy(self._thread, self._thread.call(self._manager.get_proxy, name), waits=False)

    def call_service_sync(self, *args: Any, **kwargs: Any) -> Any:
        return self._thread.run(lambda: self._manager.call_service(*args, **kwargs))

    def call_service_async(self, *args: Any, **kwargs: Any) -> Any:
        return self._thread.start(lambda: self._manager.call_service(*args, **kwargs))

    def call_with_retry(self, *args: Any, **kwargs: Any) -> Any:
        return self._thread.run(lambda: self._manager.call_with_retry(*args, **kwargs))

    def health_check_all_services(self, *args: Any) -> Any:
        return self._thread.run(lambda: self._manager.health_check_all_services(*args))

    def close(self) -> None:
        try:
            self._thread.run(self._manager.close)
        finally:
            self._thread.close()

    def __enter__(self) -> LoopedManager:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        """What the managers have in common, called in the loop."""
        found = getattr(self._manager, name)
        if not callable(found):
            return found
        return lambda *args, **kwargs: self._thread.call(found, *args, **kwargs)


FACES = {"threads": sage_rpc.ServiceManager, "asyncio": LoopedManager}
