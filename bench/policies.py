"""
What access policies cost: CPU of the gateway for a request with each of them, beside one without any.

    python bench/policies.py [--rounds 5] [--requests 40000] .venv-bench/bin/twistd

The gateway answers itself, on one core; h2load asks over HTTP/1.1 with eight connections from the other, so many times
a second: as fast as it can it would send more at once to a gateway that takes longer, which costs less for each. Every
policy has a gateway of its own, and all are measured in turns: the differences are those of the least of all rounds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from joserfc import jwt
from joserfc.jwk import RSAKey
from stage import LOAD_CORE, PROXY_CORE, cpu_seconds, find, free_ports, running

ISSUER = "https://idp.example.com"
CONNECTIONS = 8
RATE = 1000
"""Requests in a second on each connection."""

WARM = 4000

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {port}, name: http, protocol: HTTP}}, hosts: ["*"], bind: 127.0.0.1}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: web}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http: [{{directResponse: {{status: 200, body: {{string: ok}}}}}}]
---
"""

RULES = "".join(f"  - to: [{{operation: {{paths: ['/area{number}/*'], methods: [GET]}}}}]\n" for number in range(9))
ALLOW = f"""\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: allow}}
spec:
  action: ALLOW
  rules:
{RULES}  - from: [{{source: {{ipBlocks: [127.0.0.0/8]}}}}]
    to: [{{operation: {{paths: ['/shop/*'], methods: [GET]}}}}]
"""
TOKENS = """\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {{name: tokens}}
spec: {{jwtRules: [{{issuer: "{issuer}", jwks: '{keys}', forwardOriginalToken: true}}]}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: with-a-token}}
spec: {{action: ALLOW, rules: [{{from: [{{source: {{requestPrincipals: ["*"]}}}}]}}]}}
"""
LIMIT = """\
apiVersion: edgegate.io/v1alpha1
kind: RateLimitPolicy
metadata: {name: clients}
spec:
  targetRefs: [{group: networking.istio.io, kind: Gateway, name: gw}]
  limits: [{requests: 1000000, period: 1s, by: [{clientAddress: {}}]}]
"""
ADDRESSES = """\
apiVersion: edgegate.io/v1alpha1
kind: AddressListPolicy
metadata: {name: office}
spec:
  targetRefs: [{group: networking.istio.io, kind: Gateway, name: gw}]
  allow: {addresses: [127.0.0.0/8, 10.0.0.0/8]}
"""
LOCAL = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: local, namespace: istio-system}
spec:
  configPatches:
  - applyTo: HTTP_FILTER
    match: {context: GATEWAY}
    patch:
      operation: INSERT_FIRST
      value:
        name: envoy.filters.http.local_ratelimit
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
          stat_prefix: local
          token_bucket: {max_tokens: 4000000000, tokens_per_fill: 4000000000, fill_interval: 1s}
          filter_enabled: {default_value: {numerator: 100}}
          filter_enforced: {default_value: {numerator: 100}}
"""


def cases() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield what is measured: its name, the policies, and the headers of requests."""
    key = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"})
    keys = json.dumps({"keys": [key.as_dict(private=False)]})
    claims = {"iss": ISSUER, "sub": "ann", "exp": int(time.time()) + 86400, "groups": ["staff"]}
    token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)
    yield "none", "", {}
    yield "addresses", ADDRESSES, {}
    yield "10 ALLOW rules", ALLOW, {}
    yield "rate limit by address", LIMIT, {}
    yield "EnvoyFilter's local limit", LOCAL, {}
    # the same header without a policy: what it takes to read it is no policy's
    yield "a header as long", "", {"authorization": f"Bearer {token}"}
    yield (
        "a known token and one ALLOW rule",
        TOKENS.format(issuer=ISSUER, keys=keys),
        {"authorization": f"Bearer {token}"},
    )


def ask(port: int, requests: int, headers: Mapping[str, str]) -> None:
    """Send so many requests; each must be answered 200."""
    h2load = find("h2load")
    if h2load is None:
        raise SystemExit("h2load is needed (Debian: nghttp2-client)")
    given = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    url = f"http://127.0.0.1:{port}/shop/items"
    command = [h2load, "--h1", "-n", str(requests), "-c", str(CONNECTIONS), f"--rps={RATE}", *given, url]
    said = subprocess.run(["taskset", "-c", LOAD_CORE, *command], check=True, capture_output=True, text=True).stdout
    if f"status codes: {requests} 2xx" not in said:
        raise SystemExit(f"not all were answered:\n{said}")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=40_000)
    parser.add_argument("twistd")
    options = parser.parse_args()
    found = list(cases())
    least = [float("inf")] * len(found)
    with TemporaryDirectory() as temporary, ExitStack() as stack:
        gateways = []
        for number, ((_, policies, headers), port) in enumerate(zip(found, free_ports(len(found)), strict=True)):
            folder = Path(temporary) / str(number)
            (folder / "etc").mkdir(parents=True)
            (folder / "etc" / "gw.yaml").write_text(FILES.format(port=port) + policies)
            command = [str(Path(options.twistd).absolute()), "-n", "--pidfile=", "edgegate", "--config=etc"]
            command += ["--no-watch", "--admin=none", "--access-log=none"]
            process = stack.enter_context(running(command, PROXY_CORE, port, folder / "log"))
            ask(port, WARM, headers)
            gateways.append((process.pid, port, headers))
        for _ in range(options.rounds):
            for number, (pid, port, headers) in enumerate(gateways):
                before = cpu_seconds(pid)
                ask(port, options.requests, headers)
                least[number] = min(least[number], (cpu_seconds(pid) - before) / options.requests * 1e6)
    base = least[0]
    for (name, _, _), spent in zip(found, least, strict=True):
        sys.stdout.write(f"{name:34} {spent:6.2f} us a request, {spent - base:+6.2f}\n")


if __name__ == "__main__":
    main()
