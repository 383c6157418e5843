"""Policies: what wraps a call. `settings` says what may be configured, the other modules decide and do it."""

from sage_rpc.policies.settings import (
    NO_FALLBACK,
    AdmissionPolicy,
    BatchPolicy,
    BreakerPolicy,
    CachePolicy,
    HealthPolicy,
    HedgingPolicy,
    MethodPolicy,
    OutlierPolicy,
    PoolPolicy,
    RetryBudgetPolicy,
    RetryPolicy,
    ServicePolicy,
)
from sage_rpc.policies.sources.decorator import method_policy, policy_of
from sage_rpc.policies.sources.mapping import admission_from, policy_from
from sage_rpc.policies.sources.service_config import from_service_config

__all__ = [
    "NO_FALLBACK",
    "AdmissionPolicy",
    "BatchPolicy",
    "BreakerPolicy",
    "CachePolicy",
    "HealthPolicy",
    "HedgingPolicy",
    "MethodPolicy",
    "OutlierPolicy",
    "PoolPolicy",
    "RetryBudgetPolicy",
    "RetryPolicy",
    "ServicePolicy",
    "admission_from",
    "from_service_config",
    "method_policy",
    "policy_from",
    "policy_of",
]
