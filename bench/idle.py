"""What a TLS connection costs that says nothing, of HTTP/1.1 or HTTP/2: its share of the proxy's memory."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from pathlib import Path

from figures import Idle
from loads import REQUEST, Unanswered, context
from stage import DESCRIPTORS, HOST, LOAD_CORE, Stage, resident

PATIENCE = 20.0
"""Seconds that an answer may take."""

WARM = 100
"""Connections before the count, for what the first of them make once and for all."""


def measure(stage: Stage, ports: dict[str, tuple[int, int]], count: int, protocol: str) -> dict[str, Idle]:
    """
    Return what an idle connection takes in each proxy.

    @param ports: The process and the TLS port of each.
    @param protocol: As in ALPN: C{http/1.1} or C{h2}.
    """
    count = min(count, DESCRIPTORS // 3 - 200)
    found = {}
    for name, (pid, port) in ports.items():
        try:
            found[name] = Idle(count, _each(stage, pid, port, count, protocol))
        except Unanswered as error:
            print(f"{name} takes no part in this: {error}", file=sys.stderr)
    return found


def _each(stage: Stage, pid: int, port: int, count: int, protocol: str) -> float:
    client = [sys.executable, __file__, str(port), str(stage.folder), str(count), protocol]
    command = ["taskset", "-c", LOAD_CORE, *client]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None and client.stdin is not None
        _expect(client.stdout.readline())
        before = resident(pid)
        print(file=client.stdin, flush=True)
        _expect(client.stdout.readline())
        after = resident(pid)
        client.stdin.close()
    return round((after - before) * 1024 / count, 1)


def _expect(line: str) -> None:
    if line != "open\n":
        raise Unanswered(f"the idle connections did not come about: {line!r}")


def opened(port: int, settings: ssl.SSLContext, protocol: str) -> ssl.SSLSocket:
    """Open a connection that has had one answer."""
    plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
    secure = settings.wrap_socket(plain, server_hostname=HOST)
    if secure.selected_alpn_protocol() != protocol:
        raise SystemExit("another protocol")
    if protocol == "h2":
        _ask_http2(secure)
        return secure
    secure.sendall(REQUEST)
    if not secure.recv(65536).startswith(b"HTTP/1.1 200 "):
        raise SystemExit("no good answer")
    return secure


def _ask_http2(secure: ssl.SSLSocket) -> None:
    """Ask for the small answer over HTTP/2, and take it to its end."""
    from h2.config import H2Configuration  # noqa: PLC0415 (an extra of one scenario)
    from h2.connection import H2Connection  # noqa: PLC0415
    from h2.events import ResponseReceived, StreamEnded  # noqa: PLC0415

    connection = H2Connection(H2Configuration(header_encoding="ascii"))
    connection.initiate_connection()
    head = [(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", "/")]
    connection.send_headers(1, head, end_stream=True)
    while True:
        secure.sendall(connection.data_to_send())
        received = secure.recv(65536)
        if not received:
            raise SystemExit("no answer")
        for event in connection.receive_data(received):
            if isinstance(event, ResponseReceived) and (":status", "200") not in event.headers:
                raise SystemExit("no good answer")
            if isinstance(event, StreamEnded):
                secure.sendall(connection.data_to_send())  # it has its SETTINGS acknowledged
                return


def main() -> None:
    """Be the client: open some connections, wait for a line, open the others, and keep all to the end of the input."""
    port, settings, protocol = int(sys.argv[1]), context(Path(sys.argv[2])), sys.argv[4]
    settings.set_alpn_protocols([protocol])
    kept = []
    for number in (WARM, int(sys.argv[3])):
        kept += [opened(port, settings, protocol) for _ in range(number)]
        print("open", flush=True)
        sys.stdin.readline()


if __name__ == "__main__":
    main()
