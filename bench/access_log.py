"""
Write an access log of many requests, for C{edgegate replay} to read.

    python bench/many_hosts.py FOLDER --services 1000
    python bench/access_log.py access.log --requests 1000000 --hosts 1000 [--format text|json|combined]
    time edgegate replay access.log --config FOLDER --against FOLDER

Hosts and paths are those of C{many_hosts.py}; few hosts have most of the requests. Two thirds of the requests are
unlike all others, unless C{--targets} says how many there are of each host.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path

Line = Callable[[int, str, str, str, str], str]


def text(number: int, method: str, path: str, host: str, agent: str) -> str:
    """Return a line as edgegate writes it."""
    return (
        f'[2026-03-01T12:00:{number % 60:02d}.123Z] "{method} {path} HTTP/1.1" 200 - via_upstream - "-" 0 '
        f'{number % 5000} 3 2 "10.0.0.{number % 250}" "{agent}" "{number:032x}" "{host}" "10.1.0.1:8080" '
        f"outbound|80||backend-0.internal 10.0.0.9:4000 10.0.0.9:8080 10.0.0.{number % 250}:5000 - default\n"
    )


def as_json(number: int, method: str, path: str, host: str, agent: str) -> str:
    """Return the same as JSON."""
    fields = {
        "start_time": f"2026-03-01T12:00:{number % 60:02d}.123Z",
        "method": method,
        "path": path,
        "protocol": "HTTP/1.1",
        "response_code": 200,
        "response_flags": None,
        "response_code_details": "via_upstream",
        "bytes_sent": number % 5000,
        "user_agent": agent,
        "request_id": f"{number:032x}",
        "authority": host,
        "upstream_cluster": "outbound|80||backend-0.internal",
        "downstream_local_address": "10.0.0.9:8080",
        "requested_server_name": None,
        "route_name": "default",
        "route_origin": "a.yaml:7",
    }
    return json.dumps(fields, separators=(",", ":")) + "\n"


def combined(number: int, method: str, path: str, host: str, agent: str) -> str:
    """Return a line of C{vhost_combined}, as Apache on Debian writes it."""
    return (
        f"{host}:8080 10.0.0.{number % 250} - - [01/Mar/2026:12:00:{number % 60:02d} +0000] "
        f'"{method} {path} HTTP/1.1" 200 {number % 5000} "-" "{agent}"\n'
    )


FORMATS: dict[str, Line] = {"text": text, "json": as_json, "combined": combined}


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--targets", type=int, default=10_000_000)
    parser.add_argument("--format", choices=FORMATS, default="text")
    options = parser.parse_args()
    rng = random.Random(3)
    agents = [f"Mozilla/5.0 (X11; Linux x86_64; rv:{i}.0) Gecko/20100101 Firefox/{i}.0" for i in range(200)]
    line = FORMATS[options.format]
    with options.log.open("w") as file:
        for number in range(options.requests):
            at, kind = int(rng.paretovariate(1.1)) % options.hosts, rng.random()
            item = f"items/{rng.randrange(options.targets)}?page={rng.randrange(9)}"
            path = "cart" if kind < 0.1 else "items" if kind < 0.4 else item
            agent = agents[int(rng.paretovariate(0.8)) % len(agents)]
            method = "POST" if kind < 0.1 else "GET"
            file.write(line(number, method, f"/shop/{at}/{path}", f"shop-{at}.example.com", agent))


if __name__ == "__main__":
    main()
