"""C{twistd edgegate}: the one place where all parts are put together and the reactor is imported."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from signal import Signals as Signal
from typing import cast

from twisted.application.service import IService, MultiService
from twisted.internet.interfaces import (
    IReactorFDSet,
    IReactorFromThreads,
    IReactorPluggableNameResolver,
    IReactorTime,
)
from twisted.logger import Logger, LogLevel

from edgegate.admin.service import AdminService
from edgegate.config.report import report
from edgegate.downstream.proxy_protocol import ProxyProtocolRules
from edgegate.net.system_resolver import SystemResolver
from edgegate.observe.access_log import AccessLogService
from edgegate.observe.log_file import STANDARD_OUTPUT, LogFile
from edgegate.observe.log_lines import json_line, text_line
from edgegate.server.gateway_options import GatewayOptions
from edgegate.server.service import GatewayService
from edgegate.server.service_log import LoggedService, json_observer
from edgegate.server.signals import Early, Signals
from edgegate.sources.loading import Configuration
from edgegate.sources.named import source_named
from edgegate.startup import STANDARD_ERROR, Startup
from edgegate.twistd_options import Options
from edgegate.upstream.locality import Place

log = Logger(namespace=__name__)

EX_CONFIG = 78
"""Exit status for files with errors (sysexits.h): trying again does not help."""

GC_THRESHOLD = 20_000
"""Objects more than before after which the garbage collector looks through the young ones."""


class Reactor(IReactorFDSet, IReactorTime, IReactorFromThreads, IReactorPluggableNameResolver):
    """What all parts together ask of the reactor."""


def makeService(options: Options) -> IService:
    """
    Load the files and return the gateway that serves them.

    @raise SystemExit: The files have errors; all were printed.
    """
    from twisted.internet import reactor as installed  # noqa: PLC0415

    # a reload that is asked for while thousands of files are read must not end the process
    early = Early(Signal.SIGHUP)
    reactor = cast(Reactor, installed)
    reactor.installNameResolver(SystemResolver(reactor))
    source = source_named(options["config"])
    configuration = Configuration(
        source,
        options["selector"] or None,
        options["map-port"],
        frozen=True,
        ignored_kinds=options["ignore-kind"],
        strict=options["strict"],
    )
    loaded = configuration.load()
    if len(loaded.problems):
        report(loaded.problems, sys.stderr, "not started" if loaded.snapshot is None else "")
    if loaded.snapshot is None:
        raise SystemExit(EX_CONFIG)
    # connections and requests leave no cycles behind, so it has little to find
    gc.set_threshold(GC_THRESHOLD, 10, 10)
    access_log = _access_log(options, reactor)
    gateway = GatewayService(
        reactor,
        loaded,
        configuration.reload,
        [] if access_log is None else [access_log.log],
        _gateway_options(options),
    )
    actions: dict[Signal, Callable[[], object]] = {Signal.SIGHUP: gateway.reload}
    if access_log is not None:
        access_log.setServiceParent(gateway)  # type: ignore[no-untyped-call]
        actions[Signal.SIGUSR1] = access_log.reopen
    if options["watch"]:
        watch = source.follow(reactor, gateway.files_changed)
        watch.setServiceParent(gateway)  # type: ignore[no-untyped-call]
        gateway.followers.append(watch.follow)
    if options["admin-address"] is not None:
        required = options["admin"] is not None
        admin = AdminService(reactor, gateway, options["admin-address"], required)
        admin.setServiceParent(gateway)  # type: ignore[no-untyped-call]
    Signals(reactor, actions, gateway.hurry, early).setServiceParent(gateway)  # type: ignore[no-untyped-call]
    return _run_by(options, gateway)


def _gateway_options(options: Options) -> GatewayOptions:
    """Return what no file says."""
    return GatewayOptions(
        trusted_hops=options["trusted-hops"],
        paths=options["paths"],
        limits=options["limits"],
        proxy_protocol=ProxyProtocolRules(options["proxy-protocol"], tuple(options["proxy-protocol-from"])),
        place=Place(options["locality"], tuple(sorted(options["selector"].items()))),
        dns_servers=tuple(options["dns-server"]),
        shadow_hosts=options["shadow-hosts"],
        http_filters=tuple(options["http-filter"]),
    )


def _run_by(options: Options, gateway: MultiService) -> MultiService:
    """Return the gateway within what whoever runs it asks for: C{twistd}, as a daemon or not, or C{twist}."""
    service = gateway
    runner = options.parent
    daemon = runner is not None and not runner.get("nodaemon", True)
    if daemon:
        _warn_of_no_output(options)
    if runner is not None and "nodaemon" in runner:
        logged = daemon or runner["logfile"] not in (None, "-") or runner["syslog"] or runner["logger"]
        service = _within(Startup(os.dup(STANDARD_ERROR), bool(logged)), service)
    if options["log-format"] == "json" and not daemon:
        service = _within(LoggedService(json_observer(sys.stdout)), service)
    return service


def _within(outer: MultiService, service: MultiService) -> MultiService:
    service.setServiceParent(outer)
    return outer


def _warn_of_no_output(options: Options) -> None:
    """Say what options ask for that a daemon, which has no standard output, does not do."""
    lost = []
    if options["access-log"] == STANDARD_OUTPUT:
        lost.append("the access log goes nowhere (--access-log FILE writes it, --access-log none turns it off)")
    if options["log-format"] == "json":
        lost.append("--log-format json is left out (twistd --logfile is text)")
    for words in lost:
        line = f"a daemon has no standard output: {words}; twistd -n stays in the foreground"
        sys.stderr.write(f"warning: {line}\n")
        log.emit(LogLevel.warn, "{line}", line=line)


def _access_log(options: Options, reactor: Reactor) -> AccessLogService | None:
    """Return the service that writes the access log, if one is to be written."""
    path = options["access-log"]
    if path == "none":
        return None

    def complain(words: str) -> None:
        reactor.callFromThread(log.error, "access log {words}", words=words)

    line = json_line if options["access-log-format"] == "json" else text_line
    return AccessLogService(reactor, LogFile(path, complain), line)
