"""
Write a folder with many virtual hosts, to see what it costs to load them.

    python bench/many_hosts.py FOLDER --services 10000 [--each]
    /usr/bin/time -v edgegate check FOLDER

The second line tells the time (elapsed) and the memory (maximum resident set size) of one loading; on Debian
the command is in the package C{time}. Of a gateway that runs (C{twistd -n edgegate --config FOLDER}),
C{VmRSS} in /proc/PID/status is what it holds, and C{VmHWM} the most that it ever held: read it again after
something was changed in the folder and C{kill -HUP PID}.

Each VirtualService has a host of its own and ten routes: exact paths, prefixes, a regular expression, a header, a
method, some with a name, a timeout, a rewrite or headers. Files are as large as one may be; with C{--each} every
document has one of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

MAX_FILE = 30_000_000
"""Bytes of a file; 32 MiB is what edgegate reads."""

BACKENDS = 5

_GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: gw
  namespace: edge
spec:
  servers:
  - port:
      number: {port}
      name: http
      protocol: HTTP
    hosts:
    - "*"
"""

_BACKEND = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: backend-{number}
  namespace: edge
spec:
  hosts:
  - backend-{number}.internal
  ports:
  - number: 80
    name: http
    protocol: HTTP
    targetPort: {target}
  resolution: STATIC
  endpoints:
  - address: 127.0.0.1
"""

_SERVICE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: shop-{number}
  namespace: edge
spec:
  hosts:
  - shop-{number}.example.com
  gateways:
  - edge/gw
  http:
"""

_MATCHES = (
    "- name: cart\n  match:\n  - uri:\n      exact: /shop/{number}/cart\n    method:\n      exact: POST\n"
    "  timeout: 5s\n",
    "- match:\n  - uri:\n      exact: /shop/{number}/items\n",
    '- match:\n  - uri:\n      regex: "/shop/[0-9]+/items/[a-z0-9-]+"\n  timeout: 2.5s\n',
    "- name: api\n  match:\n  - uri:\n      prefix: /api/v1/\n  - uri:\n      prefix: /api/v2/\n",
    "- match:\n  - uri:\n      prefix: /beta/\n    headers:\n      x-tester:\n        exact: yes-please\n",
    "- match:\n  - uri:\n      prefix: /old/\n  rewrite:\n    uri: /new/\n",
    "- match:\n  - uri:\n      prefix: /static/\n  headers:\n    response:\n      set:\n        x-served-by: edge\n",
    "- name: reports\n  match:\n  - method:\n      exact: GET\n    uri:\n      prefix: /reports/{number}/\n",
    '- match:\n  - headers:\n      user-agent:\n        prefix: "Mobile/"\n',
    "- name: rest\n  match:\n  - uri:\n      prefix: /\n  timeout: 30s\n",
)

_DESTINATION = """\
  route:
  - destination:
      host: backend-{backend}.internal
      port:
        number: 80
"""


def documents(services: int, port: int = 8080, target: int = 9000) -> Iterator[str]:
    """
    Yield a Gateway, the backends, and VirtualServices.

    @param port: Where the gateway listens.
    @param target: Where all backends do.
    """
    yield _GATEWAY.format(port=port)
    for number in range(BACKENDS):
        yield _BACKEND.format(number=number, target=target)
    for number in range(services):
        yield service(number)


def service(number: int) -> str:
    """Return one VirtualService with ten routes."""
    routes = (
        match.format(number=number) + _DESTINATION.format(backend=(number + index) % BACKENDS)
        for index, match in enumerate(_MATCHES)
    )
    return _SERVICE.format(number=number) + "".join("  " + line for line in "".join(routes).splitlines(True))


def write(folder: Path, services: int, each: bool = False, port: int = 8080, target: int = 9000) -> None:
    """
    Write the files.

    @param each: Every document has a file of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if each:
        for number, text in enumerate(documents(services, port, target)):
            (folder / f"{number:06}.yaml").write_text(text)
        return
    texts: list[str] = []
    size = files = 0
    for text in documents(services, port, target):
        if size + len(text) > MAX_FILE:
            (folder / f"{files:06}.yaml").write_text("---\n".join(texts))
            texts, size, files = [], 0, files + 1
        texts.append(text)
        size += len(text) + 4
    (folder / f"{files:06}.yaml").write_text("---\n".join(texts))


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description="Write a folder with many virtual hosts.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--services", type=int, default=10_000, help="how many VirtualServices")
    parser.add_argument("--each", action="store_true", help="a file for each document")
    parser.add_argument("--port", type=int, default=8080, help="where the gateway listens")
    parser.add_argument("--target", type=int, default=9000, help="where the backends listen")
    given = parser.parse_args()
    write(given.folder, given.services, given.each, given.port, given.target)


if __name__ == "__main__":
    main()
