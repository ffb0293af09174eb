"""Problems that were found in the model, told as those of the documents that it was translated from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edgegate.config.problems import Problems, Severity
from edgegate.istio.resources import Resource
from edgegate.model.diagnostics import Diagnostic


class Reporter:
    """Finds the documents that origins lead to."""

    def __init__(self, resources: Iterable[Resource[Any]], problems: Problems) -> None:
        """
        @param resources: All that have a part in the model; looked through when the first problem is told.
        """
        self._resources = resources
        self._by_origin: dict[tuple[str, str], Resource[Any]] = {}
        self._problems = problems

    def report(self, diagnostic: Diagnostic) -> None:
        """Report a problem where it is said; see L{Resource.error} and L{Resource.warning}."""
        if not self._by_origin:
            self._by_origin = {(each.document.file, each.document.title): each for each in self._resources}
        origin = diagnostic.origin
        resource = self._by_origin[origin.file, origin.resource]
        tell = resource.error if diagnostic.severity is Severity.ERROR else resource.warning
        tell(self._problems, origin.path, diagnostic.message, diagnostic.role, diagnostic.code)
