"""How issuers of certificates answer challenges by DNS-01: name servers, their keys, and commands."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import replace
from typing import Final

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.istio.kinds import certificate_issuer as kinds
from edgegate.istio.resources import Resource
from edgegate.istio.translate.certificate_storage import FindSecret
from edgegate.istio.translate.compile_options import CompileOptions
from edgegate.istio.validation.dns_challenges import name_server
from edgegate.model import codes
from edgegate.model.certificates import DNSChallenges, DynamicUpdates, HookCommand, TSIGAlgorithm, TSIGKey

KEY_ENTRIES: Final = ("key", "tsig")
"""What the entry of a Secret with a key may be called."""

_SECRET = re.compile(rb'\bsecret:?[ \t]+"?([A-Za-z0-9+/=]+)')
"""The line in settings of a key: C{secret "..."} for BIND, C{secret: ...} for Knot."""

_TSIG: Final[Path] = ("spec", "acme", "dns01", "rfc2136", "tsig")

_Issuer = Resource[kinds.CertificateIssuer]


def dns_challenges(
    resource: _Issuer, dns01: kinds.DNS01 | None, secret: FindSecret, options: CompileOptions, problems: Problems
) -> DNSChallenges | None:
    """Return how challenges are answered; L{None}: nothing is said, or what is said is wrong, which was told."""
    if dns01 is None:
        return None
    by: DynamicUpdates | HookCommand
    if dns01.rfc2136 is not None:
        found = _updates(resource, dns01.rfc2136, secret, problems)
        if found is None:
            return None
        by = found
    elif dns01.command:
        program, *more = dns01.command
        words = (options.locate(program) if "/" in program else program, *more)
        by = HookCommand(words) if dns01.command_timeout is None else HookCommand(words, float(dns01.command_timeout))
    else:
        return None
    patience = dns01.propagation_timeout
    return DNSChallenges(by) if patience is None else DNSChallenges(by, float(patience))


def _updates(
    resource: _Issuer, updates: kinds.RFC2136, secret: FindSecret, problems: Problems
) -> DynamicUpdates | None:
    server = name_server(updates.server or "")
    if server is None:
        return None  # which was told
    key = None
    if updates.tsig is not None:
        key = _key(resource, updates.tsig, secret, problems)
        if key is None:
            return None
    found = DynamicUpdates(*server, zone=(updates.zone or "").lower(), key=key)
    return found if updates.ttl is None else replace(found, ttl=updates.ttl)


def _key(resource: _Issuer, tsig: kinds.TSIG, secret: FindSecret, problems: Problems) -> TSIGKey | None:
    if tsig.key is None or not tsig.key_name:
        return None  # which was told
    path = (*_TSIG, "key")
    content, name = secret(resource, path, tsig.key, KEY_ENTRIES)
    if content is None:
        return None
    key = tsig_secret(content)
    if not key:
        message = f"{name} is no key in base64, nor the settings of one key as tsig-keygen or keymgr writes them"
        resource.error(problems, path, message, code=codes.BAD_CREDENTIALS)
        return None
    algorithm = TSIGAlgorithm[(tsig.algorithm or kinds.TSIGAlgorithm.HMAC_SHA256).name]
    return TSIGKey(tsig.key_name.lower(), key, algorithm)


def tsig_secret(content: bytes) -> bytes:
    """Return the secret in a text, in base64 or in settings of BIND or Knot of one key; empty: there is none."""
    settings = _SECRET.findall(content)
    if len(settings) > 1:
        return b""
    try:
        return base64.b64decode(settings[0] if settings else b"".join(content.split()), validate=True)
    except binascii.Error:
        return b""
