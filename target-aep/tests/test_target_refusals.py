"""What to do about a refusal, by the call that was refused."""

from __future__ import annotations

import pytest
from target_aep.api.refusals import hint_for


@pytest.mark.parametrize(
    ("call", "permission"),
    [
        ("POST /data/foundation/schemaregistry/tenant/schemas", "Manage Schemas"),
        ("PATCH /data/foundation/schemaregistry/tenant/fieldgroups/x", "Manage Schemas"),
        ("GET /data/foundation/schemaregistry/tenant/schemas", "View Schemas"),
        ("POST /data/foundation/catalog/dataSets", "Manage Datasets"),
        ("GET /data/foundation/catalog/dataSets", "View Datasets"),
        ("PUT /data/foundation/import/batches/b/datasets/d/files/f", "Manage Datasets"),
        ("GET /data/foundation/export/batches/b/meta", "View Datasets"),
        ("POST /data/core/idnamespace/identities", "Manage Identity Namespaces"),
        ("GET /data/core/idnamespace/identities", "View Identity Namespaces"),
    ],
)
def test_the_permission_of_each_service(call, permission):
    assert f"a role for the sandbox with {permission} (" in hint_for(403, "Forbidden", call)


def test_what_is_no_question_of_permissions():
    call = "POST /data/foundation/schemaregistry/tenant/schemas"
    assert hint_for(400, "Title not unique", call) == ""
    assert "check client_id, and that its project" in hint_for(403, "403003 no", call)
    assert "has a product profile and a role for it" in hint_for(403, "no", "GET /elsewhere")
