"""C{twistd edgegate}: the one place where all parts are put together and the reactor is imported."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from functools import partial
from signal import Signals as Signal
from typing import cast

from twisted.application.service import IService, MultiService
from twisted.internet.interfaces import (
    IReactorFDSet,
    IReactorFromThreads,
    IReactorPluggableNameResolver,
    IReactorProcess,
    IReactorTime,
)
from twisted.logger import Logger, LogLevel

from edgegate.access_log.service import AccessLogService
from edgegate.access_log.wanted import access_logs, handed
from edgegate.admin.interfaces import Gateway
from edgegate.admin.local import LocalGateway
from edgegate.admin.service import AdminService, MetricsService
from edgegate.config.problems import Problems
from edgegate.config.report import report
from edgegate.model.proxy import NO_SETTINGS
from edgegate.net.inherited_sockets import InheritedSockets, NotListening, inherited_sockets
from edgegate.net.system_resolver import SystemResolver
from edgegate.observe.log_file import STANDARD_OUTPUT
from edgegate.observe.observer import Observer
from edgegate.observe.tracing.tracing_service import TracingService
from edgegate.server.clock import count_monotonic
from edgegate.server.handover import NotUnderstood
from edgegate.server.outside_loader import OutsideLoader
from edgegate.server.pidfile import Pidfile
from edgegate.server.predecessor import Predecessor, Succession, predecessor
from edgegate.server.predecessor import Reactor as Succeeding
from edgegate.server.program import Program
from edgegate.server.service import GatewayService
from edgegate.server.service_log import LoggedService, json_observer
from edgegate.server.service_manager import Reactor as Manager
from edgegate.server.service_manager import notified
from edgegate.server.signals import ENDS, Early, Signals
from edgegate.server.upgrade import Launch
from edgegate.sources.file_reader import defer_to_daemon
from edgegate.sources.named import source_named
from edgegate.sources.source import ConfigurationSource
from edgegate.sources.standard_input import NAME
from edgegate.startup import STANDARD_ERROR, Startup
from edgegate.twistd_options import Options
from edgegate.workers.supervisor import Supervisor

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
    early = Early(*ENDS, Signal.SIGHUP, Signal.SIGUSR2, Signal.SIGUSR1)
    reactor = cast(Reactor, installed)
    count_monotonic(reactor)
    reactor.installNameResolver(SystemResolver(reactor))
    before = _predecessor()
    if options["workers"] > 1:
        return _run_by(options, _replaceable(options, reactor, _supervisor(options, reactor, early, before), before))
    source = source_named(options["config"])
    configuration = options.configuration(source)
    loaded = configuration.load()
    _report(loaded.problems, loaded.snapshot is not None)
    # connections and requests leave no cycles behind, so it has little to find
    gc.set_threshold(GC_THRESHOLD, 10, 10)
    logs = AccessLogService(reactor, options["access-logs"], resource=options.resource())
    traces = TracingService(reactor, options["tracing"])
    observers: list[Observer] = [] if options["access-logs"] == () else [logs.log]
    gateway = GatewayService(
        reactor,
        loaded,
        configuration.reload,
        observers,
        options.gateway_options(NO_SETTINGS if loaded.snapshot is None else loaded.snapshot.proxy),
        inherited=_inherited() if before is None else before.passed,
        handed=None if before is None else before.ports,
        outside=OutsideLoader(reactor, configuration, partial(defer_to_daemon, reactor)),
        logs=logs,
        traces=traces,
    )
    gateway.readings.lines_lost = logs.lines_lost
    logs.setServiceParent(gateway)  # type: ignore[no-untyped-call]
    traces.setServiceParent(gateway)  # type: ignore[no-untyped-call]
    _look_after(gateway, LocalGateway(gateway, logs.line), source, options, reactor, early, before, logs.reopen)
    early.loading = False
    return _run_by(options, _replaceable(options, reactor, gateway, before))


def _supervisor(options: Options, reactor: Reactor, early: Early, before: Predecessor | None) -> Supervisor:
    """
    Have other processes load the files and serve them.

    @raise SystemExit: See L{makeService}.
    """
    source = source_named(options["config"])
    gateway = Supervisor(
        reactor,
        source.location,
        options["arguments"],
        options["workers"],
        options["drain-timeout"],
        options["drain-delay"],
        options["upgrade-drain-timeout"],
        inherited=_inherited() if before is None else before.passed,
        handed=None if before is None else before.ports,
        metrics=options["metrics"],
        daemon=_is_daemon(options),
    )
    read = gateway.load()
    _report(read.problems, read.sound)
    wanted = handed(options["access-logs"], None)
    if wanted is not None:
        gateway.log_to(wanted.path)
    _look_after(gateway, gateway, source, options, reactor, early, before, gateway.reopen)
    early.loading = False
    return gateway


def _replaceable(
    options: Options, reactor: Reactor, gateway: GatewayService | Supervisor, before: Predecessor | None
) -> MultiService:
    """
    Return a gateway that a new process can take the place of, and that takes the place of the one before; within what
    tells the service manager of it, where one wants to know.
    """
    upgrades = gateway.upgrades
    upgrades.launch = _launch(gateway, reactor)
    if options.parent is not None:
        upgrades.companions.append(Pidfile(options.parent))
    patience = options["drain-delay"] + options["drain-timeout"]
    main = None if before is None else before.left
    manager = notified(cast(Manager, reactor), gateway, os.environ, patience, main)
    if manager is not None:
        upgrades.companions.append(manager)
    if before is not None:
        succession = Succession(cast(Succeeding, reactor), before, lambda: gateway.binds, gateway.end)
        succession.setServiceParent(gateway)  # type: ignore[no-untyped-call]
    return gateway if manager is None else _within(manager, gateway)


def _launch(gateway: GatewayService | Supervisor, reactor: Reactor) -> Launch | str:
    """Return what starts this program anew, or why that can't be done."""
    if gateway.config == NAME:
        return "a new process can't read the files from the standard input of this one"
    if os.getpid() == 1:
        return "this is the first process of a container, which ends with it: start a new container"
    return partial(Program.of_this_process().launch, cast(IReactorProcess, reactor))


def _predecessor() -> Predecessor | None:
    """
    Return the process whose place this one takes.

    @raise SystemExit: It does not hand over what it should.
    """
    try:
        return predecessor(os.environ)
    except NotUnderstood as error:
        raise SystemExit(f"not started: {error}") from None


def _inherited() -> InheritedSockets:
    """
    Return the sockets that a service manager has passed.

    @raise SystemExit: There is something else among them.
    """
    try:
        return inherited_sockets(os.environ)
    except NotListening as error:
        raise SystemExit(f"not started: {error}") from None


def _report(problems: Problems, sound: bool) -> None:
    """
    Print what is wrong with the files.

    @raise SystemExit: They can't be served.
    """
    if len(problems):
        report(problems, sys.stderr, "" if sound else "not started")
    if not sound:
        raise SystemExit(EX_CONFIG)


def _look_after(
    service: GatewayService | Supervisor,
    gateway: Gateway,
    source: ConfigurationSource,
    options: Options,
    reactor: Reactor,
    early: Early,
    before: Predecessor | None,
    reopen: Callable[[], object],
) -> None:
    """Let operators ask the gateway, signal it, and change its files."""
    actions: dict[Signal, Callable[[], object]] = {
        Signal.SIGHUP: service.reload,
        Signal.SIGUSR2: service.upgrades.upgrade,
        Signal.SIGUSR1: reopen,
    }
    if options["watch"]:
        watch = source.follow(reactor, service.files_changed)
        watch.setServiceParent(service)  # type: ignore[no-untyped-call]
        service.followers.append(watch.follow)
    if options["admin-address"] is not None:
        required = options["admin"] is not None
        address, told = options["admin-address"], options.admin_options()
        admin = AdminService(reactor, gateway, address, required, before, options=told)
        service.upgrades.companions.append(admin)
        admin.setServiceParent(service)  # type: ignore[no-untyped-call]
    if options["metrics-address"] is not None:
        address = options["metrics-address"]
        metrics = MetricsService(reactor, gateway, address, before=before)
        service.upgrades.companions.append(metrics)
        metrics.setServiceParent(service)  # type: ignore[no-untyped-call]
    Signals(reactor, actions, service.end, service.hurry, early).setServiceParent(service)  # type: ignore[no-untyped-call]


def _run_by(options: Options, gateway: MultiService) -> MultiService:
    """Return the gateway within what whoever runs it asks for: C{twistd}, as a daemon or not, or C{twist}."""
    service = gateway
    runner = options.parent
    daemon = _is_daemon(options)
    if daemon:
        _warn_of_no_output(options)
    if runner is not None and "nodaemon" in runner:
        logged = daemon or runner["logfile"] not in (None, "-") or runner["syslog"] or runner["logger"]
        service = _within(Startup(os.dup(STANDARD_ERROR), bool(logged)), service)
    if options["log-format"] == "json" and not daemon:
        service = _within(LoggedService(json_observer(sys.stdout)), service)
    return service


def _is_daemon(options: Options) -> bool:
    """Whether this process becomes a daemon."""
    return options.parent is not None and not options.parent.get("nodaemon", True)


def _within(outer: MultiService, service: MultiService) -> MultiService:
    service.setServiceParent(outer)
    return outer


def _warn_of_no_output(options: Options) -> None:
    """Say what options ask for that a daemon, which has no standard output, does not do."""
    lost = []
    if any(each.path == STANDARD_OUTPUT for each in access_logs(options["access-logs"], None)):
        unless = " unless the files say where" if options["access-logs"] is None else ""
        words = f"the access log goes nowhere{unless} (--access-log FILE writes it, --access-log none turns it off)"
        lost.append(words)
    if options["log-format"] == "json":
        lost.append("--log-format json is left out (twistd --logfile is text)")
    for words in lost:
        line = f"a daemon has no standard output: {words}; twistd -n stays in the foreground"
        sys.stderr.write(f"warning: {line}\n")
        log.emit(LogLevel.warn, "{line}", line=line)
