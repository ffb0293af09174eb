"""The command that asks what a witness asks."""

from __future__ import annotations

import shlex
from typing import Final

from edgegate.diff.findings import Witness
from edgegate.diff.wording import hidden, shown_field
from edgegate.explain.question import DEFAULT_PORTS, Question
from edgegate.model.claims import claim_path

_GATEWAY: Final = "127.0.0.1"


def command(witness: Witness, gateway: str = _GATEWAY) -> str:
    """
    Return a line for a shell: curl's, or that of C{openssl s_client} or C{nc} where there is no request.

    @param gateway: The address that it connects to.
    """
    question = witness.question
    if not question.method:
        return _connect(question, witness.bound, gateway)
    words = ["curl", "-sSi"]
    if question.tls:
        words.append("-k")
        if question.certificate:
            words += ["--cert", "client.pem"]
    words += ["--connect-to", f"::{gateway}:{witness.bound}"]
    words += _method(question)
    host, authority = _url_host(question), _text(question.authority)
    if authority != host:
        words += ["-H", f"Host: {authority}" if authority else "Host;"]
    words = list(map(_quoted, words))
    for name, value in question.headers:
        words += ["-H", _field(name, value)]
    if question.claims:
        words += ["-H", '"Authorization: Bearer $TOKEN"']
    target = _text(question.target)
    if target == "*":
        words += ["--request-target", "'*'"]
        target = "/"
    elif "/." in target:
        words.append("--path-as-is")
    url = f"{'https' if question.tls else 'http'}://{host}{target}"
    if set("[]{}") & set(url):
        words.insert(1, "-g")
    return " ".join([*words, _quoted(url)])


def _field(name: bytes, value: bytes) -> str:
    """Return a header for a shell; a value that is not for everyone comes from a variable, C{$AUTHORIZATION}."""
    said = name.decode("latin-1")
    if hidden(name) and value:
        variable = "".join(character if character.isalnum() else "_" for character in said.upper())
        return f'{shlex.quote(f"{said}: ")}"${{{variable}}}"'
    return _quoted(f"{said}: {_text(value)}" if value else f"{said};")


def _text(data: bytes) -> str:
    """Return bytes as a text that has each of them: files are UTF-8, and so is mostly what is asked for."""
    return data.decode("utf-8", "surrogateescape")


def _quoted(text: str) -> str:
    """Return a word for a shell; with bytes in it that are no character to be typed as C{$'...'}, which bash has."""
    if text.isprintable():
        return shlex.quote(text)
    data = text.encode("utf-8", "surrogateescape")
    plain = frozenset(range(0x20, 0x7F)) - set(b"'\\")
    return "$'" + "".join(chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in data) + "'"


def _method(question: Question) -> list[str]:
    if question.method == b"GET":
        return []
    if question.method == b"HEAD":
        return ["-I"]
    return ["-X", question.method.decode("latin-1")]


def _url_host(question: Question) -> str:
    """Return what stands in the URL: over TLS the SNI name, which curl takes from there."""
    authority = _text(question.authority)
    if not question.tls:
        # without a host there is no URL; what stands in the Host field is said apart
        return authority or _GATEWAY
    port = "" if question.port == DEFAULT_PORTS[True] else f":{question.port}"
    if not question.server_name:
        # curl sends no name for an address
        return _GATEWAY + port
    host = authority.partition(":")[0]
    return authority if host == question.server_name else question.server_name + port


def _connect(question: Question, bound: int, gateway: str) -> str:
    if not question.tls:
        return f"nc {gateway} {bound}"
    name = ["-servername", question.server_name] if question.server_name else ["-noservername"]
    return shlex.join(["openssl", "s_client", "-connect", f"{gateway}:{bound}", *name])


def request_line(question: Question) -> str:
    """Return a question as people write it: C{GET https://shop.example.com/cart}, with what else it needs."""
    if not question.method:
        name = question.server_name or "*"
        return f"tls://{name}:{question.port}" if question.tls else f"tcp://*:{question.port}{_ends(question)}"
    said = [f"{question.method.decode('latin-1')} {_url(question)}"]
    host = question.authority.decode("latin-1").partition(":")[0]
    if question.tls and host != question.server_name:
        said.append(f"SNI {question.server_name or 'none'}")
    said += [f"{name.decode('latin-1')}: {shown_field(name, value)}" for name, value in question.headers]
    if question.claims:
        claims = (f"{'.'.join(claim_path(name.decode('latin-1')))}: {_text(value)}" for name, value in question.claims)
        said.append(f"a token with {', '.join(claims)}")
    return " | ".join(said)


def _url(question: Question) -> str:
    authority, target = (each.decode("utf-8", "backslashreplace") for each in (question.authority, question.target))
    scheme = "https" if question.tls else "http"
    return f"{scheme}://{authority}{target if target[:1] == '/' else f' {target}'}"


def _ends(question: Question) -> str:
    """Return both ends of a connection, where the local one is named."""
    return "" if question.local is None else f" (from {question.peer} to {question.local})"
