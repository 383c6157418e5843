"""`dns:` targets: each address of a host name is an endpoint, and what the name stands for may change."""

from __future__ import annotations

import contextlib
import functools
import socket
from concurrent import futures

import grpc
import pytest
import trustme

import sage_rpc
from sage_rpc.discovery import Endpoint, LocalRegistry
from sage_rpc.endpoints import dns
from sage_rpc.policies import MethodPolicy, PoolPolicy, ServicePolicy
from tests import waiting

SECONDS = 15
until = functools.partial(waiting.until, seconds=SECONDS)


class Place:
    def __init__(self, address):
        self._address = address

    def where(self, key=None):
        return self._address


@pytest.fixture
def zone(monkeypatch):
    """Host name -> addresses: what the system would find."""
    names = {}
    usual = socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        if not str(host).endswith(".test"):
            return usual(host, port, *args, **kwargs)
        if not names.get(host):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in names[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(dns, "SOONEST", 0.01)
    return names


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(dns, "INTERVAL", 0.05)


@pytest.fixture
def places():
    """Starts a server at an address of this host; all at one port."""
    with contextlib.ExitStack() as stack:
        port = 0

        def start(address):
            nonlocal port
            host = stack.enter_context(sage_rpc.ServiceHost("place", Place(address), f"{address}:{port}"))
            port = int(host.address.rpartition(":")[2])
            return port

        yield start


def calls_of(zone_name, port, transport, **policy):
    options = [("sage_rpc.transport", transport)]
    policies = {"place": ServicePolicy(pool=PoolPolicy(**policy), default=MethodPolicy(timeout=SECONDS))}
    return sage_rpc.ServiceManager(
        {"place": f"dns:///{zone_name}:{port}"}, policies=policies, options=options
    )


def met(proxy, calls=12):
    return {proxy.where() for _ in range(calls)}


def test_every_address_gets_its_calls_and_so_does_a_new_one(zone, often, places, transport):
    port = places("127.0.0.2")
    places("127.0.0.3")
    zone["db.test"] = ["127.0.0.2", "127.0.0.3"]
    with calls_of("db.test", port, transport) as manager:
        proxy = manager.get_sync_proxy("place")
        assert met(proxy) == {"127.0.0.2", "127.0.0.3"}
        places("127.0.0.4")
        zone["db.test"] = ["127.0.0.3", "127.0.0.4"]
        until(lambda: met(proxy) == {"127.0.0.3", "127.0.0.4"})
        assert manager.transport_of("place") == transport


def test_keys_belong_to_addresses(zone, often, places, transport):
    port = places("127.0.0.2")
    places("127.0.0.3")
    zone["db.test"] = ["127.0.0.2", "127.0.0.3"]
    with calls_of("db.test", port, transport, balancing="consistent_hash") as manager:
        where = manager.get_sync_proxy("place").where
        homes = {key: where(key) for key in map(str, range(40))}
        assert set(homes.values()) == {"127.0.0.2", "127.0.0.3"}
        assert {key: where(key) for key in homes} == homes


def test_who_meets_nobody_looks_again_soon(zone, places, transport):
    """... and does not wait for the next look that is due."""
    port = places("127.0.0.2")
    zone["db.test"] = ["127.0.0.3"]  # where nobody is
    with calls_of("db.test", port, transport) as manager:
        proxy = manager.get_sync_proxy("place")
        with pytest.raises(ConnectionError):
            proxy.where()
        zone["db.test"] = ["127.0.0.2"]

        def comes_back():
            with contextlib.suppress(ConnectionError):
                return proxy.where() == "127.0.0.2"

        until(comes_back)


def test_a_name_that_is_not_known_says_so_and_one_that_was_keeps_its_addresses(zone, often, places, caplog):
    port = places("127.0.0.2")
    with calls_of("db.test", port, "auto") as manager:
        proxy = manager.get_sync_proxy("place")
        with pytest.raises(ConnectionError, match="Name or service not known"):
            proxy.where()
        zone["db.test"] = ["127.0.0.2"]
        until(lambda: dns.host_names.why_none(f"dns:///db.test:{port}") == "")
        assert proxy.where() == "127.0.0.2"
        zone["db.test"] = []
        until(lambda: dns.host_names.why_none(f"dns:///db.test:{port}"))
        assert proxy.where() == "127.0.0.2"
    assert "cannot be looked up: [Errno -2] Name or service not known" in caplog.text


def test_certificates_are_of_the_name_and_not_of_the_address(zone, tmp_path, monkeypatch):
    ca = trustme.CA()
    certificate = ca.issue_cert("db.test")
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SAGE_RPC_TLS_CA", str(tmp_path / "ca.pem"))
    credentials = grpc.ssl_server_credentials(
        [(certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes())]
    )
    server = grpc.server(futures.ThreadPoolExecutor(1))
    handler = grpc.unary_unary_rpc_method_handler(lambda request, _context: request)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("x.Y", {"echo": handler}),))
    port = server.add_secure_port("127.0.0.2:0", credentials)
    server.start()
    zone["db.test"] = ["127.0.0.2"]
    with LocalRegistry() as registry:
        endpoint = Endpoint("place", f"dns:///db.test:{port}", secure=True)
        with registry.register_service(endpoint), sage_rpc.insecure_channel("sage:///place") as channel:
            assert channel.unary_unary("/x.Y/echo")(b"hello", timeout=SECONDS) == b"hello"
    server.stop(None).wait(SECONDS)


def test_nobody_is_looked_up_when_nobody_asks_any_more(zone, often, places):
    port = places("127.0.0.2")
    zone["gone.test"] = ["127.0.0.2"]
    with calls_of("gone.test", port, "auto") as manager:
        assert manager.get_sync_proxy("place").where() == "127.0.0.2"
    until(lambda: "gone.test" not in repr(dns.host_names))


@pytest.mark.parametrize(
    ("target", "looked_up"),
    [
        ("dns:///db:1", True),
        ("dns:db", True),
        ("dns:///[::1]:1", True),
        ("dns://1.1.1.1/db:1", False),
        ("db:1", False),
        ("ipv4:127.0.0.1:1", False),
    ],
)
def test_which_targets_are_names(target, looked_up):
    assert dns.is_host_name(target) == looked_up
