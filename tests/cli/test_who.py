"""Who acts: the local operator where nobody says anything; as soon as somebody is named, deny by default."""

from __future__ import annotations

import pytest

from commandline import Run


def test_without_a_word_the_local_operator_acts(casekit: Run, case: str) -> None:
    timeline = casekit("case", "show", case, "--json").json["timeline"]
    assert [h["actor"] for h in timeline] == ["user:local"]


@pytest.mark.parametrize("who", [("--as", "user:lee"), ("--role", "nobody"), ("--as", "user:lee", "--role", "auditor")])
def test_who_is_named_has_the_roles_named_and_no_other(casekit: Run, case: str, who: tuple[str, ...]) -> None:
    said = casekit("note", case, "x", *who, "--json")
    assert said.code == 1
    refused = said.json["refused"]
    assert [(o["rule"], o["plugin"]) for o in refused] == [("casekit.permission", "casekit")]
    assert "admin" in refused[0]["remedy"]
    assert casekit("note", case, "x", *who).code == 1


def test_an_empty_name_makes_nobody_an_operator(casekit: Run, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert casekit("note", case, "x", "--as", "").code == 2
    assert casekit("note", case, "x", "--role", "").code == 1
    monkeypatch.setenv("CASEKIT_AS", "")
    assert casekit("note", case, "x").code == 2


def test_a_role_opens_what_it_grants_and_nothing_else(casekit: Run, case: str) -> None:
    auditor = ("--as", "user:kim", "--role", "auditor")
    assert casekit("case", "show", case, *auditor).code == 0
    assert casekit("verify", *auditor).code == 0
    assert casekit("pay", case, "5.00 EUR", *auditor).code == 1
    assert casekit("run-due", *auditor).code == 1
    assert casekit("run-due", "--as", "system:cron", "--role", "clock").code == 0


def test_roles_add_up(casekit: Run, case: str) -> None:
    both = ("--as", "user:kim", "--role", "auditor", "--role", "clock")
    assert casekit("case", "show", case, *both).code == 0
    assert casekit("run-due", *both).code == 0


def test_the_environment_names_as_the_option_does(casekit: Run, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEKIT_AS", "user:lee")
    assert casekit("case", "show", case).code == 1
    monkeypatch.setenv("CASEKIT_ROLE", "auditor clock")
    assert casekit("case", "show", case).code == 0
    assert casekit("run-due").code == 0


def test_a_tenant_sees_its_own_cases_only(casekit: Run, case: str) -> None:
    assert [c["number"] for c in casekit("case", "list", "--json").json["cases"]] == [case]
    assert casekit("case", "list", "--tenant", "other", "--json").json["cases"] == []
    assert casekit("case", "show", case, "--tenant", "other").code == 2
