"""What people may do, by role and department."""

import pytest

from services.dashboard.access.claims import ClaimNames, person_of
from services.dashboard.access.people import LOCAL, ROLES, Person
from services.dashboard.access.sentences import AccessRefused

NAMES = ClaimNames()


def _person(*roles: str, departments: frozenset[str] | None = None) -> Person:
    return Person("Li Wei", frozenset(role for role in ROLES if role in roles), departments)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_sees(role: str) -> None:
    assert _person(role).has("viewer")
    assert not _person().has("viewer")


def test_an_operator_does_not_order_and_a_commander_does_not_answer_tasks() -> None:
    assert not _person("operator").has("commander")
    assert not _person("commander").acts_for("health")
    assert not _person("viewer").acts_for("health")
    assert not _person("officer").has("operator")


def test_an_officer_acts_for_the_own_departments_alone() -> None:
    officer = _person("officer", departments=frozenset({"health"}))
    assert officer.acts_for("health")
    assert not officer.acts_for("police")
    assert _person("officer").acts_for("police")


def test_incidents_of_the_own_departments_are_seen_and_no_others() -> None:
    viewer = _person("viewer", departments=frozenset({"health", "fire"}))
    assert viewer.sees(["police", "fire"])
    assert not viewer.sees(["police"])
    assert not viewer.sees([])
    assert _person("viewer").sees([])
    assert not _person().sees(["health"])


def test_who_works_on_this_machine_may_do_everything() -> None:
    assert all(LOCAL.has(role) for role in ROLES)
    assert LOCAL.acts_for("health")
    assert LOCAL.sees([])


def test_claims_become_a_person() -> None:
    found = person_of({"name": " 李  伟\n", "roles": ["officer", "mail-user"], "departments": ["health"]}, NAMES)
    assert found == Person("李 伟", frozenset({"officer"}), frozenset({"health"}))


def test_a_star_claims_every_department() -> None:
    assert person_of({"name": "a", "roles": "commander viewer", "departments": "*"}, NAMES).departments is None


def test_claims_may_lie_within_objects() -> None:
    names = ClaimNames(name="preferred_username", roles="realm_access.roles", departments="https://x.example/dept")
    claims = {"preferred_username": "li", "realm_access": {"roles": ["viewer"]}, "https://x.example/dept": ["fire"]}
    assert not names.missing(claims)
    assert person_of(claims, names) == Person("li", frozenset({"viewer"}), frozenset({"fire"}))


@pytest.mark.parametrize(
    ("claims", "status_words"),
    [
        ({"roles": ["viewer"], "departments": "*"}, "name"),
        ({"name": "\u200b \n", "roles": ["viewer"], "departments": "*"}, "name"),
        ({"name": "a", "roles": ["root"], "departments": "*"}, "role"),
        ({"name": "a", "roles": {"viewer": True}, "departments": "*"}, "role"),
        ({"name": "a", "roles": ["viewer"]}, "department"),
        ({"name": "a", "roles": ["commander"], "departments": []}, "department"),
    ],
)
def test_without_name_role_or_department_nobody_signs_on(claims: dict[str, object], status_words: str) -> None:
    with pytest.raises(AccessRefused, match=status_words):
        person_of(claims, NAMES)


def test_an_operator_needs_no_department() -> None:
    assert person_of({"name": "a", "roles": ["operator"]}, NAMES).departments == frozenset()
