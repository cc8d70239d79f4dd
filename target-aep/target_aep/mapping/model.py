"""Mapping sets: which source goes to which XDM path.

The form is that of Adobe's Data Prep API (`POST /conversion/mappingSets`,
help/data-prep/api/mapping-set.md in AdobeDocs/experience-platform.en); `generations`
reads all its spellings. Two sets come with the package, as data files in `mappings/`.

Additions of ours: `remainder` says where the properties go that no mapping has placed,
`missingFields` what to do about a destination that the dataset's schema does not have, and
`replaces` in a mapping that it shares its destination with an earlier one on purpose, and
`identities` what the setting of that name is by default.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from target_aep.errors import MappingSetError
from target_aep.mapping.variables import in_expression, in_path, in_text

if t.TYPE_CHECKING:
    from collections.abc import Mapping as Dictionary
    from collections.abc import Sequence

SourceType = t.Literal["ATTRIBUTE", "EXPRESSION", "STATIC"]
MissingFields = t.Literal["error", "leave_out"]

TENANT: t.Final = "TENANT_ID"
_SHOWN: t.Final = 20
_TENANT_PLACEHOLDER = f"${{{TENANT}}}"


class MappingMistakesError(MappingSetError):
    """What is wrong with a mapping set, all of it.

    Attributes:
        complaints: One line for each mistake; those about a mapping have its number.
    """

    def __init__(self, complaints: Sequence[str]) -> None:
        more = len(complaints) - _SHOWN
        super().__init__(
            "; ".join(complaints[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        )
        self.complaints = tuple(complaints)


@dataclass(frozen=True)
class Mapping:
    """One source to one XDM path.

    Attributes:
        source_type: What `source` is.
        source: A path, an expression, or the constant itself.
        destination: The XDM path.
        replaces: Whether it is meant that an earlier mapping has the same destination.
    """

    source_type: SourceType
    source: str
    destination: str
    replaces: bool = False

    def with_variables(self, values: Dictionary[str, str]) -> Mapping:
        """The same with placeholders replaced."""
        put_in = {"ATTRIBUTE": in_path, "EXPRESSION": in_expression, "STATIC": in_text}
        return replace(
            self,
            source=put_in[self.source_type](self.source, values),
            destination=in_path(self.destination, values),
        )


@dataclass(frozen=True)
class Remainder:
    """Where the properties go that no mapping has placed.

    `source` is the object of properties in the record, `fields` the XDM object whose known fields
    they may fill, `rest` the XDM map of text that takes all others, and `columns` names, for each
    column of the record that repeats a property, that property.
    """

    source: str
    fields: str
    rest: str
    columns: dict[str, str]

    def with_variables(self, values: Dictionary[str, str]) -> Remainder:
        """The same with placeholders replaced."""
        return Remainder(
            in_path(self.source, values),
            in_path(self.fields, values),
            in_path(self.rest, values),
            self.columns,
        )


@dataclass(frozen=True)
class MappingSet:
    """A named list of mappings and, if it has one, its remainder rule.

    Attributes:
        name: How messages call it.
        mappings: In the order of the set; messages number them from 1.
        remainder: What becomes of properties without a mapping, None if it says nothing.
        missing_fields: Whether a destination that the dataset's schema lacks is an error, or its
            values are left out and counted.
        identities: What goes into identityMap unless the settings say it.
        notes: What is odd about its text, to be said once.
    """

    name: str
    mappings: tuple[Mapping, ...]
    remainder: Remainder | None = None
    missing_fields: MissingFields = "error"
    identities: tuple[dict[str, t.Any], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def needs_tenant(self) -> bool:
        """Whether something in it depends on the tenant, whose id must then be known."""
        rest = self.remainder
        texts = [rest.source, rest.fields, rest.rest] if rest else []
        for mapping in self.mappings:
            texts += [mapping.source, mapping.destination]
        return any(_TENANT_PLACEHOLDER in text for text in texts)

    def with_variables(self, values: Dictionary[str, str]) -> MappingSet:
        """The same set with placeholders replaced.

        Args:
            values: By name; a placeholder without one stays.
        """
        if not values:
            return self
        return replace(
            self,
            mappings=tuple(mapping.with_variables(values) for mapping in self.mappings),
            remainder=self.remainder.with_variables(values) if self.remainder else None,
        )

    def for_tenant(self, tenant: str) -> MappingSet:
        """The same set with the tenant's id put in."""
        return self.with_variables({TENANT: tenant})
