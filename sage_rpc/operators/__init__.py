"""Operators: pipelines of plain Python classes that call services by name, each in processes of its own."""

from sage_rpc.operators.environment import DataStream, LocalEnvironment, Results
from sage_rpc.operators.functions import (
    BaseFunction,
    BatchFunction,
    FilterFunction,
    FlatMapFunction,
    MapFunction,
    SinkFunction,
    SourceFunction,
    StopSignal,
)
from sage_rpc.operators.job import Job
from sage_rpc.operators.result import JobError, JobResult, OperatorCounts
from sage_rpc.services.context import AsyncServices, BaseService, Context, Services

__all__ = [
    "AsyncServices",
    "BaseFunction",
    "BaseService",
    "BatchFunction",
    "Context",
    "DataStream",
    "FilterFunction",
    "FlatMapFunction",
    "Job",
    "JobError",
    "JobResult",
    "LocalEnvironment",
    "MapFunction",
    "OperatorCounts",
    "Results",
    "Services",
    "SinkFunction",
    "SourceFunction",
    "StopSignal",
]
