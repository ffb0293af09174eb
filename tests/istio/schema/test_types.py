"""Tests for L{edgegate.istio.schema.types}."""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec import inspect
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.document import snake_case
from edgegate.istio.kinds import KINDS
from edgegate.istio.kinds.base import Base64, Duration, DurationOrNone, OneOf, UInt32
from edgegate.istio.schema.types import Definitions, Schema, definition_name, described, or_null
from tests.istio.schema.verdicts import example, refused, told

WRONG: tuple[Any, ...] = (None, True, -1, 1.5, "x", [], [None], {}, {"x": None})
"""What is put in places where something else may be meant."""


class Colour(Enum):
    """A colour."""

    RED = "RED"
    BLUE = "BLUE"


class Paint(OneOf, frozen=True, kw_only=True):
    """
    Something to paint with, such as C{RED}.

    @cvar one_of: Not for an editor.
    """

    one_of: ClassVar[tuple[str, ...]] = ("by_name", "number")

    drying_time: Duration
    by_name: Colour | None = None
    number: UInt32 | None = None
    mixed_of: tuple[Paint, ...] = ()


class TypeTests(SynchronousTestCase):
    """Schemas of types."""

    def takes(self, type_: Any, *values: object) -> list[bool]:
        """Return of each value whether the schema of a type takes it."""
        definitions = Definitions()
        schema = definitions.of(type_)
        return [Draft202012Validator({**schema, "$defs": definitions.found}).is_valid(value) for value in values]

    def test_durations(self) -> None:
        """Go's notation, 0 only where that means that there is none."""
        good = ("1s", "1.5s", ".5h", "1h30m", "100ms", "+1s", "2000us", "1.s")
        self.assertEqual(self.takes(Duration, *good), [True] * len(good))
        self.assertEqual(self.takes(DurationOrNone, *good, "0", "0s"), [True] * (len(good) + 2))
        bad = ("1", "", "s", "1 s", "-1s", "1d", "0", "0s", 1, 1.5, None)
        self.assertEqual(self.takes(Duration, *bad), [False] * len(bad))

    def test_base64(self) -> None:
        """The standard alphabet, with line breaks."""
        self.assertEqual(self.takes(Base64, "YWI=", "YW\nI=\n", "", "a-b", "YWI=x", 1), [True] * 3 + [False] * 3)

    def test_structs(self) -> None:
        """A struct may hold itself, be spelt in two ways, but not at once, and lacks nothing that is required."""
        good: list[Schema] = [
            {"dryingTime": "1s"},
            {"drying_time": "1s", "mixedOf": [{"dryingTime": "1s", "number": 3}]},
            {"dryingTime": "1s", "by_name": None, "number": 1},
        ]
        bad: list[Schema] = [
            {},
            {"drying_time": None},
            {"dryingTime": "1s", "drying_time": "1s"},
            {"dryingTime": "1s", "by_name": "RED", "number": 1},
            {"dryingTime": "1s", "byName": "GREEN"},
            {"dryingTime": "1s", "mixed_of": [None]},
            {"dryingTime": "1s", "mixedOf": [{"number": 3}]},
            {"dryingTime": "1s", "number": 2**32},
        ]
        self.assertEqual(self.takes(Paint, *good, *bad), [True] * len(good) + [False] * len(bad))

    def test_described(self) -> None:
        """A message says what it is; what its docstring says to developers is left out."""
        definitions = Definitions()
        definitions.of(Paint)
        paint = definitions.found[definition_name(Paint)]
        self.assertEqual(paint["description"], "Something to paint with, such as RED.")
        self.assertEqual(paint["properties"]["byName"]["description"], "A colour.")
        self.assertEqual(described("Of L{edgegate.config.envelope}\n    and C{x}."), "Of envelope and x.")
        self.assertEqual(described("By C{edgegate.io/certificate-issuer}."), "By edgegate.io/certificate-issuer.")

    def test_offered(self) -> None:
        """An editor offers a name in one spelling."""
        definitions = Definitions()
        definitions.of(Paint)
        properties = definitions.found[definition_name(Paint)]["properties"]
        self.assertEqual([*properties], ["dryingTime", "byName", "number", "mixedOf"])

    def test_or_null(self) -> None:
        """What may be left out may be null."""
        self.assertEqual(or_null({"type": "string"}), {"type": ["string", "null"]})
        self.assertEqual(or_null({"type": "string", "enum": ["a"]})["enum"], ["a", None])
        self.assertEqual(or_null({"$ref": "#", "type": "object"}), {"$ref": "#"})
        self.assertEqual(or_null({}), {})


def meant(info: Any) -> st.SearchStrategy[Any]:
    """Return values that are of a type for the most part."""
    wrong = st.sampled_from(WRONG)
    right = _RIGHT[type(info)](info)
    return st.integers(0, 19).flatmap(lambda luck: right if luck else wrong)


def _struct(info: inspect.StructType) -> st.SearchStrategy[Any]:
    @st.composite
    def objects(draw: st.DrawFn) -> dict[str, Any]:
        names = [each.name for each in info.fields]
        wanted = draw(st.sets(st.sampled_from(names), max_size=3)) if names else set()
        found = {}
        for each in info.fields:
            if each.name in wanted or (each.required and draw(st.integers(0, 19))):
                name = each.encode_name
                found[draw(st.sampled_from((name, name, name, snake_case(name), f"{name}x")))] = draw(meant(each.type))
        return found

    return objects()


def _given(info: inspect.UnionType) -> st.SearchStrategy[Any]:
    return st.one_of([_RIGHT[type(each)](each) for each in info.types if not isinstance(each, inspect.NoneType)])


def _text(info: inspect.CustomType) -> st.SearchStrategy[Any]:
    return st.sampled_from(("1s", "0", "15m") if issubclass(info.cls, Duration) else ("YWI=", "."))


_RIGHT: dict[type, Any] = {
    inspect.Metadata: lambda info: meant(info.type),
    inspect.UnionType: _given,
    inspect.StructType: _struct,
    inspect.VarTupleType: lambda info: st.lists(meant(info.item_type), max_size=2),
    inspect.DictType: lambda info: st.dictionaries(st.sampled_from(("a", "b")), meant(info.value_type), max_size=2),
    inspect.EnumType: lambda info: st.sampled_from([each.value for each in info.cls]),
    inspect.CustomType: _text,
    inspect.IntType: lambda info: st.sampled_from((0, 80, 2**32)),
    inspect.StrType: lambda info: st.just("x"),
    inspect.BoolType: lambda info: st.booleans(),
    inspect.FloatType: lambda info: st.sampled_from((1, 0.5)),
    inspect.AnyType: lambda info: st.sampled_from(({}, 1)),
}


class MadeUpTests(SynchronousTestCase):
    """Documents of all kinds that are made up of their types."""

    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from(KINDS), st.data())
    def test_as_the_gateway(self, kind: Any, data: st.DataObject) -> None:
        """The schema refuses what the gateway refuses, and nothing else."""
        info = inspect.type_info(kind.document)
        assert isinstance(info, inspect.StructType)
        around = ("apiVersion", "kind", "metadata")
        given = [each for each in info.fields if each.encode_name not in around]
        value = {**example(kind.name), **{each.encode_name: data.draw(meant(each.type)) for each in given}}
        self.assertEqual(bool(refused(value)), bool(told(value)), f"{value}\n{refused(value)}\n{told(value)}")
