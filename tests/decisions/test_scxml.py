"""What the SCXML importer reads, how it writes it down, and what it refuses: the element, its line, what to do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casekit.decisions.check import check
from casekit.decisions.scxml import FromScxml, read_scxml
from casekit.definition.casetype import Action, Clock
from casekit.errors import BadInput


def document(body: str, **attributes: str) -> str:
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0"{more}>\n{body}\n</scxml>'


def read(body: str, **attributes: str) -> FromScxml:
    return read_scxml(document(body, **attributes), "it.scxml", resources=lambda _: "7")


ONE = '<state id="one"/>'


def test_states_keep_their_shape_and_get_names_that_paths_can_have() -> None:
    body = """
    <state id="Outer" initial="s2"><state id="S1"/><state id="s2"><transition event="go" target="S1 "/></state></state>
    <final id="end"/>"""
    found = read(body.replace("S1 ", "S1") + "", initial="Outer")
    outer = found.case_type.states["outer"]
    assert (outer.title, outer.category, outer.initial, list(outer.states)) == ("Outer", "open", "s2", ["s1", "s2"])
    assert found.case_type.transitions["s2-t1"].target == "outer.s1"
    assert list(found.case_type.states) == ["outer"]
    assert found.notes == ("line 4: <final> 'end': nothing leads here; left out",)


def test_a_top_level_final_state_closes_the_case_with_its_id_as_outcome() -> None:
    end = read('<state id="a"><transition event="go" target="z"/></state><final id="z"/>').case_type.states["z"]
    assert (end.category, end.outcome, end.final) == ("closed", "z", False)


def test_a_descriptor_becomes_a_transition_for_each_event_that_it_matches() -> None:
    body = """<state id="a"><onentry><raise event="x.y"/><raise event="xy"/><raise event="z"/></onentry>
      <transition event="x.* z"/><transition event="*"/></state>"""
    events = {key: t.on for key, t in read(body).case_type.transitions.items()}
    assert events == {"a-t1-1": "x.y", "a-t1-2": "z", "a-t1-3": "x", "a-t2-1": "x.y", "a-t2-2": "xy", "a-t2-3": "z", "a-t2-4": "x"} or (
        sorted(v for k, v in events.items() if k.startswith("a-t1")) == ["x", "x.y", "z"]
        and sorted(v for k, v in events.items() if k.startswith("a-t2")) == ["x", "x.y", "xy", "z"]
    )


@pytest.mark.parametrize(
    ("cond", "when"),
    [
        ("n == 1", "(n == 1)"),
        ("m == 1", "(known(m) and (m == 1))"),
        ("m != 1", "(not (known(m) and (m == 1)))"),
        ("not m", "(not (known(m) and (m != 0)))"),
        ("m is None", "(not known(m))"),
        ("m is not None and n &gt; 2", "((not (not known(m))) and (n > 2))"),
        ("n == 'x'", "False"),
        ("In('a') or false", "(at('a') or (False))"),
        ("_event.name == 'go'", "('go' == 'go')"),
        ("_name == 'doc'", "('doc' == 'doc')"),
        ("-n + 2 * 3 == n", "(((-n) + (2 * 3)) == n)"),
        ("hasattr(_event, 'data')", "True"),
        ("s", "(s != '')"),
    ],
)
def test_a_condition_is_written_so_that_it_is_never_unknown(cond: str, when: str) -> None:
    data = '<datamodel><data id="n" expr="1"/><data id="m"/><data id="s" expr="\'t\'"/></datamodel>'
    body = f'{data}<state id="a"><transition event="go" cond="{cond}"><assign location="m" expr="5"/></transition></state>'
    found = read(body, name="doc").case_type
    check(found)
    assert found.transitions["a-t1"].when == when


def test_what_is_sent_later_becomes_a_clock_that_raises_it_and_a_cancel_ends_that_clock() -> None:
    body = """<datamodel><data id="n" expr="1"/></datamodel><state id="a">
      <onentry><send event="late" delay="1.5s" id="s1"><param name="by" expr="n + 1"/></send><send event="soon"/></onentry>
      <onexit><cancel sendid="s1"/><cancel sendid="other"/></onexit>
      <transition event="late" cond="_event.data.by == 2" target="b"/><transition event="soon"/></state>
      <state id="b"><transition event="late" target="a"/></state>
      <state id="dead"><onentry><send event="late" delay="1s" id="s1"><param name="by" expr="3"/></send></onentry></state>"""
    found = read(body)
    sent = (Action(start="send-s1", args={"data_by": "(n + 1)"}), Action(emit="soon", after=True))
    assert found.case_type.states["a"].on_enter == sent
    assert found.case_type.states["a"].on_exit == (Action(cancel="send-s1"),)
    assert found.case_type.clocks == {"send-s1": Clock("PT1.500S", emit="late", title="late", order=1)}
    assert any("nothing is sent later as 'other'" in note for note in found.notes)


def test_what_is_sent_becomes_an_effect_with_delay_and_id_and_what_is_read_of_it() -> None:
    body = """<datamodel><data id="n" expr="1"/></datamodel><state id="a">
      <onentry><send event="late" delay="1.5s" id="s1"><param name="by" expr="n + 1"/><param name="unread" expr="2"/></send></onentry>
      <onexit><cancel sendid="s1"/></onexit>
      <transition event="late" cond="_event.data.by == 2"><assign location="n" expr="_event.data.get('by')"/></transition></state>"""
    found = read_scxml(document(body), "it.scxml", sends="effects").case_type
    send = {"event": "'late'", "event.data_by": "(n + 1)", "id": "'s1'", "delay": "1500"}
    assert found.states["a"].on_enter == (Action(run="send", args=send),)
    assert found.states["a"].on_exit == (Action(run="cancel", args={"id": "'s1'"}),)
    late = found.transitions["a-t1"]
    assert (late.when, list(late.form), late.do) == ("(event.data_by == 2)", ["data_by"], (Action(set={"n": "event.data_by"}),))


def test_branches_become_conditional_actions() -> None:
    body = """<datamodel><data id="n" expr="1"/></datamodel><state id="a"><onentry>
      <if cond="n==1"><raise event="x"/><elseif cond="n==2"/><raise event="y"/><else/><raise event="z"/></if></onentry></state>"""
    inner = Action(when="(n == 2)", do=(Action(emit="y"),), otherwise=(Action(emit="z"),))
    assert read(body).case_type.states["a"].on_enter == (Action(when="(n == 1)", do=(Action(emit="x"),), otherwise=(inner,)),)


def test_what_can_only_fail_ends_its_block_and_says_so() -> None:
    body = (
        '<state id="a"><onentry><assign location="gone" expr="1"/><raise event="x"/></onentry><onentry><raise event="y"/></onentry></state>'
    )
    found = read(body)
    assert found.case_type.states["a"].on_enter == (Action(emit="error.execution"), Action(emit="y"))
    assert any("can only fail" in note for note in found.notes)


def test_variables_begin_with_what_the_document_says() -> None:
    body = '<datamodel><data id="A">12</data><data id="b" src="file:x"/><data id="c" expr="_name"/><data id="d"/></datamodel>' + ONE
    found = read(body, name="doc")
    assert found.data == {"a": 12, "b": 7, "c": "doc"}
    assert found.case_type.data["a"].schema == {"type": "integer", "default": 12}


def test_what_is_passed_over_is_said() -> None:
    found = read('<state id="a" intial="x"><onentry><log expr="1"/></onentry><transition event="done.state.b" target="a"/></state>')
    assert len(found.notes) == 3
    assert any("intial" in note for note in found.notes)
    assert any("never comes" in note for note in found.notes)


REFUSED: list[tuple[str, str, str]] = [
    ('<state id="a"><invoke type="x"/></state>', "<invoke>", "outside the subset"),
    ("<script>1</script>" + ONE, "<script>", "outside the subset"),
    ('<state id="a"><onentry><foreach array="x" item="y"/></onentry></state>', "<foreach>", "outside the subset"),
    ('<state id="a"><onentry><send eventexpr="x"/></onentry></state>', "<send>", "eventexpr"),
    ('<state id="a"><onentry><send event="x" target="#_parent"/></onentry></state>', "<send>", "#_parent"),
    ('<state id="a"><onentry><send event="x" type="http"/></onentry></state>', "<send>", "type"),
    ('<state id="a"><onentry><send event="x" delay="soon"/></onentry></state>', "<send>", "no delay"),
    ('<state id="a"><onentry><raise/></onentry></state>', "<raise>", "names no event"),
    ('<state id="a"><onentry><raise event="payment"/></onentry></state>', "<scxml>", "something else here"),
    ('<state id="a">words</state>', "<state>", "holds a text"),
    ('<state id="a"/><state id="A"/>', "<state>", "comes twice"),
    ('<state id="a"><transition target="b"/></state>', "<transition>", "no state 'b'"),
    ('<state id="a"><transition event="x" type="other"/></state>', "<transition>", "other"),
    ('<state id="a"><history id="h"/><state id="b"/></state>', "<history>", "without default"),
    ('<state id="a"><history id="h" type="wide"><transition target="b"/></history><state id="b"/></state>', "<history>", "wide"),
    ('<parallel id="p"><final id="f"/></parallel>', "<final>", "can't stand in <parallel>"),
    ('<state id="a" initial="b"><state id="c"/></state><state id="b"/>', "<state>", "lies outside"),
    ('<datamodel><data id="n" expr="1 + 1"/></datamodel>' + ONE, "<data>", "computed"),
    ('<datamodel><data id="n" expr="1.5"/></datamodel>' + ONE, "<data>", "no whole number"),
    ('<datamodel><data id="now" expr="1"/></datamodel>' + ONE, "<data>", "can't be a field"),
    (
        '<datamodel><data id="n"/></datamodel><state id="a"><transition event="x" cond="n &lt; 1"/></state>',
        "<transition>",
        "outside the expressions",
    ),
    (
        '<datamodel><data id="n" expr="1"/></datamodel><state id="a"><transition event="x"><assign location="n" expr="\'t\'"/></transition></state>',
        "<assign>",
        "another kind",
    ),
    ('<state id="a"><transition event="x" cond="eval(\'1\')"/></state>', "<transition>", "outside the expressions"),
    ('<state id="a"><transition event="x" cond="__import__(\'os\').system(\'ls\')"/></state>', "<transition>", "outside the expressions"),
    ('<state id="a"><transition event="x" cond="In(\'b\')"/></state>', "<transition>", "no state 'b'"),
    ('<state id="a"><transition event="x" cond="y == 1"/></state>', "<transition>", "no variable"),
    ('<state id="a"><transition event="x" cond="a === b"/></state>', "<transition>", "outside the expressions"),
    ('<state id="a"><transition event="x" cond="1 = 1"/><transition event="*"/></state>', "<transition>", "assigns"),
    ('<state id="a"><transition cond="_event.name == \'x\'"/></state>', "<transition>", "none is bound"),
    ('<state id="a"><transition event="x" cond="_event.data.y == 1"/></state>', "<transition>", "carries data.y"),
]


@pytest.mark.parametrize(("body", "element", "what"), REFUSED)
def test_what_is_outside_the_subset_is_refused_by_element_and_line(body: str, element: str, what: str) -> None:
    with pytest.raises(BadInput) as found:
        read(body)
    problem = found.value.problems[0]
    line = 1 if element == "<scxml>" else 2
    assert problem.where == f"it.scxml: line {line}: {element}"
    assert what in problem.what
    assert problem.do


def test_every_element_outside_the_subset_is_said_at_once() -> None:
    with pytest.raises(BadInput) as found:
        read('<state id="a">\n<invoke/>\n<onentry><script/></onentry></state>')
    assert [p.where for p in found.value.problems] == ["it.scxml: line 3: <invoke>", "it.scxml: line 4: <script>"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no element found"),
        ("<scxml", "unclosed token"),
        ("<html/>", "no SCXML"),
        ('<scxml xmlns="http://www.w3.org/2005/07/scxml"/>', "no state"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><scxml xmlns="http://www.w3.org/2005/07/scxml">&a;</scxml>', "DOCTYPE"),
        ('<scxml xmlns="http://www.w3.org/2005/07/scxml" version="2.0"><state id="a"/></scxml>', "version"),
        ('<scxml xmlns="http://www.w3.org/2005/07/scxml" datamodel="xpath"><state id="a"/></scxml>', "datamodel"),
        ("<scxml>" + "<state>" * 200 + "</state>" * 200 + "</scxml>", "nested"),
    ],
)
def test_what_is_no_document_is_refused(text: str, what: str) -> None:
    with pytest.raises(BadInput, match=what):
        read_scxml(text, "it.scxml")


pieces = st.sampled_from(
    [
        "n",
        "m",
        "1",
        "==",
        "!=",
        "<",
        "and",
        "or",
        "not",
        "(",
        ")",
        "In('a')",
        "_event",
        ".name",
        ".data",
        "is",
        "None",
        "+",
        "-",
        "'x'",
        "=",
        "[",
    ]
)


@given(st.lists(pieces, max_size=8).map(" ".join))
def test_any_condition_is_read_or_refused_and_never_anything_else(text: str) -> None:
    cond = text.replace("<", "&lt;")
    data = '<datamodel><data id="n" expr="1"/><data id="m"/></datamodel>'
    body = f'{data}<state id="a"><transition event="go" cond="{cond}"/></state>'
    assert all(where.startswith("it.scxml: line 2: <transition>") for where in refused(document(body)))


@given(st.text(max_size=80) | st.binary(max_size=80))
def test_any_other_text_is_refused_by_its_name(text: Any) -> None:
    assert all(where.startswith("it.scxml") for where in refused(text))
    assert refused(text) != []


def test_an_expression_that_is_nested_deep_is_read_or_refused() -> None:
    for cond in ("not " * 400 + "true", "(" * 150 + "1" + ")" * 150, "-" * 1500 + "1", "1" + " + 1" * 400 + " == 1", "n" * 5000):
        assert len(refused(document(f'<state id="a"><transition event="go" cond="{cond}"/></state>'))) <= 1


def refused(text: str | bytes) -> list[str]:
    """Where a document is refused; of one that is read, the case type is checked once more."""
    try:
        check(read_scxml(text, "it.scxml").case_type)
    except BadInput as wrong:
        return [problem.where for problem in wrong.problems]
    return []
