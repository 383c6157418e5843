"""The native core, where it was built: `core` is the module, or raises on use with what to do.

`available()` asks, `why_not()` explains; nothing else imports `_core` directly.
`sage_rpc.queue` imports its own `_queue`, and explains itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["available", "core", "why_not"]

_reason = ""

if TYPE_CHECKING:
    from sage_rpc.native import _core as core
else:
    try:
        from sage_rpc.native import _core as core
    except ImportError as error:
        _reason = (
            f"the native core is not built ({error}); install a C compiler and Python's headers, "
            "then reinstall: pip install --force-reinstall --no-binary sage-rpc sage-rpc"
        )

        class _Missing:
            def __getattr__(self, name: str) -> Any:
                raise ImportError(_reason)

        core = _Missing()


def available() -> bool:
    """Whether calls can travel over the memory queue at all."""
    return not _reason


def why_not() -> str:
    """Why the native core is missing and what to do; "" when it is there."""
    return _reason
