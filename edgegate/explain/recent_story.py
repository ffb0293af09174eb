"""
The story of a request that was, in lines of text: who asked, which way it went, each try, and what its client got.

It is made of what C{/requests/ID} on the admin listener tells of a request; see
L{edgegate.http.recent_requests.KeptRequest.story}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Final

from edgegate.explain.question import question_of
from edgegate.model.addresses import is_ip_address
from edgegate.observe.tap import REDACTED

Told = Mapping[str, object]
"""A request, or a try, as JSON has it."""

_DEFAULT: Final = {"http": 80, "https": 443}


def story(told: Told) -> Iterator[str]:
    """Yield the lines; nothing in them can control a terminal."""
    for line in _lines(told):
        yield "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)


def _lines(told: Told) -> Iterator[str]:
    yield f"{told['method']} {_url(told, str(told['scheme']))}"
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
    command = _command(told)
    if command:
        yield f"what the files say now: {command}"


def _command(told: Told) -> str:
    """Return what asks for the same once more, for a shell; empty: not all of the URL is kept, or it is none."""
    method, target, scheme = str(told["method"]), str(told["target"]), "https" if told["tls"] else "http"
    url = _url(told, scheme)
    if not target.startswith("/") or _is_cut(target) or _is_cut(str(told["authority"])):
        return ""
    try:
        question = question_of(method, url)
    except ValueError:
        return ""
    words = ["edgegate", "explain", method, url]
    fields = told["request_headers"]
    for name, value in fields if isinstance(fields, list) else ():
        if value != REDACTED and not _is_cut(name) and not _is_cut(value) and value.isascii() and value.isprintable():
            words += ["-H", f"{name}: {value}"]
    if told["scheme"] != scheme:
        words += ["-H", f"x-forwarded-proto: {told['scheme']}"]
    source = str(told["client"]).rpartition(":")[0].strip("[]").partition("%")[0]
    if is_ip_address(source):
        words += ["--source", source]
    if question.port != told["port"]:
        words += ["--port", str(told["port"])]
    sni = str(told["sni"] or "")
    if told["tls"] and question.server_name != sni:
        words += ["--sni", sni]
    if told["tls"] and str(told["protocol"]).startswith("HTTP/2"):
        words += ["--alpn", "h2"]
    return " ".join(map(quote, words))


def _is_cut(text: str) -> bool:
    """Whether more was sent than is kept; a text that happens to end so is taken for one of those."""
    return text.endswith("...")


def _url(told: Told, scheme: str) -> str:
    """Return the URL that was asked for, with the port of the files where its host names none."""
    authority, port = str(told["authority"]), told["port"]
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
