"""Expressions into syntax trees, and the errors of those that are none."""

from __future__ import annotations

import pytest
from target_aep.data_prep.failures import ExpressionError
from target_aep.data_prep.parsing import parse_expression
from target_aep.data_prep.printing import print_expression
from target_aep.data_prep.syntax import Call, Constant, Field, Item, Method, Number, Text


@pytest.mark.parametrize(
    ("loose", "bracketed"),
    [
        ("a ? b : c ? d : e", "a ? b : (c ? d : e)"),
        ("a ? b ? c : d : e", "a ? (b ? c : d) : e"),
        ("a ?: b ?: c", "a ?: (b ?: c)"),
        ("a ?? b ? c : d", "a ?? (b ? c : d)"),
        ("a || b ? c : d", "(a || b) ? c : d"),
        ("a || b && c", "a || (b && c)"),
        ("a or b and c", "a || (b && c)"),
        ("a && b | c", "a && (b | c)"),
        ("a | b ^ c", "a | (b ^ c)"),
        ("a ^ b & c", "a ^ (b & c)"),
        ("a & b == c", "a & (b == c)"),
        ("a == b < c", "a == (b < c)"),
        ("a ne b =~ c", "a != (b =~ c)"),
        ("a < b + c", "a < (b + c)"),
        ("a =^ b + c", "a =^ (b + c)"),
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b div c", "(a / b) / c"),
        ("a * b % c mod d", "((a * b) % c) % d"),
        ("-a * b", "(-a) * b"),
        ("!a == b", "(!a) == b"),
        ("not a && b", "(!a) && b"),
        ("not empty a", "!(empty a)"),
        ("size a + 1", "(size a) + 1"),
        ("-a.b", "-(a.b)"),
        ("- -a", "-(-a)"),
        ("a - -b", "a - (-b)"),
        ("!$a", "!($a)"),
        ("a =$ $b", "a =$ ($b)"),
    ],
)
def test_operators_hold_together_as_in_jexl(loose, bracketed):
    assert parse_expression(loose) == parse_expression(bracketed)


@pytest.mark.parametrize(
    ("words", "symbols"),
    [
        ("a eq b", "a == b"),
        ("a ne b", "a != b"),
        ("a lt b", "a < b"),
        ("a le b", "a <= b"),
        ("a gt b", "a > b"),
        ("a ge b", "a >= b"),
        ("a div b", "a / b"),
        ("a mod b", "a % b"),
        ("a and b", "a && b"),
        ("a or b", "a || b"),
        ("not a", "!a"),
        ("empty(a)", "empty a"),
        ("size(a)", "size a"),
    ],
)
def test_words_are_operators_too(words, symbols):
    assert parse_expression(words) == parse_expression(symbols)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b[0].c", ("a", "b", 0, "c")),
        ("a['key']", ("a", "key")),
        ('a["first name"].b', ("a", "first name", "b")),
        ("_tenant.$x", ("_tenant", "$x")),
        ("größe.名前", ("größe", "名前")),
        ("a . b", ("a", "b")),
        ("(a).b", ("a", "b")),
        ("date", ("date",)),
        ("upper.lower", ("upper", "lower")),
        ("equality", ("equality",)),
        ("newest", ("newest",)),
        ("a.new.size", ("a", "new", "size")),
        ("${First Name}", ("First Name",)),
        (r"${First\.Name}", ("First.Name",)),
        (r"${opportunityEvent\.dataValueChanges}.x", ("opportunityEvent.dataValueChanges", "x")),
        (
            "${segmentMembership.ups.seg_id.status}",
            ("segmentMembership", "ups", "seg_id", "status"),
        ),
        ("${new}", ("new",)),
        ("${a.b}[1]", ("a", "b", 1)),
    ],
)
def test_fields_are_paths(text, path):
    assert parse_expression(text).path == path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a"', "a"),
        ("'a'", "a"),
        ('"it\'s"', "it's"),
        (r'"say \"hi\""', 'say "hi"'),
        (r"'it\'s'", "it's"),
        (r'"\'"', r"\'"),
        (r'"\|"', r"\|"),
        (r'"\\|"', r"\|"),
        (r'"\n"', r"\n"),
        (r'"\\d+"', r"\d+"),
        (r'"\u00e4"', "ä"),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\\u0041"', r"\u0041"),
        (r'"\u12"', r"\u12"),
        ('"${ORG_ID}"', "${ORG_ID}"),
        ("''", ""),
    ],
)
def test_texts_are_decoded_as_in_jexl(text, value):
    assert parse_expression(text) == Text(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("42", 42),
        ("42l", 42),
        ("42H", 42),
        ("0x1F", 31),
        ("0x1Fl", 31),
        ("017", 15),
        ("99999999999999999999", 99999999999999999999),
        ("1.5", 1.5),
        ("1.5d", 1.5),
        ("2f", 2.0),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
    ],
)
def test_numbers_are_read_with_their_suffixes(text, value):
    assert parse_expression(text) == Number(value)
    assert print_expression(parse_expression("1.50b")) == "1.50b"


def test_calls_methods_and_items_chain():
    assert parse_expression("f(a)[0].b.g('x').h()") == Method(
        Method(Item(Item(Call("f", (Field(("a",)),)), Number(0)), Text("b")), "g", (Text("x"),)),
        "h",
        (),
    )


def test_constants_are_no_fields():
    assert parse_expression("true") == Constant(value=True)
    assert parse_expression("null") == Constant(None)
    assert parse_expression("nullable") == Field(("nullable",))


def test_positions_do_not_count_and_true_is_not_one():
    assert parse_expression(" a") == parse_expression("a")
    assert Number(1) != Number(1.0)
    assert Constant(value=True) != Number(1)


@pytest.mark.parametrize(
    "text", ["a // to the end", "a ## so too", "/* before */ a", "a /* * / */", "\ta\n"]
)
def test_comments_and_blanks_are_skipped(text):
    assert parse_expression(text) == Field(("a",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the expression is empty"),
        ("  ", "the expression is empty"),
        ("a ==", 'the expression ends where a value is expected, at character 5 of "a =="'),
        ("f(a,)", "a value is expected, not ), at character 5"),
        ("a b", "an operator is expected before b, at character 3"),
        ("a eqb", "an operator is expected before eqb"),
        ("* a", "a value is expected, not *"),
        ("`a`", "a text stands in \" or '"),
        ("f(a", "the ( opened here is never closed by ), at character 2"),
        ("[1, {2}", "the [ opened here is never closed by ], at character 1"),
        ("${a", "the ${ opened here is never closed by }, at character 1"),
        ("a)", ") closes nothing, at character 2"),
        ("f(a]", "] can't close the ( opened at character 2: ) is missing, at character 4"),
        ('f("a)', 'the text opened by " here has no closing ", at character 3'),
        ('"a\nb"', 'the text opened by " here has no closing "'),
        ("a == b == c", "comparisons can't be chained: put one of them in ( ), at character 8"),
        ("a < b < c", "comparisons can't be chained"),
        ("x = 5", "one expression, without statements and assignments; to compare, write =="),
        ("x += 5", "one expression, without statements and assignments"),
        ("a; b", "one expression, without statements and assignments; the ; is not part of it"),
        ("if (a) b", 'test ? then : otherwise, at character 1 of "if (a) b"'),
        ("var x", '"var" is a reserved word: a mapping holds one expression'),
        ("return a", '"return" is a reserved word: a mapping holds one expression'),
        ("new Foo()", '"new" is a reserved word: a mapping holds one expression'),
        ("a + new", "a field of this name is written ${new}, at character 5"),
        ("for", '"for" is a reserved word'),
        ("size == 3", '"size" is a reserved word: a field of this name is written ${size}'),
        ("a + empty", '"empty" is a reserved word: a field of this name is written ${empty}'),
        ("_errors", "a field of this name is written ${_errors}"),
        ("eq", "a field of this name is written ${eq}"),
        ("x -> x", "a lambda x -> … can only be an argument of a function that takes one"),
        ("f(new -> 1)", '"new" is a reserved word'),
        ("a[*].b", "[*] is for mappings of attributes"),
        ("${a[*].b}", "[*] is for mappings of attributes"),
        ("${}", "${} is no reference to a field"),
        ("${a..b}", "${a..b} is no reference to a field"),
        ("09", "a number that begins with 0 is octal"),
        ("1" * 401, "a number has at most 400 digits"),
        ("1e999", "the number is too large"),
        ("1e350", "the number is too large for a double: end it with b"),
        ("12abc", "a value is expected, not 12abc"),
    ],
)
def test_says_what_is_wrong_and_where(text, message):
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    assert message in str(caught.value)
    assert caught.value.text == text


@pytest.mark.parametrize(
    "text",
    [
        'iif(Id != null && Id != "", to_object("sourceKey", concat(Id, "@${ORG}.SF")), null)',
        "to_object('ECID', arrays_to_objects('id', explode(ecids)))",
        r"""arrays_to_objects('id', explode(last(split(${web\.ecid}, ":")), " "))""",
        r"iif(${web\.ecid} != null, to_object('ECID', a), null)",
        'to_map("LavaId", to_array(false, to_object("id", lavaId, "primary", true)))',
        'iif(marketing_type.equals("phyMail"), nullify(), marketing_type)',
        "array_to_string('_', filterArray(organizations, org -> org.founded > 2021))",
        'coalesce(null, null, null, "first", null, "second")',
        "arrays_to_objects('sku', explode(\"id1|id2\", '\\\\|'), 'price', [22.5,14.35])",
    ],
)
def test_expressions_of_adobes_pages_parse(text):
    node = parse_expression(text)
    assert parse_expression(print_expression(node)) == node
