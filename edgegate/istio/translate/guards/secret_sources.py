"""What policies name as their secrets: files beside the documents, and Secrets among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from edgegate.access.lines import BIGGEST_FILE, Mistake
from edgegate.config.document import Path
from edgegate.config.problems import Problems, Role
from edgegate.istio.kinds.secret_source import SecretSource
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.standing import Policies
from edgegate.istio.translate.key_sources import KeySources, Unreadable, title
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.model import codes

_TOLD = 5
"""Lines of one file that are told to be wrong; of more how many there are."""


@dataclass(frozen=True, slots=True)
class Found:
    """
    A secret's content.

    @ivar name: What messages call where it is from.
    """

    name: str
    content: bytes = field(repr=False)


class SecretSources:
    """Finds the secrets of policies, and reports where there are none."""

    def __init__(self, policies: Policies) -> None:
        self._problems: Problems = policies.problems
        self._sources = KeySources(policies.resources.secrets, policies.options.read_file, Suggestions())

    def find(self, policy: Resource[Any], path: Path, source: SecretSource | None, *entries: str) -> Found | None:
        """
        Return a secret; L{None}: there is none, which is reported.

        @param path: Of the field that names it.
        @param entries: The names of a Secret's entry, of which the first that is there counts.
        """
        if source is None:
            return None
        if source.file:
            return self._in_file(policy, (*path, "file"), source.file)
        if source.secret_name:
            return self._in_secret(policy, (*path, "secretName"), source.secret_name, entries)
        return None

    def told(self, policy: Resource[Any], path: Path, found: Found, mistakes: Iterable[Mistake], warn: bool) -> None:
        """Report lines of a secret."""
        lines = [f"{found.name}:{each.line}: {each.message}" for each in mistakes]
        if lines:
            more = f"; and {len(lines) - _TOLD} more" if len(lines) > _TOLD else ""
            report = policy.warning if warn else policy.error
            report(self._problems, path, f"{'; '.join(lines[:_TOLD])}{more}", code=codes.BAD_CREDENTIALS)

    def _in_file(self, policy: Resource[Any], path: Path, name: str) -> Found | None:
        try:
            content = self._sources.read(name)
        except Unreadable as error:
            policy.error(self._problems, path, str(error), code=codes.BAD_CREDENTIALS)
            return None
        return self._checked(policy, path, Found(name, content))

    def _in_secret(self, policy: Resource[Any], path: Path, name: str, entries: tuple[str, ...]) -> Found | None:
        secret = self._sources.secret(name, policy.namespace)
        if secret is None:
            message = self._sources.undeclared(name, policy.namespace)
            policy.error(self._problems, path, message, Role.CONSEQUENCE, codes.REFERENCED_RESOURCE_NOT_FOUND)
            return None
        content = secret.spec.first(*entries)
        if content is None:
            message = f"{title(secret)} at {secret.document.origin} has no {' or '.join(entries)}"
            policy.error(self._problems, path, message, Role.CONSEQUENCE, codes.BAD_CREDENTIALS)
            return None
        return self._checked(policy, path, Found(title(secret), content))

    def _checked(self, policy: Resource[Any], path: Path, found: Found) -> Found | None:
        if len(found.content) > BIGGEST_FILE:
            message = f"{found.name} has more than {BIGGEST_FILE >> 20} MiB"
            policy.error(self._problems, path, message, code=codes.BAD_CREDENTIALS)
            return None
        return found
