"""Istio's rules for C{LoadBalancerSettings}."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isqrt

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.kinds.destination_rule import (
    ConsistentHashLB,
    Failover,
    HTTPCookie,
    LoadBalancerSettings,
    LocalityLBSetting,
    OutlierDetection,
    SimpleLB,
    ZoneAwareLBSetting,
)
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import check_header
from edgegate.model import codes

MAX_TABLE = 5_000_011
"""A Maglev table has fewer entries (Envoy's C{MaglevLbConfig.table_size})."""

MAX_RING = 8_388_608
"""The most entries of a ring (Envoy's C{RingHashLbConfig.maximum_ring_size})."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ATTRIBUTE = re.compile(r"[ -:<-~]+")
_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone")
_WARMING = frozenset({None, SimpleLB.UNSPECIFIED, SimpleLB.LEAST_CONN, SimpleLB.LEAST_REQUEST, SimpleLB.ROUND_ROBIN})


def check_load_balancer(
    findings: Findings, path: Path, settings: LoadBalancerSettings, outliers: OutlierDetection | None
) -> None:
    """
    How requests are spread.

    @param outliers: What stands beside it: without it nobody fails over.
    """
    if settings.consistent_hash is not None:
        _check_hash(findings, (*path, "consistentHash"), settings.consistent_hash)
    if settings.locality_lb_setting is not None:
        _check_localities(findings, (*path, "localityLbSetting"), settings.locality_lb_setting, outliers)
    if settings.zone_aware_lb_setting is not None:
        place = (*path, "zoneAwareLbSetting")
        _check_failovers(findings, place, settings.zone_aware_lb_setting, outliers)
        if settings.locality_lb_setting is not None:
            findings.warning(place, "goes with no localityLbSetting, which is what is honoured here")
    if settings.warmup_duration_secs is not None:
        more = ", which is given too, and counts" if settings.warmup is not None else ""
        findings.warning((*path, "warmupDurationSecs"), f"deprecated: use warmup.duration{more}", codes.OLD_FIELD)
    if settings.warmup is not None:
        warmup = settings.warmup
        if warmup.aggression is not None and warmup.aggression < 1:
            findings.error((*path, "warmup", "aggression"), f"{warmup.aggression:g} is less than 1")
        check_percent(findings, (*path, "warmup", "minimumPercent"), warmup.minimum_percent)
    for name, given in (("warmup", settings.warmup), ("warmupDurationSecs", settings.warmup_duration_secs)):
        if given is not None and (settings.consistent_hash is not None or settings.simple not in _WARMING):
            findings.warning((*path, name), "changes nothing: only LEAST_REQUEST and ROUND_ROBIN warm up")


def check_percent(findings: Findings, path: Path, percent: float | None) -> None:
    """A percentage is between 0 and 100."""
    if percent is not None and not 0 <= percent <= 100:
        findings.error(path, f"{percent:g} is no percentage: 0 to 100")


def _check_hash(findings: Findings, path: Path, settings: ConsistentHashLB) -> None:
    cookie, header = settings.http_cookie, settings.http_header_name
    if cookie is not None:
        _check_cookie(findings, (*path, "httpCookie"), cookie)
    elif header:
        check_header(findings, (*path, "httpHeaderName"), header)
    elif not settings.use_source_ip and not settings.http_query_parameter_name:
        names = "httpHeaderName, httpCookie, useSourceIp or httpQueryParameterName"
        findings.error(path, f"does not say what to hash by: one of {names}")
    if settings.ring_hash is not None and settings.maglev is not None:
        findings.error((*path, "maglev"), "goes with no ringHash: one of them tells how")
    elif settings.maglev is not None:
        _check_table(findings, (*path, "maglev", "tableSize"), settings.maglev.table_size or 0)
    elif settings.ring_hash is not None:
        _check_ring(findings, (*path, "ringHash", "minimumRingSize"), settings.ring_hash.minimum_ring_size or 0)
    if settings.minimum_ring_size:
        place = (*path, "minimumRingSize")
        if settings.ring_hash is not None or settings.maglev is not None:
            findings.error(place, "goes with neither ringHash nor maglev, which have sizes of their own")
        else:
            findings.warning(place, "deprecated: use ringHash.minimumRingSize", codes.SCHEMA_WARNING)
            _check_ring(findings, place, settings.minimum_ring_size)


def _check_cookie(findings: Findings, path: Path, cookie: HTTPCookie) -> None:
    """A cookie's name is a token, and what it says stands in one field (RFC 6265 section 4.1.1)."""
    if not cookie.name:
        findings.error((*path, "name"), "a cookie has a name")
    elif not _TOKEN.fullmatch(cookie.name):
        findings.error((*path, "name"), f"{show(cookie.name)} is no name of a cookie")
    if cookie.path and not _ATTRIBUTE.fullmatch(cookie.path):
        findings.error((*path, "path"), f"{show(cookie.path)} holds a character that no path of a cookie can have")
    names: dict[str, int] = {}
    for index, attribute in enumerate(cookie.attributes):
        place = (*path, "attributes", index)
        first = names.setdefault(attribute.name.lower(), index)
        if first != index:
            findings.error((*place, "name"), f"{show(attribute.name)} is the name of attributes[{first}] too")
        if not _TOKEN.fullmatch(attribute.name):
            findings.error((*place, "name"), f"{show(attribute.name)} is no name of an attribute")
        if attribute.value and not _ATTRIBUTE.fullmatch(attribute.value):
            findings.error((*place, "value"), f"{show(attribute.value)} holds a character that no cookie can have")


def _check_table(findings: Findings, path: Path, size: int) -> None:
    if not size:
        findings.error(path, "missing: a prime such as 65537")
    elif size >= MAX_TABLE:
        findings.error(path, f"{size} is not less than {MAX_TABLE}")
    elif not _is_prime(size):
        findings.error(path, f"{size} is no prime number, such as 65537")


def _check_ring(findings: Findings, path: Path, size: int) -> None:
    if size > MAX_RING:
        findings.error(path, f"{size} is more than {MAX_RING}")


def _is_prime(number: int) -> bool:
    """Whether a number is prime, or 1, which Envoy takes too."""
    if number < 4:
        return number > 0
    return number % 2 == 1 and all(number % factor for factor in range(3, isqrt(number) + 1, 2))


def _check_localities(
    findings: Findings, path: Path, settings: LocalityLBSetting, outliers: OutlierDetection | None
) -> None:
    if settings.distribute and settings.failover:
        findings.error((*path, "failover"), "goes with no distribute")
    elif settings.distribute and settings.failover_priority:
        findings.warning((*path, "failoverPriority"), "changes nothing beside distribute")
    for index, each in enumerate(settings.distribute):
        place: Path = (*path, "distribute", index)
        for locality, weight in each.to.items():
            if not 1 <= weight <= 100:
                findings.error((*place, "to", locality), f"{weight} is no weight: 1 to 100")
        total = sum(each.to.values())
        if total != 100:
            findings.error((*place, "to"), f"weights add up to 100; these to {total}")
        _check_overlaps(findings, [((*place, "to", locality), locality) for locality in each.to])
    froms = enumerate(each.from_ or "" for each in settings.distribute)
    _check_overlaps(findings, [((*path, "distribute", index, "from"), locality) for index, locality in froms])
    _check_failovers(findings, path, settings, outliers)


def _check_failovers(
    findings: Findings,
    path: Path,
    settings: LocalityLBSetting | ZoneAwareLBSetting,
    outliers: OutlierDetection | None,
) -> None:
    """Who takes over when all endpoints nearby have failed."""
    if settings.failover:
        for index, label in enumerate(settings.failover_priority):
            if label.partition("=")[0] in _TOPOLOGY:
                findings.error((*path, "failoverPriority", index), f"{show(label)} goes with no failover")
    for name, given in (("failover", settings.failover), ("failoverPriority", settings.failover_priority)):
        if given and outliers is None:
            findings.warning((*path, name), "needs outlierDetection: without it nobody is taken for failed")
    for index, failover in enumerate(settings.failover):
        _check_failover(findings, (*path, "failover", index), failover)


def _check_failover(findings: Findings, path: Path, failover: Failover) -> None:
    for name, region in (("from", failover.from_ or ""), ("to", failover.to or "")):
        if "/" in region or "*" in region:
            findings.error((*path, name), f"{show(region)} is no region: neither / nor * belongs here")
    if failover.from_ == failover.to:
        findings.error((*path, "to"), f"{show(failover.to or '')} can't take over from itself")


def _check_overlaps(findings: Findings, localities: Iterable[tuple[Path, str]]) -> None:
    """Patterns are C{region/zone/subzone}, may end in C{*}, and no two have a locality in common."""
    seen: list[tuple[str, list[str]]] = []
    for path, locality in localities:
        parts = locality.split("/", 2)
        if not all(parts):
            findings.error(path, f"{show(locality)} is no locality: region, region/zone or region/zone/subzone")
            continue
        if "*" in locality.removesuffix("*"):
            findings.error(path, f"{show(locality)} is no pattern: one * may stand at its end")
            continue
        first = next((other for other, theirs in seen if _overlap(parts, theirs)), None)
        if first is not None:
            findings.error(path, f"{show(locality)} overlaps with {show(first)}")
        seen.append((locality, parts))


def _overlap(one: list[str], other: list[str]) -> bool:
    """Whether two patterns have a locality in common; what is left out is anything."""
    return all("*" in (mine, theirs) or mine == theirs for mine, theirs in zip(one, other, strict=False))
