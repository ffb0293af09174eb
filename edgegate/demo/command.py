"""C{python -m edgegate.demo}: the chapter's backends and a gateway in front of them, until Ctrl-C."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
from twisted.internet.task import react

from edgegate.demo.running import PORTS, descriptions, run

BANNER = """\
The coolstore is open. In another terminal:

  curl -i http://catalog.istioinaction.io:8081/items --connect-to ::127.0.0.1
  curl -i http://catalog.istioinaction.io:8080/items --connect-to ::127.0.0.1
  curl https://catalog.istioinaction.io:8443/items --connect-to ::127.0.0.1 --cacert {certs}/ca.crt
  nc 127.0.0.1 31400

README.md walks through all of it. Ctrl-C ends the gateway and its backends.

$ {command}
"""


def _ports(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, int]:
    ports = dict(PORTS)
    for item in given:
        name, _, number = item.partition("=")
        if name not in ports or not number.isdecimal():
            raise click.BadParameter(f"{item!r} is not NAME=PORT with a NAME of {', '.join(PORTS)}")
        ports[name] = int(number)
    return ports


def twistd() -> str:
    """Return the C{twistd} of this interpreter's environment, else the one on the path."""
    beside = Path(sys.executable).with_name("twistd")
    return str(beside) if beside.exists() else shutil.which("twistd") or "twistd"


@click.command()
@click.option(
    "--config",
    type=click.Path(exists=True, path_type=Path),
    default="etc",
    show_default=True,
    help="What the gateway serves.",
)
@click.option(
    "--certs",
    type=click.Path(path_type=Path),
    help="A folder that `edgegate certs --demo` made, for the backends that end TLS. [default: CONFIG/certs]",
)
@click.option(
    "--port",
    "ports",
    metavar="NAME=PORT",
    multiple=True,
    callback=_ports,
    help=f"Let a backend listen elsewhere: {', '.join(f'{name}={port}' for name, port in PORTS.items())}. Repeatable.",
)
@click.option("--quiet", is_flag=True, help="Do not say what to try.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def demo(config: Path, certs: Path | None, ports: dict[str, int], quiet: bool, options: tuple[str, ...]) -> None:
    """
    Start the chapter's backends and the gateway in front of them.

    OPTIONS after `--` go to `twistd edgegate` as they are. The exit status is the gateway's.
    """
    certs = certs or config / "certs"
    # No pidfile: two demos, or a killed one, must not keep the next from starting.
    command = [twistd(), "-n", "--pidfile=", "edgegate", "--config", str(config), *options]
    if not quiet:
        click.echo(BANNER.format(certs=certs, command=" ".join(command)))
    react(run, (descriptions(ports, certs), command))
