"""C{AddressListPolicy} to guards."""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.kinds.address_list_policy import AddressListPolicy, AddressLists, AddressSource
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.model import codes
from edgegate.model.address_sets import AddressSet, Range, parse_range, range_set
from edgegate.model.guards.address_list import AddressList

MAX_BYTES = 64 << 20
"""Of a file of addresses."""

_LIKE_AN_ADDRESS = re.compile(r"[0-9A-Fa-f.:/]{1,50}")

_TOLD = 5
"""Lines of one file that are told to be wrong; of more how many there are."""


def place_address_lists(policies: Policies, standing: Standing) -> None:
    """Have the lists of all policies stand where they belong."""
    for policy in policies.resources.address_list_policies:
        spec = policy.spec
        guard = AddressList(
            f"{policy.namespace}/{policy.name}",
            policy.document.origin,
            _lists(policies, policy, "allow", spec.allow),
            _lists(policies, policy, "deny", spec.deny),
            spec.source is AddressSource.PEER,
        )
        standing.on(policies.targeted(policy, of_requests=False), guard)


def _lists(
    policies: Policies, policy: Resource[AddressListPolicy], name: str, lists: AddressLists | None
) -> AddressSet | None:
    """Return all addresses of a field; what is wrong is reported."""
    return None if lists is None else range_set(_ranges(policies, policy, ("spec", name), lists))


def _ranges(
    policies: Policies, policy: Resource[AddressListPolicy], path: Path, lists: AddressLists
) -> Iterator[Range]:
    for index, text in enumerate(lists.addresses):
        try:
            yield parse_range(text)
        except ValueError as error:
            policy.error(policies.problems, (*path, "addresses", index), f"{error}, got {show(text)}")
    for index, name in enumerate(lists.files):
        yield from _in_file(policies, policy, (*path, "files", index), name)


def _in_file(policies: Policies, policy: Resource[AddressListPolicy], path: Path, name: str) -> Iterator[Range]:
    """Yield the networks in a file; of its wrong lines the first ones are reported."""
    try:
        content = policies.options.read_file(name)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        policy.error(policies.problems, path, f"{name} can't be read: {why}", code=codes.UNREADABLE_FILE)
        return
    if len(content) > MAX_BYTES:
        policy.error(policies.problems, path, f"{name} has more than {MAX_BYTES >> 20} MiB")
        return
    wrong = []
    any_line = False
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        text = line.partition("#")[0].partition(";")[0].strip()
        if not text:
            continue
        any_line = True
        try:
            yield parse_range(text)
        except ValueError:
            # what is nothing like an address may be a secret: somebody names the wrong file
            wrong.append(f"{name}:{number}{f': {show(text)}' if _LIKE_AN_ADDRESS.fullmatch(text) else ''}")
    if not any_line:
        policy.warning(policies.problems, path, f"{name} holds no address")
    if wrong:
        more = f" and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        policy.error(policies.problems, path, f"no IP address or CIDR: {', '.join(wrong[:_TOLD])}{more}")
