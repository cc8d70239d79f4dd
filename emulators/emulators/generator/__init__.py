"""Events as real projects have them, with the quirks that break exporters.

Deterministic: the same arguments give the same events. Every event has the reserved properties of
its platform (web or app), and custom properties with stable names:

| name | type | when |
|---|---|---|
| `plan` | text: free, growth, enterprise | always |
| `is_member` | boolean, sometimes the text "yes" | always |
| `currency` | text, ISO 4217 | always |
| `item_id`, `item_name` | text | shop events |
| `item_price` | text such as "800.00" | shop events |
| `quantity` | integer, sometimes text | cart and purchase |
| `cart_value` | number, sometimes text | cart and purchase |
| `items` | list of objects (`sku` text, `name` text, `price` number, `quantity` integer) | nested |
| `tags` | list of text | nested |
| `address` | object (`street`, `zip` text, `geo` object of numbers `lat`, `lon`) | nested |
| `positions` | list of lists of numbers | nested |
| `account_number` | integer above 2^53 | big integers |
| `note` | text with emoji, line separators and other Unicode | unicode |
| `City`, `city` | text | case collisions |
| `sourceAmount`, `SourceAmount` | number and text | case collisions |
| `Plan Name`, `sign-up source`, `experiment.variant` | text | odd names |
| `coupon` | null, "", [] or {} | empties |
| `campaign_code` | the text "undefined" or "<null>" | placeholders |
| `payload_json` | text holding JSON | JSON text |

How often each quirk comes is set by `Quirks`.
"""

from emulators.generator.quirks import NO_QUIRKS, Quirks
from emulators.generator.samples import adobe_sample_events, with_time_in_ms
from emulators.generator.stream import generate, late_events

__all__ = [
    "NO_QUIRKS",
    "Quirks",
    "adobe_sample_events",
    "generate",
    "late_events",
    "with_time_in_ms",
]
