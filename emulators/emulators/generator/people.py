"""The users of the generated project: who they are and what they hold in their hands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

PEOPLE = 2000

_WEB_SHARE = 0.6
_IDENTIFIED_SHARE = 0.7
_MEMBER_SHARE = 0.3
_BEYOND_DOUBLES = 2**53 + 1

_PLACES = (
    ("San Francisco", "California", "US", "USD"),
    ("New York", "New York", "US", "USD"),
    ("São Paulo", "São Paulo", "BR", "BRL"),
    ("Zürich", "Zurich", "CH", "CHF"),
    ("München", "Bavaria", "DE", "EUR"),
    ("東京", "Tokyo", "JP", "JPY"),
    ("Bengaluru", "Karnataka", "IN", "INR"),
    ("København", "Capital Region", "DK", "DKK"),
)
_BROWSERS = ("Chrome", "Safari", "Firefox", "Microsoft Edge", "Samsung Internet")
_DESKTOPS = ("Mac OS X", "Windows", "Linux", "Chrome OS")
_SCREENS = ((900, 1440), (1080, 1920), (1117, 1728), (1440, 2560))
_PHONES = (
    ("iOS", "17.5.1", "Apple", "Apple", "iPhone15,3", "swift", "4.3.0"),
    ("iOS", "16.7", "Apple", "Apple", "iPhone12,1", "iphone", "5.0.8"),
    ("Android", "14", "Google", "google", "Pixel 8", "android", "7.5.2"),
    ("Android", "12", "samsung", "samsung", "SM-G991B", "android", "7.4.0"),
)
_CARRIERS = ("Verizon", "Vodafone", "Airtel", "NTT DOCOMO", "Swisscom")
_REFERRERS = (
    ("$direct", "$direct"),
    ("https://www.google.com/", "www.google.com"),
    ("https://news.example.com/article?id=7", "news.example.com"),
)
_PLANS = ("free", "growth", "enterprise")


@dataclass(frozen=True)
class Person:
    """A user.

    Attributes:
        distinct_id: Their id at Mixpanel.
        device_id: Of their browser or phone.
        is_web: Whether they use the website or the app.
        account_number: An integer that no double holds exactly.
        profile: The properties that all their events share.
    """

    distinct_id: str
    device_id: str
    is_web: bool
    account_number: int
    profile: dict[str, Any]


def people(rng: Random, count: int = PEOPLE) -> list[Person]:
    """The project's users."""
    return [_person(rng, number) for number in range(count)]


def _person(rng: Random, number: int) -> Person:
    bits = f"{rng.getrandbits(128):032x}"
    device_id = f"{bits[:8]}-{bits[8:12]}-{bits[12:16]}-{bits[16:20]}-{bits[20:]}"
    is_web = rng.random() < _WEB_SHARE
    identified = rng.random() < _IDENTIFIED_SHARE
    user_id = f"user-{number:05d}@example.com"
    distinct_id = user_id if identified else f"$device:{device_id}"
    city, region, country, currency = rng.choice(_PLACES)
    profile: dict[str, Any] = {
        "distinct_id": distinct_id,
        "$device_id": device_id,
        "$city": city,
        "$region": region,
        "mp_country_code": country,
        "plan": rng.choice(_PLANS),
        "is_member": rng.random() < _MEMBER_SHARE,
        "currency": currency,
        **(_browser(rng) if is_web else _phone(rng)),
    }
    if identified:
        profile["$user_id"] = user_id
        profile["$had_persisted_distinct_id"] = True
    account_number = _BEYOND_DOUBLES + 2 * rng.getrandbits(60)
    return Person(distinct_id, device_id, is_web, account_number, profile)


def _browser(rng: Random) -> dict[str, Any]:
    height, width = rng.choice(_SCREENS)
    referrer, domain = rng.choice(_REFERRERS)
    return {
        "$browser": rng.choice(_BROWSERS),
        "$browser_version": rng.randrange(110, 136),
        "$os": rng.choice(_DESKTOPS),
        "$screen_height": height,
        "$screen_width": width,
        "$initial_referrer": referrer,
        "$initial_referring_domain": domain,
        "mp_lib": "web",
        "$lib_version": "2.55.1",
        "mp_sent_by_lib_version": "2.55.1",
    }


def _phone(rng: Random) -> dict[str, Any]:
    os_name, os_version, manufacturer, brand, model, library, version = rng.choice(_PHONES)
    return {
        "$os": os_name,
        "$os_version": os_version,
        "$manufacturer": manufacturer,
        "$brand": brand,
        "$model": model,
        "$screen_height": 2340,
        "$screen_width": 1080,
        "$screen_dpi": rng.choice((326, 420, 460)),
        "$carrier": rng.choice(_CARRIERS),
        "$radio": "LTE",
        "$wifi": rng.random() < _WEB_SHARE,
        "$bluetooth_enabled": False,
        "$has_nfc": True,
        "$app_version_string": f"5.{rng.randrange(20)}.0",
        "$app_build_number": str(rng.randrange(1000, 9999)),
        "mp_lib": library,
        "$lib_version": version,
    }
