"""What a programmer would write for just these records: no mapping set, and the same rows.

Nothing is taken for granted of a record: any value may be missing, empty or of another type. One
that can't be converted is left out and counted.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from benchmarks.hand_conversion import HandConversion, known_number

Record = dict[str, Any]

_UTC = timezone.utc
_EPOCH = datetime(1970, 1, 1, tzinfo=_UTC)
_SKEW = timedelta(minutes=10)
_PLANS = {"free": "Free", "growth": "Growth", "enterprise": "Enterprise"}


class RejectedError(Exception):
    """A record that can't become a row."""


class ByHand(HandConversion):
    """Converts records."""

    def wide(self, record: Record) -> Record:
        """The 60 fields."""
        properties = record.get("properties")
        if not isinstance(properties, dict):
            properties = {}
        row = self._root(record)
        moment = row.pop("moment")
        self.text(row, "eventType", record.get("event_name"))
        parts = {
            "environment": self._environment(properties),
            "device": self._device(properties),
            "placeContext": self._place(properties),
            "web": self._web(properties),
            "marketing": self._marketing(properties),
            "application": self._application(properties),
            "implementationDetails": self._implementation(properties),
            "_acme": self._acme(record, properties, moment),
        }
        for name, part in parts.items():
            if part:
                row[name] = part
        return row

    def adobe(self, record: Record) -> Record:
        """The fields of Adobe's own mappings."""
        properties = record.get("properties")
        if not isinstance(properties, dict):
            properties = {}
        row = self._root(record)
        del row["moment"]
        part: Record = {}
        self.text(part, "distinct_id", record.get("distinct_id"))
        self.text(part, "event_name", record.get("event_name"))
        self.boolean(part, "import", record.get("import"))
        self.text(part, "insert_id", record.get("insert_id"))
        self.text(part, "item_id", properties.get("item_id"))
        self.text(part, "item_name", properties.get("item_name"))
        self.number(part, "item_price", properties.get("item_price"))
        self.text(part, "mp_api_endpoint", record.get("mp_api_endpoint"))
        self.integer(part, "mp_api_timestamp_ms", record.get("mp_api_timestamp_ms"))
        self.integer(part, "mp_processing_time_ms", record.get("mp_processing_time_ms"))
        part["time"] = row["timestamp"]
        row["_acme"] = part
        return row

    def _root(self, record: Record) -> Record:
        identifier, time = record.get("event_id"), record.get("time")
        if not isinstance(identifier, str) or not identifier:
            raise RejectedError("_id")
        if not isinstance(time, str):
            raise RejectedError("timestamp")
        try:
            moment = datetime.fromisoformat(time.replace("Z", "+00:00")).astimezone(_UTC)
        except ValueError:
            raise RejectedError("timestamp") from None
        if moment < _EPOCH or moment > datetime.now(_UTC) + _SKEW:
            raise RejectedError("timestamp")
        text = moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        return {"_id": identifier, "timestamp": text, "moment": moment}

    def _environment(self, properties: Record) -> Record:
        part: Record = {}
        browser: Record = {}
        self.text(browser, "name", properties.get("$browser"))
        self.text(browser, "version", properties.get("$browser_version"))
        if browser:
            part["browserDetails"] = browser
        self.text(part, "operatingSystem", properties.get("$os"))
        self.text(part, "operatingSystemVersion", properties.get("$os_version"))
        self.text(part, "carrier", properties.get("$carrier"))
        wifi = properties.get("$wifi")
        if isinstance(wifi, bool):
            part["connectionType"] = "wireless_wifi" if wifi else "mobile"
        return part

    def _device(self, properties: Record) -> Record:
        part: Record = {}
        self.text(part, "radio", properties.get("$radio"))
        self.text(part, "model", properties.get("$model"))
        self.text(part, "manufacturer", properties.get("$brand"))
        self.integer(part, "screenWidth", properties.get("$screen_width"))
        self.integer(part, "screenHeight", properties.get("$screen_height"))
        return part

    def _place(self, properties: Record) -> Record:
        part: Record = {}
        geo: Record = {}
        city, country = properties.get("$city"), properties.get("mp_country_code")
        self.text(geo, "city", city)
        self.text(geo, "region", properties.get("$region"))
        code = country.upper() if isinstance(country, str) else None
        self.text(geo, "countryCode", code)
        if geo:
            part["geo"] = geo
        if city is not None:
            part["label"] = f"{city}, {code or ''}"
        return part

    def _web(self, properties: Record) -> Record:
        part: Record = {}
        page: Record = {}
        referrer: Record = {}
        url = properties.get("$current_url")
        self.text(page, "URL", url)
        self.text(referrer, "URL", properties.get("$referrer"))
        if page:
            part["webPageDetails"] = page
        if referrer:
            part["webReferrer"] = referrer
        if isinstance(url, str):
            try:
                self.text(part, "host", urlsplit(url).hostname)
            except ValueError:
                self.failed["host"] += 1
        return part

    def _marketing(self, properties: Record) -> Record:
        part: Record = {}
        self.text(part, "campaignName", properties.get("utm_campaign"))
        self.text(part, "source", properties.get("utm_source"))
        self.text(part, "medium", properties.get("utm_medium"))
        self.text(part, "content", properties.get("utm_content"))
        return part

    def _application(self, properties: Record) -> Record:
        part: Record = {}
        self.text(part, "version", properties.get("$app_version_string"))
        self.text(part, "build", properties.get("$app_build_number"))
        return part

    def _implementation(self, properties: Record) -> Record:
        part: Record = {}
        self.text(part, "version", properties.get("$lib_version"))
        self.text(part, "name", properties.get("mp_lib"))
        return part

    def _acme(self, record: Record, properties: Record, moment: datetime) -> Record:
        parts = {
            "mixpanel": self._mixpanel(record),
            "customer": self._customer(properties),
            "item": self._item(properties),
            "computed": self._computed(record, properties, moment),
        }
        return {name: part for name, part in parts.items() if part}

    def _mixpanel(self, record: Record) -> Record:
        part: Record = {}
        self.text(part, "distinctId", record.get("distinct_id"))
        self.text(part, "insertId", record.get("insert_id"))
        self.text(part, "deviceId", record.get("device_id"))
        self.text(part, "userId", record.get("user_id"))
        self.boolean(part, "import", record.get("import"))
        self.text(part, "apiEndpoint", record.get("mp_api_endpoint"))
        self.integer(part, "apiTimestampMs", record.get("mp_api_timestamp_ms"))
        self.integer(part, "processingTimeMs", record.get("mp_processing_time_ms"))
        return part

    def _customer(self, properties: Record) -> Record:
        part: Record = {}
        self.text(part, "plan", properties.get("plan"))
        self.boolean(part, "isMember", properties.get("is_member"))
        self.text(part, "currency", properties.get("currency"))
        return part

    def _item(self, properties: Record) -> Record:
        part: Record = {}
        self.text(part, "id", properties.get("item_id"))
        self.text(part, "name", properties.get("item_name"))
        self.number(part, "price", properties.get("item_price"))
        self.integer(part, "quantity", properties.get("quantity"))
        return part

    def _computed(self, record: Record, properties: Record, moment: datetime) -> Record:
        part: Record = {"day": moment.date().isoformat()}
        library, plan = properties.get("mp_lib"), properties.get("plan")
        if isinstance(library, str):
            self.text(part, "library", library.lower())
        part["tariff"] = f"{plan or ''}-{properties.get('currency') or ''}"
        part["planName"] = _PLANS.get(plan, "Other") if isinstance(plan, str) else "Other"
        if plan is not None:
            part["isEnterprise"] = plan == "enterprise"
        name = record.get("event_name")
        if isinstance(name, str):
            self.text(part, "name", name.strip())
        self._people(part, record)
        self._shop(part, properties)
        return part

    def _people(self, part: Record, record: Record) -> None:
        user, distinct = record.get("user_id"), record.get("distinct_id")
        part["visitor"] = "known" if user else "anonymous"
        best = next(
            (each for each in (user, record.get("device_id"), distinct) if each is not None), None
        )
        self.text(part, "bestId", best)
        if isinstance(distinct, str) and distinct:
            pieces = [piece for piece in distinct.split("@") if piece]
            if pieces:
                part["mailUser"] = pieces[0]
            if len(pieces) > 1:
                part["mailDomain"] = pieces[1]
            part["hashedId"] = hashlib.sha256(
                distinct.lower().encode("utf-8", "replace")
            ).hexdigest()

    def _shop(self, part: Record, properties: Record) -> None:
        identifier, name = properties.get("item_id"), properties.get("item_name")
        price, quantity = properties.get("item_price"), properties.get("quantity")
        cart = properties.get("cart_value")
        if isinstance(identifier, str):
            self.text(part, "itemGroup", identifier[:2])
        if isinstance(name, str):
            self.text(part, "slug", name.replace(" ", "-").lower())
        if identifier is not None:
            product: Record = {}
            self.text(product, "id", identifier)
            self.text(product, "name", name)
            if product:
                part["product"] = product
        if price is not None and quantity is not None:
            try:
                part["total"] = float(known_number(price)) * float(known_number(quantity))
            except ValueError:
                self.failed["total"] += 1
        if cart is not None:
            try:
                part["cartCents"] = float(known_number(cart) * 100)
            except ValueError:
                self.failed["cartCents"] += 1
