"""``--test`` on real sockets: each refusal is a line that says what to do."""

from __future__ import annotations

import pytest
from connection_world import (
    ACCOUNTS,
    API_SECRET,
    BAD_LINE,
    ELSEWHERE,
    EXPORT,
    IN_INDIA,
    LINE,
    ME,
    OAUTH_TOKEN,
    ONLY_SECRET,
    ORDINARY,
    OTHERS,
    PROJECT_ID,
    SECRET,
    USERNAME,
    encoded,
    status,
    verdicts,
)
from emulators.mixpanel import Project

UNKNOWN = "Mixpanel answered 401: Invalid service account credentials; check "
EXPIRED = "or the account has expired or was deleted, which is refused in the same words"
LIMIT_TEXT = (
    "Query rate limit exceeded for project_id: 4711. 61/60 queries running in the last hour"
)


REFUSALS = {
    "wrong secret": (
        [ORDINARY],
        {"service_account_secret": "Wrong-secret-1"},
        [],
        {
            "credentials": ("FAIL", UNKNOWN + "service_account_username and service_account_se"),
            "project access": ("skip", "the credentials are refused"),
            "residency": ("skip", "not found on EU and IN either"),
            "export": ("skip", "not asked"),
            "quota": ("ok", "60 of 60 requests are left in this hour"),
        },
    ),
    "wrong user": (
        [ORDINARY],
        {"service_account_username": "nobody.1.mp-service-account"},
        [],
        {"credentials": ("FAIL", "the username or the secret is wrong")},
    ),
    "expired account": (
        [Project(PROJECT_ID, service_accounts=ACCOUNTS, expiries={USERNAME: 1_700_000_000})],
        {},
        [],
        {"credentials": ("FAIL", EXPIRED)},
    ),
    "refused with 400": (
        [ORDINARY],
        {},
        [status(ME, 400, "Unable to authenticate request")],
        {"credentials": ("FAIL", "Mixpanel answered 400: Unable to authenticate request; check")},
    ),
    "another project": (
        OTHERS,
        {},
        [],
        {
            "credentials": ("ok", "knows the account"),
            "project access": (
                "FAIL",
                "project_id 4711 is none of the account's projects (20 'Brand 20', 21 'Brand 21',",
            ),
            "residency": ("skip", "not found on EU and IN either"),
            "export": ("FAIL", "Mixpanel answered 403: No permission to read project 4711"),
        },
    ),
    "wrong residency": (
        [ELSEWHERE],
        {},
        [],
        {
            "credentials": ("ok", "EU knows the account"),
            "project access": ("ok", "project 4711 is 'Shop'"),
            "residency": ("FAIL", "the project was found on EU: set region to EU (now US)"),
            "export": ("skip", "not asked"),
        },
    ),
    "wrong residency, known account": (
        [ELSEWHERE, *OTHERS],
        {},
        [],
        {"residency": ("FAIL", "the project was found on EU: set region to EU (now US)")},
    ),
    "account of another residency without the project": (
        [Project(8, name="Blog", region="IN", service_accounts=ACCOUNTS)],
        {},
        [],
        {
            "project access": ("FAIL", "is none of the account's projects (8 'Blog')"),
            "residency": ("FAIL", "the account was found on IN: set region to IN (now US)"),
        },
    ),
    "api_secret of another residency": (
        [ELSEWHERE],
        {**ONLY_SECRET, "api_secret": API_SECRET},
        [],
        {
            "credentials": ("skip", "only an export shows whether api_secret is right"),
            "export": ("FAIL", "Mixpanel answered 400: Unable to authenticate request; check api_"),
            "residency": ("FAIL", "the credentials were accepted on EU: set region to EU"),
            "quota": ("ok", "59 of 60"),
        },
    ),
    "wrong api_secret": (
        [ORDINARY],
        {**ONLY_SECRET, "api_secret": "Wrong-secret-1"},
        [],
        {
            "export": ("FAIL", "check api_secret, project_id and region: the secret is wrong, was"),
            "residency": ("skip", "not found on EU and IN either"),
            "event times": ("skip", "no event was seen"),
        },
    ),
    "wrong oauth_token": (
        [ORDINARY],
        {**ONLY_SECRET, "oauth_token": "Wrong-secret-1"},
        [],
        {"export": ("FAIL", "check oauth_token, project_id and region: the token is wrong or has")},
    ),
    "plan": (
        [Project(PROJECT_ID, plan_allows_export=False, service_accounts=ACCOUNTS)],
        {},
        [],
        {
            "project access": ("ok", "'Project 4711'"),
            "export": ("FAIL", "Mixpanel answered 402: Your plan does not support raw data export"),
            "event times": ("skip", "no event was seen"),
            "quota": ("ok", "59 of 60"),
        },
    ),
    "no permission to export": (
        [Project(PROJECT_ID, service_accounts=ACCOUNTS, denied_exports=[USERNAME])],
        {},
        [],
        {"export": ("FAIL", "Mixpanel answered 403: No permission to read project 4711; give the")},
    ),
    "rate limit": (
        [ORDINARY],
        {},
        [status(EXPORT, 429, {"error": LIMIT_TEXT})],
        {"export": ("FAIL", "run --test again at the latest after 13:01 UTC")},
    ),
    "rate limit with its end": (
        [ORDINARY],
        {},
        [status(EXPORT, 429, {"error": LIMIT_TEXT}, **{"Retry-After": "1800"})],
        {"export": ("FAIL", "run --test again after 12:30 UTC")},
    ),
    "export fails": (
        [ORDINARY],
        {},
        [status(EXPORT, 500, "unknown error")],
        {"export": ("FAIL", "Mixpanel answered 500: unknown error; run --test again later")},
    ),
    "export takes too long": (
        [ORDINARY],
        {},
        [status(EXPORT, 504, "too long")],
        {"export": ("FAIL", "504: too long; a run has more patience: run --test again later")},
    ),
    "export is cut": (
        [ORDINARY],
        {},
        [{"kind": "reset", "path": EXPORT}],
        {"export": ("FAIL", "; run --test again later")},
    ),
    "export host is not Mixpanel's": (
        [ORDINARY],
        {},
        [status(EXPORT, 200, "<html>Welcome</html>\n")],
        {"export": ("FAIL", "line 1: it is not JSON")},
    ),
    "export elsewhere": (
        [ORDINARY],
        {},
        [status(EXPORT, 404, "Not Found")],
        {"export": ("FAIL", "Mixpanel answered 404: Not Found; check api_url and region")},
    ),
    "day not begun": (
        [ORDINARY],
        {},
        [status(EXPORT, 400, "to_date cannot be later than today")],
        {"export": ("FAIL", "though a day before today was asked for; check project_timezone")},
    ),
    "malformed lines": (
        [ORDINARY],
        {},
        [status(EXPORT, 200, f"{LINE}\n{{}}\n[1]\n{LINE}\n")],
        {
            "export": ("FAIL", "2 of 4 lines of 2024-03-19 are malformed (line 2: "),
            "event times": ("skip", "0 of 2 events"),
        },
    ),
    "nothing but malformed lines": (
        [ORDINARY],
        {},
        [status(EXPORT, 200, f"{BAD_LINE}\n{BAD_LINE}\n")],
        {"export": ("FAIL", "2 of 2 lines of 2024-03-19 are malformed (line 1: ")},
    ),
    "forbidden, but not elsewhere": (
        [ORDINARY, IN_INDIA],
        {**ONLY_SECRET, "api_secret": API_SECRET},
        [status(EXPORT, 403, {"error": "not yours"})],
        {"residency": ("FAIL", "the credentials were accepted on IN: set region to IN (now US)")},
    ),
    "not found, here and elsewhere": (
        [],
        {**ONLY_SECRET, "api_secret": API_SECRET},
        [{**status(EXPORT, 404, "Not Found"), "region": region} for region in ("US", "EU", "IN")],
        {"residency": ("skip", "not found on EU and IN either")},
    ),
    "empty here, events elsewhere": (
        [ORDINARY, ELSEWHERE],
        {**ONLY_SECRET, "oauth_token": OAUTH_TOKEN},
        [status(EXPORT, 200, ""), {**status(EXPORT, 200, f"{LINE}\n"), "region": "EU"}],
        {
            "export": ("warn", "has no event: if the project has some, check project_id, region,"),
            "event times": ("skip", "0 of 0 events"),
            "residency": ("FAIL", "EU has events of 2024-03-19 and US has none: set region to EU"),
        },
    ),
    "wrong filter": (
        [ORDINARY],
        {"where": "properties["},
        [],
        {"export": ("FAIL", "fix the setting where")},
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_a_line_that_says_what_to_do(mixpanel, name):
    projects, settings, faults, expected = REFUSALS[name]
    mixpanel.start(projects)
    for fault in faults:
        mixpanel.fault(**fault)
    out, code = mixpanel.test(**settings)
    assert code == 1
    found = verdicts(out)
    for check, (verdict, words) in expected.items():
        assert found[check][0] == verdict, out
        assert words in found[check][1]
    assert "Traceback" not in mixpanel.err
    written = out + mixpanel.err
    for secret in (SECRET, "Wrong-secret-1", API_SECRET, OAUTH_TOKEN, USERNAME, encoded()):
        assert secret not in written
