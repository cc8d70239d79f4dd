"""Placeholders of mapping sets are filled from the setting `variables`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_aep.data_prep.compiling import compile_expression
from target_aep.mapping.mapper import RecordMapper
from target_aep.mapping.mapping_set import load_mapping_set
from target_aep.mapping.variables import in_expression, in_path, in_text

VALUES = {"ORG": "00D", "QUOTED": "a\"b'c\\", "TENANT_ID": "acme"}


@pytest.mark.parametrize(
    ("expression", "filled"),
    [
        ('concat(Id, "@${ORG}.Salesforce")', 'concat(Id, "@00D.Salesforce")'),
        ("'${ORG}'", "'00D'"),
        ('"${QUOTED}"', '"a\\"b\'c\\\\"'),
        ("concat(Id, ${ORG})", 'concat(Id, "00D")'),
        ("_${TENANT_ID}.id", "_acme.id"),
        ("${_${TENANT_ID}.id}", "${_acme.id}"),
        ("a.${ORG}", "a.00D"),
        ("${First Name}", "${First Name}"),
        (r"${web\.ecid}", r"${web\.ecid}"),
        ("${OTHER}", "${OTHER}"),
        ('"${OTHER}"', '"${OTHER}"'),
        ("${Bob's} + '${ORG}'", "${Bob's} + '00D'"),
        ('"\\"${ORG}"', '"\\"00D"'),
    ],
)
def test_fills_expressions(expression, filled):
    assert in_expression(expression, VALUES) == filled


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_text_gets_into_an_expression_as_it_is(text):
    for template in ("${ORG}", '"${ORG}"', "'${ORG}'"):
        filled = in_expression(template, {"ORG": text})
        assert compile_expression(filled)({}) == text


def test_fills_constants_and_paths():
    assert in_text("${ORG}-${OTHER}", VALUES) == "00D-${OTHER}"
    assert in_path("_${TENANT_ID}.a", VALUES) == "_acme.a"


def test_a_whole_set_is_filled_and_what_stays_open_is_told():
    mapping = [
        {"sourceType": "STATIC", "source": "${ORG}", "destination": "_${TENANT_ID}.org"},
        {"sourceType": "STATIC", "source": "x ${NONE}", "destination": "_${TENANT_ID}.none"},
        {"sourceType": "EXPRESSION", "source": '"a ${GONE}"', "destination": "gone"},
        {"sourceType": "EXPRESSION", "source": '"${TENANT_ID}"', "destination": "tenant"},
    ]
    mapping_set = load_mapping_set(mapping)
    assert mapping_set.needs_tenant
    filled = mapping_set.with_variables({"ORG": "00D"}).for_tenant("acme")
    assert not filled.needs_tenant
    mapper = RecordMapper(filled, None)
    assert mapper.map({}) == {
        "_acme": {"org": "00D", "none": "x ${NONE}"},
        "gone": "a ${GONE}",
        "tenant": "acme",
    }
    first, second = mapper.warnings
    assert "mapping 2: the placeholder ${NONE} has no text in the setting variables" in first
    assert "mapping 3: the placeholder ${GONE}" in second
