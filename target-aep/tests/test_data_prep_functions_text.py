"""Functions of strings, regular expressions, hashes and URLs, beyond Adobe's examples."""

from __future__ import annotations

import pytest
from data_prep_calls import call
from target_aep.data_prep.failures import EvaluationError
from target_aep.data_prep.java_text import MOST_CHARACTERS
from target_aep.data_prep.zoned_date_time import ZonedDateTime

URL = "https://user:pw@www.example.com:8443/a/b.html?x=1&y=%20z&x=3&flag#top"


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("concat", ["a", 1, None, True, 2.5], "a1true2.5"),
        ("concat", [ZonedDateTime.of_epoch_milliseconds(0)], "1970-01-01T00:00:00Z"),
        ("instr", ["abcabc", "c"], 2),
        ("instr", ["abcabc", "c", 3], 5),
        ("instr", ["abcabc", "c", 0, 2], 5),
        ("instr", ["aaa", "aa", 0, 2], 1),
        ("instr", ["abc", "x"], -1),
        ("instr", ["abc", "a", 0, 0], -1),
        ("instr", ["abc", "a", 99], -1),
        ("instr", ["abc", "a", -5], 0),
        ("instr", ["😀abc", "a"], 2),
        ("instr", ["abc", "a", None, None], 0),
        ("replacestr", ["a.b.c", ".", "-"], "a-b-c"),
        ("replacestr", ["abc", "", "-"], "abc"),
        ("substr", ["abc", 1, 100], "bc"),
        ("substr", ["abc", 5, 1], ""),
        ("substr", ["abc", -2, 1], "b"),
        ("substr", ["abc", 0, -1], ""),
        ("substr", ["😀abc", 2, 1], "a"),
        ("lower", ["ÄİΣ"], "äi̇ς"),
        ("lcase", ["ABC"], "abc"),
        ("upper", ["straße"], "STRASSE"),
        ("ucase", ["abc"], "ABC"),
        ("split", ["a,b;;c,", ",;"], ["a", "b", "c"]),
        ("split", ["", ","], []),
        ("split", ["a,b", ""], ["a,b"]),
        ("join", ["-", ["a", None, 1, False]], "a--1-false"),
        ("join", [None, ["a", "b"]], "ab"),
        ("join", ["-", []], ""),
        ("lpad", ["bat", 3, "z"], "bat"),
        ("lpad", ["bat", 5, None], "  bat"),
        ("lpad", ["bat", 5, ""], "  bat"),
        ("lpad", ["bat", -1, "z"], "bat"),
        ("rpad", ["bat", 8, "yz"], "batyzyzy"),
        ("rpad", [None, 8, "yz"], None),
        ("left", ["abc", 0], ""),
        ("left", ["abc", -1], ""),
        ("left", ["abc", 9], "abc"),
        ("right", ["abcde", 2], "de"),
        ("right", ["abc", 9], "abc"),
        ("right", ["abc", -1], ""),
        ("ltrim", [" \t a "], "a "),
        ("rtrim", [" a\n\u2003"], " a"),
        ("trim", ["\xa0a "], "\xa0a"),
        ("equals", ["a", "a"], True),
        ("equals", ["a", "A"], False),
        ("equals", [1, 1.0], True),
        ("equals", [1, True], False),
        ("equals", ["1", 1], False),
        ("equals", [[1, {"a": None}], [1, {"a": None}]], True),
        ("equals", [[1], [True]], False),
        ("equals", [None, "a"], None),
        ("equalsIgnoreCase", ["ÄB", "äb"], True),
        ("equalsIgnoreCase", ["a", None], False),
        ("explode", ["a,,b,"], ["a", "", "b", ""]),
        ("explode", ["a1b22c", r"\d+"], ["a", "b", "c"]),
        ("explode", ["a|b", r"\|"], ["a", "b"]),
        ("extract_regex", ["abc", "x"], []),
        ("extract_regex", ["xaby", "a(b)(c)?"], ["ab", "b", None]),
        ("matches_regex", ["abc", "b"], False),
        ("matches_regex", ["abc", ".b."], True),
    ],
)
def test_a_text_function_gives(name, arguments, result):
    given = call(name, *arguments)
    assert given == result
    assert type(given) is type(result)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("lower", [None]), ("substr", ["a", None, 1]), ("split", [None, ","]), ("sha1", [None])],
)
def test_null_gives_null(name, arguments):
    assert call(name, *arguments) is None


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("lower", [["a"]], "lower: INPUT is an array, not a text"),
        ("substr", ["a", "x", 1], "substr: START_INDEX is a text that is no integer"),
        ("left", ["a", 1.5], "left: COUNT is a number that is no integer"),
        ("left", ["a", 10**30], "COUNT is a number that is no integer"),
        ("join", ["-", "a"], "join: OBJECTS is a text, not an array"),
        ("lpad", ["a", 2 * MOST_CHARACTERS, "b"], "longer than 1 MiB"),
        ("replacestr", ["a" * 2000, "a", "b" * 2000], "longer than 1 MiB"),
        ("join", ["x" * 1000, [1] * 5000], "longer than 1 MiB"),
        ("concat", ["a" * MOST_CHARACTERS, "b"], "longer than 1 MiB"),
        ("matches_regex", ["a", "("], "a group is not closed"),
        ("sha1", ["a", "EBCDIC"], "CHARSET is none of UTF-8"),
        ("hash", ["sha3", "a"], "hash: ALGORITHM is none of md5, sha1"),
        ("get_url_query_str", [URL, "keep"], "ANCHOR is none of retain, remove, append"),
        ("get_url_decoded", ["100%"], "two hexadecimal digits"),
    ],
)
def test_a_text_function_says_why_it_gives_nothing(name, arguments, reason):
    with pytest.raises(EvaluationError, match=reason):
        call(name, *arguments)


def test_numbers_in_texts_are_integers_where_they_are_whole():
    assert call("left", "abc", "2") == call("left", "abc", 2.0) == "ab"
    assert call("lower", 12) == "12"


# Computed by coreutils: printf 'my text' | sha1sum, and so on.
@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("sha1", ["my text"], "c3599c11e47719df18a2448690840c5dfcce3c80"),
        ("md5", ["é", "ISO-8859-1"], "3406877694691ddd1dfb0aca54681407"),
        ("md5", ["a", "UTF-16"], "4b936244fb81c0500598b1938266f69a"),
        (
            "sha512",
            ["my text", "UTF-8"],
            (
                "a3d7e45a0d9be5fd4e4b9a3b8c9c2163c21ef708bf11b4232bb21d2a8704ada2"
                "cdcd7b367dd0788a89a5c908cfe377aceb1072a7b386b7d4fd2ff68a8fd24d16"
            ),
        ),
    ],
)
def test_a_hash_is_that_of_the_text_in_its_charset(name, arguments, result):
    assert call(name, *arguments) == result


def test_a_charset_is_that_of_java():
    assert call("md5", "a", "UTF-16") == call("hash", "MD5", "a", "utf16")
    assert call("md5", "é", "US-ASCII") == call("md5", "?")
    assert call("md5", "€", "ISO-8859-1") == call("md5", "?")
    assert call("md5", "\ud800") == call("md5", "?")
    assert call("crc32", "my text") == "8df92e80"
    assert call("hash", "CRC-32", "my text", "UTF-8") == "8df92e80"


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("get_url_protocol", [URL], "https"),
        ("get_url_host", [URL], "www.example.com"),
        ("get_url_host", ["http://[::1]:80/"], "[::1]"),
        ("get_url_host", ["mailto:a@example.com"], None),
        ("get_url_host", ["example.com/a"], None),
        ("get_url_port", [URL], 8443),
        ("get_url_port", ["http://example.com"], 80),
        ("get_url_port", ["HTTPS://example.com:/"], 443),
        ("get_url_port", ["foo://example.com"], None),
        ("get_url_port", ["http://example.com:99999"], None),
        ("get_url_path", [URL], "/a/b.html"),
        ("get_url_path", [URL, True], "/a/b.html"),
        ("get_url_path", [URL, False], "b.html"),
        ("get_url_path", ["http://example.com"], ""),
        ("get_url_query_str", [URL, "remove"], {"x": "3", "y": "%20z", "flag": ""}),
        ("get_url_query_str", [URL, "retain"], {"x": "3", "y": "%20z", "flag#top": ""}),
        (
            "get_url_query_str",
            [URL, "append"],
            {"x": "3", "y": "%20z", "flag": "", "_anchor_": "top"},
        ),
        ("get_url_query_str", ["http://example.com", "append"], {}),
        ("get_url_encoded", ["a b*~é-_.|"], "a%20b%2A%7E%C3%A9-_.%7C"),
        ("get_url_decoded", ["a%20b+c%C3%A9"], "a b cé"),
    ],
)
def test_a_url_function_gives(name, arguments, result):
    assert call(name, *arguments) == result


@pytest.mark.parametrize(
    "url", ["", "not a url", "http://a b/", "http://a/%zz", "//a/b", "http://a<b"]
)
@pytest.mark.parametrize("name", ["protocol", "host", "port", "path"])
def test_an_invalid_url_gives_null(name, url):
    assert call(f"get_url_{name}", url) is None
    assert call("get_url_query_str", url, "remove") is None
