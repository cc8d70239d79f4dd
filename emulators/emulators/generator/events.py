"""What happens: single events with their properties and quirks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

    from emulators.generator.people import Person
    from emulators.generator.quirks import Quirks

Event = dict[str, Any]

_WEB_EVENTS = ("$mp_web_page_view", "Item Viewed", "Item Viewed", "Cart Updated", "Search")
_APP_EVENTS = ("App Opened", "Item Viewed", "Item Viewed", "Cart Updated", "Push Opened")
_LAST_STEPS = ("Items purchased", "Sign in", "Sign off", "Sign Up")
_LAST_STEP_SHARE = 0.15
_SHOP_EVENTS = frozenset({"Item Viewed", "Cart Updated", "Items purchased"})
_CART_EVENTS = frozenset({"Cart Updated", "Items purchased"})
_REFERRED_SHARE = 0.4
_CAMPAIGN_SHARE = 0.3

_ITEMS = (
    ("29066", "charger", "800.00"),
    ("29036", "chair", "5000.00"),
    ("29073", "Watch", "50000.00"),
    ("29101", "Crème brûlée torch", "49.90"),
    ("29102", "折りたたみ傘", "1980.00"),
    ("29103", 'Monitor 27" "Pro"', "349.00"),
)
_REFERRERS: tuple[tuple[str, str, str | None, str | None], ...] = (
    ("https://www.google.com/", "www.google.com", "google", "buy charger"),
    ("https://www.bing.com/search?q=watch%20deals", "www.bing.com", "bing", "watch deals"),
    ("https://partner.example.org/l%C3%A4den?x=1&y=2", "partner.example.org", None, None),
)
_CAMPAIGNS = (
    ("newsletter", "email", "spring%20sale", "header"),
    ("google", "cpc", "brand-2024", "Ad #7"),
    ("partner", "affiliate", "été", "a+b"),
)
_NOTES = (
    "line one\u2028line two",
    "paragraph\u2029next",
    "next line\u0085here",
    "thumbs 👍🏽 and a family 👨‍👩‍👧‍👦",
    'tab\there, newline\nthere, quote " and backslash \\',
    "שלום עולם / مرحبا",
    "\ufeffbyte order mark, null \u0000, vertical tab \u000b",
    "combining e\u0301, astral \U0001d4b3",
)
_EMPTIES: tuple[Any, ...] = (None, "", [], {})
_TAGS = (["new"], ["sale", "été"], ["b2b", "vip", "beta"])
_PAYLOADS = (
    '{"cart":[{"id":1,"ok":true}],"total":12.5}',
    '["a","b\\u2028c"]',
    '{"nested":"{\\"deeper\\":1}"}',
)
_ENDPOINTS = ("api-js.mixpanel.com", "api.mixpanel.com")


class EventMaker:
    """Makes events from a source of randomness.

    Attributes:
        rng: The source.
        quirks: Shares of oddities.
    """

    def __init__(self, rng: Random, crowd: list[Person], quirks: Quirks) -> None:
        self.rng = rng
        self.quirks = quirks
        self._people = crowd

    def make(self, time_ms: int, api_ms: int, processed_ms: int) -> Event:
        """An event with its stored `time` and its arrival stamps (UTC), all in ms."""
        random, quirks = self.rng.random, self.quirks
        person = self._people[int(random() * len(self._people))]
        name = self._name(person)
        properties: dict[str, Any] = {
            "time": time_ms,
            **person.profile,
            "$insert_id": f"{self.rng.getrandbits(80):020x}",
            "$mp_api_endpoint": _ENDPOINTS[0 if person.is_web else 1],
            "$mp_api_timestamp_ms": api_ms,
            "mp_processing_time_ms": processed_ms,
        }
        if person.is_web:
            self._add_page(name, properties)
        if name in _SHOP_EVENTS:
            self._add_shop(name, properties)
        self._add_odd_values(person, properties)
        if random() < quirks.identify:
            name = "$identify"
            properties["$identified_id"] = person.distinct_id
            properties["$anon_id"] = person.device_id
        return self._with_odd_identity(name, person, properties)

    def _name(self, person: Person) -> str:
        random = self.rng.random
        if random() < _LAST_STEP_SHARE:
            return _LAST_STEPS[int(random() * len(_LAST_STEPS))]
        names = _WEB_EVENTS if person.is_web else _APP_EVENTS
        return names[int(random() * len(names))]

    def _add_page(self, name: str, properties: dict[str, Any]) -> None:
        random = self.rng.random
        page = name.lower().replace(" ", "-").lstrip("$")
        properties["$current_url"] = f"https://shop.example.com/{page}?ref={int(random() * 1000)}"
        if random() < _REFERRED_SHARE:
            referrer, domain, engine, keyword = _REFERRERS[int(random() * len(_REFERRERS))]
            properties["$referrer"] = referrer
            properties["$referring_domain"] = domain
            if engine:
                properties["$search_engine"] = engine
                properties["mp_keyword"] = keyword
        if random() < _CAMPAIGN_SHARE:
            source, medium, campaign, content = _CAMPAIGNS[int(random() * len(_CAMPAIGNS))]
            properties["utm_source"] = source
            properties["utm_medium"] = medium
            properties["utm_campaign"] = campaign
            properties["utm_content"] = content

    def _add_shop(self, name: str, properties: dict[str, Any]) -> None:
        random = self.rng.random
        item_id, item_name, price = _ITEMS[int(random() * len(_ITEMS))]
        properties["item_id"] = item_id
        properties["item_name"] = item_name
        properties["item_price"] = price
        if name in _CART_EVENTS:
            quantity = 1 + int(random() * 5)
            properties["quantity"] = quantity
            properties["cart_value"] = round(quantity * float(price), 2)

    def _add_odd_values(self, person: Person, properties: dict[str, Any]) -> None:
        random, quirks = self.rng.random, self.quirks
        if random() < quirks.mixed_types:
            self._mix_types(properties)
        if random() < quirks.big_integers:
            properties["account_number"] = person.account_number
        if random() < quirks.unicode:
            properties["note"] = _NOTES[int(random() * len(_NOTES))]
        if random() < quirks.nested:
            self._add_nested(properties)
        if random() < quirks.case_collisions:
            properties["City"] = person.profile["$city"]
            properties["city"] = person.profile["$city"].lower()
            properties["sourceAmount"] = round(random() * 100, 2)
            properties["SourceAmount"] = f"{random() * 100:.2f}"
        if random() < quirks.odd_names:
            properties["Plan Name"] = person.profile["plan"].title()
            properties["sign-up source"] = "web" if person.is_web else "app"
            properties["experiment.variant"] = "AB"[int(random() * 2)]
        if random() < quirks.placeholders:
            properties["campaign_code"] = ("undefined", "<null>")[int(random() * 2)]
        if random() < quirks.empties:
            properties["coupon"] = _EMPTIES[int(random() * len(_EMPTIES))]
        if random() < quirks.json_text:
            properties["payload_json"] = _PAYLOADS[int(random() * len(_PAYLOADS))]

    def _mix_types(self, properties: dict[str, Any]) -> None:
        if "$browser_version" in properties:
            version = properties["$browser_version"]
            properties["$browser_version"] = (f"{version}.0.1", None)[int(self.rng.random() * 2)]
        properties["is_member"] = "yes"
        if "quantity" in properties:
            properties["quantity"] = str(properties["quantity"])
            properties["cart_value"] = f"{properties['cart_value']:.2f}"

    def _add_nested(self, properties: dict[str, Any]) -> None:
        random = self.rng.random
        properties["items"] = [
            {"sku": sku, "name": name, "price": float(price), "quantity": 1 + int(random() * 3)}
            for sku, name, price in _ITEMS[: 1 + int(random() * 3)]
        ]
        properties["tags"] = _TAGS[int(random() * len(_TAGS))]
        properties["address"] = {
            "street": "Bahnhofstraße 1",
            "zip": f"{int(random() * 100_000):05d}",
            "geo": {"lat": round(random() * 90, 5), "lon": round(random() * 180, 5)},
        }
        properties["positions"] = [[1, 2.5], [int(random() * 10), 4]]

    def _with_odd_identity(self, name: str, person: Person, properties: dict[str, Any]) -> Event:
        random, quirks = self.rng.random, self.quirks
        if random() < quirks.missing_insert_id:
            del properties["$insert_id"]
        if random() < quirks.rekeyed:
            properties["$distinct_id_before_identity"] = properties["distinct_id"]
            properties["distinct_id"] = f"merged-{person.device_id}"
        if random() < quirks.empty_distinct_id:
            properties["distinct_id"] = ""
        if random() < quirks.unstamped:
            del properties["$mp_api_timestamp_ms"], properties["mp_processing_time_ms"]
        if random() < quirks.hot_shard:
            properties["mp_original_event_name"] = name
            properties["mp_original_distinct_id"] = properties["distinct_id"]
            properties["distinct_id"] = ""
            name = "$hotshard_events"
        return {"event": name, "properties": properties}
