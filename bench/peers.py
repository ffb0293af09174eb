"""The same work, said in the language of each proxy: HTTP, HTTPS and TCP in front of one backend."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgegate.demo.certificates import fill

HOST = "bench.example.com"
IDLE = "keepalive_requests 100000000; keepalive_timeout 1h;"


@dataclass(frozen=True)
class Stage:
    """
    What a proxy is to be prepared for.

    @ivar backend: The backend's port on 127.0.0.1.
    @ivar program: The proxy's program.
    @ivar ports: Where the proxy is to listen, for C{http}, C{https} and C{tcp}.
    """

    folder: Path
    backend: int
    program: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def certificate(self) -> tuple[Path, Path]:
        """The files of a certificate and its key."""
        fill(self.folder / "certs", [HOST])
        return self.folder / "certs" / f"{HOST}.crt", self.folder / "certs" / f"{HOST}.key"

    def write(self, name: str, text: str) -> str:
        """Write a file of the proxy's configuration and return its path."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)


def _nginx(stage: Stage, name: str, http: str, head: str = "", stream: str = "") -> str:
    temporary = " ".join(
        f"{kind}_temp_path {stage.folder}/{name}-{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""{head}
worker_processes 1; daemon off; pid {stage.folder}/{name}.pid; error_log stderr error;
events {{ worker_connections 4096; }}
http {{ access_log off; {IDLE} {temporary}
{http}
}}
{stream}
"""


def backend(stage: Stage, program: str, bulk: int) -> list[str]:
    """Prepare the backend: a small JSON answer at C{/}, and a file of C{bulk} bytes."""
    pages = stage.folder / "pages"
    pages.mkdir()
    (pages / "bulk").write_bytes(os.urandom(bulk))
    for folder in (stage.folder, pages):
        folder.chmod(0o755)  # nginx gives up root's rights
    server = f"""server {{ listen 127.0.0.1:{stage.backend} backlog=1024; root {pages}; sendfile on;
      location = / {{ default_type application/json; return 200 '{{"id": 1, "name": "Red fedora"}}'; }} }}"""
    return [program, "-c", stage.write("backend.conf", _nginx(stage, "backend", server))]


def nginx(stage: Stage) -> tuple[list[str], set[str]]:
    """Prepare nginx; without its stream module it takes no part in TCP."""
    certificate, key = stage.certificate
    proxy = """location / { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_pass http://backend; }"""
    http = f"""upstream backend {{ server 127.0.0.1:{stage.backend}; keepalive 128; keepalive_requests 100000000; }}
    server {{ listen 127.0.0.1:{stage.ports["http"]}; server_name {HOST}; {proxy} }}
    server {{ listen 127.0.0.1:{stage.ports["https"]} ssl; server_name {HOST};
      ssl_certificate {certificate}; ssl_certificate_key {key}; {proxy} }}"""
    module = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
    stream = (
        f"""stream {{ server {{ listen 127.0.0.1:{stage.ports["tcp"]}; proxy_pass 127.0.0.1:{stage.backend}; }} }}"""
    )
    conf = (
        _nginx(stage, "nginx", http, f"load_module {module};", stream)
        if module.exists()
        else _nginx(stage, "nginx", http)
    )
    kinds = {"http", "https", "tcp"} if module.exists() else {"http", "https"}
    return [stage.program, "-c", stage.write("nginx.conf", conf)], kinds


def haproxy(stage: Stage) -> tuple[list[str], set[str]]:
    """Prepare HAProxy."""
    both = "".join(path.read_text() for path in stage.certificate)
    pem = stage.write("haproxy.pem", both)
    conf = f"""global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  http-reuse always
frontend http
  bind 127.0.0.1:{stage.ports["http"]}
  bind 127.0.0.1:{stage.ports["https"]} ssl crt {pem}
  option forwardfor
  default_backend http
backend http
  server backend 127.0.0.1:{stage.backend}
listen tcp
  mode tcp
  option splice-auto
  bind 127.0.0.1:{stage.ports["tcp"]}
  server backend 127.0.0.1:{stage.backend}
"""
    return [stage.program, "-db", "-f", stage.write("haproxy.cfg", conf)], {"http", "https", "tcp"}


_ENVOY = "type.googleapis.com/envoy.extensions"


def _filter(name: str, kind: str, **config: object) -> dict[str, object]:
    return {"name": name, "typed_config": {"@type": f"{_ENVOY}.{kind}", **config}}


def envoy(stage: Stage) -> tuple[list[str], set[str]]:
    """Prepare Envoy as Istio would: a connection manager that uses the remote address, one worker, no access log."""
    certificate, key = stage.certificate
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "backend", "timeout": "0s"}}]
    http = _filter(
        "http",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="http",
        use_remote_address=True,
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        http_filters=[_filter("router", "filters.http.router.v3.Router")],
    )
    tcp = _filter("tcp", "filters.network.tcp_proxy.v3.TcpProxy", stat_prefix="tcp", cluster="backend")
    pair = {"certificate_chain": {"filename": str(certificate)}, "private_key": {"filename": str(key)}}
    tls = _filter(
        "tls", "transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context={"tls_certificates": [pair]}
    )
    chains = {
        "http": {"filters": [http]},
        "https": {"filters": [http], "transport_socket": tls},
        "tcp": {"filters": [tcp]},
    }
    listeners = [
        {"name": kind, "address": _address(stage.ports[kind]), "filter_chains": [chain]}
        for kind, chain in chains.items()
    ]
    endpoint = {"endpoint": {"address": _address(stage.backend)}}
    cluster = {
        "name": "backend",
        "load_assignment": {"cluster_name": "backend", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    conf = {"static_resources": {"listeners": listeners, "clusters": [cluster]}}
    path = stage.write("envoy.json", json.dumps(conf))
    quiet = ["--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    return [str(Path(stage.program).absolute()), "-c", path, *quiet], {"http", "https", "tcp"}


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def edgegate(stage: Stage) -> tuple[list[str], set[str]]:
    """Prepare edgegate."""
    certificate, key = stage.certificate
    tls = {"mode": "SIMPLE", "serverCertificate": str(certificate), "privateKey": str(key)}
    servers = [
        {"port": _port(stage, "http", "HTTP"), "hosts": ["*"]},
        {"port": _port(stage, "https", "HTTPS"), "hosts": ["*"], "tls": tls},
        {"port": _port(stage, "tcp", "TCP"), "hosts": ["*"]},
    ]
    route = [{"destination": {"host": "backend.internal", "port": {"number": 80}}}]
    service = {
        "hosts": ["backend.internal"],
        "location": "MESH_EXTERNAL",
        "resolution": "STATIC",
        "ports": [{"number": 80, "name": "http", "protocol": "HTTP", "targetPort": stage.backend}],
        "endpoints": [{"address": "127.0.0.1"}],
    }
    # JSON is YAML.
    for kind, name, spec in (
        ("Gateway", "bench", {"servers": [{**server, "bind": "127.0.0.1"} for server in servers]}),
        ("VirtualService", "http", {"hosts": [HOST], "gateways": ["bench"], "http": [{"route": route}]}),
        ("VirtualService", "tcp", {"hosts": ["*"], "gateways": ["bench"], "tcp": [{"route": route}]}),
        ("ServiceEntry", "backend", service),
    ):
        resource = {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        stage.write(f"edgegate/{kind}-{name}.yaml", json.dumps(resource, indent=2))
    command = [stage.program, "-n", "--pidfile=", "edgegate", "--config", str(stage.folder / "edgegate")]
    return command, {"http", "https", "tcp"}


def _port(stage: Stage, kind: str, protocol: str) -> dict[str, object]:
    return {"number": stage.ports[kind], "name": kind, "protocol": protocol}


PEERS: dict[str, Callable[[Stage], tuple[list[str], set[str]]]] = {"nginx": nginx, "haproxy": haproxy, "envoy": envoy}
