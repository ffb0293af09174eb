"""
The story of a request that was, in lines of text: who asked, which way it went, each try, and what its client got.

It is made of what C{/requests/ID} on the admin listener tells of a request; see
L{edgegate.http.recent_requests.KeptRequest.story}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Final

Told = Mapping[str, object]
"""A request, or a try, as JSON has it."""

_DEFAULT: Final = {"http": 80, "https": 443}


def story(told: Told) -> Iterator[str]:
    """Yield the lines; nothing in them can control a terminal."""
    for line in _lines(told):
        yield "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)


def _lines(told: Told) -> Iterator[str]:
    yield f"{told['method']} {_url(told)}"
    worker = "" if told.get("worker") is None else f", worker {told['worker']}"
    yield f"  at {told['time']}, id {told['request_id']}{worker}"
    sni = f", SNI {told['sni']}" if told["sni"] else ""
    yield f"  from {told['client']} to {told['connected_to']}{sni}, {told['protocol']}"
    if told["virtual_host"]:
        yield f"  virtual host {told['virtual_host']}"
    else:
        yield "  no server of the port has the host"
    if told["file"]:
        yield f"  route {told['route']}, {told['file']}" if told["route"] else f"  route at {told['file']}"
    if told["cluster"]:
        yield f"  cluster {told['cluster']}"
    tries = _all(told["tries"])
    for number, each in enumerate(tries):
        yield f"  {_try(each, number + 1 < len(tries))}"
    yield f"  {_outcome(told)}"
    for side in ("request", "response"):
        fields = told[f"{side}_headers"]
        if isinstance(fields, list) and fields:
            yield f"  headers of the {side}"
            for name, value in fields:
                yield f"    {name}: {value}"
    yield f"what the files say now: edgegate explain {quote(str(told['method']))} {quote(_url(told))}"


def _url(told: Told) -> str:
    """Return the URL that was asked for, with the port of the files where its host names none."""
    authority, port, scheme = str(told["authority"]), told["port"], str(told["scheme"])
    named = authority.rpartition("]")[2].rpartition(":")[2].isdecimal() and ":" in authority.rpartition("]")[2]
    if not named and port != _DEFAULT.get(scheme):
        authority = f"{authority}:{port}"
    return f"{scheme}://{authority}{told['target']}"


def _try(told: Told, retried: bool) -> str:
    """Say what came of a try."""
    where = (
        f"try {told['number']} after {told['after_ms']} ms: {told['endpoint']}, on a {told['connection']} connection"
    )
    if told["reason"]:
        how = f"{told['reason']} ({told['flag']}) after {told['ms']} ms"
    elif told["status"]:
        how = f"answered {told['status']} after {told['ms']} ms"
    else:
        how = f"given up after {told['ms']} ms, as the client had left"
    return f"{where}: {how}{', which was tried again' if retried else ''}"


def _outcome(told: Told) -> str:
    """Say what the client got, and by whom."""
    flags = told["flags"]
    shown = f", flags {', '.join(map(str, flags))}" if isinstance(flags, list) and flags else ""
    status, reason = told["status"], f": {told['reason']}" if told["reason"] else ""
    how = f"answered {status}" if status else "not answered"
    return f"{how} after {told['duration_ms']} ms{shown}{reason} ({told['details']})"


def _all(told: object) -> list[Told]:
    return [each for each in told if isinstance(each, Mapping)] if isinstance(told, list) else []
