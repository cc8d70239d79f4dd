"""The work of `target-aep check`: what to look at, in which order, and what can't be looked at."""

from __future__ import annotations

import dataclasses
import typing as t

from target_aep.api.identity_namespaces import list_namespaces
from target_aep.api.ims import TokenSource
from target_aep.api.schema_registry import SchemaRegistry
from target_aep.errors import TargetError
from target_aep.loading.destinations import make_client
from target_aep.mapping.stream_mapping import fetch
from target_aep.sandbox_check.access import Access
from target_aep.sandbox_check.datasets import about_dataset, find_dataset, homeless_streams, places
from target_aep.sandbox_check.findings import PROVISION, Finding
from target_aep.sandbox_check.identities import about_identities, about_namespaces, about_storage
from target_aep.sandbox_check.limits import about_batches_of_a_day
from target_aep.sandbox_check.mappings import about_mapping, check_mapping
from target_aep.sandbox_check.parquet import about_parquet
from target_aep.sandbox_check.schemas import about_schema, find_schema
from target_aep.sandbox_check.services import BATCHES, DATASETS, NAMESPACE_LIST, SCHEMAS

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from target_aep.api.identity_namespaces import Namespace
    from target_aep.api.ims import Credential
    from target_aep.sandbox_check.datasets import FoundDataset, Place
    from target_aep.sandbox_check.mappings import CheckedMapping
    from target_aep.sandbox_check.schemas import KnownSchema
    from target_aep.target import TargetAEP
    from target_aep.xdm.schema import XdmField

_TRIES: t.Final = 3
"""Somebody waits for the answer, and it is no loss to ask again."""


class SandboxCheck:
    """Looks at what a run with the settings of a target needs in Experience Platform."""

    def __init__(self, target: TargetAEP, credential: Credential) -> None:
        """Make a client; nothing is requested yet.

        Args:
            target: Its settings and mapping sets are checked.
            credential: Whose calls are made.
        """
        policy = dataclasses.replace(
            target.retry_policy, tries=min(_TRIES, target.retry_policy.tries)
        )
        rules = dataclasses.replace(target.rules, policy=policy)
        tokens = TokenSource(credential, target.settings.ims_url, rules)
        self._target = target
        self._settings = target.settings
        self._client = make_client(target.settings, credential, rules, tokens)
        self._registry = SchemaRegistry(self._client)
        self._access = Access(self._client, tokens, target.settings.sandbox_name)
        self._mappings: list[CheckedMapping] = []

    def findings(self) -> Iterator[Finding]:
        """Look at everything, and go on wherever something is wrong."""
        yield from self._access.findings()
        yield from self._datasets()
        yield from self._namespaces()
        yield Finding("skip", "inlet", "because ingestion is batch")
        yield from self._limits()

    def _datasets(self) -> Iterator[Finding]:
        lacking = self._access.problem or self._access.lacks(DATASETS)
        if lacking:
            yield from _skip(("dataset", "schema", "mapping", "identity"), lacking)
            return
        named = places(self._settings)
        if not named:
            text = f"the settings name none: {PROVISION}, then set dataset_id"
            yield Finding("fail", "dataset", text)
            yield from _skip(("schema", "mapping", "identity"), "no dataset is named")
        for place in named:
            yield from self._place(place)
        for stream in homeless_streams(self._settings) if named else ():
            text = (
                f"datasets: none for the stream {stream}; add it, or set dataset_id for all others"
            )
            yield Finding("fail", "dataset", text)

    def _place(self, place: Place) -> Iterator[Finding]:
        try:
            dataset = find_dataset(self._client, place)
        except TargetError as error:
            dataset = Finding("fail", "dataset", str(error))
        if isinstance(dataset, Finding):
            yield dataset
            yield from _skip(("schema", "mapping", "identity"), "there is no dataset")
            return
        yield from about_dataset(dataset)
        lacking = self._access.lacks(SCHEMAS)
        if lacking:
            yield from _skip(("schema", "mapping", "identity"), lacking)
            return
        try:
            needs_tenant = self._settings.mappings.needs_tenant
            schema = find_schema(self._registry, dataset, needs_tenant=needs_tenant)
        except TargetError as error:
            schema = Finding("fail", "schema", str(error))
        if isinstance(schema, Finding):
            yield schema
            yield from _skip(("mapping", "identity"), "there is no schema")
            return
        yield from about_schema(schema, dataset)
        for stream in dataset.streams:
            yield from self._stream(stream, dataset, schema)

    def _stream(self, stream: str, dataset: FoundDataset, schema: KnownSchema) -> Iterator[Finding]:
        try:
            checked = checked_mapping(self._target, stream, schema.root, schema.tenant)
        except TargetError as error:
            yield Finding("fail", "mapping", f"stream {stream}: {error}")
            return
        self._mappings.append(checked)
        yield from about_mapping(checked)
        if self._settings.file_format == "parquet":
            yield from about_parquet(checked)
        try:
            descriptors = self._registry.identity_descriptors(schema.id)
        except TargetError as error:
            text = f"stream {stream} can't be told, no run reads them: {error}"
            yield Finding("warn", "identity", text)
            return
        settings = self._settings
        if settings.declared_identities_of(stream) and not settings.has_identity_map:
            identities = settings.declared_identities_of(stream)
            yield from about_storage(stream, identities, descriptors, self._known_namespaces())
        yield from about_identities(dataset, checked, descriptors)

    def _namespaces(self) -> Iterator[Finding]:
        lacking = self._access.problem or self._access.lacks(NAMESPACE_LIST)
        if lacking:
            yield from _skip(("namespace",), lacking)
            return
        codes = list(dict.fromkeys(self._codes()))
        if not codes:
            yield Finding("ok", "namespace", "none is used")
            return
        try:
            known = list_namespaces(self._client)
        except TargetError as error:
            yield Finding("warn", "namespace", f"{', '.join(codes)} can't be told: {error}")
            return
        yield from about_namespaces(codes, known)

    def _known_namespaces(self) -> list[Namespace]:
        """Those that there are; none where that can't be learned, which another line tells."""
        try:
            return [] if self._access.lacks(NAMESPACE_LIST) else list_namespaces(self._client)
        except TargetError:
            return []

    def _codes(self) -> Iterator[str]:
        """Namespaces of the settings, and of mapping sets as far as those were read."""
        settings = self._settings
        for identities in (settings.identities, *settings.identities_by_stream.values()):
            yield from (identity.namespace for identity in identities)
        for checked in self._mappings:
            yield from checked.mapped_namespaces

    def _limits(self) -> Iterator[Finding]:
        lacking = self._access.problem or self._access.lacks(BATCHES)
        if lacking:
            yield from _skip(("limits",), lacking)
            return
        try:
            yield about_batches_of_a_day(self._client)
        except TargetError as error:
            yield Finding("fail", "limits", str(error))


def checked_mapping(
    target: TargetAEP, stream: str, schema: XdmField | None, tenant: str
) -> CheckedMapping:
    """The mapping set of a stream, compiled for a schema.

    Args:
        target: Its settings name the set.
        stream: Whose set it is.
        schema: The root field; None if it is not known.
        tenant: The tenant, without underscore.

    Raises:
        TargetError: The set can't be had, or what was fetched can't be used.
    """
    choice = target.settings.mappings
    mapping_set = choice.of(stream, lambda reference: fetch(target, reference))
    return check_mapping(
        stream,
        mapping_set.for_tenant(tenant),
        schema,
        target.settings.identities_of(stream),
        choice.policies,
    )


def _skip(topics: Iterable[str], problem: str) -> Iterator[Finding]:
    for topic in topics:
        yield Finding("skip", topic, f"because {problem}")
