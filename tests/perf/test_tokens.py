"""What a token costs that is known: it is looked up, and neither read nor verified again."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import FrameType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.guards.jwt import TokenFilter
from edgegate.model.guards.jwt import InlineKeys
from edgegate.version import compiled
from tests.access.jwt.tokens import believed, good
from tests.http.conversation import Conversation, to_web
from tests.http.guards.test_jwt import guard

MOST = 24
"""Functions of edgegate's own that may be called for such a request."""


class TokenTests(SynchronousTestCase):
    """A token that comes again."""

    def test_calls(self) -> None:
        """Few functions are called, none of them those that read JSON or verify signatures."""
        talk = Conversation(to_web())
        filter_ = TokenFilter(guard(InlineKeys(believed())), talk.environment)
        head = b"GET /a?b=c HTTP/1.1\r\nHost: web.example\r\nAuthorization: Bearer " + good(time.time()) + b"\r\n\r\n"
        talk.ask(head)
        exchange = next(iter(talk.environment.connections))._exchange  # type: ignore[attr-defined]
        sent = exchange.head
        filter_.request_head(exchange)
        exchange.replace_head(sent)
        called: Counter[str] = Counter()

        def count(frame: FrameType, event: str, argument: Any) -> None:
            if event == "call" and "/edgegate/" in frame.f_code.co_filename:
                called[frame.f_code.co_name] += 1

        sys.setprofile(count)
        try:
            filter_.request_head(exchange)
        finally:
            sys.setprofile(None)
        self.assertEqual(exchange.claims["sub"], "alice@example.com")
        if not compiled():
            self.assertIn("tokens", called)
        self.assertEqual(called.keys() & {"parse", "json_object", "verifies", "_made"}, set())
        self.assertLessEqual(called.total(), MOST, called)
