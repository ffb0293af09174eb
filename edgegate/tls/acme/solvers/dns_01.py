"""
DNS-01 (RFC 8555 section 8.4): a value stands in the DNS beside the host.

Only what was added is removed: at one name there may be the values of several certificates, C{example.com} and
C{*.example.com}, or of another gateway's.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Final

from dns import name
from twisted.logger import Logger, LogLevel

from edgegate.model.certificates import ChallengeKind, DNSChallenges, DynamicUpdates, HookCommand
from edgegate.tls.acme.solvers.dynamic_updates import Refused, ZoneUpdater
from edgegate.tls.acme.solvers.hook import Doing, run_hook
from edgegate.tls.acme.solvers.name_servers import MOST_ALIASES, Exchange, Names, SystemNames, by_tcp
from edgegate.tls.acme.solvers.propagation import Propagation, servers_of
from edgegate.tls.acme.solvers.solver import Challenge, NotAnswered

log = Logger(namespace=__name__)

LABEL: Final = "_acme-challenge."

_LONGEST_NAME: Final = 253  # RFC 1035 section 2.3.4, without the final dot


def record_of(challenge: Challenge) -> tuple[str, str]:
    """Return the name of a TXT record, and what it says."""
    digest = sha256(challenge.key_authorization.encode("utf-8")).digest()
    return name_for(challenge.host), urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def name_for(host: str) -> str:
    """Return the name by which a host is proved; of a wildcard it is that of the host without it."""
    return f"{LABEL}{host.removeprefix('*.')}"


class DNS01Solver:
    """Puts values into the DNS."""

    kind = ChallengeKind.DNS_01

    def __init__(
        self,
        settings: DNSChallenges,
        names: Names | None = None,
        exchange: Exchange = by_tcp,
        propagation: Propagation | None = None,
    ) -> None:
        """
        @param exchange: Asks the server that takes updates.
        """
        self._settings = settings
        self._exchange = exchange
        self._names = SystemNames() if names is None else names
        self._propagation = Propagation() if propagation is None else propagation

    def proves(self, host: str) -> bool:
        """It says all of a host and of what is below, but for hosts that leave no room for its own label."""
        return len(name_for(host)) <= _LONGEST_NAME

    @contextmanager
    def answered(self, challenge: Challenge) -> Iterator[None]:
        """See L{edgegate.tls.acme.solvers.solver.Solver.answered}."""
        where, value = record_of(challenge)
        by = self._settings.by
        way = self._by_updates(by, where, value) if isinstance(by, DynamicUpdates) else self._by_hook(by, where, value)
        with way:
            yield

    @contextmanager
    def _by_updates(self, settings: DynamicUpdates, where: str, value: str) -> Iterator[None]:
        zones = ZoneUpdater(settings, self._exchange, self._names)
        place = zones.find(where)
        with _undone(lambda: zones.remove(place, value), where, value):
            zones.add(place, value)
            if self._settings.patience:
                others = servers_of(zones.servers(place), self._names)
                servers = [place.server, *(each for each in others if each.address != place.server.address)]
                self._propagation.wait(servers, place.where, value, self._settings.patience)
            yield

    @contextmanager
    def _by_hook(self, hook: HookCommand, where: str, value: str) -> Iterator[None]:
        with _undone(lambda: run_hook(hook, Doing.CLEANUP, where, value), where, value):
            run_hook(hook, Doing.PRESENT, where, value)
            if self._settings.patience:
                self._wait_for_zone(where, value)
            yield

    def _wait_for_zone(self, where: str, value: str) -> None:
        """Wait for the servers that the system's resolver finds; where it finds none, the program is believed."""
        about = name.from_text(where)
        for _ in range(MOST_ALIASES):
            target = self._names.alias(about)
            if target is None:
                break
            about = target
        zone = self._names.zone(about)
        servers = [] if zone is None else servers_of(self._names.servers(zone), self._names)
        self._propagation.wait(servers, about, value, self._settings.patience)


@contextmanager
def _undone(undo: Callable[[], None], where: str, value: str) -> Iterator[None]:
    """Have something undone at the end, unless it was refused; what fails of that is logged."""
    refused = False
    try:
        yield
    except Refused:
        refused = True
        raise
    finally:
        if not refused:
            try:
                undo()
            except NotAnswered as error:
                words = "the TXT record {value} at {name} may be there for good: {reason}"
                log.emit(LogLevel.warn, words, value=value, name=where, reason=str(error))
