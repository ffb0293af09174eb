"""Tests of L{edgegate.istio.validation.rate_limit_policy}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase


def limit(text: str = "", **rest: str) -> str:
    """Return the spec of a policy with one limit that has some more fields, and with others beside it."""
    lines = [f"{name.rstrip('_')}: {value}" for name, value in rest.items()]
    return "\n".join([f"limits: [{{requests: 10, period: 1m{', ' if text else ''}{text}}}]", *lines])


def redis(text: str) -> str:
    """Return the spec of a policy whose Redis is said so."""
    return limit(global_=f"{{redis: {{{text}}}}}")


class RateLimitPolicyTests(CasesTestCase):
    """What is wrong with a policy is told."""

    def test_limits(self) -> None:
        """Each lets something pass, in a time that somebody counts."""
        cases = (
            (limit(), ""),
            ("limits: [{requests: 1, period: 9000h}]", "366 days at most"),
            ("limits: [{requests: 1000000, period: 1ms}]", "more than 1,000,000 requests in a second"),
            ("limits: [{requests: 1, period: 5}]", "expected"),
            (limit("burst: 0"), "a burst is 1 at least"),
            (limit("cost: 0"), "a cost is 1 at least"),
            (limit("cost: 11"), "10 may pass at once, and each costs more"),
            (limit("cost: 3, burst: 2"), "2 may pass at once, and each costs more"),
        )
        self.check("RateLimitPolicy", cases)

    def test_redis(self) -> None:
        """A Redis can be reached, and is asked in a way that it knows."""
        cases = (
            (redis("address: 'redis.example:6379', db: 3"), ""),
            (redis("address: 'unix:///run/redis.sock'"), ""),
            (redis("address: redis.example"), "is neither HOST:PORT nor unix://"),
            (redis("address: 'a:6379', db: 3000000000"), "is no database"),
            (redis("address: 'a:6379', username: u"), "a user has a password"),
            (redis("address: 'unix:///s', tls: {}"), "not over a UNIX socket"),
            (redis("address: 'a:6379', tls: {certificateFile: c}"), "belong together"),
            (redis("address: 'a:6379', tls: {serverName: 'a b'}"), "a b"),
            (limit("burst: 5", global_="{redis: {address: 'a:1'}}"), "not with global"),
            (limit(global_="{redis: {address: 'a:1'}, timeout: 6s}"), "5s at most"),
            (limit(global_="{redis: {address: 'a:1'}, keyPrefix: 'a b'}"), "letters, digits"),
            (limit(global_="{redis: {address: 'a:1'}, onFailure: Maybe}"), "Maybe"),
        )
        self.check("RateLimitPolicy", cases)
