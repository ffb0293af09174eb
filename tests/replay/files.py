"""Files that logs are replayed through."""

from __future__ import annotations

from edgegate.diff.sides import Side
from tests.istio.translate.compiling import compiled, gateway, route, secret, virtual_service

SIMPLE = "{mode: SIMPLE, credentialName: cert}"
ROUTES = """http: [
  {name: qa, match: [{headers: {x-user: {exact: qa}}}], directResponse: {status: 204}},
  {name: cart, match: [{uri: {prefix: /cart}, method: {exact: GET}}], route: [{destination: {host: 127.0.0.1}}]},
  {name: old, match: [{uri: {exact: /old}}], redirect: {uri: /new}},
  {name: page, match: [{uri: {prefix: /search}, queryParams: {q: {exact: x}}}], directResponse: {status: 200}},
  {name: curl, match: [{withoutHeaders: {user-agent: {prefix: Mozilla}}, uri: {prefix: /bot}}],
   directResponse: {status: 403}},
  {name: rest, match: [{uri: {prefix: /}}], route: [{destination: {host: 127.0.0.2, port: {number: 81}}}]}]"""
PLAIN = "http: [{name: all, route: [{destination: {host: 127.0.0.3, port: {number: 82}}}]}]"


def files(routes: str = ROUTES) -> str:
    """Return a gateway with two hosts in the clear and by TLS, one that redirects to https, and their routes."""
    return (
        gateway(
            "gw",
            "80 HTTP shop.example,plain.example",
            "81 HTTP moved.example {httpsRedirect: true}",
            f"443 HTTPS shop.example {SIMPLE}",
            f"443 HTTPS plain.example {SIMPLE}",
            "444 TLS through.example {mode: PASSTHROUGH}",
            "5432 TCP *",
        )
        + virtual_service("shop", "shop.example", routes.replace("127.0.0.1}", "127.0.0.1, port: {number: 80}}"))
        + virtual_service("plain", "plain.example,moved.example", PLAIN)
        + virtual_service("db", "db.example", f"tcp: [{route('127.0.0.1', 5433)}]")
        + secret("cert", "tls.crt", "tls.key")
    )


def side(text: str, name: str = "files") -> Side:
    """Compile files."""
    snapshot, problems = compiled(text)
    assert not [each for each in problems if " error: " in each], problems
    return Side(name, snapshot)
