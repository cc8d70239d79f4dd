"""The fields of Adobe's standard ExperienceEvent field groups that the demo schema uses.

Names, types and constraints follow adobe/xdm (`components/fieldgroups/experience-event` and
`components/datatypes`, commit 4a4fc5f8); rarely used fields are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.aep.xdm_schema import array_of, boolean, date_time, integer, number, string, struct

if TYPE_CHECKING:
    from emulators.aep.model import JsonObject

COUNTRY_PATTERN = "^[A-Z]{2}$"
CURRENCY_PATTERN = "^[A-Z]{3}$"
PROVINCE_PATTERN = "([A-Z]{2}-[A-Z0-9]{1,3}|)"

CONNECTION_TYPES = [
    "dialup", "isdn", "bisdn", "dsl", "cable", "wireless_wifi", "mobile", "mobile_edge",
    "mobile_gprs", "mobile_2g", "mobile_3g", "mobile_lte", "t1", "t3", "oc3", "lan", "modem",
]  # fmt: skip
REFERRER_TYPES = [
    "internal", "external", "search_engine", "typed_bookmarked", "email", "social", "usenet",
    "hard_drive", "nojs", "conversational_ai", "unknown",
]  # fmt: skip


def standard_groups() -> dict[str, JsonObject]:
    """Environment, web, marketing, application, implementation and commerce details."""
    return {
        "environment": _environment(),
        "device": _device(),
        "placeContext": _place_context(),
        "web": _web(),
        "marketing": struct(
            {"campaignGroup": string(), "campaignName": string(), "trackingCode": string()}
        ),
        "application": _application(),
        "implementationDetails": struct(
            {
                "environment": string(enum=["browser", "app", "server", "iot"]),
                "name": string(format="uri"),
                "version": string(),
            }
        ),
        "commerce": _commerce(),
        "productListItems": array_of(_product()),
    }


def channel() -> JsonObject:
    """Channel details (adobe/xdm `components/channels/channel.schema.json`)."""
    kinds = ("contentTypes", "locationTypes", "metricTypes")
    return struct(
        {
            "_id": string(format="uri-reference"),
            "_type": string(format="uri"),
            **{name: array_of(string(format="uri")) for name in kinds},
            "mediaAction": string(),
            "mediaType": string(),
            "mode": string(enum=["push", "pull", "bidirectional"]),
            "referringSource": string(),
            "typeAtSource": string(),
        },
        ["_id"],
    )


def end_user_ids() -> JsonObject:
    """End user ids (adobe/xdm `components/datatypes/enduserids.schema.json`)."""
    identity = struct(
        {
            "authenticatedState": string(enum=["ambiguous", "authenticated", "loggedOut"]),
            "id": string(),
            "namespace": struct({"code": string()}),
            "primary": boolean(),
            "xid": string(),
        }
    )
    names = ("aacustomid", "aaid", "acid", "adcloud", "emailid", "mcid", "phonenumberid", "tntid")
    return struct({"_experience": struct(dict.fromkeys(names, identity))})


def _measure() -> JsonObject:
    return struct({"id": string(), "value": number()}, ["value"])


def _environment() -> JsonObject:
    browser = struct(
        {
            "acceptLanguage": string(),
            "cookiesEnabled": boolean(),
            "javaScriptEnabled": boolean(),
            "name": string(),
            "userAgent": string(),
            "vendor": string(),
            "version": string(),
            "viewportHeight": integer(),
            "viewportWidth": integer(),
        }
    )
    return struct(
        {
            "ISP": string(),
            "browserDetails": browser,
            "carrier": string(),
            "colorDepth": integer(minimum=0),
            "connectionType": string(enum=CONNECTION_TYPES),
            "domain": string(),
            "duration": integer(minimum=0),
            "ipV4": string(format="ipv4"),
            "ipV6": string(format="ipv6"),
            "operatingSystem": string(),
            "operatingSystemVendor": string(),
            "operatingSystemVersion": string(),
            "type": string(enum=["browser", "application", "iot", "external", "widget"]),
            "viewportHeight": integer(minimum=0),
            "viewportWidth": integer(minimum=0),
        }
    )


def _device() -> JsonObject:
    return struct(
        {
            "colorDepth": integer(),
            "manufacturer": string(),
            "model": string(),
            "modelNumber": string(),
            "screenHeight": integer(),
            "screenOrientation": string(enum=["portrait", "landscape"]),
            "screenWidth": integer(),
            "type": string(),
            "typeID": string(),
            "typeIDService": string(format="uri"),
        }
    )


def _place_context() -> JsonObject:
    geo = struct(
        {
            "_id": string(format="uri-reference"),
            "_schema": struct(
                {
                    "elevation": number(),
                    "latitude": number(minimum=-90, maximum=90),
                    "longitude": number(minimum=-180, maximum=180),
                }
            ),
            "city": string(),
            "countryCode": string(pattern=COUNTRY_PATTERN),
            "dmaID": integer(),
            "msaID": integer(),
            "postalCode": string(),
            "stateProvince": string(pattern=PROVINCE_PATTERN),
        }
    )
    return struct(
        {
            "geo": geo,
            "ianaTimezone": string(),
            "localTime": date_time(),
            "localTimezoneOffset": integer(),
        }
    )


def _web() -> JsonObject:
    page = {
        "URL": string(),
        "isErrorPage": boolean(),
        "isHomePage": boolean(),
        "name": string(),
        "pageViews": _measure(),
        "server": string(),
        "siteSection": string(),
        "viewName": string(),
    }
    interaction = {
        "URL": string(),
        "linkClicks": _measure(),
        "name": string(),
        "region": string(),
        "type": string(enum=["download", "exit", "other"]),
    }
    referrer = {"URL": string(), "type": string(enum=REFERRER_TYPES)}
    return struct(
        {
            "webPageDetails": struct(page),
            "webInteraction": struct(interaction),
            "webReferrer": struct(referrer),
        }
    )


def _application() -> JsonObject:
    measures = ("crashes", "featureUsages", "firstLaunches", "installs", "launches", "upgrades")
    return struct(
        {
            **{name: _measure() for name in measures},
            "closeType": string(enum=["close", "unknown"]),
            "id": string(),
            "isClose": boolean(),
            "isInstall": boolean(),
            "isLaunch": boolean(),
            "isUpgrade": boolean(),
            "name": string(),
            "sessionLength": integer(minimum=0),
            "userPerspective": string(enum=["foreground", "background", "detached"]),
            "version": string(),
        }
    )


def _commerce() -> JsonObject:
    measures = (
        "cartAbandons", "checkouts", "productListAdds", "productListOpens", "productListRemovals",
        "productListViews", "productViews", "purchases", "saveForLaters",
    )  # fmt: skip
    payment = struct(
        {
            "currencyCode": string(pattern=CURRENCY_PATTERN),
            "paymentAmount": number(),
            "paymentType": string(),
            "transactionID": string(),
        }
    )
    order = {
        "createdDate": date_time(),
        "currencyCode": string(pattern=CURRENCY_PATTERN),
        "discountAmount": number(),
        "orderType": string(enum=["checkout", "instant_purchase"]),
        "payments": array_of(payment),
        "priceTotal": number(),
        "purchaseID": string(),
        "purchaseOrderNumber": string(),
        "taxAmount": number(),
    }
    return struct(
        {
            **{name: _measure() for name in measures},
            "cart": struct({"cartID": string(), "cartSource": string()}),
            "order": struct(order),
            "promotionID": string(),
        }
    )


def _product() -> JsonObject:
    return struct(
        {
            "SKU": string(),
            "_id": string(format="uri-reference"),
            "currencyCode": string(pattern=CURRENCY_PATTERN),
            "discountAmount": number(),
            "name": string(),
            "priceTotal": number(),
            "product": string(format="uri"),
            "productAddMethod": string(),
            "quantity": integer(),
        }
    )
