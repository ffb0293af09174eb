"""What C{edgegate test --write} does: from the lines of an access log to tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from edgegate.replay.formats import columns
from edgegate.replay.formats.recognition import UnknownFormat, recognised, says_host
from edgegate.replay.log_file import LogFile
from edgegate.replay.logged_request import Defaults, RequestReader
from edgegate.route_tests.placement import Unplaced
from edgegate.route_tests.writing import tests_of
from edgegate.sources.loading import Loaded

_WANTED = (
    *(columns.METHOD, columns.PATH, columns.QUERY, columns.PROTOCOL, columns.AUTHORITY, columns.HOST, columns.SERVER),
    *(columns.PORT, columns.LOCAL, columns.SCHEME, columns.SNI),
)


def write_tests(log: str, loaded: Loaded, port_map: Mapping[int, int]) -> None:
    """
    Print tests of the requests in a log, and tell of how many they were made.

    @raise click.ClickException: The log can't be read, or no test can be made of it.
    """
    assert loaded.snapshot is not None
    unread = [0]
    try:
        written = tests_of(_requests(log, port_map, unread), loaded.snapshot, loaded.endpoints)
    except OSError as error:
        raise click.ClickException(f"{log}: {error.strerror or error}") from None
    except UnknownFormat as error:
        raise click.ClickException(f"{log}: {error}") from None
    if not written.tests:
        lines = f"{unread[0]} lines are no requests, {written.left_out} requests can't be sent"
        raise click.ClickException(f"{log}: no test was made: {lines}")
    click.echo(written.text, nl=False)
    left_out = f", {written.left_out} left out" if written.left_out else ""
    lines = f", {unread[0]} lines are no requests" if unread[0] else ""
    click.echo(f"{written.tests} tests of {written.seen} requests{left_out}{lines}", err=True)


def _requests(name: str, port_map: Mapping[int, int], unread: list[int]) -> Iterator[Unplaced]:
    """
    Yield the requests of a log.

    @param port_map: The numbers that were bound, by those of the files.
    @param unread: Its number is how many lines hold none.
    """
    log = LogFile(name)
    try:
        form = recognised(log.sample())
        if not says_host(form):
            raise UnknownFormat(
                f"its lines ({form.name}) do not say which host was asked for: no test can be made of them"
            )
        reader = form.reader(_WANTED)
        ports = {bound: number for number, bound in port_map.items()}
        requests = RequestReader(reader.columns, form.columns, form.escapes, Defaults(ports=ports))
        for piece in log.pieces(0):
            for line in piece.lines():
                values = reader.read(line)
                request = values if isinstance(values, str) else requests.request(values)
                if isinstance(request, str):
                    unread[0] += 1
                    continue
                method, authority, target = (
                    part.decode("latin-1") for part in (request.method, request.authority, request.target)
                )
                yield Unplaced(method, authority, target, secure=request.tls, port=request.port)
    finally:
        log.close()
