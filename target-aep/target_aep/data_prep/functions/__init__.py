"""The functions of the Data Prep language, by name: `FUNCTIONS`.

One module holds those of one heading of the documentation, help/data-prep/functions.md in
AdobeDocs/experience-platform.en. What is heavy (regular expressions, user agents) is imported
when it is first called.
"""

from __future__ import annotations

import typing as t

from target_aep.data_prep.functions import (
    aggregation,
    analytics,
    arrays,
    conversion,
    dates,
    hashing,
    json_text,
    lambdas,
    logic,
    maps,
    objects,
    padding,
    regexes,
    special,
    strings,
    urls,
    user_agents,
)

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from target_aep.data_prep.function import Function

_MODULES = (
    strings,
    padding,
    regexes,
    hashing,
    urls,
    dates,
    objects,
    maps,
    arrays,
    lambdas,
    logic,
    aggregation,
    conversion,
    json_text,
    special,
    user_agents,
    analytics,
)

FUNCTIONS: Mapping[str, Function] = {
    function.name: function for module in _MODULES for function in module.CATEGORY.functions
}
"""Every function that Adobe documents, and the names that its documents also use for some."""
