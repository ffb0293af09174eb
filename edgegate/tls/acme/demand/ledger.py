"""
What an issuer has issued on demand, as all that share its storage see it: how many lately, and for which hosts.

    SERVER/on-demand/ISSUER.ledger|.lock

By it the limits hold for all workers and gateways together, and over restarts.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from edgegate.model.on_demand import OnDemand
from edgegate.tls.acme.locks import Lock
from edgegate.tls.acme.store import CertificateStore

AT_IT = 60.0
"""Seconds for which a try for one host counts once, whoever is at it; a failed one is followed by none earlier."""

FORGOTTEN = 86400.0
"""Seconds after which a host that got no certificate counts no longer."""

FULL = 600.0
"""Seconds until it is looked again whether there is room for one more host."""

BIGGEST = 200_000
"""Bytes of what is kept: what storages read of one entry is not much more."""


class NoneLeft(Exception):
    """
    A limit is met.

    @ivar until: Until when at least, in seconds since the epoch.
    """

    def __init__(self, reason: str, until: float) -> None:
        super().__init__(reason)
        self.until = until


@dataclass(slots=True)
class _Kept:
    """
    What is kept.

    @ivar issues: When tries were begun that still count.
    @ivar hosts: When the last try was begun for each, and when its certificate ends; 0: it got none.
    """

    issues: list[float]
    hosts: dict[str, tuple[float, float]]


class Ledger:
    """What one issuer has issued. For threads; all raise L{OSError} where the storage can't be read or written."""

    def __init__(self, on_demand: OnDemand, clock: Callable[[], float] = time.time) -> None:
        """
        @param clock: Returns seconds since the epoch.
        """
        self._rules = on_demand
        self._clock = clock
        store = CertificateStore(on_demand.issuer)
        self._storage = store.storage
        # no namespace has a dot
        self._name = f"{store.server}/on-demand/{on_demand.issuer.name.replace('/', '.')}"

    def hosts(self) -> list[str]:
        """Return the hosts that count."""
        return sorted(self._read().hosts)

    def reserve(self, host: str) -> None:
        """
        Count a try for a host, before it is begun.

        @raise NoneLeft: There may be none.
        """
        rules, now = self._rules, self._clock()
        with self._storage.lock(f"{self._name}.lock", True) as lock:
            kept = self._read()
            before = kept.hosts.get(host)
            if before is not None and now - before[0] < AT_IT:
                return
            if before is None and len(kept.hosts) >= rules.most:
                raise NoneLeft(f"{rules.most} hosts have certificates on demand, as many as may have", now + FULL)
            if len(kept.issues) >= rules.certificates:
                words = f"{rules.certificates} certificates were issued on demand in {rules.period:g} s"
                raise NoneLeft(f"{words}, as many as may be", min(kept.issues) + rules.period)
            kept.issues.append(now)
            kept.hosts[host] = now, 0.0 if before is None else before[1]
            self._write(kept, lock)

    def keep(self, host: str, end: float) -> None:
        """
        Remember that a host has a certificate.

        @param end: When it ends.
        """
        with self._storage.lock(f"{self._name}.lock", True) as lock:
            kept = self._read()
            begun = kept.hosts.get(host, (self._clock(), 0.0))[0]
            kept.hosts[host] = begun, end
            with suppress(NoneLeft):
                self._write(kept, lock)

    # ------------------------------------------------------------------------------------------------------------------

    def _read(self) -> _Kept:
        """Return what still counts; what can't be understood is as if nothing were there."""
        content, now = self._storage.read(f"{self._name}.ledger"), self._clock()
        try:
            found = json.loads(content or b"{}")
            issues = [min(float(each), now) for each in found.get("issues", ())]
            hosts = {str(host): (min(float(at), now), float(end)) for host, (at, end) in found.get("hosts", {}).items()}
        except (ValueError, TypeError, AttributeError):
            issues, hosts = [], {}
        return _Kept(
            [each for each in issues if each > now - self._rules.period],
            {host: (at, end) for host, (at, end) in hosts.items() if end > now or at > now - FORGOTTEN},
        )

    def _write(self, kept: _Kept, lock: Lock | None) -> None:
        hosts = {host: (round(at), round(end)) for host, (at, end) in kept.hosts.items()}
        content = json.dumps({"issues": kept.issues, "hosts": hosts}, separators=(",", ":")).encode("ascii")
        if len(content) > BIGGEST:
            raise NoneLeft("the names of the hosts that have certificates on demand are too long", self._clock() + FULL)
        self._storage.write(f"{self._name}.ledger", content, lock)
