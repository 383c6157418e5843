"""What holds for the calls of one method: the one place where sources of policies meet.

Field by field, the first that says something wins:

1. the call: its arguments, then `with_options`, which are laid over what is given here;
2. the service's policy for this method, by either of its names;
3. the service's policy for all methods (`default`), unless it does not `inherit`;
4. what the `.proto` says of the method, by itself or by its service;
5. the manager's timeout, and the defaults of the fields.

The service's policy is what its manager has for it: given with the name, or set later, else the manager's
own. Decorators, mappings, YAML and a gRPC service config all make a service's policy. What cannot take effect
is found by `sage_rpc.policies.effects`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sage_rpc.policies.settings import MethodPolicy, ServicePolicy

__all__ = ["resolve"]


def resolve(policy: ServicePolicy, names: Sequence[str], declared: MethodPolicy) -> MethodPolicy:
    """What holds for a method.

    Args:
        policy: of its service.
        names: that the method goes by; the first that the policy knows counts.
        declared: what its declaration says.
    """
    return policy.of(next((name for name in names if name in policy.methods), "")).over(declared)
