"""The structs have every field of Istio's API, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import inspect
from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.kinds.destination_rule import DestinationRule
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.kinds.service_entry import ServiceEntry
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.kinds.workload import WorkloadEntry, WorkloadGroup

_TYPES = {
    inspect.StructType: "object",
    inspect.StrType: "string",
    inspect.CustomType: "string",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
}


class FieldsTests(SynchronousTestCase):
    """The structs against the list of the API's fields."""

    def listed(self, info: Any, path: str) -> Iterator[str]:
        """Yield a line for each field of a struct, and of those within."""
        for field in info.fields:
            type_, suffix = self.unwrap(field.type, "")
            name = f"{path}.{field.encode_name}{suffix}"
            if isinstance(type_, inspect.EnumType):
                yield f"{name} enum {' '.join(each.value for each in type_.cls)}"
            else:
                yield f"{name} {_TYPES[type(type_)]}"
            if isinstance(type_, inspect.StructType):
                yield from self.listed(type_, name)

    def unwrap(self, info: Any, suffix: str) -> tuple[Any, str]:
        """Return what a field holds in the end, and how its path says it."""
        if isinstance(info, inspect.Metadata):
            return self.unwrap(info.type, suffix)
        if isinstance(info, inspect.UnionType):
            return self.unwrap(next(each for each in info.types if not isinstance(each, inspect.NoneType)), suffix)
        if isinstance(info, inspect.VarTupleType):
            return self.unwrap(info.item_type, suffix + "[]")
        if isinstance(info, inspect.DictType):
            return self.unwrap(info.value_type, suffix + ".*")
        return info, suffix

    def test_all(self) -> None:
        """Fields, types and words are those of the API."""
        lines = Path(__file__).with_name("istio_fields.txt").read_text("utf-8").splitlines()
        api = {line for line in lines if not line.startswith("#")}
        ours = {
            line
            for struct in (Gateway, VirtualService, ServiceEntry, WorkloadEntry, DestinationRule, WorkloadGroup)
            for line in self.listed(inspect.type_info(struct), struct.__name__)
        }
        self.assertEqual(sorted(api - ours), [])
        self.assertEqual(sorted(ours - api), [])
