"""TLS for clients that have none, or none that works with threads."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from pathlib import Path


class TLSForwarder:
    """
    A port in the clear whose connections go on inside TLS. Ends of streams are passed on.

    @ivar port: On 127.0.0.1.
    """

    def __init__(self, target: int, name: str, authority: Path) -> None:
        """
        @param target: The port that speaks TLS.
        @param name: Who is asked for, and whose certificate must be shown.
        """
        self._target = target
        self._name = name
        self._context = ssl.create_default_context(cafile=authority)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self.port = int(server.result().sockets[0].getsockname()[1])

    def stop(self) -> None:
        """End all connections."""

        async def end() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection(
            "127.0.0.1", self._target, ssl=self._context, server_hostname=self._name
        )
        await asyncio.gather(_copy(reader, outer), _copy(inner, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
