"""What a configuration may say: pydantic models, all values checked, nothing unknown let through.

Times are seconds, as a number or with a unit ("500ms", "30s", "5m", "1h"); sizes are bytes, as a number or
with a unit ("64MiB", "2GB").
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from sage_rpc.config.document import FromVariable, settled
from sage_rpc.config.policies import TIME, TIME_UNITS, admission_policy, service_policy
from sage_rpc.policies.settings import AdmissionPolicy, MethodPolicy, ServicePolicy
from sage_rpc.policies.sources.mapping import NESTED
from sage_rpc.transport.options import OPTIONS

__all__ = [
    "AccessConfig",
    "Config",
    "DashboardConfig",
    "EtcdConfig",
    "ObservabilityConfig",
    "RegistryConfig",
    "RestartConfig",
    "ServiceConfig",
    "TlsConfig",
]

_SIZE_UNITS = {"B": 1, "kB": 1000, "MB": 10**6, "GB": 10**9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_LIMITS = ("as", "core", "cpu", "data", "fsize", "memlock", "nofile", "nproc", "rss", "stack")


def _with_unit(units: dict[str, Any], example: str) -> Callable[[Any], Any]:
    pattern = re.compile(rf"\s*(\d+(?:\.\d+)?)\s*({'|'.join(units)})\s*")

    def parse(value: Any) -> Any:
        if isinstance(value, str):
            found = pattern.fullmatch(value)
            if found is not None:
                return float(found[1]) * units[found[2]]
            try:
                return float(value)
            except ValueError:
                raise ValueError(f"{value!r} is none: write {example}") from None
        return value

    return parse


_seconds = BeforeValidator(_with_unit(TIME_UNITS, '30, "30s" or "500ms"'))
Seconds = Annotated[float, _seconds, Field(ge=0)]
PositiveSeconds = Annotated[float, _seconds, Field(gt=0)]
Size = Annotated[int, BeforeValidator(_with_unit(_SIZE_UNITS, '1048576 or "1MiB"')), Field(ge=0)]


def _dotted(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", value.replace(":", ".", 1)):
        raise ValueError(f'{value!r} names no class: expected "package.module.Class"')
    return value


def _address(value: str) -> str:
    if not re.fullmatch(r"unix:.+|(\[[0-9a-fA-F:]+\]|[^:\[\]]*):\d{1,5}", value) or (
        not value.startswith("unix:") and int(value.rpartition(":")[2]) > 65535
    ):
        raise ValueError(f'{value!r} is no address: expected "HOST:PORT", as "0.0.0.0:50051"')
    return value


Dotted = Annotated[str, AfterValidator(_dotted)]
Address = Annotated[str, AfterValidator(_address)]


def _settled_policy(kind: type, value: Any, where: str) -> Any:
    """The mapping for a policy of class `kind`, with numbers and booleans for variables where they belong.

    Raises:
        ValueError: one belongs there, and the variable holds something else.
    """
    if not isinstance(value, dict):
        return settled(value)
    types = get_type_hints(kind)
    found = {}
    for name, entry in value.items():
        at = f"{where}.{name}"
        nested = NESTED.get(kind, {}).get(name)
        if nested is not None:
            found[name] = _settled_policy(nested, entry, at)
        elif kind is ServicePolicy and name == "methods" and isinstance(entry, dict):
            found[name] = {m: _settled_policy(MethodPolicy, each, f"{at}.{m}") for m, each in entry.items()}
        elif isinstance(entry, FromVariable):
            found[name] = _settled(entry, types.get(name, Any), at)
        else:
            found[name] = settled(entry)
    return found


def _settled(value: FromVariable, kind: Any, where: str) -> Any:
    kinds = {kind, *get_args(kind)}
    number, text = value.number(), str(value)
    if bool in kinds and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if kinds & {int, float, Any} and number is not None:
        return number
    if kinds & {int, float} and not kinds & {str, Any} and TIME.fullmatch(text) is None:
        raise ValueError(f"{where} is {value!r}: expected a number")
    if bool in kinds:
        raise ValueError(f"{where} is {value!r}: expected true or false")
    return text


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class TlsConfig(_Strict):
    """Files in PEM."""

    cert: str = Field(description="this side's certificate, with those between it and the CA's")
    key: str = Field(description="its private key")
    ca: str | None = Field(None, description="certificates that the other side's must be signed with")
    require_client_cert: bool = Field(True, description="serve only clients that `ca` has signed")

    @model_validator(mode="after")
    def _mutual_needs_ca(self) -> TlsConfig:
        if self.require_client_cert and self.ca is None:
            raise ValueError("require_client_cert needs ca: name the file, or set require_client_cert: false")
        return self


class AccessConfig(_Strict):
    """Who may call: whoever one of these names."""

    uids: tuple[Annotated[int, Field(ge=0)], ...] = Field((), description="users of this host")
    identities: tuple[str, ...] = Field((), description="names in certificates of callers")
    tokens: tuple[Annotated[str, Field(min_length=1)], ...] = Field((), description="bearer tokens")

    @model_validator(mode="after")
    def _somebody(self) -> AccessConfig:
        if not (self.uids or self.identities or self.tokens):
            raise ValueError("it names nobody: give uids, identities or tokens")
        return self


def _kind_of_access(value: Any) -> str:
    return "[names]" if isinstance(value, (dict, AccessConfig)) else "[hook]"


def _kind_of_tracing(value: Any) -> str:
    switches = ("true", "false", "yes", "no", "on", "off", "1", "0")
    return "[switch]" if str(value).lower() in switches else "[provider]"


# A value is of one kind or the other, so that what is wrong with it is said once.
_Access = Annotated[
    Annotated[Dotted, Tag("[hook]")] | Annotated[AccessConfig, Tag("[names]")],
    Discriminator(_kind_of_access),
]
_Tracing = Annotated[
    Annotated[bool, Tag("[switch]")] | Annotated[Dotted, Tag("[provider]")], Discriminator(_kind_of_tracing)
]


class RestartConfig(_Strict):
    """How a process that has ended is started again."""

    first_delay: Seconds = Field(0.0, description="before the first restart in a row")
    delay: PositiveSeconds = Field(0.1, description="before the second; it doubles from there")
    max_delay: PositiveSeconds = Field(10.0, description="the longest")
    reset_after: PositiveSeconds = Field(10.0, description="a process that lived so long starts a new row")
    limit: int = Field(10, ge=0, description="restarts within `window`; after more, the process stays down")
    window: PositiveSeconds = Field(60.0, description="for `limit`")


class ServiceConfig(_Strict):
    """One service."""

    class_: Dotted = Field(alias="class", description='the class that serves: "package.module.Class"')
    args: list[Any] | dict[str, Any] = Field(
        default_factory=list, description="arguments of the class: a list, or a mapping of names"
    )
    kwargs: dict[str, Any] = Field(default_factory=dict, description="arguments of the class, by name")
    servicer: Dotted | None = Field(
        None,
        description='for a declared service: "package.module_pb2_grpc.add_NameServicer_to_server"',
    )
    process_count: int = Field(1, ge=0, le=1000, description="processes that serve it")
    max_workers: int | None = Field(None, ge=1, description="threads that run its methods, in each process")
    address: Address | None = Field(
        None, description='where it listens for other hosts; "0.0.0.0:0" picks a port in each process'
    )
    advertise: str | None = Field(None, description="host name or address that other hosts reach this one by")
    tls: TlsConfig | None = Field(None, description="for `address`; absent: as at the top")
    transports: list[Literal["shm", "grpc"]] = Field(
        ["shm", "grpc"], min_length=1, description="what may carry its calls"
    )
    health_check_interval: PositiveSeconds = Field(5.0, description="between two checks")
    health_check_timeout: PositiveSeconds = Field(2.0, description="for one check")
    unhealthy_after: int = Field(3, ge=1, description="checks that fail in a row before a restart")
    start_timeout: PositiveSeconds = Field(30.0, description="until the first process-is-ready")
    stop_grace: Seconds = Field(10.0, description="for calls under way when a process stops")
    restart: RestartConfig = Field(default_factory=RestartConfig)
    env: dict[str, str] = Field(default_factory=dict, description="more environment variables")
    cwd: str | None = Field(None, description="working directory; relative to the file")
    rlimits: dict[str, Size] = Field(default_factory=dict, description=f"limits: {', '.join(_LIMITS)}")
    cpu_affinity: list[Annotated[int, Field(ge=0)]] = Field(
        default_factory=list, description="CPUs its processes may use; absent: all"
    )
    policy: dict[str, Any] = Field(
        default_factory=dict, description="what holds for calls to it: see sage_rpc.policies.ServicePolicy"
    )
    admission: dict[str, Any] = Field(
        default_factory=dict, description="what it lets in at once: see sage_rpc.policies.AdmissionPolicy"
    )
    access: _Access | None = Field(
        None,
        description='who may call it: "package.module.function" of a peer and a method, as ServiceHost takes',
    )
    tracing: _Tracing = Field(
        False,
        description="spans of its calls: true for OpenTelemetry's global tracer provider, or "
        '"package.module.function" that makes a provider',
    )
    options: dict[str, bool | int | str] = Field(
        default_factory=dict, description="of its server, by gRPC's names: grpc.max_receive_message_length"
    )
    weight: int = Field(100, ge=0, le=1_000_000, description="share of the calls, relative to others'")
    version: str = Field("", description="told by discovery")
    metadata: dict[str, str] = Field(default_factory=dict, description="told by discovery")

    @field_validator("env", "metadata", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in value.items()}
        return value

    @field_validator("args", "kwargs", mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return settled(value)

    @field_validator("policy")
    @classmethod
    def _policy_works(cls, value: dict[str, Any]) -> dict[str, Any]:
        value = _settled_policy(ServicePolicy, value, "policy")
        service_policy(value)
        return value

    @field_validator("admission")
    @classmethod
    def _admission_works(cls, value: dict[str, Any]) -> dict[str, Any]:
        value = _settled_policy(AdmissionPolicy, value, "admission")
        admission_policy(value)
        return value

    @field_validator("options")
    @classmethod
    def _known_options(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name in value:
            if name == "sage_rpc.transport":
                raise ValueError("sage_rpc.transport is what transports says")
            if name not in OPTIONS:
                close = difflib.get_close_matches(name, OPTIONS, n=1)
                hint = f"; did you mean {close[0]}?" if close else ""
                raise ValueError(f"{name!r} is no option that is known of a server{hint}")
        return value

    @field_validator("rlimits")
    @classmethod
    def _known_limits(cls, value: dict[str, int]) -> dict[str, int]:
        for name in value:
            if name not in _LIMITS:
                raise ValueError(f"{name!r} is no limit: expected one of {', '.join(_LIMITS)}")
        return value

    @property
    def positional(self) -> tuple[Any, ...]:
        """Positional arguments of the class."""
        return tuple(self.args) if isinstance(self.args, list) else ()

    @property
    def by_name(self) -> dict[str, Any]:
        """Keyword arguments of the class."""
        return {**self.args, **self.kwargs} if isinstance(self.args, dict) else dict(self.kwargs)


class EtcdConfig(_Strict):
    """etcd as registry of many hosts."""

    members: list[str] = Field(min_length=1, description='"host:port" of client URLs')
    prefix: str = Field("/sage-rpc", description="of its keys")
    ttl: PositiveSeconds = Field(5.0, ge=2, description="until a host that vanished is forgotten")
    tls: TlsConfig | None = None


class RegistryConfig(_Strict):
    """Where services of other hosts are known, besides this host's own runtime directory."""

    etcd: EtcdConfig | None = None
    static: dict[str, list[str]] = Field(
        default_factory=dict, description='service -> addresses, "dns:///name:port" among them'
    )

    @model_validator(mode="after")
    def _one(self) -> RegistryConfig:
        if self.etcd is not None and self.static:
            raise ValueError("give etcd or static, not both")
        return self


class DashboardConfig(_Strict):
    """The web page."""

    address: Address = Field(description='where it listens: "127.0.0.1:8080"')
    token: str | None = Field(None, description="whoever looks needs it; a must beyond this host")


class ObservabilityConfig(_Strict):
    """Logs and what is measured."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_file: str | None = Field(None, description="where output of services goes, too; relative to the file")
    log_file_bytes: Size = Field(16 << 20, description="size at which the file is put aside")
    log_files: int = Field(3, ge=0, description="how many that were put aside are kept")
    dashboard: DashboardConfig | None = None
    metrics: Address | None = Field(None, description="where Prometheus may scrape: HTTP, /metrics")
    hosts: list[str] = Field(
        default_factory=list,
        description="more names by which dashboard and metrics are reached, such as those of a proxy",
    )


class Config(_Strict):
    """A whole configuration."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,40}$")] = Field(
        "sage", description="of this supervisor, in `sage-rpc ps` and where several run on one host"
    )
    runtime_dir: str | None = Field(None, description="the runtime directory; absent: SAGE_RPC_RUNTIME_DIR")
    python_path: list[str] = Field(
        default_factory=lambda: ["."], description="where classes are found; relative to the file"
    )
    env: dict[str, str] = Field(default_factory=dict, description="environment of every service")
    tls: TlsConfig | None = Field(None, description="of every service's `address`, and of its calls")
    registry: RegistryConfig = Field(default_factory=RegistryConfig)
    observability: ObservabilityConfig = Field(default_factory=ObservabilityConfig)
    defaults: dict[str, Any] = Field(
        default_factory=dict, description="what services say where they say nothing else"
    )
    services: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}$")], ServiceConfig] = (
        Field(description="name -> service")
    )

    @field_validator("env", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return ServiceConfig._texts(value)
