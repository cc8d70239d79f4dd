"""What `GET /api/app/me` tells of a service account.

The endpoint: https://docs.mixpanel.com/reference/service-accounts. The answer's fields come from
public clients: jaredmcfarland/mixpanel_data `src/mixpanel_headless/_internal/me.py`,
ak--47/mpMigrate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulators.mixpanel.project import APP_DOMAINS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from emulators.mixpanel.project import Project

_ORGANIZATION = 1
_WORKSPACES_FROM = 100


def me(projects: Iterable[Project]) -> dict[str, Any]:
    """The `results`: organizations, projects and workspaces, each keyed by its id as text."""
    projects = [*projects]
    return {
        "user_id": 1,
        "user_email": "emulated.mp-service-account",
        "user_name": "emulated",
        "organizations": {
            str(_ORGANIZATION): {"id": _ORGANIZATION, "name": "Emulated organization"}
        },
        "projects": {str(project.id): _project(project) for project in projects},
        "workspaces": {
            str(number): _workspace(number, project)
            for number, project in enumerate(projects, start=_WORKSPACES_FROM)
        },
    }


def _project(project: Project) -> dict[str, Any]:
    return {
        "name": project.title,
        "organization_id": _ORGANIZATION,
        "timezone": project.timezone,
        "domain": APP_DOMAINS[project.region],
        "has_workspaces": True,
    }


def _workspace(number: int, project: Project) -> dict[str, Any]:
    return {
        "id": number,
        "name": "All Project Data",
        "project_id": project.id,
        "is_default": True,
        "is_global": True,
    }
