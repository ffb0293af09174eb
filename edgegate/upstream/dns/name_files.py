"""
The files that say how this machine finds names, as the C library has them: resolv.conf(5), nsswitch.conf(5), hosts(5).

Reading them is the only thing here that touches a disk on the loop, so it is
done when one of them has changed, which three calls of stat tell, and they are
looked at every few seconds at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType

from edgegate.model.addresses import TCPAddress, is_ip_address

PORT = 53

MOST_SERVERS = 3
"""Name servers that are asked; the C library's C{MAXNS}."""

MOST_SEARCHED = 16
"""Domains that a short name is tried in."""

MOST_BYTES = 256 * 1024
"""Bytes of one file; names are left to the system's resolver where one is longer, as reading it would take too long."""

_NOTHING: Mapping[str, tuple[str, ...]] = MappingProxyType({})

# Services of nsswitch.conf that know nothing a name server would be asked for: the machine's own name and containers.
# resolve is systemd-resolved, which resolv.conf names too. What they alone know is found when DNS knows nothing.
_BESIDE_DNS = frozenset({"resolve", "myhostname", "mymachines"})


@dataclass(frozen=True, slots=True)
class NameRules:
    """
    How names are found. The defaults are those of a machine that says nothing.

    @ivar servers: Name servers, in the order to ask them; none: only the system's resolver knows what to do.
    @ivar search: Domains that short names are tried in.
    @ivar ndots: Dots from which on a name is tried as it is first.
    @ivar timeout: Seconds that a server has for its first answer; twice that in the second round, and so on.
    @ivar attempts: Rounds.
    @ivar hosts: Addresses of names that are not asked for, by the name in lower case.
    @ivar multicast: Whether names below C{.local} are the system's.
    """

    servers: tuple[TCPAddress, ...] = ()
    search: tuple[str, ...] = ()
    ndots: int = 1
    timeout: float = 2.0
    attempts: int = 2
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    multicast: bool = False

    def known(self, name: str) -> tuple[str, ...]:
        """Return the addresses that the files themselves say of a name."""
        return self.hosts.get(name.lower().removesuffix("."), ())

    def is_systems(self, name: str) -> bool:
        """Whether DNS is not to be asked: no server is known, or a name means this machine or link (RFC 6761, 6762)."""
        last = name.lower().removesuffix(".").rpartition(".")[2]
        return not self.servers or last == "localhost" or (last == "local" and self.multicast)

    def candidates(self, name: str) -> Iterator[str]:
        """Yield the names to ask for, without the final dot, until one of them exists (C{res_search})."""
        if name.endswith("."):
            yield name[:-1]
            return
        first = name.count(".") >= self.ndots
        if first:
            yield name
        for domain in self.search:
            if len(name) + len(domain) < 253:
                yield f"{name}.{domain}"
        if not first:
            yield name


class NameFiles:
    """
    The files of one folder, read when they change.

    @ivar rules: What they say.
    """

    def __init__(self, hostname: str, servers: tuple[TCPAddress, ...] = (), folder: str = "/etc") -> None:
        """
        @param hostname: This machine's; short names are tried in its domain where the files name none.
        @param servers: Asked in place of those in the files; names are not left to others then.
        """
        self._folder = Path(folder)
        self._hostname = hostname
        self._servers = servers
        self._stamps: list[tuple[int, int, int] | None] = []
        self.rules = NameRules()
        self.changed()

    def changed(self) -> bool:
        """Look whether a file has changed; then what it says counts from now on."""
        paths = [self._folder / name for name in ("resolv.conf", "nsswitch.conf", "hosts")]
        stamps = [_stamp(path) for path in paths]
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        before, self.rules = self.rules, self._read(*map(_text, paths))
        return before != self.rules

    def _read(self, conf: str | None, switch: str | None, hosts: str | None) -> NameRules:
        if conf is None or switch is None or hosts is None:
            return NameRules(self._servers)
        rules = parse_resolv_conf(conf, self._hostname)
        if self._servers:
            return replace(rules, servers=self._servers, hosts=parse_hosts(hosts))
        services = parse_nsswitch(switch)
        before = services[: services.index("dns")] if "dns" in services else services
        multicast = any(service.startswith("mdns") for service in services)
        others = [each for each in before if each not in _BESIDE_DNS | {"files"} and not each.startswith("mdns")]
        if others or not {"dns", "resolve"} & set(services):
            return NameRules()
        return replace(rules, hosts=parse_hosts(hosts) if "files" in before else _NOTHING, multicast=multicast)


def parse_resolv_conf(text: str, hostname: str = "") -> NameRules:
    """
    Read resolv.conf. Lines that can't be understood are passed over, as the C library does.

    @param hostname: This machine's, for its domain.
    """
    servers: list[TCPAddress] = []
    search = tuple(filter(None, [hostname.partition(".")[2]]))
    options: dict[str, str] = {}
    for line in text.splitlines():
        word, *values = line.split()[:64] if line[:1] not in ("#", ";", " ", "\t", "") else ("",)
        if word == "nameserver" and values and _is_server(values[0]):
            servers.append(TCPAddress(values[0], PORT))
        elif word == "domain" and values:
            search = (values[0],)
        elif word == "search":
            search = tuple(values)
        elif word == "options":
            options.update((name, value) for name, _, value in (each.partition(":") for each in values))
    domains = (each.strip(".").lower() for each in search[:MOST_SEARCHED])
    return NameRules(
        tuple(servers[:MOST_SERVERS]),
        tuple(each for each in domains if each),
        _number(options.get("ndots"), NameRules().ndots, 0, 15),
        _number(options.get("timeout"), int(NameRules().timeout), 1, 30),
        _number(options.get("attempts"), NameRules().attempts, 1, 5),
    )


def parse_nsswitch(text: str) -> list[str]:
    """Return the services that are asked for hosts, without what follows on their outcome (C{[NOTFOUND=return]})."""
    services = ["files", "dns"]
    for line in text.splitlines():
        database, colon, said = line.partition("#")[0].partition(":")
        if colon and database.strip() == "hosts":
            services = re.sub(r"\[[^]]*\]", " ", said).split()
    return services


def parse_hosts(text: str) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each name in hosts, each once, in the order of the lines."""
    found: dict[str, dict[str, None]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or ("",)
        try:
            literal = str(ip_address(address))
        except ValueError:
            continue
        for name in names:
            found.setdefault(name.lower().removesuffix("."), {})[literal] = None
    return {name: tuple(addresses) for name, addresses in found.items()}


def _is_server(text: str) -> bool:
    """Whether it is an address. One of a link (C{fe80::1%eth0}) is passed over, as Twisted can't say the link."""
    return is_ip_address(text) and "%" not in text


def _number(text: str | None, default: int, least: int, most: int) -> int:
    if text is None or not (text.isascii() and text.isdigit()):
        return default
    return min(max(int(text[:9]), least), most)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _text(path: Path) -> str | None:
    """Return what a file says; nothing where there is none, L{None} where it is too long."""
    try:
        with path.open("rb") as file:
            said = file.read(MOST_BYTES + 1)
    except OSError:
        return ""
    return None if len(said) > MOST_BYTES else said.decode("utf-8", "replace")
