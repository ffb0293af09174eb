"""VirtualServices that leave some of their requests to others: C{delegate} of Istio's C{HTTPRoute}."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from msgspec import structs

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Role
from edgegate.config.values import show
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource
from edgegate.istio.translate.exports import exported
from edgegate.istio.translate.merging import Conflict, Item, Merged, Part, merge
from edgegate.istio.translate.rules import host_patterns
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.model import codes
from edgegate.model.notes import Cause, LeftOut, Notes


class Delegates:
    """
    Finds delegates, and puts their routes in the place of the items that delegate to them.

    @ivar roots: VirtualServices with hosts, which serve something themselves.
    @ivar declared: Those without, in the same order.
    """

    def __init__(
        self,
        resources: Iterable[Resource[VirtualService]],
        problems: Problems,
        suggestions: Suggestions,
        notes: Notes | None = None,
    ) -> None:
        self.roots: list[Resource[VirtualService]] = []
        self.declared: list[Resource[VirtualService]] = []
        self._by_name: dict[tuple[str, str], Resource[VirtualService]] = {}
        for resource in resources:
            (self.roots if resource.spec.hosts else self.declared).append(resource)
            self._by_name[resource.namespace, resource.name] = resource
        self._problems = problems
        self._suggestions = suggestions
        self._notes = notes
        self._used: set[Resource[VirtualService]] = set()

    def merged(self, root: Resource[VirtualService]) -> Resource[VirtualService]:
        """
        Return a VirtualService with the routes of its delegates in the place of the items that delegate.

        What is wrong with a delegation is reported, and has no routes. A problem
        in what is returned is reported where it is said: in a delegate's document, or in
        the root's where it came from there.
        """
        if all(item.delegate is None for item in root.spec.http):
            return root
        items = [merged for index in range(len(root.spec.http)) for merged in self._items(root, index)]
        parts: dict[Path, Part] = {}
        for index, merged in enumerate(items):
            place: Path = ("spec", "http", index)
            parts.update({place + path: part for path, part in merged.parts.items()})
        return replace(root, content=structs.replace(root.spec, http=tuple(item.route for item in items)), parts=parts)

    def warn_of_unused(self) -> None:
        """Warn of all delegates to which nobody has delegated until now."""
        for resource in self.declared:
            spec = resource.spec
            if resource not in self._used and not (spec.gateways or spec.tls or spec.tcp):
                message = "it has no hosts and no VirtualService delegates to it: it serves nothing"
                resource.warning(self._problems, ("spec",), message, Role.CONSEQUENCE, codes.DELEGATE_PROBLEM)

    def _items(self, root: Resource[VirtualService], index: int) -> Iterator[Merged]:
        """Yield what stands in the place of an item: itself, or its delegate's."""
        item = Item(root, ("spec", "http", index), root.spec.http[index])
        if item.route.delegate is None:
            yield Merged(item.route, {(): item.part()})
            return
        delegate = self._delegate(item)
        if delegate is None:
            return
        for number, route in enumerate(delegate.spec.http):
            if route.delegate is not None:
                continue  # was refused already
            own = Item(delegate, ("spec", "http", number), route)
            merged = merge(item, own)
            if isinstance(merged, Merged):
                yield merged
            else:
                self._warn_of(merged, item, own)

    def _delegate(self, item: Item) -> Resource[VirtualService] | None:
        """Return the VirtualService to which an item delegates; report where there is none that it can be."""
        root, place = item.part("delegate")
        assert item.route.delegate is not None
        name, namespace = item.route.delegate.name, item.route.delegate.namespace or root.namespace
        if not name:
            return None  # was refused already
        found = self._by_name.get((namespace, name))
        if found is None:
            where = f'no document declares VirtualService {show(name)} in namespace "{namespace}"'
            root.error(
                self._problems,
                (*place, "name"),
                where + self._hint(name, namespace),
                Role.CONSEQUENCE,
                codes.DELEGATE_PROBLEM,
            )
            return None
        declared = f"{found.document.title} at {found.document.origin}"
        if found.spec.hosts:
            root.error(self._problems, (*place, "name"), f"{declared} has hosts of its own: a delegate has none")
            return None
        self._used.add(found)
        if not exported(found.spec.export_to, found.namespace, root.namespace):
            root.error(
                self._problems, (*place, "name"), f'exportTo of {declared} keeps it from namespace "{root.namespace}"'
            )
            return None
        return found

    def _hint(self, name: str, namespace: str) -> str:
        """Return which delegate was probably meant: of the same name in another namespace, or of a similar one."""
        delegates = [(each.namespace, each.name) for each in self.declared]
        others = [other for other, same in delegates if same == name]
        if others:
            return f"; is it the one in namespace {show(others[0])}?"
        return self._suggestions.like(name, [near for within, near in delegates if within == namespace])

    def _warn_of(self, conflict: Conflict, root: Item, delegate: Item) -> None:
        """Warn of an item that Istio would pass over in silence."""
        if not root.resource.left_out((*root.path, "match")):
            message = f"never reached through {root.resource.origin_of(root.path)}: match[{conflict.match}]: "
            delegate.resource.warning(
                self._problems, delegate.path, message + conflict.reason, code=codes.DELEGATE_PROBLEM
            )
        if self._notes is not None:
            origin, item = delegate.resource.origin_of(delegate.path), root.resource.origin_of(root.path)
            hosts = tuple(host_patterns(root.resource).values())
            why = f"its match is within nothing that the route at {item} delegates: {conflict.reason}"
            self._notes.leave_out(LeftOut(Cause.DELEGATE, origin, hosts, None, why, by=item))
