"""Both sides are read at one time: one by this process, the other by one more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from edgegate.diff.sides import Side
from edgegate.server.loader_process import CannotLaunch, LoaderProcess
from edgegate.server.reload_coordinator import ReadingFailed
from edgegate.sources.loading import Answer, Configuration, Loaded, collector_paused
from edgegate.sources.pieces import Pieces
from edgegate.sources.source import ConfigurationSource

MUCH: Final = 256 * 1024
"""Bytes of texts from which on another process is worth its start."""


@dataclass(frozen=True, slots=True)
class Options:
    """How files are taken, as the gateway is told; see L{Configuration}."""

    selector: Mapping[str, str] | None = None
    port_map: Mapping[int, int] | None = None
    ignored_kinds: Collection[str] = ()
    gateway_namespace: str | None = None
    certificate_issuer: str | None = None

    def configuration(self, source: ConfigurationSource) -> Configuration:
        """Return a source with these options."""
        return Configuration(
            source,
            self.selector,
            self.port_map,
            ignored_kinds=self.ignored_kinds,
            gateway_namespace=self.gateway_namespace,
            certificate_issuer=self.certificate_issuer,
        )


def load_both(
    old: ConfigurationSource, new: ConfigurationSource, options: Options, much: int = MUCH
) -> tuple[Loaded, Loaded]:
    """
    Load two sources.

    @param much: From how many bytes on two processes do it.
    """
    with collector_paused(False, False):
        if old.size() < much:
            return options.configuration(old).load(), options.configuration(new).load()
        with ThreadPoolExecutor(1) as pool:
            elsewhere = pool.submit(_elsewhere, options.configuration(old))
            loaded = options.configuration(new).load()
            return elsewhere.result() or options.configuration(old).load(), loaded


def side(name: str, loaded: Loaded) -> Side:
    """Return what was loaded, without errors, as a side."""
    assert loaded.snapshot is not None
    return Side(name, loaded.snapshot, loaded.endpoints, loaded.secrets)


def _elsewhere(configuration: Configuration) -> Loaded | None:
    """Load in another process; L{None}: that is not possible here."""
    try:
        file = LoaderProcess(configuration, None).run()
    except (CannotLaunch, ReadingFailed):
        return None
    with file:
        pieces = Pieces(file, {})
        for _ in pieces:
            pass
    answer = pieces.value
    assert isinstance(answer, Answer)
    return answer.loaded(configuration.source)
