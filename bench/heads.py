"""
What it costs to read a head of HTTP/1 that did not come before, and to write it for a backend, without a socket.

    .venv-bench/bin/python bench/heads.py

The figure is the CPU time for each head, the least of some rounds. Kinds of heads: those of one browser that asks for
other things with other cookies; mixed ones (L{mixed}); those of programs, of which most lines are other ones each time;
and those of one connection that differ in their path alone.
"""

from __future__ import annotations

import time

from mixed import MixedRequest, mixed_requests
from stage import HOST

from edgegate.http.h1.head_parser import HeadParser
from edgegate.http.h1.request_writer import _lines
from edgegate.http.limits import Limits
from edgegate.http.request import RequestHead
from edgegate.http.upstream_head import UpstreamHead
from edgegate.version import compiled

COUNT, ROUNDS = 4_000, 7


def raw_of(request: MixedRequest, number: int) -> bytes:
    """Return the head of a request."""
    lines = [f"{request.method} {request.path.format(number)} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"{name}: {value}" for name, value in request.fields]
    if request.body:
        lines.append(f"Content-Length: {request.body}")
    return "\r\n".join([*lines, "Connection: keep-alive", "", ""]).encode()


def kinds() -> dict[str, list[bytes]]:
    """Return heads of each kind; twice as many as are measured, those in front to warm up."""
    requests, numbers = mixed_requests(), range(2 * COUNT)
    browser = raw_of(requests[0], 0)
    cookie = browser.index(b"session=") + 8
    own = ("Authorization: Bearer", "X-Id:", "X-At:")
    program = "\r\n".join(
        ["GET /items/{0} HTTP/1.1", "Host: a", "Accept: */*", *(f"{each} {{0}}" for each in own), "", ""]
    )
    return {
        "one browser": [
            (browser[:cookie] + b"%d" % number + browser[cookie:]).replace(b"item-0", b"item-%d" % number)
            for number in numbers
        ],
        "mixed": [raw_of(requests[number % len(requests)], number) for number in numbers],
        "programs": [program.format(number).encode() for number in numbers],
        "another path": [browser.replace(b"item-0", b"item-%d" % number) for number in numbers],
    }


def measured(raws: list[bytes], one_connection: bool) -> tuple[float, float]:
    """Return the microseconds that one head takes to be read, and to be read and written."""
    read = HeadParser(Limits()).read
    last, before = b"", None
    heads: list[RequestHead] = []
    began = 0.0
    for number, raw in enumerate(raws):
        if number == COUNT:
            heads.clear()
            began = time.process_time()
        head = read(raw, last, before)
        heads.append(head)
        if one_connection:
            last, before = raw, head
    whole = time.process_time()
    for head in heads:
        sent = UpstreamHead(head.method, head.target, head.authority, head.host, head.fields, head.length, head.sized)
        sent.lines = head.lines
        _lines(sent)
    return (whole - began) / COUNT * 1e6, (time.process_time() - began) / COUNT * 1e6


def main() -> None:
    """Measure and print."""
    print("compiled" if compiled() else "uncompiled")
    for name, raws in kinds().items():
        rounds = [measured(raws, name == "another path") for _ in range(ROUNDS)]
        reading, both = (min(column) for column in zip(*rounds, strict=True))
        print(f"{name:14}{len(raws[-1]):5} bytes: read {reading:6.2f} us, read and written {both:6.2f} us")


if __name__ == "__main__":
    main()
