"""Conversions, JSON, identifiers, user agents, Analytics, and what holds for all functions."""

from __future__ import annotations

import subprocess
import sys
import uuid
from decimal import Decimal

import pytest
from data_prep_calls import call
from target_aep.data_prep.evaluation import Evaluation
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.functions import FUNCTIONS

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 5_1_1 like Mac OS X) AppleWebKit/534.46 "
    "(KHTML, like Gecko) Version/5.1 Mobile/9B206 Safari/7534.48.3"
)
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/79.0.3945.79 Safari/537.36"
)
PRODUCTS = ";Shoe;1;4.20;event1=2.3|event2=5:1;eVar1=red|eVar2=x, Hats ;Hat;;3.5;event2,;Sock;2;1"


@pytest.mark.parametrize(
    ("name", "value", "result"),
    [
        ("to_integer", "12", 12),
        ("to_integer", "-12", -12),
        ("to_integer", " +12 ", 12),
        ("to_integer", "12.0", 12),
        ("to_integer", 13.0, 13),
        ("to_integer", Decimal(12), 12),
        ("to_bigint", "123456789012345678901234567890", 123456789012345678901234567890),
        ("to_bigint", "-1.9", -1),
        ("to_bigint", 5, 5),
        ("to_decimal", "1e3", 1000.0),
        ("to_decimal", ".5", 0.5),
        ("to_decimal", Decimal("20.5"), 20.5),
        ("to_decimal", 3, 3.0),
        ("to_float", "0.1", 0.1),
        ("to_float", "16777217", 16777216.0),
        ("to_float", "1e-50", 0.0),
        ("json_to_object", '[1, 2.50, {"a": null}]', [1, Decimal("2.50"), {"a": None}]),
        ("json_to_object", '"text"', "text"),
        ("json_to_object", {"a": 1}, {"a": 1}),
        ("json_to_object", None, None),
    ],
)
def test_a_value_is_converted(name, value, result):
    given = call(name, value)
    assert given == result
    assert type(given) is type(result)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("to_integer", "12.5", "has a fraction"),
        ("to_integer", "2147483648", "does not fit 32 bits"),
        ("to_integer", "1_000", "is a text that is no number"),
        ("to_integer", "", "is a text that is no number"),
        ("to_integer", "\u0661", "is a text that is no number"),
        ("to_integer", True, "is a boolean that is no number"),
        ("to_integer", "1e999999999", "has a fraction"),
        ("to_bigint", "1e999999999", "digits or more"),
        ("to_bigint", [1], "is an array that is no number"),
        ("to_decimal", "NaN", "is a text that is no number"),
        ("to_decimal", "1e400", "too large"),
        ("to_decimal", 10**400, "too large"),
        ("to_float", "1e39", "too large"),
        ("json_to_object", "{", "is not JSON"),
        ("json_to_object", "NaN", "is not JSON"),
        ("json_to_object", "1e9999999999999999999", "is not JSON"),
        ("json_to_object", "[" * 100_000, "is not JSON"),
        ("json_to_object", "[" * 100 + "]" * 100, "more than 64 deep"),
        ("json_to_object", "9" * 10_000, "is not JSON"),
        ("json_to_object", 1, "is not a text"),
    ],
)
def test_a_value_that_can_not_be_converted_is_refused(name, value, reason):
    with pytest.raises(EvaluationError, match=reason):
        call(name, value)


def test_identifiers_come_from_the_evaluation():
    fixed = uuid.UUID(int=7)
    evaluation = Evaluation(new_uuid=lambda: fixed)
    assert call("uuid", evaluation) == call("guid", evaluation) == str(fixed)


@pytest.mark.parametrize(
    ("name", "iphone", "windows"),
    [
        ("ua_os_name", "iOS", "Windows NT"),
        ("ua_os_version", "5.1.1", "10.0"),
        ("ua_os_version_major", "iOS 5", "Windows 10"),
        ("ua_os_name_version", "iOS 5.1.1", "Windows 10.0"),
        ("ua_agent_name", "Safari", "Chrome"),
        ("ua_agent_version", "5.1", "79.0.3945.79"),
        ("ua_agent_version_major", "Safari 5", "Chrome 79"),
        ("ua_device_class", "Phone", "Desktop"),
    ],
)
def test_a_user_agent_is_read(name, iphone, windows):
    assert call(name, IPHONE) == iphone
    assert call(name, WINDOWS) == windows
    assert "Yauaa" in FUNCTIONS[name].caveat


def test_a_user_agent_that_tells_nothing_is_unknown():
    assert call("ua_os_name", "x") == call("ua_device_class", "x") == "Unknown"
    assert call("ua_os_name_version", "") == "Unknown ??"
    assert call("ua_agent_version_major", "x" * 100_000) == "Unknown ??"


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (
            "Mozilla/5.0 (iPad; CPU OS 13_3 like Mac OS X) AppleWebKit/605 Mobile Safari/604",
            "Tablet",
        ),
        ("Mozilla/5.0 (Linux; Android 13; SM-G991B) Chrome/112.0 Mobile Safari/537.36", "Phone"),
        ("Mozilla/5.0 (Linux; Android 13; SM-X700) Chrome/112.0 Safari/537.36", "Tablet"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0", "Desktop"),
        ("Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 TV Safari/537.36", "TV"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Robot"),
        ("Mozilla/5.0 (PlayStation 4 8.00) AppleWebKit/605.1.15", "Game Console"),
        ("Mozilla/5.0 (Linux; Android 12; Quest 2) OculusBrowser/30 Chrome/115", "Virtual Reality"),
    ],
)
def test_a_device_has_a_class(agent, device):
    assert call("ua_device_class", agent) == device


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("aa_get_event_id", ["event101=5:123456,scOpen", "scOpen"], None),
        ("aa_get_event_id", ["event1:9", "event1"], "9"),
        ("aa_get_event_value", ["event101=5:123456,scOpen", "event101"], "5"),
        ("aa_get_event_value", ["event101=5:123456,scOpen", "scOpen"], "1"),
        ("aa_get_event_value", ["event101=5", "event10"], None),
        ("aa_get_product_categories", [PRODUCTS], [None, "Hats", None]),
        ("aa_get_product_names", [PRODUCTS], ["Shoe", "Hat", "Sock"]),
        ("aa_get_product_quantities", [PRODUCTS], ["1", None, "2"]),
        ("aa_get_product_prices", [PRODUCTS], ["4.20", "3.5", "1"]),
        ("aa_get_product_event_values", [PRODUCTS, "event2"], ["5", "1", None]),
        ("aa_get_product_evars", [PRODUCTS, "eVar2"], ["x", None, None]),
        ("aa_get_product_event_ids", [PRODUCTS, "event2"], ["1", None, None]),
        (
            "aa_get_product_events",
            [PRODUCTS, "event2"],
            [{"id": "1", "value": "5"}, {"id": None, "value": "1"}, None],
        ),
        ("aa_get_product_names", [None], None),
    ],
)
def test_a_text_of_analytics_is_read(name, arguments, result):
    assert call(name, *arguments) == result
    assert FUNCTIONS[name].caveat


def test_every_function_is_documented_and_named_once():
    assert all(FUNCTIONS[name].name == name for name in FUNCTIONS)
    limited = {name for name, function in FUNCTIONS.items() if function.caveat}
    assert limited >= {"array_to_string", "filterArray", "is_set", "hash", "upsert_array_append"}
    assert {name for name, function in FUNCTIONS.items() if function.refusal} == {"fpid_to_ecid"}
    methods = {name for name, function in FUNCTIONS.items() if function.is_method}
    assert methods == {"equals", "equalsIgnoreCase", "get"}


def test_what_is_heavy_is_imported_when_it_is_called():
    code = (
        "import sys; from target_aep.data_prep.functions import FUNCTIONS; "
        "sys.exit(bool({'regex', 'ua_parser'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
