"""Finds out which properties a project has: from memory, from Lexicon, from a sample of events."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_mixpanel_export.deadline import Deadline
from tap_mixpanel_export.discovery.column_names import column_names
from tap_mixpanel_export.discovery.failures import FAILURE_AGE, Failures
from tap_mixpanel_export.discovery.lexicon import LexiconUnavailableError, lexicon_properties
from tap_mixpanel_export.discovery.lexicon_definitions import LexiconProperty
from tap_mixpanel_export.discovery.memory import LONGEST_AGE, Findings, KnownProperty, Memory
from tap_mixpanel_export.discovery.property_types import commonest, corrected, kind_of, widened
from tap_mixpanel_export.errors import (
    DiscoveryError,
    RetriesExhaustedError,
    TapError,
    WindowTooLargeError,
)
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
_MOST_REFUSALS = 2
_LEXICON_SHARE = 1 / 3
_PASSING = (RetriesExhaustedError, WindowTooLargeError)


class PropertyDiscovery:
    """Finds out a project's properties, with at most two requests a day."""

    def __init__(
        self,
        settings: Settings,
        *,
        policy: RetryPolicy,
        seconds: float,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        """Prepare the discovery.

        Args:
            settings: The tap's settings.
            policy: How patient to be with a source, at most.
            seconds: How long both sources together may take, and the wait for another run.
            clock: Tells how old the findings are, and waits.
            logger: Gets what was found and what was not.
        """
        self._settings = settings
        self._seconds = seconds
        self._failures = Failures(settings)
        self._policy = replace(
            policy,
            max_tries=min(policy.max_tries, _MOST_TRIES),
            longest_wait=min(policy.longest_wait, _LONGEST_WAIT),
            patience=min(policy.patience, _PATIENCE),
            max_refusals=_MOST_REFUSALS,
        )
        self._clock = clock
        self._logger = logger

    def properties(self) -> Mapping[str, KnownProperty]:
        """Return the properties by raw name, from memory if that is younger than a day.

        Those that fill a fixed column are not among them.

        Raises:
            DiscoveryError: Mixpanel tells nothing, and nothing is remembered.
            StorageError: ``state_dir`` cannot be written to, or another run keeps it for too long.
        """
        deadline = Deadline(self._seconds)
        memory = Memory(self._settings, self._logger)
        with memory.locked(deadline.left()):
            known = memory.read()
            if not known.is_fresh(memory.question, self._clock.now()):
                known = self._asked(known, memory.question, deadline)
                memory.write(known)
        return known.properties

    def _asked(self, known: Findings, question: str, deadline: Deadline) -> Findings:
        """Ask both sources; without a sample, the findings are not good for long."""
        failed = self._failures.recent(self._clock.now())
        if failed is not None:
            return self._settled_for(known, failed)
        reasons: list[str] = []
        is_passing = False
        lexicon: dict[str, LexiconProperty] = {}
        sampled: dict[str, str | None] = {}
        age = 0.0
        try:
            lexicon = self._lexicon(deadline.part(_LEXICON_SHARE))
        except LexiconUnavailableError as error:
            reasons.append(f"Lexicon: {error}")
        try:
            sampled = self._sampled(deadline)
            age = LONGEST_AGE if sampled else _AGE_OF_NOTHING
        except TapError as error:
            reasons.append(f"a sample of events: {error}")
            is_passing = isinstance(error, _PASSING)  # others cost little, and people mend them
            age = FAILURE_AGE if is_passing else 0.0
        if len(reasons) == _SOURCES:
            if is_passing:
                self._failures.remember("; ".join(reasons), self._clock.now())
            return self._settled_for(known, "; ".join(reasons))
        self._failures.forget()
        for reason in reasons:
            self._logger.info("the project's properties are looked for without %s", reason)
        self._logger.info(
            "properties found: %d in Lexicon, %d in a sample of events", len(lexicon), len(sampled)
        )
        merged = _merged(known.properties, lexicon, sampled)
        return known.with_answer(merged, question, now=self._clock.now(), age=age)

    def _settled_for(self, known: Findings, reason: str) -> Findings:
        """Go on with what is remembered.

        Raises:
            DiscoveryError: That is nothing.
        """
        if not known.properties:
            raise DiscoveryError(reason)
        self._logger.warning("the project's properties are those known from before: %s", reason)
        return known

    def _lexicon(self, deadline: Deadline) -> dict[str, LexiconProperty]:
        policy = replace(self._policy, deadline=deadline)
        return lexicon_properties(
            self._settings, policy=policy, clock=self._clock, logger=self._logger
        )

    def _sampled(self, deadline: Deadline) -> dict[str, str | None]:
        days = _recent_days(self._settings.rules, int(self._clock.now() * 1000))
        return _types_of(
            sample_events(
                self._settings,
                days,
                SAMPLED_EVENTS,
                policy=replace(self._policy, deadline=deadline),
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
    """Add what was found to what is known.

    A type that Lexicon has told stays until it tells another, also while it does not answer.
    """
    found = {*known, *lexicon, *sampled} - FIXED_COLUMN_OF.keys()
    columns = {raw: each.column for raw, each in known.items()}
    names = column_names(found, known=columns, reserved=SCHEMA["properties"].keys())
    merged = {}
    for raw, column in sorted(names.items()):
        before = known.get(raw, KnownProperty(column))
        told = lexicon.get(raw, LexiconProperty(None, None))
        merged[raw] = KnownProperty(
            column,
            kind=_kind(before, told.kind, sampled.get(raw)),
            description=told.description or before.description,
            is_defined=told.kind is not None or before.is_defined,
        )
    return merged


def _kind(before: KnownProperty, told: str | None, seen: str | None) -> str | None:
    if told is not None:
        return corrected(before.kind, told)
    return before.kind if before.is_defined else widened(before.kind, seen)
