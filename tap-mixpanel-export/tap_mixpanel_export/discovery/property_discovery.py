"""Finds out which properties a project has: from memory, from Lexicon, from a sample of events."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_mixpanel_export.discovery.column_names import column_names
from tap_mixpanel_export.discovery.lexicon import (
    LexiconProperty,
    LexiconUnavailableError,
    lexicon_properties,
)
from tap_mixpanel_export.discovery.memory import LONGEST_AGE, Findings, KnownProperty, Memory
from tap_mixpanel_export.discovery.property_types import commonest, kind_of, widened
from tap_mixpanel_export.errors import TapError
from tap_mixpanel_export.events_schema import FIXED_COLUMN_OF, SCHEMA
from tap_mixpanel_export.export_sample import sample_events
from tap_mixpanel_export.instants import day_of
from tap_mixpanel_export.windows import DAY, Window

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Mapping

    from tap_mixpanel_export.clock import Clock
    from tap_mixpanel_export.event import Event
    from tap_mixpanel_export.retries import RetryPolicy
    from tap_mixpanel_export.settings import Settings
    from tap_mixpanel_export.sweep import SweepRules

SAMPLED_EVENTS = 1000
SAMPLED_DAYS = 7

_AGE_OF_NOTHING = 3600.0  # a quiet project has other uses for its requests
_SOURCES = 2
_MOST_TRIES = 3
_LONGEST_WAIT = 10.0
_PATIENCE = 60.0


class DiscoveryError(TapError):
    """Nothing could be found out; the text says why, and not what to do."""


class PropertyDiscovery:
    """Finds out a project's properties, with at most two requests a day."""

    def __init__(
        self, settings: Settings, *, policy: RetryPolicy, clock: Clock, logger: logging.Logger
    ) -> None:
        self._settings = settings
        self._policy = replace(
            policy,
            max_tries=min(policy.max_tries, _MOST_TRIES),
            longest_wait=min(policy.longest_wait, _LONGEST_WAIT),
            patience=min(policy.patience, _PATIENCE),
        )
        self._clock = clock
        self._logger = logger

    def properties(self) -> Mapping[str, KnownProperty]:
        """Return the properties by raw name, from memory if that is younger than a day.

        Those that fill a fixed column are not among them.

        Raises:
            DiscoveryError: Mixpanel tells nothing, and nothing is remembered.
            StorageError: ``state_dir`` cannot be written to.
        """
        memory = Memory(self._settings, self._logger)
        with memory.locked():
            known = memory.read()
            if not known.is_fresh(self._clock.now()):
                known = self._asked(known)
                memory.write(known)
        return known.properties

    def _asked(self, known: Findings) -> Findings:
        """Ask both sources; without a sample, the findings are good for this time only."""
        reasons: list[str] = []
        lexicon: dict[str, LexiconProperty] = {}
        sampled: dict[str, str | None] = {}
        age = 0.0
        try:
            lexicon = self._lexicon()
        except LexiconUnavailableError as error:
            reasons.append(f"Lexicon: {error}")
        try:
            sampled = self._sampled()
            age = LONGEST_AGE if sampled else _AGE_OF_NOTHING
        except TapError as error:
            reasons.append(f"a sample of events: {error}")
        if len(reasons) == _SOURCES:
            return self._settled_for(known, "; ".join(reasons))
        for reason in reasons:
            self._logger.info("the project's properties are looked for without %s", reason)
        self._logger.info(
            "properties found: %d in Lexicon, %d in a sample of events", len(lexicon), len(sampled)
        )
        merged = _merged(known.properties, lexicon, sampled)
        return Findings(merged, good_until=self._clock.now() + age)

    def _settled_for(self, known: Findings, reason: str) -> Findings:
        """Go on with what is remembered.

        Raises:
            DiscoveryError: That is nothing.
        """
        if not known.properties:
            raise DiscoveryError(reason)
        self._logger.warning("the project's properties are those known from before: %s", reason)
        return known

    def _lexicon(self) -> dict[str, LexiconProperty]:
        return lexicon_properties(
            self._settings, policy=self._policy, clock=self._clock, logger=self._logger
        )

    def _sampled(self) -> dict[str, str | None]:
        days = _recent_days(self._settings.rules, int(self._clock.now() * 1000))
        return _types_of(
            sample_events(
                self._settings,
                days,
                SAMPLED_EVENTS,
                policy=self._policy,
                clock=self._clock,
                logger=self._logger,
            )
        )


def _recent_days(rules: SweepRules, now_ms: int) -> Window:
    """The last whole days that are to be exported, as far as there are some."""
    yesterday = day_of(now_ms, rules.zone) - DAY
    last_day = max(min(yesterday, rules.end_day or yesterday), rules.start_day)
    first_day = max(last_day - timedelta(days=SAMPLED_DAYS - 1), rules.start_day)
    return Window(first_day, last_day)


def _types_of(events: Iterable[Event]) -> dict[str, str | None]:
    """The type that most values of each property are of."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for event in events:
        for name, value in event.properties.items():
            kind = kind_of(value)
            counts[name].update([kind] if kind else [])
    return {name: commonest(kinds) for name, kinds in counts.items()}


def _merged(
    known: Mapping[str, KnownProperty],
    lexicon: Mapping[str, LexiconProperty],
    sampled: Mapping[str, str | None],
) -> dict[str, KnownProperty]:
    """Add what was found to what is known: Lexicon's types count most, then those known."""
    found = {*known, *lexicon, *sampled} - FIXED_COLUMN_OF.keys()
    columns = {raw: each.column for raw, each in known.items()}
    names = column_names(found, known=columns, reserved=SCHEMA["properties"].keys())
    merged = {}
    for raw, column in sorted(names.items()):
        before = known.get(raw, KnownProperty(column))
        told = lexicon.get(raw, LexiconProperty(None, None))
        merged[raw] = KnownProperty(
            column,
            kind=told.kind or widened(before.kind, sampled.get(raw)),
            description=told.description or before.description,
        )
    return merged
