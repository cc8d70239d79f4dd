"""The steps of a plan: each makes or changes one thing of the sandbox, and can be repeated."""

from __future__ import annotations

import typing as t
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from typing_extensions import override

from target_aep.api.catalog_datasets import create_dataset, patch_dataset
from target_aep.api.identity_namespaces import create_namespace
from target_aep.api.schema_registry import EXPERIENCE_EVENT, IDENTITY, SchemaRegistry
from target_aep.provisioning.field_patching import bring_fields
from target_aep.provisioning.value_kinds import type_name_of

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.api.client import PlatformClient
    from target_aep.api.identity_namespaces import Namespace
    from target_aep.provisioning.field_group import Addition

Resource = dict[str, t.Any]

OWN_GROUP: t.Final = "field group"
SCHEMA: t.Final = "schema"
DATASET: t.Final = "dataset"


@dataclass
class Workshop:
    """What steps work with.

    Attributes:
        client: The platform.
        made: The ids of things, by what they are (`field group`, `schema`, `dataset`): known from
            the start where they are there, else once they are made.
    """

    client: PlatformClient
    made: dict[str, str] = field(default_factory=dict)

    @property
    def registry(self) -> SchemaRegistry:
        """The Schema Registry."""
        return SchemaRegistry(self.client)


class Step(ABC):
    """One change. `sign` is `+` for something new, `~` for a change of what is there."""

    sign: t.ClassVar[t.Literal["+", "~"]] = "+"
    irreversible: t.ClassVar[str] = ""
    asks: t.ClassVar[bool] = False
    """Whether it is done only after a yes."""
    shared: t.ClassVar[bool] = False
    """Whether it may be in the plans of several datasets, and is done once for all."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What is made or changed."""

    def details(self) -> Sequence[tuple[str, str]]:
        """Its parts, each with its type or value."""
        return ()

    @abstractmethod
    def apply(self, workshop: Workshop) -> str:
        """Do it.

        Returns:
            The id of the thing.

        Raises:
            PlatformError: The platform refused, or could not be reached.
        """


@dataclass(frozen=True)
class CreateNamespace(Step):
    """A namespace for an identity."""

    namespace: Namespace
    irreversible: t.ClassVar[str] = "can't be deleted later"
    shared: t.ClassVar[bool] = True

    @property
    @override
    def title(self) -> str:
        return f"identity namespace {self.namespace.code}"

    @override
    def details(self) -> Sequence[tuple[str, str]]:
        return (("name", self.namespace.name), ("type", self.namespace.id_type))

    @override
    def apply(self, workshop: Workshop) -> str:
        create_namespace(workshop.client, self.namespace, "Made by target-aep.")
        return self.namespace.code


@dataclass(frozen=True)
class CreateFieldGroup(Step):
    """The tenant's fields."""

    document: Resource
    additions: tuple[Addition, ...]

    @property
    @override
    def title(self) -> str:
        return f"field group {self.document['title']!r}"

    @override
    def details(self) -> Sequence[tuple[str, str]]:
        return field_lines(self.additions)

    @override
    def apply(self, workshop: Workshop) -> str:
        made = workshop.registry.create("fieldgroups", self.document)
        identifier = str(made.thing["$id"])
        workshop.made[OWN_GROUP] = identifier
        if not made.is_new:
            bring_fields(workshop.registry, identifier, self.additions)
        return identifier


@dataclass(frozen=True)
class ExtendFieldGroup(Step):
    """More fields for a field group that is there."""

    group_id: str
    group_title: str
    additions: tuple[Addition, ...]
    sign: t.ClassVar[t.Literal["+", "~"]] = "~"

    @property
    @override
    def title(self) -> str:
        return f"field group {self.group_title!r}"

    @override
    def details(self) -> Sequence[tuple[str, str]]:
        return field_lines(self.additions)

    @override
    def apply(self, workshop: Workshop) -> str:
        bring_fields(workshop.registry, self.group_id, self.additions)
        return self.group_id


@dataclass(frozen=True)
class CreateSchema(Step):
    """The schema; `groups` are the `$id`s of its field groups, OWN_GROUP for the tenant's own."""

    schema_title: str
    groups: tuple[str, ...]
    titles: tuple[str, ...]

    @property
    @override
    def title(self) -> str:
        return f"schema {self.schema_title!r}"

    @override
    def details(self) -> Sequence[tuple[str, str]]:
        return (("class", "XDM ExperienceEvent"), *(("field group", each) for each in self.titles))

    @override
    def apply(self, workshop: Workshop) -> str:
        parts = (EXPERIENCE_EVENT, *_ids(self.groups, workshop))
        document = {
            "title": self.schema_title,
            "description": "Events loaded by target-aep.",
            "type": "object",
            "allOf": [{"$ref": each} for each in parts],
        }
        made = workshop.registry.create("schemas", document)
        identifier = str(made.thing["$id"])
        workshop.made[SCHEMA] = identifier
        if not made.is_new:
            _add_groups(workshop, identifier, parts[1:], self.title)
        return identifier


@dataclass(frozen=True)
class ExtendSchema(Step):
    """More field groups for a schema that is there."""

    schema_id: str
    schema_title: str
    groups: tuple[str, ...]
    titles: tuple[str, ...]
    sign: t.ClassVar[t.Literal["+", "~"]] = "~"

    @property
    @override
    def title(self) -> str:
        return f"schema {self.schema_title!r}"

    @override
    def details(self) -> Sequence[tuple[str, str]]:
        return tuple(("field group", each) for each in self.titles)

    @override
    def apply(self, workshop: Workshop) -> str:
        _add_groups(workshop, self.schema_id, _ids(self.groups, workshop), self.title)
        return self.schema_id


@dataclass(frozen=True)
class CreateDescriptor(Step):
    """A field of the schema becomes an identity."""

    path: tuple[str, ...]
    namespace: str
    primary: bool

    @property
    @override
    def title(self) -> str:
        return f"identity descriptor of {'.'.join(self.path)}"

    @override
    def details(self) -> Sequence[tuple[str, str]]:
        return (("namespace", self.namespace), ("primary", "yes" if self.primary else "no"))

    @override
    def apply(self, workshop: Workshop) -> str:
        made = workshop.registry.create_identity_descriptor(
            {
                "@type": IDENTITY,
                "xdm:sourceSchema": workshop.made[SCHEMA],
                "xdm:sourceVersion": 1,
                "xdm:sourceProperty": "/" + "/".join(self.path),
                "xdm:namespace": self.namespace,
                "xdm:property": "xdm:code",
                "xdm:isPrimary": self.primary,
            }
        )
        return str(made.get("@id", ""))


@dataclass(frozen=True)
class EnableProfile(Step):
    """The schema takes part in Real-Time Customer Profile."""

    schema_title: str
    operations: tuple[Resource, ...]
    sign: t.ClassVar[t.Literal["+", "~"]] = "~"
    irreversible: t.ClassVar[str] = "can't be undone"
    asks: t.ClassVar[bool] = True

    @property
    @override
    def title(self) -> str:
        return f"schema {self.schema_title!r} for Real-Time Customer Profile"

    @override
    def apply(self, workshop: Workshop) -> str:
        workshop.registry.patch("schemas", workshop.made[SCHEMA], self.operations)
        return workshop.made[SCHEMA]


@dataclass(frozen=True)
class CreateDataset(Step):
    """The dataset, with error diagnostics."""

    name: str
    profile: bool

    @property
    @override
    def title(self) -> str:
        return f"dataset {self.name!r}"

    @override
    def details(self) -> Sequence[tuple[str, str]]:
        told = [("error diagnostics", "on")]
        return [*told, ("Profile and identity", "on")] if self.profile else told

    @override
    def apply(self, workshop: Workshop) -> str:
        made = create_dataset(
            workshop.client,
            self.name,
            "Events loaded by target-aep.",
            workshop.made[SCHEMA],
            profile=self.profile,
        )
        workshop.made[DATASET] = made
        return made


@dataclass(frozen=True)
class ChangeDataset(Step):
    """Diagnostics or Profile are switched on in a dataset that is there."""

    dataset_id: str
    name: str
    operations: tuple[Resource, ...]
    changes: tuple[str, ...]
    sign: t.ClassVar[t.Literal["+", "~"]] = "~"

    @property
    @override
    def title(self) -> str:
        return f"dataset {self.name!r}"

    @override
    def details(self) -> Sequence[tuple[str, str]]:
        return tuple((each, "on") for each in self.changes)

    @override
    def apply(self, workshop: Workshop) -> str:
        patch_dataset(workshop.client, self.dataset_id, self.operations)
        return self.dataset_id


def references(document: Resource) -> list[str]:
    """The resources that a schema is made of, by `$id`."""
    parts = document.get("allOf") or ()
    return [str(part["$ref"]) for part in parts if isinstance(part, dict) and part.get("$ref")]


def _add_groups(workshop: Workshop, schema_id: str, groups: Sequence[str], title: str) -> None:
    """Add field groups to a schema; looked at anew each time, as a repeated `add` adds twice."""

    def attempt() -> None:
        there = references(workshop.registry.read("schemas", schema_id) or {})
        operations = [
            {"op": "add", "path": "/allOf/-", "value": {"$ref": each}}
            for each in groups
            if each not in there
        ]
        if operations:
            workshop.registry.patch_once("schemas", schema_id, operations)

    workshop.client.rules.retry(attempt, f"extending {title}")


def _ids(groups: Sequence[str], workshop: Workshop) -> list[str]:
    return [workshop.made[OWN_GROUP] if each == OWN_GROUP else each for each in groups]


def field_lines(additions: Sequence[Addition]) -> list[tuple[str, str]]:
    """The leaves of added fields with their types, and what they are for."""
    lines: list[tuple[str, str]] = []
    for addition in additions:
        about = f"  ({addition.about})" if addition.about else ""
        for path, kind in _leaves(addition.path, addition.node):
            lines.append((".".join(path).replace(".[]", "[*]"), kind + about))
    return sorted(lines)


def _leaves(path: tuple[str, ...], node: Resource) -> list[tuple[tuple[str, ...], str]]:
    parts = node.get("properties")
    if isinstance(parts, dict) and parts:
        return [leaf for name, part in parts.items() for leaf in _leaves((*path, name), part)]
    items = node.get("items")
    if isinstance(items, dict):
        return _leaves((*path, "[]"), items)
    return [(path, type_name_of(node))]
