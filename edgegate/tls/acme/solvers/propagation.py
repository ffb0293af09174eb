"""
A wait until the servers of a zone answer with a value.

An authority asks any of them. One that asks a server which does not know the value yet counts a failure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from dns import exception, name, rcode, rdatatype

from edgegate.tls.acme.solvers.name_servers import (
    GLANCE,
    MOST_ADDRESSES,
    Exchange,
    Names,
    NameServer,
    by_udp,
    question_about,
)
from edgegate.tls.acme.solvers.solver import NotAnswered

MOST_MISSES: Final = 2
"""Questions in a row that a server leaves without an answer; then it is asked no more."""

MOST_HOSTS: Final = 8
"""Servers of a zone that are looked for."""

_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 4.0


class Propagation:
    """Waits for servers."""

    def __init__(
        self,
        exchange: Exchange = by_udp,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        @param clock: Returns seconds.
        """
        self._exchange = exchange
        self._clock = clock
        self._sleep = sleep

    def wait(self, servers: Iterable[NameServer], where: name.Name, value: str, patience: float) -> int:
        """
        Wait until all servers answer with a TXT record of a value. Those that can't be reached are left out: this
        machine may not be allowed to ask them.

        @param patience: Seconds; 0: nobody is asked.
        @return: How many answer with it.
        @raise NotAnswered: Some still answer without it.
        """
        left = dict.fromkeys(list(dict.fromkeys(servers))[:MOST_ADDRESSES], 0) if patience else {}
        end, pause, found = self._clock() + patience, _FIRST_PAUSE, 0
        while left:
            for server in tuple(left):
                there = self._shows(server, where, value)
                if there:
                    found += 1
                    del left[server]
                elif there is not None:
                    left[server] = 0
                elif left[server] + 1 >= MOST_MISSES:
                    del left[server]
                else:
                    left[server] += 1
            if self._clock() >= end:
                without = ", ".join(str(server) for server, misses in left.items() if not misses)
                if without:
                    shown = where.to_text(omit_final_dot=True)
                    raise NotAnswered(f"{without} still answers without the value at {shown} after {patience:g} s")
                break
            if left:
                self._sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        return found

    def _shows(self, server: NameServer, where: name.Name, value: str) -> bool | None:
        """Whether a server answers with a value; L{None}: it does not answer."""
        try:
            answer = self._exchange(question_about(where, rdatatype.TXT), server, GLANCE)
        except (exception.DNSException, OSError, EOFError, ValueError):
            return None
        if answer.rcode() not in (rcode.NOERROR, rcode.NXDOMAIN):
            return None
        wanted = value.encode("ascii")
        return any(
            b"".join(record.strings) == wanted
            for records in answer.answer
            if records.rdtype == rdatatype.TXT
            for record in records
        )


def servers_of(hosts: Iterable[str], names: Names) -> list[NameServer]:
    """Return where the servers of a zone are, by their names."""
    found: dict[str, None] = {}
    for host in islice(hosts, MOST_HOSTS):
        found.update(dict.fromkeys(names.addresses(host)))
    return [NameServer(each) for each in found]
