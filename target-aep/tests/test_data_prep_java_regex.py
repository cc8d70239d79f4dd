"""Regular expressions of Java, on the `regex` package."""

from __future__ import annotations

import re
import time

import pytest
from data_prep_values import texts
from hypothesis import given, settings
from hypothesis import strategies as st
from target_aep.data_prep import java_regex
from target_aep.data_prep.failures import EvaluationError

MATCHING = [
    (r"\d+", "12"),
    (r"\D", "\u0661"),
    (r"\w+", "a_1"),
    (r"\W", "é"),
    (r"(?U)\w", "é"),
    (r"\s\S", "\x0ba"),
    (r"[\s\d]+", " 1"),
    (r"[\S&&[^a]]", "b"),
    (r"\h\v\H\V", "\xa0\x0bab"),
    (r"\R", "\r\n"),
    (r"a\Z\R", "a\n"),
    (r"a$\n", "a\n"),
    (r"\Aa\z", "a"),
    (r"\ba\b", "a"),
    (r"a.b", "a\x0bb"),
    (r"(?s)a.b", "a\nb"),
    (r"(?d)a.b", "a\rb"),
    (r"(?s:.)", "\n"),
    (r"(?i)straSSe", "STRASSE"),
    (r"(?i)a(?-i)b", "Ab"),
    (r"(?i:a)b", "Ab"),
    (r"(?x) a b [ c ] # comment", "ab "),
    (r"(?m)^b$", "b"),
    (r"\Qa.b*\E+", "a.b**"),
    (r"\Qa.b", "a.b"),
    (r"[\Q^]\E]+", "]^"),
    (r"\p{Alpha}\p{Lower}\p{Upper}\p{Digit}\p{Punct}\p{Space}", "aaA1. "),
    (r"\p{Alnum}\p{Graph}\p{Print}\p{Blank}\p{Cntrl}\p{XDigit}\p{ASCII}", "a! \t\x00f~"),
    (r"\P{Alpha}", "é"),
    (r"\p{L}\pL\p{Lu}\p{IsLatin}\p{InGreek}\p{IsAlphabetic}", "ééÉa\u03b1a"),
    (r"\p{javaLowerCase}\p{javaUpperCase}\p{javaWhitespace}", "aA "),
    (r"\p{script=Latin}\p{L1}\p{LC}", "aaa"),
    (r"[a-z&&[^aeiou]]+", "xyz"),
    (r"[a-c[x-z]]+", "ayz"),
    (r"[^a-c[x-z]]", "d"),
    (r"[]a]+", "]a"),
    (r"[a\-]+[b-]+", "a-b-"),
    (r"[+--]+", "+,-"),
    (r"[a&b|c~]+", "a&b|c~"),
    (r"[\x41-\x43\u0044\t\0101]+", "ABCD\tA"),
    (r"\x{1F600}\uD83D\uDE00\N{LATIN SMALL LETTER A}", "😀😀a"),
    (r"\t\n\r\f\a\e\cA\07\0141", "\t\n\r\f\a\x1b\x01\x07a"),
    (r"a++b?+c*+", "aab"),
    (r"a{2}b{1,}c{0,2}?", "aab"),
    (r"(?:a{10}){100}", "a" * 1000),
    (r"(?:a{0,1000}){0,1000}b", "aaab"),
    (r"(?>a|ab)c", "ac"),
    (r"(?<year>\d{4})-\k<year>", "2019-2019"),
    (r"(a)(?:b)\1", "aba"),
    (r"(a)\11", "aa1"),
    (r"(?<=a)?b(?!c)(?=$)", "b"),
    (r"(?<!x)a", "a"),
    (r"\$\{x\}", "${x}"),
    (r"}", "}"),
    (r"\é", "é"),
]

NOT_MATCHING = [
    (r"\d", "\u0661"),
    (r"a.b", "a\u2028b"),
    (r"[a-z&&[^aeiou]]+", "xay"),
    (r"(?i)stra\u00dfe", "STRASSE"),
    (r"a", "ab"),
    (r"^a$", "a\n"),
    (r"\p{Lower}", "é"),
]


@pytest.mark.parametrize(("pattern", "text"), MATCHING)
def test_a_pattern_of_java_matches(pattern, text):
    assert java_regex.matches(pattern, text)


@pytest.mark.parametrize(("pattern", "text"), NOT_MATCHING)
def test_a_pattern_of_java_does_not_match_more(pattern, text):
    assert not java_regex.matches(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(", "a group is not closed"),
        (")", "a ) closes nothing"),
        ("[a", "a class is not closed"),
        ("[", "a class is not closed"),
        ("[a&&[b", "a class is not closed"),
        ("a{", "{ is not followed by a number"),
        ("(a){e<=1}", "{ is not followed by a number"),
        ("a{2,1}", "has no numbers in it"),
        ("a{99999999}", "100,000 repetitions"),
        ("((a{100}){100}){100}", "over 20,000 parts"),
        ("(?:(?:a?){99999})", "over 20,000 parts"),
        ("*a", "* has nothing to repeat"),
        ("a**", "* has nothing to repeat"),
        ("(*PRUNE)a", "* has nothing to repeat"),
        ("(?P<n>a)", "(? is not followed by what Java knows"),
        ("(?R)", "(? is not followed by what Java knows"),
        ("(?#x)", "(? is not followed by what Java knows"),
        ("(?(1)a|b)", "(? is not followed by what Java knows"),
        ("(?<a>x)(?<a>y)", "two groups are called a"),
        ("(?<n", "(? is not followed by what Java knows"),
        ("\\", "a backslash is the last character"),
        ("[\\", "a backslash is the last character"),
        (r"\y", r"\y is not an escape"),
        (r"\K", r"\K is not an escape"),
        (r"\L<x>", r"\L is not an escape"),
        (r"\k(a)", r"\k is not followed by <name>"),
        (r"\p{}", r"\p is not followed by a property"),
        (r"\p{Foo}", "unknown property"),
        (r"\p{=}", "is not a property"),
        (r"\2", "not a regular expression of Java"),
        (r"\x{110000}", "is beyond Unicode"),
        (r"\N{NOTHING}", "there is no character called NOTHING"),
        ("[z-a]", "has no characters in it"),
        ("[" * 30, "20 classes within each other"),
        ("(" * 60 + ")" * 60, "50 groups within each other"),
        ("a" * 5000, "over 4096 characters"),
    ],
)
def test_what_is_none_of_javas_is_refused_with_the_reason(pattern, problem):
    with pytest.raises(EvaluationError, match=re.escape(problem)):
        java_regex.check(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "pieces"),
    [
        (",", "a,,b,", ["a", "", "b", ""]),
        (",", "", [""]),
        (" ", "Hi, there!", ["Hi,", "there!"]),
        (r"\|", "id1|id2", ["id1", "id2"]),
        ("", "abc", ["a", "b", "c", ""]),
        (r"\s*,\s*", "a , b,c", ["a", "b", "c"]),
        ("(?=[A-Z])", "AbCd", ["Ab", "Cd"]),
        ("x*", "axb", ["a", "", "b", ""]),
    ],
)
def test_splits_as_java_does_and_keeps_empty_pieces(pattern, text, pieces):
    assert java_regex.split(pattern, text) == pieces


def test_gives_the_groups_of_the_first_match():
    assert java_regex.groups("(a)(x)?", "bab") == ["a", "a", None]
    assert java_regex.groups("c", "bab") is None
    assert java_regex.find("a", "bab")
    assert not java_regex.find("c", "bab")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a|aa)+$", "a" * 5000 + "b"),
        ("(x+x+)+y", "x" * 5000),
        ("(.*)(.*)(.*)(.*)[^x]", "x" * 5000),
    ],
)
def test_a_pattern_that_would_take_forever_is_stopped(pattern, text):
    started = time.monotonic()
    with pytest.raises(EvaluationError, match="takes too long"):
        java_regex.find(pattern, text)
    assert time.monotonic() - started < 5


SIGNS = st.text(st.sampled_from("ab1(){}[]*+?|^$.\\-&,:=!<>dwsQEpPLuUkx#iRZ😀"), max_size=30)


@settings(max_examples=1000)
@given(SIGNS, texts)
def test_any_text_is_a_pattern_or_refused(pattern, text):
    try:
        java_regex.check(pattern)
    except EvaluationError:
        return
    for use in (java_regex.find, java_regex.matches, java_regex.groups, java_regex.split):
        try:
            use(pattern, text)
        except EvaluationError as error:
            assert "too long" in error.reason  # noqa: PT017 - anything but an answer is rare


@given(texts)
def test_quoted_text_matches_itself(text):
    assert java_regex.matches(f"\\Q{text}\\E", text) or "\\E" in text
