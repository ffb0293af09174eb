"""
C{twistd edgegate}: the options, and the one place where all parts are put together and the reactor is imported.
"""

from __future__ import annotations

import sys
from typing import cast

from twisted.application.service import IService
from twisted.internet.interfaces import IReactorFDSet
from twisted.python import usage

from edgegate import __version__
from edgegate.loading import Configuration
from edgegate.options import parse_label, parse_port_map
from edgegate.report import report
from edgegate.service import GatewayService

EX_CONFIG = 78
"""Exit status for files with errors (sysexits.h): trying again does not help."""


class Options(usage.Options):
    """What C{twistd edgegate} can be told."""

    synopsis = "[options]"
    longdesc = (
        "Serve Istio's Gateway, VirtualService and ServiceEntry files on this machine. The files are checked first: "
        "with errors in them nothing is opened, and the exit status is 78."
    )

    optParameters = [
        ["config", "c", None, "Folder of YAML files, one file, or - for standard input. Required."],
        [
            "trusted-hops",
            None,
            0,
            "How many proxies in front of this one are trusted to say who the client is (x-forwarded-for).",
            int,
        ],
    ]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self["selector"] = {}
        self["map-port"] = {}

    def opt_selector(self, label: str) -> None:
        """
        A label of this gateway, KEY=VALUE; repeatable. Only Gateways whose selector these labels satisfy are
        served. By default all are.
        """
        try:
            key, value = parse_label(label)
        except ValueError as error:
            raise usage.UsageError(f"--selector: {error}") from None
        self["selector"][key] = value

    def opt_map_port(self, pair: str) -> None:
        """
        Bind another port than the files say, FILE:BOUND, for example 80:8080; repeatable. Matching, redirects and
        logs keep the file's number.
        """
        try:
            given, bound = parse_port_map(pair)
        except ValueError as error:
            raise usage.UsageError(f"--map-port: {error}") from None
        self["map-port"][given] = bound

    def opt_version(self) -> None:
        """Print edgegate's version and exit."""
        sys.stdout.write(f"edgegate {__version__}\n")
        raise SystemExit(0)

    def postOptions(self) -> None:
        """Check what belongs together."""
        if not self["config"]:
            raise usage.UsageError("--config is required: a folder, a file, or - for standard input")
        if self["trusted-hops"] < 0:
            raise usage.UsageError("--trusted-hops must not be negative")


def makeService(options: Options) -> IService:
    """
    Load the files and return the gateway that serves them.

    @raise SystemExit: The files have errors; all were printed.
    """
    from twisted.internet import reactor  # noqa: PLC0415

    configuration = Configuration(options["config"], options["selector"] or None, options["map-port"])
    loaded = configuration.load()
    if len(loaded.problems):
        report(loaded.problems, sys.stderr, "not started" if loaded.problems.errors else "")
    if loaded.snapshot is None:
        raise SystemExit(EX_CONFIG)
    return GatewayService(
        cast(IReactorFDSet, reactor), loaded, configuration.load, trusted_hops=options["trusted-hops"]
    )
