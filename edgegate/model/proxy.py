# Compiled: values that hot modules read.
"""What files say of the gateway as a whole, from its start on (Istio's C{ProxyConfig})."""

from __future__ import annotations

from dataclasses import dataclass

from edgegate.model.picklable import Picklable


@dataclass(frozen=True, slots=True)
class ProxySettings(Picklable):
    """
    What counts for a process as a whole; what files leave open is L{None}, or empty.

    @ivar trusted_hops: How many proxies in front of the gateway are trusted to say who the client is.
    @ivar underscores: What becomes of headers with underscores in their names, as C{--headers-with-underscores} names
        it.
    @ivar paths: In which form paths are matched and sent on, as C{--path-normalization} names it.
    """

    trusted_hops: int | None = None
    underscores: str = ""
    paths: str = ""


NO_SETTINGS = ProxySettings()
