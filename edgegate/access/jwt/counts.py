# Hot path: counts each request of a guarded host.
"""What has become of tokens in a process, by the names of Envoy's C{jwt_authn} statistics."""

from __future__ import annotations


class TokenCounts:
    """
    Numbers that only grow.

    @ivar allowed: Requests that have passed, with a token or without.
    @ivar denied: Requests that were refused.
    @ivar preflights: Requests that were let pass as they ask what a page may ask.
    @ivar cache_hits: Tokens that were known.
    @ivar cache_misses: Tokens that had to be verified.
    @ivar fetched: Key sets that were fetched.
    @ivar not_fetched: Tries that have failed.
    @ivar used: Whether there were rules for tokens at any time.
    """

    __slots__ = ("allowed", "cache_hits", "cache_misses", "denied", "fetched", "not_fetched", "preflights", "used")

    def __init__(self) -> None:
        self.allowed = self.denied = self.preflights = 0
        self.cache_hits = self.cache_misses = 0
        self.fetched = self.not_fetched = 0
        self.used = False

    def numbers(self) -> tuple[int, ...]:
        """Return them in the order in which metrics have them."""
        return (
            self.allowed,
            self.denied,
            self.preflights,
            self.fetched,
            self.not_fetched,
            self.cache_hits,
            self.cache_misses,
        )
