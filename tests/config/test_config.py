"""Configurations: what files mean, and what is said about those that mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from sage_rpc.config import Config, ConfigError, json_schema, load_config

DESIGN = """\
services:
  cache:
    class: "myapp.services.CacheService"
    args:
      cache_size: 10000
    process_count: 2

  database:
    class: "myapp.services.DatabaseService"
    kwargs:
      connection_string: "${DATABASE_URL}"
    process_count: 1
    health_check_interval: 30
"""


def load(directory: Path, text: str, **variables: str) -> Config:
    path = directory / "c.yaml"
    path.write_text(text, "utf-8")
    return load_config(path, variables)


def complaints(directory: Path, text: str, **variables: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(directory, text, **variables)
    return [str(problem).replace(f"{directory}/", "") for problem in caught.value.problems]


def test_the_design_documents_example_is_understood(tmp_path: Path) -> None:
    config = load(tmp_path, DESIGN, DATABASE_URL="postgresql://localhost/mydb")
    cache, database = config.services["cache"], config.services["database"]
    assert (cache.class_, cache.by_name, cache.process_count) == (
        "myapp.services.CacheService",
        {"cache_size": 10000},
        2,
    )
    assert database.by_name == {"connection_string": "postgresql://localhost/mydb"}
    assert database.health_check_interval == 30


def test_units_defaults_variables_and_anchors(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """\
defaults: {stop_grace: 500ms, env: {A: "1"}}
services:
  a: &a
    class: m.C
    args:
    - 1
    - "${TEXT}"
    - ${NUMBER:-7}
    - "${NUMBER:-7}"
    - $${X}
    - ${EMPTY:-}
    rlimits: {nofile: 100, as: 2GiB}
    env: {B: true, C: 5}
  b:
    <<: *a
    class: m.D
    stop_grace: 2m
""",
        TEXT="t: x",
    )
    a, b = config.services["a"], config.services["b"]
    assert a.positional == (1, "t: x", 7, "7", "${X}", "")
    assert (a.stop_grace, b.stop_grace) == (0.5, 120)
    assert a.rlimits == {"nofile": 100, "as": 2 << 30}
    assert a.env == {"B": "true", "C": "5"}
    assert (b.class_, b.positional) == ("m.D", a.positional)


TEXTS = [
    "NO",
    "on",
    "null",
    "~",
    "",
    "0123456",
    "12:30:00",
    "2024-01-01",
    "1_000",
    "0x1F",
    "1e3",
    "inf",
    "a: b # c",
    "$$",
    "${HOME}",
]


@pytest.mark.parametrize("text", [*TEXTS, "true", "5432", "1.10"])
def test_a_variable_stays_text_where_text_belongs(tmp_path: Path, text: str) -> None:
    """Whatever YAML would have made of it: what is written in a variable was never YAML."""
    config = load(
        tmp_path,
        """\
env: {}
observability:
  dashboard:
    address: 127.0.0.1:0
    token: ${V}
services:
  a:
    class: m.C
    version: ${V}
    env:
      TOKEN: ${V}
    metadata:
      zone: ${V}
    policy:
      default:
        fallback: "${V}"
""",
        V=text,
    )
    service = config.services["a"]
    assert config.observability.dashboard is not None
    assert config.observability.dashboard.token == text
    assert (service.version, service.env, service.metadata) == (text, {"TOKEN": text}, {"zone": text})
    assert service.policy == {"default": {"fallback": text}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((t, t) for t in TEXTS),
        ("true", "true"),
        ("5432", 5432),
        ("-1", -1),
        ("1.5", 1.5),
        (".5", 0.5),
        ("7" * 20, int("7" * 20)),
    ],
)
def test_an_unquoted_variable_among_the_arguments_of_a_class_is_a_number_or_text(
    tmp_path: Path, text: str, value: object
) -> None:
    config = load(
        tmp_path,
        """\
services:
  a:
    class: m.C
    args:
    - ${V}
    - inside:
      - ${V}
      - "${V}"
    kwargs:
      v: ${V}
""",
        V=text,
    )
    service = config.services["a"]
    for found in (service.positional[0], service.positional[1]["inside"][0], service.kwargs["v"]):
        assert (found, type(found)) == (value, type(value))
    assert service.positional[1]["inside"][1] == text
    json.dumps(config.model_dump(mode="json"))
    assert yaml.safe_load(yaml.safe_dump(service.kwargs)) == service.kwargs


def test_a_variable_converts_where_a_number_or_a_boolean_belongs_and_is_named_where_it_cannot(
    tmp_path: Path,
) -> None:
    text = """\
services:
  a:
    class: m.C
    process_count: ${COUNT}
    stop_grace: ${GRACE}
    rlimits:
      as: ${SIZE}
    cpu_affinity:
    - ${CPU}
    tls:
      cert: c.pem
      key: k.pem
      require_client_cert: ${MUTUAL}
    policy:
      default:
        timeout: ${GRACE}
        idempotent: ${MUTUAL}
        priority: ${CPU}
        retry:
          max_attempts: ${COUNT}
    admission:
      max_running: ${COUNT}
    address: 127.0.0.1:0
"""
    right = {"COUNT": "3", "GRACE": "2s", "SIZE": "1GiB", "CPU": "0", "MUTUAL": "no"}
    service = load(tmp_path, text, **right).services["a"]
    assert (service.process_count, service.stop_grace, service.cpu_affinity) == (3, 2.0, [0])
    assert service.rlimits == {"as": 1 << 30}
    assert service.tls is not None
    assert service.tls.require_client_cert is False
    policy = {"timeout": "2s", "idempotent": False, "priority": 0, "retry": {"max_attempts": 3}}
    assert (service.policy, service.admission) == ({"default": policy}, {"max_running": 3})

    found = complaints(tmp_path, text, **{**right, "COUNT": "many", "MUTUAL": "perhaps", "SIZE": ""})
    assert [line.partition(": ")[2].partition(": ")[0] for line in found] == [
        "services.a.process_count",
        "services.a.rlimits.as",
        "services.a.tls.require_client_cert",
        "services.a.policy",
        "services.a.admission",
    ]
    for line, name in zip(found, ("COUNT", "SIZE", "MUTUAL", "MUTUAL", "COUNT"), strict=True):
        assert f"of ${{{name}}}" in line


def test_includes_are_laid_under_and_keep_their_places(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("services:\n  a: {class: m.C, process_count: 3, weight: 7}\n")
    (tmp_path / "more.yaml").write_text("services:\n  b: {class: m.B}\n")
    config = load(tmp_path, "include: [base.yaml, more.yaml]\nservices:\n  a: {process_count: 1}\n")
    assert (config.services["a"].process_count, config.services["a"].weight) == (1, 7)
    assert set(config.services) == {"a", "b"}
    (tmp_path / "base.yaml").write_text("services:\n  a: {class: m.C, process_count: many}\n")
    assert complaints(tmp_path, "include: base.yaml\n")[0].startswith(
        "base.yaml:2:19: services.a.process_count"
    )
    (tmp_path / "base.yaml").write_text("include: c.yaml\n")
    assert "include each other" in complaints(tmp_path, "include: base.yaml\n")[0]
    assert complaints(tmp_path, "services: {}\ninclude:\n  - no.yaml\n") == [
        f"c.yaml:3:5: cannot include {tmp_path}/no.yaml: no such file".replace(f"{tmp_path}/", "")
    ]


def test_paths_are_the_files(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "tls: {cert: c.pem, key: k.pem, ca: /etc/ca.pem}\n"
        "services:\n  a: {class: m.C, address: '0.0.0.0:0', cwd: work}\n  b: {class: m.C}\n",
    )
    assert config.python_path == [str(tmp_path)]
    tls = config.services["a"].tls
    assert tls is not None
    assert (tls.cert, tls.ca) == (str(tmp_path / "c.pem"), "/etc/ca.pem")
    assert config.services["a"].cwd == str(tmp_path / "work")
    assert config.services["b"].tls is None  # it listens nowhere


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("services:\n  a:\n    clas: m.C\n", "c.yaml:3:5: services.a.clas is not known; did you mean class?"),
        ("servces: {}\n", "c.yaml:1:1: servces is not known; did you mean services?"),
        ("services:\n  a: {weight: 3}\n", "c.yaml:2:3: services.a.class is missing"),
        ("{}\n", "c.yaml:1:1: services is missing"),
        ("", "c.yaml:1:1: services is missing"),
        ("- a\n", "c.yaml:1:1: expected a mapping"),
        ("services: [\n", "c.yaml:2:1: no YAML: "),
        ("services:\n  a: {class: m.C}\n  a: {class: m.D}\n", "c.yaml:3:3: 'a' stands here twice"),
        ("services:\n  a: {class: C}\n", "c.yaml:2:7: services.a.class: 'C' names no class: expected"),
        ("services:\n  a: m.C\n", "c.yaml:2:3: services.a is 'm.C': expected a mapping"),
        ("services:\n  a: {class: m.C, process_count: -1}\n", "c.yaml:2:19: services.a.process_count: -1 is"),
        ("services:\n  a: {class: m.C, process_count: two}\n", "services.a.process_count: 'two' is wrong"),
        ("services:\n  a: {class: m.C, stop_grace: 5 parsecs}\n", "'5 parsecs' is none: write 30, \"30s\""),
        (
            "services:\n  a: {class: m.C, address: nowhere}\n",
            "'nowhere' is no address: expected \"HOST:PORT\"",
        ),
        ("services:\n  a: {class: m.C, address: 'h:70000'}\n", "'h:70000' is no address"),
        (
            "services:\n  a: {class: m.C, rlimits: {files: 3}}\n",
            "'files' is no limit: expected one of as, core",
        ),
        ("services:\n  a: {class: m.C, transports: [ipx]}\n", "services.a.transports.0: 'ipx' is wrong"),
        (
            "services:\n  a: {class: m.C, transports: [shm], address: ':1'}\n",
            "leaves out grpc, which other hosts",
        ),
        (
            "services:\n  a: {class: m.C, args: {x: 1}, kwargs: {x: 2}}\n",
            "services.a: 'x' is in args and in kwargs",
        ),
        ("services:\n  'a b': {class: m.C}\n", "services.a b"),
        (
            "defaults: {weigth: 3}\nservices: {}\n",
            "c.yaml:1:12: defaults.weigth is not known; did you mean weight?",
        ),
        ("tls: {cert: a, key: b}\nservices: {}\n", "c.yaml:1:1: tls: require_client_cert needs ca"),
        (
            "registry: {etcd: {members: [a]}, static: {x: [y]}}\nservices: {}\n",
            "c.yaml:1:1: registry: give etcd or static, not both",
        ),
        ("registry: {etcd: {members: []}}\nservices: {}\n", "c.yaml:1:19: registry.etcd.members"),
        (
            "observability: {dashboard: {address: '0.0.0.0:80'}}\nservices: {}\n",
            "can be seen from other hosts, and has no token; set observability.dashboard.token",
        ),
        (
            "services:\n  a: {class: m.C, address: ':80'}\n  b: {class: m.C, address: ':80'}\n",
            "c.yaml:3:19: services.b.address is that of a, too: :80",
        ),
        (
            "services:\n  a: {class: m.C, policy: {default: {retry: {max_atempts: 3}}}}\n",
            "policy.default.retry.max_atempts is not known; did you mean max_attempts?",
        ),
        (
            "services:\n  a: {class: m.C, policy: {default: {timeout: -1}}}\n",
            "c.yaml:2:19: services.a.policy: policy.default: MethodPolicy.timeout is -1",
        ),
        ("services:\n  a: {class: m.C, admission: {max_running: 0}}\n", "services.a.admission: admission: "),
        (
            "services:\n  a: {class: m.C, access: {uids: [-1]}}\n",
            "services.a.access.uids.0: -1 is wrong",
        ),
        (
            "services:\n  a: {class: m.C, access: {user: [x]}}\n",
            "services.a.access.user is not known; known:",
        ),
        ("services:\n  a: {class: m.C, access: {}}\n", "services.a.access: it names nobody: give uids"),
        (
            "services:\n  a: {class: m.C, access: {identities: [x]}, address: ':1'}\n",
            "c.yaml:2:19: services.a.access names identities, and no caller has one",
        ),
        (
            "services:\n  a: {class: m.C, access: {uids: [1]}, transports: [grpc]}\n",
            "services.a.access names uids, which are known over shm alone",
        ),
        ("services:\n  a: {class: m.C, tracing: often}\n", "services.a.tracing: 'often' names no class"),
        (
            "services:\n  a: {class: m.C, options: {grpc.max_recieve_message_length: 1}}\n",
            "is no option that is known of a server; did you mean grpc.max_receive_message_length?",
        ),
        (
            "services:\n  a: {class: m.C, max_workers: 2, admission: {max_running: 3}}\n",
            "services.a.max_workers is 2, and admission lets 3 calls run",
        ),
        (
            "services:\n  a: {class: m.C, advertise: here}\n",
            "services.a.advertise is about an address that other hosts reach, and there is none",
        ),
        ("name: 'x y'\nservices: {}\n", "c.yaml:1:1: name: 'x y' is wrong"),
        (
            "services:\n  a:\n    class: ${NO_SUCH}\n",
            "c.yaml:3:12: the variable NO_SUCH is not set; set it, or give",
        ),
        ("services:\n  a:\n    class: ${no such}\n", "${no such} is no variable; write ${NAME}"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_what_to_do(
    tmp_path: Path, text: str, complaint: str
) -> None:
    found = complaints(tmp_path, text)
    assert len(found) == 1, found
    assert complaint in found[0]


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    assert (
        len(complaints(tmp_path, "nme: x\nservices:\n  a: {clas: m.C}\n  b: {class: m.C, weight: x}\n")) == 3
    )


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml:1:1: there is no such file"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "bytes.yaml")


def test_the_json_schema_describes_what_is_understood() -> None:
    schema = json_schema()
    assert {"services", "include", "registry", "observability"} <= set(schema["properties"])
    assert "class" in schema["$defs"]["ServiceConfig"]["properties"]
    assert json.dumps(schema)
