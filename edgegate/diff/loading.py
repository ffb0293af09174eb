"""Both sides are read at one time: one by this process, the other by one more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from edgegate.diff.sides import Side
from edgegate.server.loader_process import CannotLaunch, LoaderProcess
from edgegate.server.reload_coordinator import ReadingFailed
from edgegate.sources.loading import Answer, Configuration, Loaded, LoadOptions, collector_paused, load
from edgegate.sources.pieces import Pieces
from edgegate.sources.source import ConfigurationSource

MUCH: Final = 256 * 1024
"""Bytes of texts from which on another process is worth its start."""


def load_both(
    old: ConfigurationSource, new: ConfigurationSource, options: LoadOptions, much: int = MUCH
) -> tuple[Loaded, Loaded]:
    """
    Load two sources.

    @param much: From how many bytes on two processes do it.
    """
    with collector_paused(False, False):
        if old.size() < much:
            return load(old, **options), load(new, **options)
        with ThreadPoolExecutor(1) as pool:
            elsewhere = pool.submit(_elsewhere, Configuration(old, **options))
            loaded = load(new, **options)
            return elsewhere.result() or load(old, **options), loaded


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
