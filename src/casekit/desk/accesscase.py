"""What one case holds of a person, told entry by entry from the journal: what is now, what was before, and by which rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import evolve

from casekit.definition.casetype import CaseType
from casekit.desk.accessvalues import CaseHeld, Item, Rule, Source, Step, Told, Withheld, Words
from casekit.desk.accesswords import OTHERS, Wording
from casekit.desk.reviewed import reviewed
from casekit.desk.righted import superseded
from casekit.desk.timeline import titled
from casekit.desk.work import Stream
from casekit.model.answers import rendered
from casekit.model.canonical import Json, decode
from casekit.model.money import render
from casekit.store import reading

_N, _RECORDED, _EFFECTIVE, _DAY, _ACTOR, _KIND, _SPOKE, _BODY = 1, 2, 3, 5, 6, 7, 9, 11
_WORDS = ("text", "reason", "fields", "before", "option", "authority")


class CaseTelling:
    """Tells one case.

    Args:
        wording: Gives texts.
        stream: The case.
        says: Its case type.
        who: What an actor is called.
        withheld: Documents that are not given, each with the reason; where there is none, they are not told of.

    Attributes:
        items, steps, recipients, sources, files: What was gathered.
    """

    def __init__(self, wording: Wording, stream: Stream, says: CaseType, who: Callable[[str], str], withheld: Mapping[str, str]) -> None:
        self.wording, self.stream, self.says, self._who = wording, stream, says, who
        self.name = stream.head.get("number") or stream.uuid
        self.items: list[Item] = []
        self.steps: list[Step] = []
        self.recipients: list[Told] = []
        self.sources: list[Source] = []
        self.files: dict[str, bytes] = {}
        self._withheld = withheld
        self._roles: dict[str, set[str]] = {}
        self._known: dict[str, Any] = {}

    def told(self) -> CaseHeld:
        """Everything."""
        entries = reading.entries_of(self.wording.work.shelf, self.stream.sid)
        for entry in entries:
            self._entry(entry)
        self._mark(entries)
        head = self.stream.head
        machine = head["machine"]
        mine = self.wording.mine
        return CaseHeld(
            id=self.stream.uuid,
            number=head.get("number"),
            type=head["type"],
            title=self.says.title,
            roles=tuple(sorted(role for role, members in self._roles.items() if members & mine)),
            others=tuple(sorted(role for role, members in self._roles.items() if members - mine)),
            purpose=self.says.purpose,
            retention=getattr(self.says, "retention", None) or None,
            state=" ".join(machine["active"]),
            category=machine["category"],
            outcome=machine.get("outcome"),
            opened=head["opened"],
            closed=head.get("closed"),
            items=tuple(self.items),
            steps=tuple(self.steps),
        )

    def _entry(self, entry: tuple[Any, ...]) -> None:
        said = decode(entry[_BODY])
        about, place = said["about"], f"{self.name}/{entry[_N]}"
        papers = {about.get("document"), *(change["document"] for change in said["changes"] if change["c"] == "document")}
        if any(self._withheld.get(paper) == "" for paper in papers):
            return
        self.steps.append(self._step(entry, about, said["changes"], place))
        for i, change in enumerate(said["changes"]):
            if change["c"] in _TOLD:
                tell: Callable[..., Iterator[Item]] = getattr(self, f"_{change['c']}")
                self.items += [evolve(item, recorded=entry[_RECORDED]) for item in tell(change, f"{entry[_N]}.{i}", entry)]

    def _step(self, entry: tuple[Any, ...], about: Json, changes: list[Json], place: str) -> Step:
        own, shared, others = self.wording.opened(self.stream.uuid, "about", about.get("sealed", {}))
        inside = {**shared, **own}
        words = [*self.wording.several(place, {name: inside[name] for name in _WORDS if name in inside and name != "option"})]
        if about.get("fields"):
            words += self.wording.several(f"{place}/form", {"fields": about["fields"]})
        if others:
            words.append(self.wording.foreign(place, "words"))
        return Step(
            n=entry[_N],
            recorded=entry[_RECORDED],
            since=entry[_DAY] or entry[_EFFECTIVE],
            who=self._who(entry[_ACTOR]),
            what=entry[_KIND],
            about=titled(entry[_KIND], about, changes),
            words=tuple(words),
            events=tuple(about.get("events", ())),
            rules=tuple(self._rules(about, inside, place)),
            plugins=decode(entry[_SPOKE]),
        )

    def _rules(self, about: Json, inside: Json, place: str) -> Iterator[Rule]:
        """Which rules spoke, what they said, and what they went by."""
        said = inside.get("objections", [{}] * len(about.get("objections", ())))
        for i, (clear, words) in enumerate(zip(about.get("objections", ()), said, strict=True)):
            yield self._rule(f"{place}/rule-{i}", clear, words, words.get("args"))
        if "findings" in about:
            for i, finding in enumerate(reviewed(about, inside).findings):
                clear = {"rule": finding.rule, "plugin": finding.plugin, "version": finding.version}
                words = {"words": finding.words, "args": finding.args, "citation": finding.citation}
                yield self._rule(f"{place}/finding-{i}", clear, words, list(finding.because))
        if "option" in inside:
            option = inside["option"]
            clear = {"rule": about.get("option", ""), "plugin": "", "version": ""}
            yield self._rule(f"{place}/option", clear, option, {"because": option.get("because", ()), **option.get("args", {})})

    def _rule(self, place: str, clear: Json, words: Json, inputs: Any) -> Rule:
        says = self.wording.words(place, "says", rendered(words["words"], words["args"])) if "words" in words else None
        went_by = self.wording.words(f"{place}/inputs", "inputs", inputs) if inputs else None
        citation = self.wording.redactor.text(words.get("citation", ""))
        until = clear.get("allowed_at", "")
        return Rule(clear["rule"], clear["plugin"], clear["version"], citation, says, went_by, until)

    def _mark(self, entries: list[tuple[Any, ...]]) -> None:
        """Says of what is no longer so that it is not."""
        last = {item.name: item.id for item in self.items if item.kind == "data"}
        fixing = [entry[_N] for entry in entries if entry[_KIND] == "rectify"]
        facts = reading.rows_of(self.wording.work.shelf, "facts", self.stream.sid)
        wrong = {f"{n}.{i}" for n, i in superseded(facts, fixing)}
        self.items = [
            evolve(item, wrong=True) if item.id in wrong or (item.kind == "data" and last[item.name] != item.id) else item
            for item in self.items
        ]

    def _texts(self, place: str, path: str, sealed: Mapping[str, str] | None) -> tuple[Json, tuple[Words, ...], bool]:
        """What is the person's own; what the case owns, as texts; whether there is something of others."""
        own, shared, others = self.wording.opened(self.stream.uuid, path, sealed or {})
        return self.wording.redactor.value(own), tuple(self.wording.several(place, shared)), others

    def _data(self, change: Json, place: str, entry: tuple[Any, ...]) -> Iterator[Item]:
        since = entry[_DAY] or entry[_EFFECTIVE]
        for name, value in sorted(change.get("set", {}).items()):
            if self._news(name, value):
                yield Item(f"{place}/{name}", "data", name, self.wording.redactor.value(value), since)
        for name in change.get("unset", ()):
            if self._news(name, None):
                yield Item(f"{place}/{name}", "data", name, None, since)
        for owner, record in sorted(change.get("sealed", {}).items()):
            yield from self._of_owner(owner, record, place, since)

    def _of_owner(self, owner: str, record: Json, place: str, since: str) -> Iterator[Item]:
        own, shared, others = self.wording.opened(self.stream.uuid, "data", {owner: record["envelope"]})
        for name in record["fields"]:
            where = f"{place}/{name}"
            if others:
                if self._news(name, OTHERS):
                    yield Item(where, "data", name, withheld=OTHERS)
            elif name in own and self._news(name, own[name]):
                yield Item(where, "data", name, self.wording.redactor.value(own[name]), since)
            elif name in shared and self._news(name, shared[name]):
                words = self.wording.words(f"{self.name}/{where}", name, shared[name])
                yield Item(where, "data", name, None, since, words=(words,))

    def _news(self, name: str, value: Any) -> bool:
        """Whether a field has not had this value before: an envelope is written whole, whatever of it is new."""
        if name in self._known and self._known[name] == value:
            return False
        self._known[name] = value
        return True

    def _fact(self, change: Json, place: str, _entry: tuple[Any, ...]) -> Iterator[Item]:
        own, words, others = self._texts(f"{self.name}/{place}", f"fact/{change['key']}", change.get("sealed"))
        value = self.wording.redactor.value(change["value"]) if "value" in change else own.get("value")
        since = change.get("day") or change["at"]
        for word in words:
            if word.what == "source":
                self.sources.append(Source(f"fact {change['key']} of {self.name}", word, since))
        yield Item(place, "fact", change["key"], value, since, words=words, withheld=OTHERS if others else "")

    def _posting(self, change: Json, place: str, _entry: tuple[Any, ...]) -> Iterator[Item]:
        _, words, _ = self._texts(f"{self.name}/{place}", "posting", change.get("sealed"))
        value = {"amount": render(change["minor"], change["currency"])}
        value |= {name: change[name] for name in ("component", "reverses") if change.get(name)}
        yield Item(place, "posting", change["kind"], value, change.get("day") or change["at"], words=words)

    def _message(self, change: Json, place: str, _entry: tuple[Any, ...]) -> Iterator[Item]:
        _, words, _ = self._texts(f"{self.name}/{place}", "message", change.get("sealed"))
        since = change.get("day") or change["at"]
        yours = change.get("party") in self.wording.mine
        other = "you" if yours else change.get("role") or "another"
        value = {name: change[name] for name in ("direction", "via", "outcome")} | {"with": other}
        if change["direction"] == "out" and not yours:
            self.recipients.append(Told(other, f"a message by {change['via']}", since, self.name))
        if change["direction"] == "in":
            self.sources.append(Source(f"a message by {change['via']} from {other} in {self.name}", None, since))
        yield Item(place, "message", change["via"], value, since, words=words)

    def _document(self, change: Json, place: str, entry: tuple[Any, ...]) -> Iterator[Item]:
        where = f"{self.name}/document/{change['document']}/{change['version']}"
        _, words, _ = self._texts(f"{self.name}/{place}", "document", change.get("sealed"))
        value = {name: change[name] for name in ("document", "version", "direction", "media", "size")}
        content, why = self._content(where, change)
        if content is not None:
            file = f"documents/{_safe(self.name)}-{entry[_N]}-{change['kind']}-v{change['version']}{_ENDINGS.get(change['media'], '.bin')}"
            self.files[file] = content
            value["file"] = file
        yield Item(place, "document", change["kind"], value, entry[_DAY] or entry[_EFFECTIVE], words=words, withheld=why)

    def _content(self, where: str, change: Json) -> tuple[bytes | None, str]:
        from casekit.desk.records import opened_content

        if reason := self._withheld.get(change["document"]):
            self.wording.withheld.append(Withheld(f"{where} ({change['kind']})", reason))
            return None, reason
        content = opened_content(self.wording.work, self.stream, change)
        if content is None:
            return None, "Its key was destroyed."
        return self.wording.file(where, change["kind"], content, change["media"])

    def _role(self, change: Json, place: str, _entry: tuple[Any, ...]) -> Iterator[Item]:
        self._roles.setdefault(change["role"], set()).add(change["party"])
        who = "you" if change["party"] in self.wording.mine else "another"
        yield Item(place, "role", change["role"], {"who": who, "ends": bool(change.get("end"))})

    def _clock(self, change: Json, place: str, _entry: tuple[Any, ...]) -> Iterator[Item]:
        row = {name: value for name, value in change["row"].items() if value is not None}
        yield Item(place, "clock", f"{change['id']} {change['instance']}", row, row.get("started", ""))

    def _item(self, change: Json, place: str, _entry: tuple[Any, ...]) -> Iterator[Item]:
        _, words, _ = self._texts(f"{self.name}/{place}", "item", change.get("sealed"))
        row = {name: change["row"][name] for name in ("kind", "state", "started", "due", "ended") if change["row"].get(name)}
        yield Item(place, "task", f"{change['id']} {change['instance']}", row, change["row"]["at"], words=words)

    def _head(self, change: Json, place: str, _entry: tuple[Any, ...]) -> Iterator[Item]:
        given = change.get("set", {})
        for key, goal in sorted(given.get("goals", {}).items()):
            if self._news(f"goal {key}", goal):
                _, words, _ = self._texts(f"{self.name}/{place}/{key}", f"goal/{key}", goal.get("sealed"))
                value = {name: goal[name] for name in ("measure", "want", "target", "by", "status", "owner") if goal.get(name)}
                yield Item(place, "goal", key, value, goal["set"], words=words)
        if "choice" in given:
            chosen = {name: given["choice"][name] for name in ("plugin", "version")}
            yield Item(place, "choice", given["choice"]["option"], chosen, given["choice"]["at"])


_TOLD = frozenset({"data", "fact", "posting", "message", "document", "role", "clock", "item", "head"})
"""Changes of which there is something to tell: a method of their name does it."""

_ENDINGS = {"application/pdf": ".pdf", "text/plain": ".txt", "text/html": ".html.txt", "image/png": ".png", "image/jpeg": ".jpg"}
"""What a file is called by; a page from elsewhere is not one to be opened as a page."""


def _safe(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)[:60]
