"""A worker in the process of the tests, and the supervisor's end of its channel."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any, TypeVar, cast

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from edgegate.model.addresses import TCPAddress
from edgegate.net.channel import Channel, Received, pair
from edgegate.net.peer import Peer
from edgegate.server.contexts import Contexts
from edgegate.sources.named import source_named
from edgegate.twistd_options import Options
from edgegate.workers.inheritance import Inheritance
from edgegate.workers.messages import Accept, Fork, LogTo, Ready
from edgegate.workers.slots import Slots, shared_memory
from edgegate.workers.worker import Worker

PATIENCE = 60.0

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {port}, name: http, protocol: HTTP}}, bind: 127.0.0.1, hosts: ["*"]}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: silent}}
spec:
  hosts: [silent.example]
  ports: [{{number: {backend}, name: http, protocol: HTTP}}]
  resolution: STATIC
  endpoints: [{{address: 127.0.0.1}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: vs}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - {{match: [{{uri: {{prefix: /silent}}}}], route: [{{destination: {{host: silent.example}}}}]}}
  - {{directResponse: {{status: 200, body: {{string: served}}}}}}
"""

T = TypeVar("T")


class Beside:
    """
    The reactor of the tests, for somebody who is not alone on it.

    @ivar stopped: Fires when it was to be stopped.
    """

    def __init__(self) -> None:
        self.stopped: Deferred[None] = Deferred()

    def __getattr__(self, name: str) -> Any:
        return getattr(installed, name)

    def stop(self) -> None:
        """End, as far as that one is concerned."""
        self.stopped.callback(None)


class Hearing:
    """
    What a supervisor hears of a worker.

    @ivar told: All that nobody has asked for yet.
    @ivar gone: Fires when nothing more comes.
    """

    def __init__(self, channel: Channel) -> None:
        self.told: list[object] = []
        self.gone: Deferred[None] = Deferred()
        self._news: Deferred[None] = Deferred()
        self.peer = Peer(cast(IReactorFDSet, installed), channel, self._told, lambda: self.gone.callback(None))
        self.peer.start()

    def _told(self, received: Received) -> None:
        self.told.append(received.value)
        news, self._news = self._news, Deferred()
        news.callback(None)

    async def next(self, kind: type[T]) -> T:
        """Return the next value of a kind, when it comes."""
        while True:
            for each in self.told:
                if isinstance(each, kind):
                    self.told.remove(each)
                    return each
            await self._news


class WorkerCase(TestCase):
    """A worker whose files have a response of the gateway's own, and a backend that never answers."""

    options: tuple[str, ...] = ("--access-log=-",)

    def setUp(self) -> None:
        """Write the files, open the port."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listening.close)
        self.port = self.listening.getsockname()[1]
        self.silent = socket.create_server(("127.0.0.1", 0))
        self.silent.settimeout(PATIENCE)
        self.addCleanup(self.silent.close)
        (self.folder / "a.yaml").write_text(FILES.format(port=self.port, backend=self.silent.getsockname()[1]))
        self.memory = shared_memory()
        self.addCleanup(os.close, self.memory)
        self.slots = Slots(self.memory)

    def inheritance(self, channel: Channel, bound: bool = True) -> Inheritance:
        """
        Return what a zygote would have made of the files.

        @param bound: Whether it was sent the port.
        """
        options = Options()
        options.parseOptions(("--config", str(self.folder), *self.options))
        loaded = options.configuration(source_named(options["config"])).load()
        self.assertEqual(loaded.problems.errors, 0, list(loaded.problems))
        assert loaded.snapshot is not None
        sockets = {TCPAddress("127.0.0.1", self.port): os.dup(self.listening.fileno())} if bound else {}
        contexts = Contexts().following(loaded.snapshot, loaded.secrets, loaded.secrets)
        return Inheritance(Fork(0, (0,)), channel, sockets, frozenset(), self.slots, options, loaded, contexts)

    def make(self, bound: bool = True) -> Worker:
        """Make a worker that was not started."""
        ours, theirs = pair()
        self.heard = Hearing(Channel(theirs))
        self.addCleanup(self.heard.peer.close)
        self.reactor = Beside()
        return Worker(cast(Any, self.reactor), self.inheritance(Channel(ours), bound))

    async def serving(self, path: Path | None = None) -> Worker:
        """
        Return a worker that serves; it is to be ended.

        @param path: Of the access log that it is handed.
        """
        worker = self.make()
        self.assertTrue(worker.start())
        await self.heard.next(Ready)
        log = os.open(path or self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.heard.peer.send(LogTo(), (log,))
        os.close(log)
        self.heard.peer.send(Accept())
        return worker

    async def ask(self, path: str = "/") -> bytes:
        """Ask on a new connection, and return all that comes."""

        def ask() -> bytes:
            with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as client:
                client.sendall(b"GET %b HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n" % path.encode())
                try:
                    return client.makefile("rb").read()
                except ConnectionResetError:
                    return b"reset"

        return await deferToThread(ask)
