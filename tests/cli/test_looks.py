"""Words on a terminal: readable, and nothing that a stored text could smuggle in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from casekit.cli.looks import said
from commandline import Run


@given(st.text(st.characters(codec="utf-8")))
def test_no_control_character_reaches_the_terminal(text: str) -> None:
    shown = said(text)
    assert not any(ord(c) < 32 and c not in "\t\n" for c in shown)
    assert not any(0x7F <= ord(c) <= 0x9F for c in shown)


def test_a_note_is_shown_as_it_is_and_obeys_nobody(casekit: Run, case: str) -> None:
    casekit("note", case, "[red]not[/red] :smile: \x1b[31mred\x1b[0m")
    shown = casekit("case", "show", case).out
    assert "[red]not[/red]" in shown
    assert ":smile:" in shown
    assert "\x1b" not in shown


def test_a_case_is_shown_with_its_file_and_its_timeline(casekit: Run, case: str) -> None:
    casekit("fact", case, "people.living", "3", "--effective", "2026-01-31", "--source", "her word")
    casekit("pay", case, "20.00 EUR", "--note", "cash")
    shown = casekit("case", "show", case).out
    for words in (case, "test.dispute", "Maria Silva", "people.living", "2026-01-31", "her word", "20.00 EUR", "cash"):
        assert words in shown


def test_a_refusal_is_told_on_the_other_side(casekit: Run, case: str) -> None:
    casekit("case", "do", case, "answer", "--field", "rooms=1")
    said_ = casekit("case", "close", case, "decided")
    assert (said_.code, said_.out) == (1, "")
    for words in (
        "Refused: 2 reasons",
        "test.paid",
        "The deposit is not paid back.",
        "Rental Act, section 7",
        "record the payment",
        "test.letter",
    ):
        assert words in said_.err


def test_a_case_type_is_shown_whole(casekit: Run) -> None:
    shown = casekit("type", "show", "test.dispute").out
    for words in ("answered", "waiting-party", "decide", "test.paid", "P14D", "people.living", "reported", "Letter", "test.letter"):
        assert words in shown


def test_lists_are_turned_page_by_page(casekit: Run, case: str, tenant_of: str) -> None:
    assert case
    for _ in range(4):
        casekit("case", "open", "test.dispute", "--data", "deposit=5.00 EUR", "--party", f"tenant={tenant_of}")
    seen, more = [], None
    while True:
        page = casekit("case", "list", "--size", "2", *(("--after", more) if more else ()), "--json").json
        seen += [c["number"] for c in page["cases"]]
        more = page["more"]
        if more is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 5
    assert "There are more" in casekit("case", "list", "--size", "2").out
