"""How often each oddity of real exports occurs."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Quirks:
    """Shares of events, from 0 to 1.

    Attributes:
        missing_insert_id: No `$insert_id`.
        empty_distinct_id: `distinct_id` is "".
        mixed_types: `$browser_version`, `is_member`, `quantity` and others change their type.
        big_integers: An integer above 2^53.
        unicode: Text with emoji, U+2028, U+2029, U+0085 and the like.
        nested: Objects, lists, lists of objects and of lists.
        case_collisions: Names that differ by case only.
        odd_names: Names with spaces, dashes and dots.
        placeholders: The texts "undefined" and "<null>".
        empties: null, "", [] and {}.
        json_text: JSON inside a string.
        duplicates: The event before it once more, identical.
        late: Arrives hours to days after it happened.
        imported: Came through /import, days later, with `$import`.
        hot_shard: Replaced by `$hotshard_events`.
        future: Dated hours to days after its arrival.
        unstamped: Without any arrival stamp.
        rekeyed: `distinct_id` replaced after an identity merge.
        identify: `$identify` events.
    """

    missing_insert_id: float = 0.02
    empty_distinct_id: float = 0.01
    mixed_types: float = 0.05
    big_integers: float = 0.05
    unicode: float = 0.05
    nested: float = 0.1
    case_collisions: float = 0.05
    odd_names: float = 0.05
    placeholders: float = 0.03
    empties: float = 0.05
    json_text: float = 0.03
    duplicates: float = 0.01
    late: float = 0.02
    imported: float = 0.01
    hot_shard: float = 0.005
    future: float = 0.002
    unstamped: float = 0.002
    rekeyed: float = 0.01
    identify: float = 0.01


NO_QUIRKS = Quirks(**{field.name: 0.0 for field in fields(Quirks)})
