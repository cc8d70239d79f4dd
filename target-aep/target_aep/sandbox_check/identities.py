"""Identity namespaces, and what Real-Time Customer Profile needs of a mapping."""

from __future__ import annotations

import typing as t

from target_aep.mapping.paths import parse_path
from target_aep.sandbox_check.findings import PROVISION, Finding, enumerated

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from target_aep.api.identity_namespaces import Namespace
    from target_aep.api.schema_registry import Resource
    from target_aep.mapping.identities import Identity
    from target_aep.sandbox_check.datasets import FoundDataset
    from target_aep.sandbox_check.mappings import CheckedMapping

_PRIMARY: t.Final = "xdm:isPrimary"
_SOURCE: t.Final = "xdm:sourceProperty"


def about_namespaces(codes: Iterable[str], known: Sequence[Namespace]) -> Iterator[Finding]:
    """Whether each namespace is there.

    Args:
        codes: Of those that are used.
        known: All that there are.
    """
    by_code = {namespace.code: namespace for namespace in known}
    by_any_case = {namespace.code.lower(): namespace.code for namespace in known}
    for code in dict.fromkeys(codes):
        found = by_code.get(code)
        near = by_any_case.get(code.lower())
        if found:
            owner = "custom" if found.custom else "Adobe's"
            yield Finding("ok", "namespace", f"{code}, {owner}, {found.id_type or 'of no type'}")
        elif near:
            yield Finding(
                "fail",
                "namespace",
                f"identities: there is no namespace {code}, but {near}: write it like that",
            )
        else:
            yield Finding(
                "fail",
                "namespace",
                f"identities: there is no namespace {code}: `target-aep provision` makes it, or "
                "name another one",
            )


def about_identities(
    dataset: FoundDataset, checked: CheckedMapping, descriptors: Iterable[Resource]
) -> Iterator[Finding]:
    """Whether rows get the identity that makes them part of a profile.

    A primary identity descriptor makes its field required in each row (help/xdm/api/descriptors.md
    in AdobeDocs/experience-platform.en).

    Args:
        dataset: Where the rows go.
        checked: The mapping that makes them.
        descriptors: Identity descriptors of the dataset's schema.
    """
    stream = f"stream {checked.stream}"
    primary = [str(each.get(_SOURCE, "")) for each in descriptors if each.get(_PRIMARY) is True]
    unfilled = [path for path in primary if not _fills(checked, path)]
    for path in unfilled:
        yield Finding(
            "fail",
            "identity",
            f"{stream}: the schema's primary identity is {path}, and no mapping fills it: every "
            "row without it is rejected. Add a mapping",
        )
    if unfilled:
        return
    by_map = checked.fills_identity_map and any(each.primary for each in checked.identities)
    if by_map or checked.mapped_namespaces or primary:
        yield Finding("ok", "identity", f"{stream} has a primary identity")
    elif dataset.is_profile_enabled:
        yield Finding(
            "warn",
            "identity",
            f"{stream}: dataset {dataset.label} is enabled for Profile, but no identity is "
            "primary, so that no row becomes part of a profile: give one of identities "
            '"primary": true, or the schema a primary identity',
        )
    else:
        yield Finding(
            "ok", "identity", f"{stream} has no primary identity; without Profile it needs none"
        )


def about_storage(
    stream: str,
    identities: Iterable[Identity],
    descriptors: Sequence[Resource],
    known: Iterable[Namespace],
) -> Iterator[Finding]:
    """Whether identities are known as such where they are not put into identityMap.

    Args:
        stream: Which has some.
        identities: They.
        descriptors: Identity descriptors of the dataset's schema.
        known: All namespaces, as far as that can be told: descriptors may name them by number.
    """
    if not descriptors:
        yield Finding(
            "warn",
            "identity",
            f"stream {stream}: identity_storage is descriptors, but the schema marks no field as "
            f"an identity. {PROVISION}",
        )
        return
    codes = {str(space.id): space.code for space in known if space.id is not None}
    named = [_namespace(each, codes) for each in descriptors]
    lacking = dict.fromkeys(each.namespace for each in identities if each.namespace not in named)
    if lacking and None not in named:
        yield Finding(
            "warn",
            "identity",
            f"stream {stream}: identity_storage is descriptors, but the schema marks no field as "
            f"an identity of {enumerated(lacking)}. {PROVISION}",
        )


def _namespace(descriptor: Resource, codes: Mapping[str, str]) -> str | None:
    """The code of a descriptor's namespace; None if there is only a number that nobody knows.

    `xdm:property` tells which of both it is (schema-registry.yaml in
    AdobeDocs/experience-platform-apis).
    """
    named = descriptor.get("xdm:namespace")
    if named is None:
        return None
    return codes.get(str(named)) if descriptor.get("xdm:property") == "xdm:id" else str(named)


def _fills(checked: CheckedMapping, source_property: str) -> bool:
    """Whether a mapping, or a property by its name, may fill the path of a descriptor."""
    names = tuple(part.removeprefix("xdm:") for part in source_property.split("/") if part)
    rule = checked.mapping_set.remainder
    paths = [each.steps for each in checked.compiled]
    if rule:
        paths.append(parse_path(rule.fields))
    return any(path[: len(names)] == names[: len(path)] for path in paths)
