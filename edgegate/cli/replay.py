"""C{edgegate replay}: what files would have made of the requests in an access log."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import click

from edgegate.cli import shared_options
from edgegate.config.report import report
from edgegate.diff.sides import Side
from edgegate.option_values import processors
from edgegate.replay.findings import Tally, Verdict
from edgegate.replay.log_file import STANDARD_INPUT
from edgegate.replay.processes import WorkerEnded
from edgegate.replay.replaying import CannotReplay, Replay, Wishes
from edgegate.replay.report import as_json, write_text
from edgegate.sources.loading import LoadOptions, load
from edgegate.sources.named import source_named

CANNOT = 2
"""The exit status where there is nothing to say of requests."""

INTERRUPTED = 130
"""As shells have it after Ctrl-C."""


@click.command(short_help="Say what files would have made of the requests in an access log.")
@click.argument("access_log", nargs=-1, required=True, metavar="ACCESS_LOG...")
@click.option("--config", metavar="NEW", required=True, callback=shared_options.named, help="The files to try.")
@click.option(
    "--against",
    metavar="OLD",
    callback=shared_options.named,
    help="The files that served then.  [default: compare with what the log says of the answers]",
)
@click.option(
    "--format",
    "form",
    default="",
    metavar="FORMAT",
    help="What nginx (log_format), Apache (LogFormat) or Envoy was told, or edgegate, edgegate-json, istio, "
    "istio-json, envoy, combined, vhost_combined or common.  [default: told by the first lines]",
)
@click.option("--host", default="", help="The host that was asked for, where the log does not say it.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port by the files, where the log does not say it.")
@shared_options.load_options
@click.option("--jobs", type=click.IntRange(1, 128), help="Processes.  [default: as many as there are CPUs]")
@click.option("--strict", is_flag=True, help="Take what may be answered otherwise for what is.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def replay(
    access_log: tuple[str, ...],
    config: str,
    against: str | None,
    form: str,
    host: str,
    port: int | None,
    options: LoadOptions,
    jobs: int | None,
    strict: bool,
    output: str,
) -> None:
    """
    Say how many requests of an access log would be answered otherwise by the
    files in NEW. ACCESS_LOG may be compressed by gzip, or - for standard input.

    The exit status is 0 where none would be, 1 where any would, 2 where that
    can't be told, whatever the reason, and 130 after Ctrl-C.
    """
    if [*access_log, config, against].count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input can be only one of ACCESS_LOG, NEW and OLD")
    ports = {bound: number for number, bound in options["port_map"].items()}
    # by the ports of the files, which those of the log are translated to
    options = {**options, "port_map": {}}
    wishes = Wishes(form, host, port, ports, jobs or processors())
    with trouble():
        old = None if against is None else _side(against, options)
        new = _side(config, options)
        with closing(Replay(access_log, old, new, wishes)) as replaying, _progress(replaying.size) as told:
            tally = replaying.run(told)
        if output == "json":
            click.echo(as_json(tally, replaying.logs), nl=False)
        else:
            write_text(tally, replaying.logs, old is not None, sys.stdout)
        sys.stdout.flush()
    raise SystemExit(_status(tally, strict))


@contextmanager
def trouble() -> Iterator[None]:
    """End the command with the status for trouble, whatever goes wrong; Python's is that of a difference."""
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except (CannotReplay, WorkerEnded) as error:
        _end(str(error))
    except click.ClickException as error:
        _end(error.format_message())
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _end(f"{place}{error.strerror or error}")
    except Exception as error:
        _end(f"an error of edgegate: {type(error).__name__}: {error}")


def _end(message: str) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    with suppress(OSError):
        # what could not be printed would be tried once more at the end, and change the status
        printed = sys.stdout.fileno()
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), printed)
    raise SystemExit(CANNOT) from None


def _side(name: str, options: LoadOptions) -> Side:
    loaded = load(source_named(name), **options)
    if loaded.snapshot is None:
        report(loaded.problems, sys.stderr, f"{name} can't be served: nothing was replayed")
        raise SystemExit(CANNOT)
    return Side(name, loaded.snapshot, loaded.endpoints, loaded.secrets)


def _status(tally: Tally, strict: bool) -> int:
    if not tally.count(*Verdict):
        return CANNOT
    return int(tally.count(Verdict.OTHERWISE) > 0 or (strict and tally.count(Verdict.MAYBE) > 0))


@contextmanager
def _progress(size: int) -> Iterator[Callable[[int], None]]:
    """
    Show how far it is, on a terminal.

    @param size: Bytes in all; 0: nobody knows.
    """
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console  # noqa: PLC0415 (as in edgegate.config.report)
    from rich.progress import Progress  # noqa: PLC0415

    # its own thread would be in the way of processes that fork
    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("replaying", total=size or None)

        def told(done: int) -> None:
            bar.update(task, advance=done, refresh=True)

        yield told
