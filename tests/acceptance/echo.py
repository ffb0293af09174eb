"""Backends that tell what they received, and do to their clients what they are told to."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 20.0

Headers = list[tuple[str, str]]


@dataclass
class Seen:
    """
    A request as a backend received it.

    @ivar connection: The number of its connection, among those of the backend.
    @ivar headers: In their order, names as they were written.
    """

    connection: int
    method: str
    target: str
    headers: Headers
    body: bytes = b""
    trailers: Headers = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key.lower() == name]


class EchoBackends:
    """
    Runs in a thread of its own until it is stopped.

    Each backend answers every request with what it received, as JSON. What it
    does besides stands in the header C{x-do} of the request, else in what its
    opener said: words with semicolons between them.

        - C{status=503}, C{header=x-a:b} (of which there may be several), C{body=text}, C{empty}: what is answered
        - C{fail=2}: 503 to the first two requests of the same C{x-key}
        - C{reset}, C{close}, C{hang}: nothing is answered
        - C{cut}: the connection ends in the middle of the answer
        - C{delay=0.2}, C{dribble=0.1}: seconds before the answer, before each byte of its body
        - C{early}: the answer does not wait for the body

    @ivar seen: The requests of each backend, by its name.
    @ivar connections: How many connections each had.
    """

    def __init__(self) -> None:
        self.seen: dict[str, list[Seen]] = {}
        self.connections: Counter[str] = Counter()
        self._keys: Counter[str] = Counter()
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def open(self, name: str, does: str = "") -> int:
        """Open a backend on 127.0.0.1 and return its port."""
        self.seen[name] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections[name] += 1
            try:
                await self._serve(name, does, reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                pass
            writer.close()

        async def listen() -> int:
            server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
            return int(server.sockets[0].getsockname()[1])

        return int(self._run(listen()))

    def forget(self) -> None:
        """Forget what was seen."""
        with self._news:
            self._keys.clear()
            self.connections.clear()
            for seen in self.seen.values():
                seen.clear()

    def saw(self, name: str, count: int = 1) -> list[Seen]:
        """Wait until a backend has seen so many requests whole, and return them all."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.seen[name]) >= count, PATIENCE):
                raise AssertionError(f"{name} saw {len(self.seen[name])} requests, not {count}")
            return list(self.seen[name])

    def stop(self) -> None:
        """Close everything."""

        async def stop() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for other in others:
                other.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self._run(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _serve(self, name: str, does: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = self.connections[name]
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            line, *lines = head.decode("latin-1").split("\r\n")[:-2]
            method, target, _ = line.split(" ")
            request = Seen(number, method, target, _fields(lines))
            told = request.values("x-do")
            words = _words(told[0] if told else does)
            if "early" not in words:
                await _read_body(request, reader)
            with self._news:
                self.seen[name].append(request)
                self._news.notify_all()
            if not await self._answer(name, request, words, writer):
                return

    async def _answer(self, name: str, request: Seen, words: dict[str, str], writer: asyncio.StreamWriter) -> bool:
        """Answer a request as it is told; tell whether the connection is good for another one."""
        if "delay" in words:
            await asyncio.sleep(float(words["delay"]))
        if "hang" in words:
            await asyncio.sleep(PATIENCE)
        if "reset" in words:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return False
        if "close" in words:
            return False
        status = int(words.get("status", "200"))
        if "fail" in words:
            key = "".join([name, *request.values("x-key")])
            self._keys[key] += 1
            status = 503 if self._keys[key] <= int(words["fail"]) else status
        body = words["body"].encode() if "body" in words else b"" if "empty" in words else _told(name, request)
        extra = [words["header"]] if "header" in words else []
        bodiless = status in (204, 304)
        lines = [f"HTTP/1.1 {status} Told", f"x-backend: {name}", *extra]
        lines += [] if bodiless else ["content-type: application/json", f"content-length: {len(body)}"]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        if bodiless or request.method == "HEAD":
            return True
        if "cut" in words:
            writer.write(body[:10])
            return False
        if "dribble" in words:
            for at in range(len(body)):
                if writer.transport.is_closing():
                    return False
                writer.write(body[at : at + 1])
                await asyncio.sleep(float(words["dribble"]))
            return True
        writer.write(body)
        await writer.drain()
        return "early" not in words


def _words(text: str) -> dict[str, str]:
    """Read what a backend is to do; the lines of all C{header}s are one value."""
    found: dict[str, str] = {}
    for word in filter(None, text.split(";")):
        name, _, value = word.strip().partition("=")
        if name == "header":
            value = "\r\n".join([*filter(None, [found.get(name)]), value.replace(":", ": ", 1)])
        found[name] = value
    return found


def _fields(lines: list[str]) -> Headers:
    pairs = (line.partition(":") for line in lines)
    return [(name, value.strip()) for name, _, value in pairs]


async def _read_body(request: Seen, reader: asyncio.StreamReader) -> None:
    if request.values("transfer-encoding") != ["chunked"]:
        length = request.values("content-length")
        request.body = await reader.readexactly(int(length[0])) if length else b""
        return
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    request.body = b"".join(pieces)
    lines = []
    while (line := (await reader.readuntil(b"\r\n")).decode("latin-1").strip()) != "":
        lines.append(line)
    request.trailers = _fields(lines)


def _told(name: str, request: Seen) -> bytes:
    told = {
        "backend": name,
        "connection": request.connection,
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body": request.body.decode("latin-1"),
        "trailers": request.trailers,
    }
    return json.dumps(told).encode()
