"""edgegate's C{AddressListPolicy}: which addresses may enter, and which may not."""

from __future__ import annotations

from enum import Enum

from edgegate.istio.kinds.base import Spec
from edgegate.istio.kinds.policy_target import TargetedPolicy


class AddressSource(Enum):
    """
    Whose address counts.

    C{Client} is the one that trusted proxies say (C{--trusted-hops}), and without such the connection's; C{Peer} is the
    connection's in any case.
    """

    CLIENT = "Client"
    PEER = "Peer"


class AddressLists(Spec, frozen=True, kw_only=True):
    """
    Addresses and CIDRs, here or in files.

    A file has one on each line; what stands behind C{#} or C{;} is passed over.
    """

    addresses: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class AddressListPolicy(TargetedPolicy, frozen=True, kw_only=True):
    """
    The C{spec} of an AddressListPolicy.

    Who is on C{deny} is refused; where there is C{allow}, so is everyone who is not on that.
    """

    source: AddressSource | None = None
    allow: AddressLists | None = None
    deny: AddressLists | None = None
