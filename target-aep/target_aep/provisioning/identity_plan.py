"""The part of a plan that is about identities: namespaces and descriptors."""

from __future__ import annotations

import typing as t

from target_aep.api.identity_namespaces import code_in
from target_aep.provisioning.steps import CreateDescriptor, CreateNamespace

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from target_aep.api.identity_namespaces import Namespace
    from target_aep.provisioning.plan import Plan
    from target_aep.provisioning.sandbox_view import DatasetView
    from target_aep.provisioning.wishes import DatasetWish, IdentityField, StreamWish
    from target_aep.xdm.schema import XdmField

_ALPHANUMERIC = "letters and digits"


def plan_namespaces(plan: Plan, known: Sequence[Namespace], wanted: Sequence[Namespace]) -> None:
    """Plan the namespaces that identities belong to.

    Args:
        plan: Is added to.
        known: All that there are.
        wanted: Those that identities name.
    """
    there = {each.code: each for each in known}
    by_lower = {code.lower(): code for code in there}
    for each in wanted:
        found = there.get(each.code)
        alike = by_lower.get(each.code.lower())
        if found is not None:
            plan.unchanged.append(f"identity namespace {each.code}")
            _note_type(plan, found, each)
        elif alike is not None:
            plan.refuse(
                f"identities: there is a namespace {alike}, whose code differs from {each.code} in "
                "upper and lower case only",
                f"write {alike} in identities",
            )
        elif not (each.code.isascii() and each.code.isalnum()):
            plan.refuse(
                f"identities: the namespace {each.code!r} can't be made: codes are of "
                f"{_ALPHANUMERIC} only",
                f"choose a code of {_ALPHANUMERIC} in identities",
            )
        else:
            plan.steps.append(CreateNamespace(each))


def _note_type(plan: Plan, found: Namespace, wanted: Namespace) -> None:
    if found.custom and found.id_type != wanted.id_type:
        plan.notes.append(
            f"the namespace {found.code} is of type {found.id_type} (a new one would be "
            f"{wanted.id_type}); it stays so, and Identity Service goes by it"
        )


def plan_descriptors(
    plan: Plan,
    view: DatasetView,
    wish: DatasetWish,
    tenant: str,
    schema: XdmField,
    known: Sequence[Namespace],
) -> None:
    """Plan the identity descriptors, if identities are not in identityMap.

    Args:
        plan: Is added to.
        view: What is there.
        wish: What is wanted.
        tenant: The tenant, without underscore.
        schema: As it will be.
        known: All namespaces.
    """
    for stream in wish.streams:
        _refuse_unfilled_primary(plan, view, stream)
    if wish.has_identity_map:
        plan.notes += [
            f"the schema's primary identity is {each.get('xdm:sourceProperty')}, by a descriptor: "
            "rows without it are rejected, also with identity_storage identity_map"
            for each in view.descriptors
            if each.get("xdm:isPrimary") is True
        ]
        return
    there = {
        each.get("xdm:sourceProperty"): {**each, "xdm:namespace": code_in(each, known)}
        for each in view.descriptors
    }
    fields = [each for stream in wish.streams for each in stream.identity_fields(tenant)]
    for each in dict.fromkeys(fields):
        if not each.path:
            plan.refuse(
                f"identities: no mapping puts {each.identity.field} into a field of _{tenant}, so "
                "no descriptor can name it",
                "add such a mapping, or set identity_storage to identity_map",
            )
            continue
        field = schema.find(each.path)
        if field is not None and field.kind not in ("string", "any"):
            plan.refuse(
                f"identities: {'.'.join(each.path)} is {field.kind}, and only text can be an "
                "identity by a descriptor",
                f"map {each.identity.field} to a text field, or set identity_storage to "
                "identity_map",
            )
            continue
        _plan_descriptor(plan, there, each)


def _refuse_unfilled_primary(plan: Plan, view: DatasetView, stream: StreamWish) -> None:
    """A primary identity by a descriptor is required of each row.

    help/xdm/api/descriptors.md in AdobeDocs/experience-platform.en.
    """
    for each in view.descriptors:
        pointer = str(each.get("xdm:sourceProperty", ""))
        if each.get("xdm:isPrimary") is not True or stream.may_fill(_names(pointer)):
            continue
        plan.refuse(
            f"stream {stream.sample.stream}: the schema's primary identity is {pointer}, and no "
            "mapping fills it: every row without it is rejected",
            "add a mapping to it, or choose another dataset_name",
        )


def _names(pointer: str) -> tuple[str, ...]:
    return tuple(part.removeprefix("xdm:") for part in pointer.split("/") if part)


def _plan_descriptor(
    plan: Plan, there: dict[t.Any, dict[str, t.Any]], wanted: IdentityField
) -> None:
    pointer = "/" + "/".join(wanted.path)
    namespace, primary = wanted.identity.namespace, wanted.identity.primary
    found = there.get(pointer)
    field = ".".join(wanted.path)
    if found is not None:
        if found.get("xdm:namespace") != namespace or bool(found.get("xdm:isPrimary")) != primary:
            plan.refuse(
                f"identity descriptor of {field}: it is of the namespace "
                f"{found.get('xdm:namespace')}, {_rank(bool(found.get('xdm:isPrimary')))}, and "
                f"identities asks for {namespace}, {_rank(primary)}",
                "put identities in line with the schema, or choose another dataset_name",
            )
        else:
            plan.unchanged.append(f"identity descriptor of {field}")
        return
    other = next((path for path, each in there.items() if each.get("xdm:isPrimary")), None)
    if primary and other is not None:
        plan.refuse(
            f"identity descriptor of {field}: the schema has another primary identity, {other}",
            f"make the entry of {other} in identities the primary one, or choose another "
            "dataset_name",
        )
        return
    plan.steps.append(CreateDescriptor(wanted.path, namespace, primary))


def _rank(primary: bool) -> str:
    return "primary" if primary else "not primary"
