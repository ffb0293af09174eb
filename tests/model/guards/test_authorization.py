"""Tests of L{edgegate.model.guards.authorization}; what rules do is in tests.access.test_authorization."""

from __future__ import annotations

import pickle
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.guards.authorization import (
    Action,
    Attribute,
    Authorization,
    Condition,
    Rule,
    Rules,
    asks_for_request,
    of_connections,
)
from edgegate.model.guards.guard import Stage
from edgegate.model.origin import Origin

METHOD = Condition(Attribute.METHOD, ("GET",), field="methods")
PORT = Condition(Attribute.PORT, ("80",), negated=True, field="notPorts")
RULE = Rule("r", ((PORT,), ()), ((METHOD, PORT),), (PORT,), Origin("f", 1, "AuthorizationPolicy a/b"))


class ValueTests(SynchronousTestCase):
    """Rules as values."""

    def test_pickled(self) -> None:
        """They can be sent to another process."""
        guard = Authorization("a/b", Origin("f", 1, "r"), Rules(Action.DENY, (RULE,)), True, Rules(Action.DENY))
        again = pickle.loads(pickle.dumps(guard))
        self.assertEqual(again, guard)
        self.assertEqual(hash(again), hash(guard))

    def test_equal(self) -> None:
        """They are equal where they do the same, wherever they are said."""
        self.assertEqual(RULE, replace(RULE, origin=None))
        self.assertEqual(METHOD, replace(METHOD, field="other"))
        self.assertNotEqual(METHOD, replace(METHOD, negated=True))

    def test_stages(self) -> None:
        """Who is asked comes first, then what is denied, then what is allowed."""
        origin = Origin("f", 1, "r")
        stages = [Authorization("a", origin, Rules(action)).stage() for action in Action]
        self.assertEqual(stages, [Stage.ALLOW, Stage.DENY, Stage.AUDIT, Stage.CUSTOM])

    def test_of_connections(self) -> None:
        """An ALLOW rule that asks for a request is left out; of others what asks for it is."""
        self.assertEqual(of_connections(Rules(Action.ALLOW, (RULE,))).rules, ())
        (left,) = of_connections(Rules(Action.AUDIT, (RULE,))).rules
        self.assertEqual((left.operations, left.sources), (((PORT,),), ((PORT,), ())))
        self.assertTrue(asks_for_request((PORT, METHOD)))
        self.assertFalse(asks_for_request((PORT,)))
