"""
Tell what the layer of HTTP/2 costs by itself: a server, and a client, in memory, beside the package h2.

    .venv/bin/pip install -e .[test,compile] && .venv/bin/python bench/http2_layer.py [--seconds S] [--uncompiled]

Figures are microseconds of CPU for a request of eight fields and its response of six and 38 bytes, where 1, 10 or 100
requests come in one read. The layer is compiled by mypyc in a folder of its own, with L{http2_ends}, which drives it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pages

ROOT = Path(__file__).resolve().parent.parent

FIELDS = [
    (b":method", b"GET"),
    (b":scheme", b"https"),
    (b":authority", b"a.example"),
    (b":path", b"/catalog/items"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64)"),
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"accept-language", b"en"),
]

KINDS = ("block repeats", "new literal path", "one new indexed field")

BATCHES = (1, 10, 100)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MUCH = (1 << 31) - 1
START = (
    PREFACE
    + b"\0\0\6\4\0\0\0\0\0\0\4"
    + MUCH.to_bytes(4, "big")
    + b"\0\0\4\x08\0\0\0\0\0"
    + (MUCH - 65535).to_bytes(4, "big")
)
"""What a client begins with that takes any amount."""

SHARED = ("errors", "http/fields", "http/request", "http/response", "http/target")
"""Modules that are compiled beside those of http/h2."""

BUILD = """\
import sys
from setuptools import setup
from mypyc.build import mypycify

paths = [*(f"edgegate/{name}.py" for name in sys.argv[1:]), "http2_ends.py"]
sys.argv = ["setup.py", "--quiet", "build_ext", "--inplace"]
setup(ext_modules=mypycify(["--config-file=setup.cfg", *paths], opt_level="3", debug_level="0", group_name="edgegate"))
"""


def requests(kind: str, batch: int) -> Iterator[bytes]:
    """Return what a client sends, for ever, so many requests at a time."""
    from hpack import Encoder  # noqa: PLC0415 (only where it is measured)

    encoder = Encoder()
    count = 0
    while True:
        parts = []
        for _ in range(batch):
            block = encoder.encode(FIELDS)
            if kind == "new literal path" and count:
                path = b"/catalog/%08d" % count
                block = block[:3] + b"\x04" + bytes((len(path),)) + path + block[4:]
            elif kind == "one new indexed field":
                block += encoder.encode([(b"grpc-timeout", b"%dm" % (count % 1000000))])
            number = 2 * count + 1
            parts.append(len(block).to_bytes(3, "big") + b"\1\5" + number.to_bytes(4, "big") + block)
            count += 1
        yield b"".join(parts)


def clocked(turn: Callable[[bytes], None], inputs: Iterator[bytes], batch: int, seconds: float) -> float:
    """Return the CPU of a request, without what making its bytes takes."""
    spent = 0.0
    done = 0
    for _ in range(20):
        turn(next(inputs))
    while spent < seconds:
        ready = [next(inputs) for _ in range(max(1, 2000 // batch))]
        before = time.process_time()
        for each in ready:
            turn(each)
        spent += time.process_time() - before
        done += len(ready) * batch
    return spent / done * 1e6


def own() -> Callable[[bytes], None]:
    """Return a turn of the layer."""
    import http2_ends  # noqa: PLC0415 (compiled or not, as the path has it)

    connection = http2_ends.server(frozenset((b"GET",)))
    connection.receive(START)
    connection.take()

    def turn(data: bytes) -> None:
        connection.receive(data)
        if not connection.take() or connection.code >= 0:
            raise SystemExit(f"not answered: {connection.reason}")

    return turn


def other(checks: bool) -> Callable[[bytes], None]:
    """Return a turn of the package h2."""
    import http2_ends  # noqa: PLC0415
    from h2.config import H2Configuration  # noqa: PLC0415
    from h2.connection import H2Connection  # noqa: PLC0415
    from h2.events import RequestReceived  # noqa: PLC0415

    connection = H2Connection(
        H2Configuration(
            client_side=False,
            header_encoding=None,
            validate_inbound_headers=checks,
            normalize_inbound_headers=checks,
            validate_outbound_headers=checks,
            normalize_outbound_headers=checks,
        )
    )
    connection.initiate_connection()
    connection.receive_data(START)
    answer = [*http2_ends.ANSWER, (b"x-envoy-upstream-service-time", b"1")]

    def turn(data: bytes) -> None:
        for event in connection.receive_data(data):
            if isinstance(event, RequestReceived) and event.stream_id:
                connection.send_headers(event.stream_id, answer)
                connection.send_data(event.stream_id, http2_ends.BODY, end_stream=True)
        connection.data_to_send()

    return turn


def as_client(batch: int, seconds: float) -> float:
    """Return the CPU of a request for the end that asks; it is answered by the layer itself."""
    import http2_ends  # noqa: PLC0415
    from hpack import Encoder  # noqa: PLC0415

    client, server = http2_ends.client(), http2_ends.server(frozenset((b"GET",)))
    server.receive(client.take())
    client.receive(server.take())
    server.receive(client.take())
    block = Encoder().encode(FIELDS)
    spent = 0.0
    done = 0
    while spent < seconds:
        before = time.process_time()
        http2_ends.ask(client, block, batch)
        asked = client.take()
        spent += time.process_time() - before
        server.receive(asked)
        answered = server.take()
        before = time.process_time()
        client.receive(answered)
        spent += time.process_time() - before
        done += batch
        if client.streams or client.code >= 0:
            raise SystemExit(f"not answered: {client.reason}")
    return spent / done * 1e6


def measure(what: str, seconds: float) -> dict[str, list[float]]:
    """Return the figures of each kind."""
    figures: dict[str, list[float]] = {}
    for kind in KINDS:
        figures[kind] = []
        for batch in BATCHES:
            turn = own() if what == "own" else other(what == "h2")
            figures[kind].append(clocked(turn, requests(kind, batch), batch, seconds))
    if what == "own":
        figures["as a client"] = [as_client(batch, seconds) for batch in BATCHES]
    return figures


def measured(what: str, folder: Path, seconds: float) -> dict[str, list[float]]:
    """Measure in a process of its own that finds the layer in this folder."""
    command = [sys.executable, str(Path(__file__).resolve()), "--measure", what, "--folder", str(folder)]
    found = subprocess.run([*command, "--seconds", str(seconds)], check=True, stdout=subprocess.PIPE)
    figures: dict[str, list[float]] = json.loads(found.stdout)
    return figures


def compiled(folder: Path) -> None:
    """Compile the layer there."""
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(ROOT / "edgegate", folder / "edgegate", ignore=ignored)
    for path in (ROOT / "setup.cfg", ROOT / "README.md", ROOT / "bench" / "http2_ends.py"):
        shutil.copy(path, folder)
    layer = [f"http/h2/{path.stem}" for path in (ROOT / "edgegate/http/h2").glob("[a-z]*.py")]
    subprocess.run([sys.executable, "-c", BUILD, *SHARED, *layer], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="CPU that each figure takes")
    parser.add_argument("--uncompiled", action="store_true", help="do not compile")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        sys.path.insert(0, options.folder)
        print(json.dumps(measure(options.measure, options.seconds)))
        return
    found = {
        "`h2`": measured("h2", ROOT, options.seconds),
        "`h2`, its checks off": measured("h2 unchecked", ROOT, options.seconds),
        "edgegate, uncompiled": measured("own", ROOT, options.seconds),
    }
    if not options.uncompiled:
        with tempfile.TemporaryDirectory() as folder:
            compiled(Path(folder))
            found["edgegate"] = measured("own", Path(folder), options.seconds)
    first = found["`h2`"]
    rows = []
    for what, figures in found.items():
        for kind, values in figures.items():
            ratios = [value / other for value, other in zip(values, first[kind], strict=True)] if kind in first else []
            shown = [" / ".join(f"{value:.2f}" for value in values), " / ".join(f"{ratio:.4f}" for ratio in ratios)]
            rows.append((what, kind, *shown))
    print("\n".join(pages.table(("", "µs of CPU a request, 1 / 10 / 100 in a read", "", "beside h2"), rows)))


if __name__ == "__main__":
    main()
