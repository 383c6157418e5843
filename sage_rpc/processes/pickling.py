"""Code and rows of the program, as bytes for processes of our own: cloudpickle, but for two things.

1. Code keeps the name of its file: remote tracebacks show their lines.
2. A class that travels by value (one of `__main__`, or of a function) is set up once in each process. What
   the program keeps in the class from then on stays, whatever refers to the class later.

Both ends are processes of one job and trust each other.
"""

from __future__ import annotations

import io
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any

import cloudpickle

__all__ = ["dumps"]

_lock = threading.RLock()  # guards _set_up, and is held while a class is set up: nobody sees half of one
_set_up: weakref.WeakSet[type] = weakref.WeakSet()


def dumps(what: object) -> bytes:
    """`what` as bytes, for `pickle.loads`.

    Raises:
        Exception: whatever pickling it raises.
    """
    file = io.BytesIO()
    _Pickler(file, protocol=5).dump(what)
    return file.getvalue()


class _Pickler(cloudpickle.Pickler):
    dispatch_table = cloudpickle.Pickler.dispatch_table.new_child()

    def reducer_override(self, obj: Any) -> Any:
        found = super().reducer_override(obj)
        if not isinstance(obj, type) or not isinstance(found, tuple) or len(found) < 6:
            return found
        # A class by value: how to make it, its attributes, and what gives it these.
        make, args, state, items, pairs, give = found
        with _lock:
            _set_up.add(obj)  # it is one here
        return make, args, (give, state), items, pairs, _set_up_once


def _set_up_once(cls: type, given: tuple[Callable[[type, Any], object], Any]) -> None:
    give, state = given
    with _lock:
        if cls not in _set_up:
            _set_up.add(cls)
            give(cls, state)


def _reduce_code(code: types.CodeType) -> tuple[Any, ...]:
    make, args = cloudpickle.Pickler.dispatch_table[types.CodeType](code)
    return _named_code, (make, args, code.co_filename)


def _named_code(make: Callable[..., types.CodeType], args: tuple[Any, ...], filename: str) -> types.CodeType:
    return make(*args).replace(co_filename=filename)


_Pickler.dispatch_table[types.CodeType] = _reduce_code
