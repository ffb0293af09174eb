"""C{edgegate explain}: why a request goes where it goes, by files, without sending it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import treq

from edgegate.access.jwt.key_set import KeySet, parse_key_set
from edgegate.admin.address import CONFIG
from edgegate.admin.views import endpoint_health
from edgegate.cli import shared_options
from edgegate.cli.admin_client import Admin, begin, explained, run
from edgegate.cli.recent_request import tell_request
from edgegate.config.problems import Severity
from edgegate.config.report import report
from edgegate.explain.advice import Advice
from edgegate.explain.certificates import client_refusal
from edgegate.explain.decision import Decider
from edgegate.explain.document import document
from edgegate.explain.explanation import Explainer, Health
from edgegate.explain.guards import JUDGES, judges_with
from edgegate.explain.question import Question, question_of
from edgegate.explain.tree import Mood, Node, lines, tree
from edgegate.http.fields import Field
from edgegate.model.addresses import TCPAddress
from edgegate.model.hosts import normalise
from edgegate.model.notes import Notes
from edgegate.model.origin import Origin
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.loading import Loaded, LoadOptions, load
from edgegate.sources.named import source_named
from edgegate.tls.secrets import load_certificates
from edgegate.tls.verification import forwarded_client_cert

NOT_SERVED = 1
"""The exit status where the client gets an error of the gateway's, or nothing."""

UNANSWERED = 2
"""The exit status where the question can't be answered: it is none, or the files are in error."""


def _key_set(context: click.Context, parameter: click.Parameter, value: str | None) -> KeySet | None:
    """Read a key set."""
    if value is None:
        return None
    try:
        return parse_key_set(Path(value).read_bytes(), secrets=False)
    except ValueError as error:
        raise click.BadParameter(f"no key set (RFC 7517): {error}") from None


@click.command(short_help="Say why a request goes where it goes.")
@click.argument("words", metavar="[METHOD] URL", nargs=-1)
@click.option("-H", "--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="A header field; repeatable.")
@click.option("--body", metavar="BYTES", type=click.IntRange(0), help="The length of a body that is sent.")
@click.option("--sni", metavar="NAME", help="The SNI name; empty: none. [default: the URL's host]")
@click.option("--alpn", metavar="PROTOCOL", help="What ALPN agrees on: h2 or http/1.1. [default: http/1.1]")
@click.option(
    "--client-cert", metavar="FILE", type=click.Path(exists=True, dir_okay=False), help="Shown to the server."
)
@click.option("--source", metavar="IP", help="The client's address. [default: 127.0.0.1]")
@click.option(
    "--port", metavar="PORT", type=click.IntRange(1, 65535), help="The port to connect to. [default: the URL's]"
)
@click.option(
    "--jwks",
    metavar="FILE",
    callback=_key_set,
    type=click.Path(exists=True, dir_okay=False),
    help="The keys of tokens that the gateway fetches; without it who has signed such a token is not told.",
)
@click.option("--trusted-hops", metavar="N", type=click.IntRange(0), help="As the gateway is started with.")
@click.option(
    "--request-id",
    metavar="ID",
    default="",
    help="Tell what became of a request that was; see --recent-requests.",
)
@click.option("-o", "--output", type=click.Choice(["tree", "json"]), default="tree", show_default=True)
@click.option("--config", metavar="DIR", callback=shared_options.named, help="The files that say where it goes.")
@shared_options.admin
@shared_options.load_options
@click.pass_context
def explain(
    context: click.Context,
    /,
    words: tuple[str, ...],
    headers: tuple[str, ...],
    trusted_hops: int | None,
    jwks: KeySet | None,
    output: str,
    config: str | None,
    admin: Admin,
    options: LoadOptions,
    client_cert: str | None,
    request_id: str,
    **asked: Any,
) -> None:
    """
    Say why a request goes where it goes: each route that was tried, the first condition that failed, and what the
    backend gets or the client is answered. Nothing is sent.

    The URL may be tcp://HOST:PORT or tls://NAME:PORT as well, without a METHOD. Without --config the gateway that runs
    is asked which files it serves, and for the health of its endpoints.

    With --request-id in place of a URL it is told what became of a request that was: each of its tries, and why it
    ended. Without the gateway's --recent-requests it keeps none.

    The exit status is 0 where it is served, 1 where the client gets an error of the gateway's, 2 where that can't be
    told.
    """
    if request_id:
        if words:
            raise click.UsageError("--request-id is about a request that was: leave METHOD and URL out")
        tell_request(admin, request_id, output == "json")
        return
    if not words:
        raise click.UsageError("name a URL, or a request that was by --request-id")
    certificate = None if client_cert is None else Path(client_cert).read_bytes()
    question = _question(words, headers, certificate, **asked)
    health: Health = {}
    if config is None or context.get_parameter_source("admin") is click.core.ParameterSource.COMMANDLINE:
        served, health = _of_gateway(admin)
        config = config or served
    notes = Notes()
    loaded = load(source_named(config), notes=notes, **options)
    if loaded.snapshot is None:
        report(loaded.problems, sys.stderr, "nothing is served, so nothing can be explained")
        raise SystemExit(UNANSWERED)
    decider = Decider(loaded.snapshot, trusted_hops, judges=JUDGES if jwks is None else judges_with(jwks))
    _explain(question, loaded, decider, notes, certificate, health, output)


def _explain(
    question: Question,
    loaded: Loaded,
    decider: Decider,
    notes: Notes,
    certificate: bytes | None,
    health: Health,
    output: str,
) -> None:
    refused = "" if certificate is None else _refusal(decider.snapshot, question, certificate)
    warnings = [
        Advice(f"check says: {each.message}", Origin(each.file, each.line, each.resource))
        for each in loaded.problems
        if each.severity is Severity.WARNING
    ]
    explainer = Explainer(decider, loaded.endpoints, notes, loaded.secrets, health, warnings)
    found = explainer.explain(question, refused)
    if output == "json":
        click.echo(json.dumps(document(found), indent=2))
    else:
        _show(tree(found))
    if found.disagrees:
        click.echo("edgegate: the conditions tell another route than the table: please report this", err=True)
    raise SystemExit(0 if found.served else NOT_SERVED)


def _question(
    words: tuple[str, ...],
    headers: tuple[str, ...],
    certificate: bytes | None,
    body: int | None,
    sni: str | None,
    alpn: str | None,
    source: str | None,
    port: int | None,
) -> Question:
    """
    Return what is asked.

    @raise click.UsageError: It is nothing that can be asked.
    """
    if len(words) > 2:
        raise click.UsageError("one METHOD and one URL are explained at a time")
    method, url = words if len(words) == 2 else ("GET", words[0])
    try:
        question = question_of(method, url, tuple(map(_header, headers)), body, port)
        changes: dict[str, Any] = {}
        if sni is not None:
            changes["server_name"] = normalise(sni) if sni else ""
        if alpn is not None:
            changes["alpn"] = alpn.encode("ascii")
        if source is not None:
            changes["peer"] = TCPAddress(str(ip_address(source)), 40000)
        if certificate is not None:
            changes["certificate"] = forwarded_client_cert(load_certificates(certificate, "--client-cert")[0])
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return replace(question, **changes)


def _header(given: str) -> Field:
    name, colon, value = given.partition(":")
    if not colon or not name.strip():
        raise ValueError(f"{given!r} is no header: write 'NAME: VALUE'")
    return name.strip().encode("latin-1"), value.strip().encode("latin-1")


def _refusal(snapshot: Snapshot, question: Question, certificate: bytes) -> str:
    """Return why the server that a question comes to refuses the client's certificate; empty if it does not."""
    chain = Decider(snapshot).decide(question).chain
    verification = None if chain is None or chain.tls is None else chain.tls.rules.verification
    return "" if verification is None else client_refusal(certificate, "--client-cert", verification)


def _of_gateway(admin: Admin) -> tuple[str, Health]:
    """Return which files a gateway serves, and what it knows of the health of endpoints."""

    async def ask(reactor: Any) -> tuple[str, str]:
        with explained(admin):
            response = await begin(reactor, admin, "GET", "/config_dump?resource=endpoints")
            served = response.headers.getRawHeaders(CONFIG.decode(), [""])[0]
            return served, await treq.text_content(response, "utf-8")

    answer = run(ask)
    if answer is None:
        raise click.ClickException("asking the admin listener failed")
    served, text = answer
    if not served or served == "-":
        raise click.ClickException(f"the gateway at {admin.address} does not say which files it serves: use --config")
    rows = json.loads(text)
    rows = rows if isinstance(rows, list) else rows["endpoints"]
    return unquote(served), endpoint_health(rows)


_STYLES: dict[Mood, dict[str, Any]] = {
    Mood.PLAIN: {},
    Mood.GOOD: {"fg": "green"},
    Mood.BAD: {"fg": "red", "bold": True},
    Mood.QUIET: {"dim": True},
    Mood.ADVICE: {"fg": "yellow"},
}


def _show(root: Node) -> None:
    """Print a tree, in colours on a terminal."""
    for before, node in lines(root):
        place = "" if node.origin is None else click.style(f"  {node.origin}", fg="cyan")
        click.echo(f"{before}{click.style(node.text, **_STYLES[node.mood])}{place}")
