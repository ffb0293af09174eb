"""How tests name destinations: C{HOST[:PORT][/SUBSET]}, as short as leaves no doubt, or a cluster's whole name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgegate.model.routes import WeightedCluster

_NOTATION = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:/|\s]+)(?::(?P<port>[0-9]{1,5}))?(?:/(?P<subset>[^/|\s]+))?")
_CLUSTER = re.compile(r"outbound\|(?P<port>[0-9]+)\|(?P<subset>[^|]*)\|(?P<host>[^|]+)")
_SERVICES = ".svc.cluster.local"


@dataclass(frozen=True, slots=True)
class Destination:
    """
    What a test names.

    @ivar port: L{None}: any.
    @ivar subset: L{None}: any, or none; empty: none.
    """

    host: str
    port: int | None = None
    subset: str | None = None

    @classmethod
    def parse(cls, text: str) -> Destination:
        """
        Read C{HOST[:PORT][/SUBSET]}, or C{outbound|PORT|SUBSET|HOST}.

        @raise ValueError: It is neither.
        """
        found = _CLUSTER.fullmatch(text)
        if found is not None:
            return cls(found["host"], int(found["port"]), found["subset"])
        found = _NOTATION.fullmatch(text)
        if found is None:
            raise ValueError("a destination is HOST, HOST:PORT, HOST/SUBSET, HOST:PORT/SUBSET or a cluster's name")
        port = found["port"]
        return cls(found["host"].lower(), None if port is None else int(port), found["subset"])

    def __str__(self) -> str:
        """Return it as tests name it: short, but whole where there is no subset, which nothing else says."""
        if self.port is not None and self.subset == "":
            return f"outbound|{self.port}||{self.host}"
        port = "" if self.port is None else f":{self.port}"
        return f"{self.host.removesuffix(_SERVICES)}{port}{f'/{self.subset}' if self.subset else ''}"

    def matches(self, cluster: str) -> bool:
        """Whether it names a cluster. The name of a Kubernetes service may be short: C{cart}, or C{cart.shop}."""
        there = of_cluster(cluster)
        if self.port is not None and there.port != self.port:
            return False
        if self.subset is not None and there.subset != self.subset:
            return False
        host, wanted = there.host.partition("@")[0], self.host
        if wanted in (host, there.host):
            return True
        return host.endswith(_SERVICES) and f"{host}.".startswith(f"{wanted}.")


def of_cluster(name: str) -> Destination:
    """Return the destination that a cluster is of."""
    found = _CLUSTER.fullmatch(name)
    if found is None:
        return Destination(name)
    return Destination(found["host"], int(found["port"]), found["subset"])


def shown(cluster: str) -> str:
    """Return a cluster as tests name it, as short as it may be."""
    found = of_cluster(cluster)
    port = "" if found.port is None else f":{found.port}"
    return f"{found.host.removesuffix(_SERVICES)}{port}{f'/{found.subset}' if found.subset else ''}"


def shares(destinations: tuple[WeightedCluster, ...]) -> dict[str, float]:
    """Return by cluster the percent of the requests that it gets. One whose weight is 0 gets none."""
    total = sum(each.weight for each in destinations)
    found: dict[str, float] = {}
    for each in destinations:
        if each.weight:
            found[each.cluster] = found.get(each.cluster, 0.0) + each.weight * 100 / total
    return found


def shares_shown(found: dict[str, float]) -> str:
    """Return shares as messages show them: C{cart.shop:80/v1 90 %, cart.shop:80/v2 10 %}."""
    return ", ".join(f"{shown(cluster)} {percent:.4g} %" for cluster, percent in found.items()) or "no backend"
