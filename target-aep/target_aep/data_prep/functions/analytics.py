"""Analytics functions: help/data-prep/functions.md, "Analytics functions".

They read the two texts of Adobe Analytics: events are `name=value:id` between commas, products
are `Category;Product;Quantity;Price;events;eVars` between commas, whose events and eVars stand
between `|`. What a product lacks is null, so that all arrays of one text align. The last two
functions stand in a part of that page that is commented out.
"""

from __future__ import annotations

import typing as t

from target_aep.data_prep.functions.definition import Category

CATEGORY = Category("Analytics")

_FLOWS = "{} is for flows of Analytics and of the Web SDK only: Adobe would refuse it elsewhere"
_UNPUBLISHED = "{} is not part of what Adobe has published, so a flow of Adobe may not know it"
_NAMES, _QUANTITIES, _PRICES, _EVENTS, _EVARS = 1, 2, 3, 4, 5

Texts = t.List[t.Optional[str]]  # noqa: UP006, UP045 - evaluated on Python 3.10 too


class Event(t.NamedTuple):
    """An event; what it lacks is None."""

    value: str | None
    id: str | None


@CATEGORY.define(
    "aa_get_event_id(EVENT_STRING: text, EVENT_NAME: text) -> text",
    caveat=_FLOWS.format("aa_get_event_id"),
)
def aa_get_event_id(events: str, name: str) -> str | None:
    """The id of an event; null where it is absent or has none."""
    event = _event(events.split(","), name)
    return event.id if event else None


@CATEGORY.define(
    "aa_get_event_value(EVENT_STRING: text, EVENT_NAME: text) -> text",
    caveat=_FLOWS.format("aa_get_event_value"),
)
def aa_get_event_value(events: str, name: str) -> str | None:
    """The value of an event, 1 where it comes without one; null where it is absent."""
    return _value_or_one(_event(events.split(","), name))


@CATEGORY.define(
    "aa_get_product_categories(PRODUCTS_STRING: text) -> array",
    caveat=_FLOWS.format("aa_get_product_categories"),
)
def aa_get_product_categories(products: str) -> Texts:
    """The category of each product."""
    return [_field(product, 0) for product in products.split(",")]


@CATEGORY.define(
    "aa_get_product_names(PRODUCTS_STRING: text) -> array",
    caveat=_FLOWS.format("aa_get_product_names"),
)
def aa_get_product_names(products: str) -> Texts:
    """The name of each product."""
    return [_field(product, _NAMES) for product in products.split(",")]


@CATEGORY.define(
    "aa_get_product_quantities(PRODUCTS_STRING: text) -> array",
    caveat=_FLOWS.format("aa_get_product_quantities"),
)
def aa_get_product_quantities(products: str) -> Texts:
    """The quantity of each product, as it is spelled."""
    return [_field(product, _QUANTITIES) for product in products.split(",")]


@CATEGORY.define(
    "aa_get_product_prices(PRODUCTS_STRING: text) -> array",
    caveat=_FLOWS.format("aa_get_product_prices"),
)
def aa_get_product_prices(products: str) -> Texts:
    """The price of each product, as it is spelled."""
    return [_field(product, _PRICES) for product in products.split(",")]


@CATEGORY.define(
    "aa_get_product_event_values(PRODUCTS_STRING: text, EVENT_NAME: text) -> array",
    caveat=_FLOWS.format("aa_get_product_event_values"),
)
def aa_get_product_event_values(products: str, name: str) -> Texts:
    """The value of an event for each product, 1 where it comes without one."""
    return [_value_or_one(event) for event in _product_events(products, name)]


@CATEGORY.define(
    "aa_get_product_evars(PRODUCTS_STRING: text, EVAR_NAME: text) -> array",
    caveat=_FLOWS.format("aa_get_product_evars"),
)
def aa_get_product_evars(products: str, name: str) -> Texts:
    """The value of an eVar for each product."""
    return [_evar(_field(product, _EVARS) or "", name) for product in products.split(",")]


@CATEGORY.define(
    "aa_get_product_events(PRODUCTS_STRING: text, EVENT_NAME: text) -> array",
    caveat=_UNPUBLISHED.format("aa_get_product_events"),
)
def aa_get_product_events(products: str, name: str) -> list[dict[str, str | None] | None]:
    """The id and value of an event for each product."""
    return [
        {"id": event.id, "value": _value_or_one(event)} if event else None
        for event in _product_events(products, name)
    ]


@CATEGORY.define(
    "aa_get_product_event_ids(PRODUCTS_STRING: text, EVENT_NAME: text) -> array",
    caveat=_UNPUBLISHED.format("aa_get_product_event_ids"),
)
def aa_get_product_event_ids(products: str, name: str) -> Texts:
    """The id of an event for each product."""
    return [event.id if event else None for event in _product_events(products, name)]


def _product_events(products: str, name: str) -> list[Event | None]:
    fields = [_field(product, _EVENTS) or "" for product in products.split(",")]
    return [_event(field.split("|"), name) for field in fields]


def _field(product: str, position: int) -> str | None:
    fields = product.split(";", position + 1)
    return (fields[position].strip() or None) if position < len(fields) else None


def _event(events: list[str], name: str) -> Event | None:
    for event in events:
        head, found, number = event.partition(":")
        known, _, value = head.partition("=")
        if known.strip() == name:
            return Event(value.strip() or None, (number.strip() or None) if found else None)
    return None


def _value_or_one(event: Event | None) -> str | None:
    return (event.value or "1") if event else None


def _evar(evars: str, name: str) -> str | None:
    for evar in evars.split("|"):
        known, _, value = evar.partition("=")
        if known.strip() == name:
            return value or None
    return None
