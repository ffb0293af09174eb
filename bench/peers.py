"""
The same work, said in the language of each proxy.

On its C{http}, C{https} and C{mtls} ports a proxy passes requests to one backend, those below C{/ws} to another that
speaks WebSocket; on its C{tcp} port it passes bytes. On its C{grpc} port, HTTP/2 in the clear, and on its C{h2} port,
HTTP/2 over TLS, it passes requests to the same backend over HTTP/2 in the clear. Each function writes the files, and
returns the command and the kinds of port that the proxy can be asked for; L{UNABLE} says why not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from mixed import ANSWERS
from stage import DESCRIPTORS, GRPC, HOST, MESSAGE, Stage

IDLE = "keepalive_requests 100000000; keepalive_timeout 1h; client_max_body_size 0; client_body_buffer_size 16m;"

Prepared = tuple[list[str], set[str]]

UNABLE = {
    ("nginx", "h2"): "it asks backends over HTTP/2 for gRPC only",
    ("caddy", "tcp"): "it passes on HTTP only",
}
"""Why a peer can't be asked for a kind of port, whatever it is told."""


def _nginx(stage: Stage, name: str, http: str, head: str = "", stream: str = "", log: str = "off") -> str:
    temporary = " ".join(
        f"{kind}_temp_path {stage.folder}/{name}-{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""{head}
worker_processes 1; daemon off; pid {stage.folder}/{name}.pid; error_log stderr error;
events {{ worker_connections {DESCRIPTORS}; }}
http {{ access_log {log}; {IDLE} {temporary}
{http}
}}
{stream}
"""


def backend(stage: Stage, program: str, bulk: int) -> list[str]:
    """
    Prepare the backend: a small JSON answer at C{/}, a file of C{bulk} bytes, and C{/upload}; below C{/mixed/SIZE/} an
    answer of so many bytes, and below C{/form/SIZE/} the same for a body.

    What takes a body reads it to its end before it answers: that is what nginx does for one who is asked in turn. Over
    HTTP/2 it has the small answer, the file, and a method of gRPC.
    """
    pages = stage.folder / "pages"
    (pages / "sized").mkdir(parents=True)
    (pages / "bulk").write_bytes(os.urandom(bulk))
    for size in set(ANSWERS):
        (pages / "sized" / str(size)).write_bytes(os.urandom(size))
    for folder in (stage.folder, pages, pages / "sized"):
        folder.chmod(0o755)  # nginx gives up root's rights
    small = """location = / { default_type application/json; return 200 '{"id": 1, "name": "Red fedora"}'; }"""
    read = """proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass_request_body off;
        proxy_set_header Content-Length ""; proxy_method GET;"""
    server = f"""upstream self {{ server 127.0.0.1:{stage.backend}; keepalive 256; keepalive_requests 100000000; }}
    server {{ listen 127.0.0.1:{stage.backend} backlog=1024; root {pages}; sendfile on;
      {small}
      location = /upload {{ {read} proxy_pass http://self/; }}
      location /mixed/ {{ rewrite ^/mixed/([0-9]+)/ /sized/$1 break; }}
      location /form/ {{ {read} rewrite ^/form/([0-9]+)/ /sized/$1 break; proxy_pass http://self; }}
      location = {GRPC} {{ default_type application/grpc; return 200 "{MESSAGE.decode()}"; }} }}
    server {{ listen 127.0.0.1:{stage.h2c} http2 backlog=1024; root {pages}; sendfile on;
      http2_max_concurrent_streams 256; http2_chunk_size 16k; {small}
      location = {GRPC} {{ {read} add_trailer grpc-status 0; proxy_pass http://self; }} }}"""
    return [program, "-c", stage.write("backend.conf", _nginx(stage, "backend", server))]


def nginx(stage: Stage) -> Prepared:
    """Prepare nginx; without its stream module it takes no part in TCP."""
    certificate, key = stage.certificate
    proxy = f"""location / {{ proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_pass http://backend; }}
      location /ws {{ proxy_http_version 1.1; proxy_set_header Connection upgrade;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_pass http://127.0.0.1:{stage.echo}; }}"""
    plain = f"listen 127.0.0.1:{stage.ports['http']};"
    tls = f"ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;"
    http = f"""upstream backend {{ server 127.0.0.1:{stage.backend}; keepalive 128; keepalive_requests 100000000; }}
    upstream h2c {{ server 127.0.0.1:{stage.h2c}; keepalive 128; keepalive_requests 100000000; }}
    server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
    server {{ {plain} server_name {HOST}; {proxy} }}
    {"".join(f"server {{ {plain} server_name {name}; {proxy} }}" for name in stage.many)}
    server {{ listen 127.0.0.1:{stage.ports["https"]} ssl http2; server_name {HOST}; {tls} {proxy} }}
    server {{ listen 127.0.0.1:{stage.ports["mtls"]} ssl; server_name {HOST}; {tls} {proxy}
      ssl_verify_client on; ssl_client_certificate {stage.authority}; }}
    server {{ listen 127.0.0.1:{stage.ports["grpc"]} http2; server_name {HOST};
      location / {{ grpc_set_header Host $host; grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        grpc_pass grpc://h2c; }} }}"""
    module = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
    head = stream = ""
    if module.exists():
        head = f"load_module {module};"
        stream = (
            f"stream {{ server {{ listen 127.0.0.1:{stage.ports['tcp']}; proxy_pass 127.0.0.1:{stage.backend}; }} }}"
        )
    conf = _nginx(stage, "nginx", http, head, stream, str(stage.log or "off"))
    return [stage.program, "-c", stage.write("nginx.conf", conf)], {"http", "https", "mtls", "grpc"} | (
        {"tcp"} if stream else set()
    )


def haproxy(stage: Stage) -> Prepared:
    """Prepare HAProxy. It logs to its standard output, which is a file here."""
    both = "".join(path.read_text() for path in stage.certificate)
    pem = stage.write("haproxy.pem", both)
    names = stage.write("haproxy.map", "".join(f"{name} http\n" for name in stage.many))
    log = "log stdout format raw local0\n  option httplog" if stage.log else ""
    conf = f"""global
  nbthread 1
  ssl-default-bind-options ssl-min-ver TLSv1.3
  maxconn {DESCRIPTORS * 2 // 5 - 50}
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  http-reuse always
  {log}
frontend http
  bind 127.0.0.1:{stage.ports["http"]}
  bind 127.0.0.1:{stage.ports["https"]} ssl crt {pem} alpn h2,http/1.1
  bind 127.0.0.1:{stage.ports["mtls"]} ssl crt {pem} ca-file {stage.authority} verify required
  option forwardfor
  use_backend websocket if {{ path_beg /ws }}
  {f"use_backend %[req.hdr(host),lower,map({names})]" if stage.hosts else ""}
  default_backend http
frontend h2
  bind 127.0.0.1:{stage.ports["grpc"]} proto h2
  bind 127.0.0.1:{stage.ports["h2"]} ssl crt {pem} alpn h2
  option forwardfor
  default_backend h2
backend http
  server backend 127.0.0.1:{stage.backend}
backend h2
  server backend 127.0.0.1:{stage.h2c} proto h2
backend websocket
  server backend 127.0.0.1:{stage.echo}
listen tcp
  mode tcp
  option splice-auto
  bind 127.0.0.1:{stage.ports["tcp"]}
  server backend 127.0.0.1:{stage.backend}
"""
    return [stage.program, "-db", "-f", stage.write("haproxy.cfg", conf)], {
        "http",
        "https",
        "mtls",
        "tcp",
        "grpc",
        "h2",
    }


def caddy(stage: Stage) -> Prepared:
    """Prepare Caddy."""
    certificate, key = stage.certificate
    log = f"log {{\n output file {stage.log}\n }}" if stage.log else ""
    body = f""" {log}
 reverse_proxy /ws* 127.0.0.1:{stage.echo}
 reverse_proxy 127.0.0.1:{stage.backend} {{
  transport http {{
   keepalive_idle_conns_per_host 256
  }}
 }}
}}
"""
    h2c = f""" {log}
 reverse_proxy h2c://127.0.0.1:{stage.h2c}
}}
"""
    ports = stage.ports
    wanted = ", ".join(f"http://{name}:{ports['http']}" for name in (HOST, *stage.many))
    conf = f"""{{
 admin off
 auto_https off
 default_sni {HOST}
 fallback_sni {HOST}
 servers :{ports["grpc"]} {{
  protocols h1 h2c
 }}
}}
{wanted} {{
{body}
https://{HOST}:{ports["https"]} {{
 tls {certificate} {key}
{body}
https://{HOST}:{ports["mtls"]} {{
 tls {certificate} {key} {{
  client_auth {{
   mode require_and_verify
   trust_pool file {stage.authority}
  }}
 }}
{body}
http://{HOST}:{ports["grpc"]} {{
{h2c}
https://{HOST}:{ports["h2"]} {{
 tls {certificate} {key}
{h2c}
"""
    command = [str(Path(stage.program).absolute()), "run", "--adapter", "caddyfile", "--config"]
    return [*command, stage.write("Caddyfile", conf)], {"http", "https", "mtls", "grpc", "h2"}


def traefik(stage: Stage) -> Prepared:
    """Prepare Traefik."""
    certificate, key = stage.certificate
    static = {
        "entryPoints": {kind: {"address": f"127.0.0.1:{port}"} for kind, port in stage.ports.items()},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "ERROR"},
        "serversTransport": {"maxIdleConnsPerHost": 256},
        **({"accessLog": {"filePath": str(stage.log)}} if stage.log else {}),
    }
    rules = {"http": [], "https": ["https"], "mtls": ["mtls"]}
    routers: dict[str, object] = {}
    for kind in rules:
        tls = {} if kind == "http" else {"tls": {"options": kind} if kind == "mtls" else {}}
        routers[kind] = {"rule": f"Host(`{HOST}`)", "service": "backend", "entryPoints": [kind], **tls}
        websocket = f"Host(`{HOST}`) && PathPrefix(`/ws`)"
        routers[f"{kind}-ws"] = {"rule": websocket, "service": "websocket", "entryPoints": [kind], **tls}
    routers["grpc"] = {"rule": f"Host(`{HOST}`)", "service": "h2c", "entryPoints": ["grpc"]}
    routers["h2"] = {"rule": f"Host(`{HOST}`)", "service": "h2c", "entryPoints": ["h2"], "tls": {}}
    for name in stage.many:
        router = {"rule": f"Host(`{name}`)", "service": "backend", "entryPoints": ["http"]}
        routers[name.replace(".", "-")] = router
    servers = {
        "backend": f"http://127.0.0.1:{stage.backend}",
        "websocket": f"http://127.0.0.1:{stage.echo}",
        "h2c": f"h2c://127.0.0.1:{stage.h2c}",
    }
    http = {name: {"loadBalancer": {"servers": [{"url": url}]}} for name, url in servers.items()}
    tcp = {"loadBalancer": {"servers": [{"address": f"127.0.0.1:{stage.backend}"}]}}
    client = {"caFiles": [str(stage.authority)], "clientAuthType": "RequireAndVerifyClientCert"}
    pair = {"certFile": str(certificate), "keyFile": str(key)}
    dynamic = {
        "http": {"routers": routers, "services": http},
        "tcp": {
            "routers": {"tcp": {"rule": "HostSNI(`*`)", "service": "tcp", "entryPoints": ["tcp"]}},
            "services": {"tcp": tcp},
        },
        "tls": {
            "options": {"mtls": {"clientAuth": client}},
            "stores": {"default": {"defaultCertificate": pair}},
            "certificates": [pair],
        },
    }
    # JSON is YAML
    static["providers"] = {"file": {"filename": stage.write("traefik-dynamic.yaml", json.dumps(dynamic))}}
    command = [str(Path(stage.program).absolute()), f"--configFile={stage.write('traefik.yaml', json.dumps(static))}"]
    return command, {"http", "https", "mtls", "tcp", "grpc", "h2"}


_ENVOY = "type.googleapis.com/envoy.extensions"


def _filter(name: str, kind: str, **config: object) -> dict[str, object]:
    return {"name": name, "typed_config": {"@type": f"{_ENVOY}.{kind}", **config}}


def envoy(stage: Stage) -> Prepared:
    """Prepare Envoy as Istio would: a connection manager that uses the remote address, one worker."""
    certificate, key = stage.certificate
    routes = [
        {"match": {"prefix": "/ws"}, "route": {"cluster": "websocket", "timeout": "0s"}},
        {"match": {"prefix": "/"}, "route": {"cluster": "backend", "timeout": "0s"}},
    ]
    hosts = [{"name": name, "domains": [name], "routes": routes[1:]} for name in stage.many]
    log = [_filter("log", "access_loggers.file.v3.FileAccessLog", path=str(stage.log))] if stage.log else []

    def http(*hosts: object) -> dict[str, object]:
        return _filter(
            "http",
            "filters.network.http_connection_manager.v3.HttpConnectionManager",
            stat_prefix="http",
            use_remote_address=True,
            upgrade_configs=[{"upgrade_type": "websocket"}],
            access_log=log,
            route_config={"virtual_hosts": hosts},
            http_filters=[_filter("router", "filters.http.router.v3.Router")],
        )

    http1 = http({"name": "all", "domains": ["*"], "routes": routes}, *hosts)
    h2c = {"match": {"prefix": "/"}, "route": {"cluster": "h2c", "timeout": "0s"}}
    http2 = http({"name": "all", "domains": ["*"], "routes": [h2c]})
    tcp = _filter("tcp", "filters.network.tcp_proxy.v3.TcpProxy", stat_prefix="tcp", cluster="backend")
    pair = {"certificate_chain": {"filename": str(certificate)}, "private_key": {"filename": str(key)}}
    client = {"trusted_ca": {"filename": str(stage.authority)}}

    def tls(**more: object) -> dict[str, object]:
        version = {"tls_minimum_protocol_version": "TLSv1_3"}
        protocols = {"alpn_protocols": ["h2", "http/1.1"]}
        common = {"tls_certificates": [pair], "tls_params": version, **protocols, **more}
        required = {"require_client_certificate": bool(more)}
        return _filter("tls", "transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context=common, **required)

    chains = {
        "http": {"filters": [http1]},
        "https": {"filters": [http1], "transport_socket": tls()},
        "mtls": {"filters": [http1], "transport_socket": tls(validation_context=client)},
        "tcp": {"filters": [tcp]},
        "grpc": {"filters": [http2]},
        "h2": {"filters": [http2], "transport_socket": tls()},
    }
    listeners = [
        {"name": kind, "address": _address(stage.ports[kind]), "filter_chains": [chain]}
        for kind, chain in chains.items()
    ]
    clusters = [_cluster("backend", stage.backend), _cluster("websocket", stage.echo)]
    clusters.append({**_cluster("h2c", stage.h2c), **_HTTP2})
    conf: dict[str, object] = {"static_resources": {"listeners": listeners, "clusters": clusters}}
    if stage.admin:
        conf["admin"] = {"address": _address(stage.admin)}
    path = stage.write("envoy.json", json.dumps(conf))
    quiet = ["--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    return [str(Path(stage.program).absolute()), "-c", path, *quiet], set(chains)


_HTTP2 = {
    "typed_extension_protocol_options": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": f"{_ENVOY}.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
}
"""A cluster is asked over HTTP/2."""


def _cluster(name: str, port: int) -> dict[str, object]:
    most = dict.fromkeys(("max_connections", "max_pending_requests", "max_requests"), 20000)
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "circuit_breakers": {"thresholds": [most]},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def edgegate(stage: Stage) -> Prepared:
    """Prepare edgegate."""
    certificate, key = stage.certificate
    tls = {"serverCertificate": str(certificate), "privateKey": str(key)}
    version = {"minProtocolVersion": "TLSV1_3"}
    mutual = {"mode": "MUTUAL", **tls, **version, "caCertificates": str(stage.authority)}
    servers = [
        {"port": _port(stage, "http", "HTTP"), "hosts": ["*"]},
        {"port": _port(stage, "https", "HTTPS"), "hosts": ["*"], "tls": {"mode": "SIMPLE", **tls, **version}},
        {"port": _port(stage, "mtls", "HTTPS"), "hosts": ["*"], "tls": mutual},
        {"port": _port(stage, "tcp", "TCP"), "hosts": ["*"]},
    ]
    http2 = [
        {"port": _port(stage, "grpc", "GRPC"), "hosts": ["*"]},
        {"port": _port(stage, "h2", "HTTPS"), "hosts": ["*"], "tls": {"mode": "SIMPLE", **tls, **version}},
    ]
    to = [{"destination": {"host": "backend.internal", "port": {"number": 80}}}]
    h2c = [{"destination": {"host": "h2c.internal", "port": {"number": 80}}}]
    websocket = [{"destination": {"host": "websocket.internal", "port": {"number": 80}}}]
    routes = [{"match": [{"uri": {"prefix": "/ws"}}], "route": websocket}, {"route": to}]
    documents: list[tuple[str, str, dict[str, object]]] = [
        ("Gateway", "bench", {"servers": [{**server, "bind": "127.0.0.1"} for server in servers]}),
        ("VirtualService", "http", {"hosts": [HOST], "gateways": ["bench"], "http": routes}),
        ("Gateway", "http2", {"servers": [{**server, "bind": "127.0.0.1"} for server in http2]}),
        ("VirtualService", "http2", {"hosts": [HOST], "gateways": ["http2"], "http": [{"route": h2c}]}),
        ("VirtualService", "tcp", {"hosts": ["*"], "gateways": ["bench"], "tcp": [{"route": to}]}),
    ]
    backends = (
        ("backend", stage.backend, "HTTP"),
        ("websocket", stage.echo, "HTTP"),
        ("h2c", stage.h2c, "HTTP2"),
    )
    for name, port, protocol in backends:
        ports = [{"number": 80, "name": "http", "protocol": protocol, "targetPort": port}]
        where = {"location": "MESH_EXTERNAL", "resolution": "STATIC", "endpoints": [{"address": "127.0.0.1"}]}
        documents.append(("ServiceEntry", name, {"hosts": [f"{name}.internal"], "ports": ports, **where}))
    for name in stage.many:
        spec = {"hosts": [name], "gateways": ["bench"], "http": [{"route": to}]}
        documents.append(("VirtualService", name.partition(".")[0], spec))
    # JSON is YAML.
    version = "networking.istio.io/v1"
    texts = [
        json.dumps({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec})
        for kind, name, spec in documents
    ]
    stage.write("edgegate/all.yaml", "\n---\n".join(texts))
    options = ["--config", str(stage.folder / "edgegate"), f"--access-log={stage.log or 'none'}"]
    options.append(f"--admin={f'127.0.0.1:{stage.admin}' if stage.admin else 'none'}")
    return [stage.program, "-n", "--pidfile=", "edgegate", *options], {"http", "https", "mtls", "tcp", "grpc", "h2"}


def _port(stage: Stage, kind: str, protocol: str) -> dict[str, object]:
    return {"number": stage.ports[kind], "name": kind, "protocol": protocol}


PEERS: dict[str, Callable[[Stage], Prepared]] = {
    "envoy": envoy,
    "nginx": nginx,
    "haproxy": haproxy,
    "caddy": caddy,
    "traefik": traefik,
}
