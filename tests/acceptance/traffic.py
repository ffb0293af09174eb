"""Backends and clients that keep a gateway busy while a test does something to it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

PAUSE = 0.05
"""Seconds between two requests of a client."""

PATIENCE = 60.0


class Traffic:
    """
    Runs in a thread of its own until it is stopped.

    @ivar failures: What went wrong, for each request without a whole answer of status 200.
    @ivar answers: How many answers each body had.
    """

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.answers: Counter[bytes] = Counter()
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def backend(self, body: bytes, host: str = "127.0.0.1", port: int = 0) -> int:
        """Open a backend that answers every request with a body, C{/gone/} never, and return its port."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while request := await reader.readuntil(b"\r\n\r\n"):
                    if b" /gone/" in request:
                        continue
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                writer.close()

        async def listen() -> int:
            server = await asyncio.start_server(serve, host, port, backlog=1000)
            return int(server.sockets[0].getsockname()[1])

        return self._run(listen())

    def keep(self, count: int, port: int, host: str, tls: bool = False) -> None:
        """Keep so many connections, and ask again and again on each."""
        for _ in range(count):
            self._begin(lambda: self._kept(port, host, tls))

    def come(self, rate: float, port: int, host: str, tls: bool = False) -> None:
        """Open so many connections a second, for one request each."""
        self._begin(lambda: self._coming(rate, port, host, tls))

    def hears(self, body: bytes, count: int) -> None:
        """Wait until so many more answers have a body."""
        with self._news:
            enough = self.answers[body] + count
            if not self._news.wait_for(lambda: self.answers[body] >= enough, PATIENCE):
                raise AssertionError(f"no {count} answers {body!r}: {self.answers}, {self.failures[:3]}")

    def stop(self) -> None:
        """Let every client end with the answer that it waits for. Once it is stopped this does nothing."""
        if self._loop.is_closed():
            return

        async def stop() -> None:
            self._stopping.set()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=PATIENCE)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for other in others:
                other.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self._run(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(2 * PATIENCE)

    def _begin(self, client: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._loop.call_soon_threadsafe(lambda: self._tasks.append(self._loop.create_task(client())))

    async def _kept(self, port: int, host: str, tls: bool) -> None:
        while not self._stopping.is_set():
            try:
                reader, writer = await _connect(port, host, tls)
            except (OSError, asyncio.TimeoutError) as error:
                self.failures.append(f"connect: {error!r}")
                await asyncio.sleep(PAUSE)
                continue
            going_on = True
            while going_on and not self._stopping.is_set():
                going_on = await self._ask(reader, writer, host)
                await asyncio.sleep(PAUSE)
                # what was ended between two requests is ended in good order
                going_on = going_on and not reader.at_eof()
            writer.close()

    async def _coming(self, rate: float, port: int, host: str, tls: bool) -> None:
        async def one() -> None:
            try:
                reader, writer = await _connect(port, host, tls)
            except (OSError, asyncio.TimeoutError) as error:
                self.failures.append(f"connect: {error!r}")
                return
            await self._ask(reader, writer, host)
            writer.close()

        clients = set()
        while not self._stopping.is_set():
            clients.add(asyncio.create_task(one()))
            await asyncio.sleep(1 / rate)
        await asyncio.gather(*clients)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> bool:
        """Ask once; tell whether the connection can be used again."""
        try:
            writer.write(b"GET / HTTP/1.1\r\nhost: %b\r\n\r\n" % host.encode())
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await asyncio.wait_for(reader.readexactly(length), PATIENCE)
        except (OSError, EOFError, asyncio.TimeoutError, ValueError) as error:
            self.failures.append(repr(error))
            return False
        if not head.startswith(b"http/1.1 200 "):
            self.failures.append(head.decode())
        with self._news:
            self.answers[body] += 1
            self._news.notify_all()
        return b"connection: close" not in head


def leave(port: int, request: bytes) -> None:
    """Send a part of a request, wait until it is on its way, and go away."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass


async def _connect(port: int, host: str, tls: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = None
    if tls:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    connecting = asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host if tls else None)
    return await asyncio.wait_for(connecting, PATIENCE)
