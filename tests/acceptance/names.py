"""A name server whose answers a test changes while a gateway asks it."""

from __future__ import annotations

import socket
import threading

from twisted.names import dns

TTL = 1


class Names:
    """
    Answers by UDP on 127.0.0.1, in a thread of its own.

    @ivar addresses: The IPv4 addresses of each name; others do not exist.
    @ivar asked: How many questions there were.
    """

    def __init__(self) -> None:
        self.addresses: dict[str, tuple[str, ...]] = {}
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self._news = threading.Condition()
        self._stopping = False
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer no more. May be called twice."""
        self._stopping = True
        self._thread.join()
        self._socket.close()

    def is_asked(self, count: int = 2) -> None:
        """Wait for so many more questions."""
        with self._news:
            enough = self.asked + count
            if not self._news.wait_for(lambda: self.asked >= enough, 20):
                raise AssertionError(f"only {self.asked} questions")

    def _serve(self) -> None:
        while not self._stopping:
            try:
                data, client = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            self._socket.sendto(self._answer(data), client)
            with self._news:
                self.asked += 1
                self._news.notify_all()

    def _answer(self, data: bytes) -> bytes:
        message = dns.Message()
        message.fromStr(data)
        message.answer = 1
        (query,) = message.queries
        known = self.addresses.get(str(query.name))
        if known is None:
            message.rCode = dns.ENAME
        elif query.type == dns.A:
            records = [dns.Record_A(host, TTL) for host in known]
            message.answers = [dns.RRHeader(str(query.name), dns.A, dns.IN, TTL, record) for record in records]
        return bytes(message.toStr())
