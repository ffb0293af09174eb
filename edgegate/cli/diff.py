"""C{edgegate diff}: say what a change of files means."""

from __future__ import annotations

import json
import sys
import traceback
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from edgegate.cli import shared_options
from edgegate.cli.admin_client import Admin, ask
from edgegate.config.report import report
from edgegate.diff.comparison import compare
from edgegate.diff.loading import load_both, side
from edgegate.diff.report import FORMATS, Report
from edgegate.diff.revisions import NoRevision, fork_point, revision
from edgegate.diff.running import changed_since, unlike
from edgegate.sources.loading import Loaded, LoadOptions
from edgegate.sources.named import source_named

CHANGED, TROUBLE = 1, 2
"""Exit status, as diff(1) has it."""

HTTP_OK = 200

_STDIN = "-"


class TroubleCommand(click.Command):
    """A command that ends with 1 for what it has found alone, and with 2 whatever goes wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Call it."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            error.show()
            raise SystemExit(TROUBLE) from None
        except (click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception:
            traceback.print_exc()
            raise SystemExit(TROUBLE) from None


@click.command(
    cls=TroubleCommand, short_help="Say what a change of files means: which requests are answered otherwise."
)
@click.argument("configs", metavar="[OLD] NEW", nargs=-1)
@click.option(
    "--git",
    "revisions",
    metavar="REV",
    multiple=True,
    help="Compare one folder as it was in this revision with how it is now, or given twice in the two.",
)
@shared_options.optional_admin("Compare what the gateway serves that is asked here, in the place of OLD.")
@click.option("-o", "--output", type=click.Choice(list(FORMATS)), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="Exit with 1 where something could not be decided, too.")
@shared_options.load_options
def diff(
    configs: tuple[str, ...],
    revisions: tuple[str, ...],
    admin: Admin | None,
    output: str,
    strict: bool,
    options: LoadOptions,
) -> None:
    """
    Say which requests and connections NEW treats otherwise than OLD: two
    folders, files, or - for standard input.

    Each change is shown with requests that were tried on both sides. That
    nothing changes is proved, never guessed.

    The exit status is 0 where nothing changes, 1 where something does, and 2
    where there is trouble, such as files with errors.
    """
    with ExitStack() as stack:
        old, new = _sides(configs, revisions, admin, stack)
        before, after = load_both(source_named(old.path), source_named(new.path), options)
        _refuse_errors(old, before)
        _refuse_errors(new, after)
        if old.dump is not None:
            _refuse_others(old, before)
        findings = compare(side(old.name, before), side(new.name, after))
    click.echo(FORMATS[output](Report(old.name, new.name, findings)), nl=False)
    if findings.differences or (strict and findings.undecided):
        raise SystemExit(CHANGED)


class Trouble(click.ClickException):
    """What keeps two sides from being compared."""

    exit_code = TROUBLE


@dataclass(frozen=True, slots=True)
class Named:
    """
    What a command line names as a side.

    @ivar name: What it is called in the report.
    @ivar dump: What a gateway shows that serves these files; L{None}: they are just files.
    """

    name: str
    path: str
    dump: dict[str, Any] | None = None


def _sides(
    configs: tuple[str, ...], revisions: tuple[str, ...], admin: Admin | None, stack: ExitStack
) -> tuple[Named, Named]:
    """Return what is compared; what was written for it is gone when the stack is left."""
    if "" in configs:
        raise click.UsageError("a name is empty: name a folder or a file, or . for this folder")
    if revisions and admin is not None:
        raise click.UsageError("--git and --admin both say what OLD is: give one of them")
    wanted = 2 if not revisions and admin is None else 1
    if len(configs) != wanted:
        what = "OLD and NEW" if wanted == 2 else "one folder or file"
        raise click.UsageError(f"expected {what}, got {len(configs)}")
    if admin is not None:
        return _running(admin), Named(configs[0], configs[0])
    if revisions:
        return _revisions(configs[0], revisions, stack)
    if configs == (_STDIN, _STDIN):
        raise click.UsageError("only one of both can be standard input")
    old, new = configs
    return Named(old, old), Named(new, new)


def _revisions(config: str, revisions: tuple[str, ...], stack: ExitStack) -> tuple[Named, Named]:
    """Return a folder in one revision and as it is now, or in two."""
    since_fork = len(revisions) == 1 and "..." in revisions[0]
    if len(revisions) == 1 and ".." in revisions[0]:
        old, _, new = revisions[0].partition("..." if since_fork else "..")
        revisions = old or "HEAD", new or "HEAD"
    if len(revisions) > 2 or config == _STDIN:
        raise click.UsageError("--git compares one folder or file in one revision with how it is now, or in two")
    try:
        if since_fork:
            revisions = fork_point(Path(config), *revisions), revisions[1]
        found = [
            Named(f"{config} ({each})", str(stack.enter_context(revision(Path(config), each)))) for each in revisions
        ]
    except NoRevision as error:
        raise Trouble(str(error)) from None
    if len(found) == 1:
        found.append(Named(config, config))
    return found[0], found[1]


def _running(admin: Admin) -> Named:
    """Return the files of a gateway that runs."""
    try:
        answer = ask(admin, "GET", "/config_dump")
    except click.ClickException as error:
        raise Trouble(error.message) from None
    if answer.status != HTTP_OK:
        raise Trouble(f"the admin listener answers {answer.status}: {answer.text.strip()}")
    if answer.config in ("", _STDIN):
        raise Trouble("the gateway has its files from standard input, or does not say where: name OLD")
    if not Path(answer.config).exists():
        raise Trouble(f"the gateway serves {answer.config}, which is not on this machine: name a copy of it as OLD")
    return Named(f"the gateway at {admin.address}", answer.config, json.loads(answer.text))


def _refuse_errors(named: Named, loaded: Loaded) -> None:
    """End where files have errors."""
    if loaded.snapshot is None:
        report(loaded.problems, sys.stderr, f"{named.name} can't be compared")
        raise SystemExit(TROUBLE)


def _refuse_others(named: Named, loaded: Loaded) -> None:
    """End where a running gateway does not serve its files as they are now, or not as they are taken here."""
    assert named.dump is not None
    views = unlike(named.dump, loaded)
    if views:
        raise Trouble(
            f"{named.name} does not serve what is in {named.path} now: its {', '.join(views)} differ. Was the last "
            "reload refused (edgegate reload tells), or does it have another --selector, --map-port, --ignore-kind or "
            "--gateway-namespace?"
        )
    newer = changed_since(named.dump, loaded)
    if newer:
        click.echo(f"warning: {newer[0]} was changed after the gateway has read it: it is taken as it is now", err=True)
