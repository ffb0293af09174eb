"""The C{edgegate} command."""

from __future__ import annotations

import click

from edgegate.cli.certs import certs
from edgegate.cli.check import check
from edgegate.cli.drain import drain
from edgegate.cli.log import log
from edgegate.cli.proxy_config import proxy_config
from edgegate.cli.reload import reload
from edgegate.cli.top import top
from edgegate.cli.upgrade import upgrade
from edgegate.version import described


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(described(), message="%(version)s")
def main() -> None:
    """
    Serve Istio's Gateway and VirtualService files on any machine.

    The gateway itself is started by `twistd -n edgegate --config DIR`.
    """


main.add_command(check)
main.add_command(certs)
main.add_command(proxy_config)
main.add_command(reload)
main.add_command(log)
main.add_command(drain)
main.add_command(top)
main.add_command(upgrade)
