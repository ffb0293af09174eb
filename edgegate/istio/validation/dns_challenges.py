"""What a C{CertificateIssuer} must say of challenges by DNS-01."""

from __future__ import annotations

import re
from typing import Final

from edgegate.config.document import Path
from edgegate.config.values import show, with_port
from edgegate.istio.kinds.certificate_issuer import DNS01, RFC2136, TSIG, ACMEIssuer, ChallengeKind
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import is_address
from edgegate.model import codes
from edgegate.model.hosts import MAX_NAME

LONGEST_COMMAND: Final = 120.0
"""Seconds for a command, which is run twice for a certificate."""

LONGEST_PROPAGATION: Final = 600.0
"""Seconds for the servers of a zone to have a value: so long one of the few is busy that ask authorities."""

MOST_WORDS: Final = 64
MOST_CHARACTERS: Final = 16_384
"""Words of a command, and characters of all of them."""

LONGEST_TTL: Final = 86_400
PORT: Final = 53

_NAME = re.compile(
    r"(?:[A-Za-z0-9_](?:[-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?\.?"
)


def check_dns01(findings: Findings, path: Path, acme: ACMEIssuer) -> None:
    """DNS-01 needs somebody who puts values into the DNS; and somebody who does is there for DNS-01."""
    wanted, dns01 = ChallengeKind.DNS_01 in acme.challenges, acme.dns01
    inner = (*path, "dns01")
    if dns01 is None:
        if wanted:
            index = acme.challenges.index(ChallengeKind.DNS_01)
            findings.error((*path, "challenges", index), "DNS-01 needs dns01, with rfc2136 or command")
        return
    if not wanted:
        words = "nothing is proved by it: challenges has no DNS-01"
        findings.warning(inner, words, codes.WITHOUT_EFFECT)
    if dns01.rfc2136 is not None:
        _check_updates(findings, (*inner, "rfc2136"), dns01.rfc2136)
    elif dns01.command is not None:
        _check_command(findings, (*inner, "command"), dns01.command)
    else:
        findings.error(inner, "either rfc2136 or command is required")
    _check_times(findings, inner, dns01)


def name_server(text: str) -> tuple[str, int] | None:
    """Return host and port of a name server; L{None} where a text names none."""
    if is_address(text):
        return text, PORT
    host, number = with_port(text) or (text, str(PORT))
    if not 0 < int(number) <= 65535 or (not is_address(host) and not is_dns_name(host)):
        return None
    return host, int(number)


def is_dns_name(text: str) -> bool:
    """Whether a text is a name of the DNS; names of zones and keys may have underscores, which those of hosts don't."""
    return len(text.removesuffix(".")) <= MAX_NAME and _NAME.fullmatch(text) is not None


def _check_updates(findings: Findings, path: Path, updates: RFC2136) -> None:
    if not updates.server:
        findings.error((*path, "server"), "it is required: the name server that takes updates, as ns1.example.com:53")
    elif name_server(updates.server) is None:
        findings.error((*path, "server"), f"{show(updates.server)} is no HOST or HOST:PORT")
    if updates.zone is not None and not is_dns_name(updates.zone):
        findings.error((*path, "zone"), f"{show(updates.zone)} is no name of a zone")
    if updates.ttl is not None and updates.ttl > LONGEST_TTL:
        findings.error((*path, "ttl"), f"{updates.ttl} is more than {LONGEST_TTL} seconds, a day")
    if updates.tsig is not None:
        _check_key(findings, (*path, "tsig"), updates.tsig)


def _check_key(findings: Findings, path: Path, tsig: TSIG) -> None:
    if not tsig.key_name:
        findings.error((*path, "keyName"), "it is required: the name server knows the key by it")
    elif not is_dns_name(tsig.key_name):
        findings.error((*path, "keyName"), f"{show(tsig.key_name)} is no name of a key: it is like one of a host")
    if tsig.key is None or not (tsig.key.file or tsig.key.secret_name):
        findings.error((*path, "key"), "either file or secretName is required")


def _check_command(findings: Findings, path: Path, command: tuple[str, ...]) -> None:
    if not command or not command[0]:
        findings.error(path, "it names no program")
    elif len(command) > MOST_WORDS or sum(map(len, command)) > MOST_CHARACTERS:
        findings.error(path, f"it has more than {MOST_WORDS} words or {MOST_CHARACTERS} characters")


def _check_times(findings: Findings, path: Path, dns01: DNS01) -> None:
    if dns01.command_timeout is not None:
        if dns01.command is None:
            findings.warning((*path, "commandTimeout"), "there is no command", codes.WITHOUT_EFFECT)
        elif dns01.command_timeout > LONGEST_COMMAND:
            findings.error((*path, "commandTimeout"), f"more than {LONGEST_COMMAND:g}s")
    if dns01.propagation_timeout is not None and dns01.propagation_timeout > LONGEST_PROPAGATION:
        findings.error((*path, "propagationTimeout"), f"more than {LONGEST_PROPAGATION:g}s")
