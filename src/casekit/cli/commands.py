"""Which commands there are, where each is, and one line on each; no more than text, so that help is quick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

GLOBALS: Mapping[str, str] = {
    "--store": "Where the record is: sqlite:///FILE or postgresql://USER@HOST/DATABASE.",
    "--as": "Who acts, as kind:id. Default: user:local.",
    "--role": "A role that you take; repeatable. Given neither --as nor --role, you are the local operator, role admin.",
    "--tenant": "Whose record it is.",
    "--keys": "The keyring's file. Default on SQLite: FILE.keys beside the store.",
    "--documents": "The folder of documents. Default on SQLite: FILE.documents beside the store.",
    "--type": "A JSON file with a case type, beside those of the plugins; repeatable.",
    "--calendar": "A JSON file with a calendar, beside those of the plugins; repeatable.",
    "--isolated": "A plugin that runs in processes of its own, by name or by place; * for all that are installed; repeatable.",
    "--json": "One JSON document on standard output, nothing else there.",
}
"""Options that every command takes, before it or after it."""

FLAGS = frozenset({"--json"})

GROUPS: Mapping[str, str] = {
    "case": "Open, read and work cases.",
    "party": "People and organisations.",
    "task": "Work that waits to be done.",
    "goal": "What is to be reached, and how far it has come.",
    "document": "File documents and get them back.",
    "import": "Bring in logs of events.",
    "checkpoint": "Sign what the record is, so that whoever keeps it elsewhere finds what was cut or rewritten.",
    "disposal": "Destroy what need not be kept any longer: lists, approved by a second person.",
    "hold": "Legal holds: what they cover is not deleted.",
    "report": "Figures over many cases.",
    "type": "Case types.",
    "plugin": "Plugins: which there are, and what is wrong with them.",
    "store": "The database that the record is in.",
    "keys": "The keyring: which keys there are, new ones, and copies in good hands.",
}

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("demo:demo", "Play one collection case from start to end, on a store of its own."),
    "case open": ("cases:open_case", "Open a case of a case type."),
    "case show": ("cases:show", "A case, its file and its timeline; as known or as held at another time."),
    "case list": ("cases:list_cases", "Cases, newest first."),
    "case do": ("working:do", "Bring about an event of the lifecycle."),
    "case change": ("working:change", "Change the data of a case."),
    "case rectify": ("rights:rectify_case", "Put data or a fact of a case right that was wrong; the record keeps both."),
    "case role": ("working:role", "Give a party a role in a case, or take it."),
    "case plan": ("plans:show", "The plan of a case: what lives, blocks, has ended; its rounds; or why an item is where it is."),
    "case item": ("plans:item", "Start, complete, skip, move, add … an item of the plan."),
    "case look": ("loop:look", "A fresh look: what a review would find and propose; nothing is recorded."),
    "case review": ("loop:review", "Record that a case was looked at again."),
    "case adjust": ("loop:adjust", "Take a change that a review proposes."),
    "case assess": ("questions:assess", "What there is to find in a case, and why."),
    "case options": ("questions:options", "The ways to go on, side by side."),
    "case choose": ("working:choose", "Choose one of the options."),
    "case approve": ("working:approve", "Approve what a requirement asks to be approved, or take that back."),
    "case check": ("questions:check", "Ask whether something may be done now; nothing is recorded."),
    "case explain": ("questions:explain", "Everything in the way of an event, a closing, an item or a clock, and who could."),
    "case clocks": ("clocks:clocks", "The deadlines of a case: due when, breached or not, how much is used up."),
    "case explain-clock": ("clocks:explain_clock", "How the date of a deadline was computed, day by day, and why it moved."),
    "case picture": ("pictures:draw_case", "Draw a case: where it is and what is in the way, its plan, or its deadlines."),
    "case deadlines": ("pictures:case_deadlines", "The dates of a case that somebody has to keep; with --ics for a calendar."),
    "case extend": ("clocks:extend", "Give a deadline more time."),
    "case confirm-clock": ("clocks:confirm_clock", "Take the new date that is proposed for a legal deadline."),
    "case keep-clock": ("clocks:keep_clock", "Keep the date of a legal deadline although another is proposed."),
    "case adopt-calendars": ("clocks:adopt_calendars", "Let a case go on by the present calendars and rules of counting."),
    "case close": ("working:close", "Close a case with an outcome."),
    "case link": ("links:link", "Say how a case stands to another one: its parent, what it follows up or duplicates."),
    "case links": ("links:show", "How a case stands to others, and others to it."),
    "case classify": ("rights:classify", "Say how confidential a case is, or one of its documents."),
    "case resume": ("working:resume", "Say what becomes of the clocks of an imported case."),
    "case import": ("bringing:import_case", "Bring in a case that was taken out elsewhere, to the hash."),
    "party add": ("parties:add", "Add a party."),
    "party show": ("parties:show", "A party."),
    "party find": ("parties:find", "Find parties by name, phone, email or reference."),
    "party change": ("parties:change", "Change the details of a party."),
    "party rectify": ("rights:rectify_party", "Put details of a party right that were wrong; the record keeps both."),
    "party access": ("rights:access", "Hand out to a person what is held of them: a page, the same as JSON, documents."),
    "party recipients": ("rights:recipients", "Who has been told what is held of a person."),
    "party merge": ("parties:merge", "Make one party of two."),
    "document add": ("records:add_document", "File a document, or a further version of one."),
    "document status": ("records:document_status", "Say what has become of a document: accepted, rejected …"),
    "document get": ("records:get_document", "Get the content of a document."),
    "task list": ("plans:list_tasks", "Tasks that wait to be done, the soonest due first."),
    "goal set": ("goals:set_goal", "Set a goal of a case, or word it anew."),
    "goal drop": ("goals:drop", "Give a goal up."),
    "goal show": ("goals:show", "The goals of a case, worked out anew; or as they stood."),
    "goal list": ("goals:list_goals", "Goals that are not reached, over many cases, the soonest due first."),
    "note": ("records:note", "Write a note on a case."),
    "message": ("records:message", "Record a message, or an attempt at one."),
    "fact": ("records:fact", "Note a fact."),
    "pay": ("ledger:pay", "Record a payment."),
    "charge": ("ledger:charge", "Charge something."),
    "reverse": ("ledger:reverse", "Take a charge or payment back."),
    "deadlines": ("pictures:all_deadlines", "The dates of all open cases that you may read; with --ics for a calendar."),
    "journal": ("keeping:journal", "The entries of a case as they stand in the journal."),
    "verify": ("keeping:verify", "Prove the journal, and the tables against it."),
    "checkpoint make": ("checkpoints:make", "Sign what the record is now."),
    "checkpoint list": ("checkpoints:list_checkpoints", "The checkpoints, the latest first."),
    "checkpoint get": ("checkpoints:get", "Get a checkpoint that was made before."),
    "checkpoint key": ("checkpoints:key", "The public key with which others check them."),
    "checkpoint rotate": ("checkpoints:rotate", "Let a fresh key sign from now on."),
    "disposal list": ("disposing:list_due", "The closed cases whose time is over, with rule, days and holds."),
    "disposal explain": ("disposing:retention", "How long a case is kept, rule by rule, and what holds it."),
    "disposal propose": ("disposing:propose", "Propose a list of cases to be destroyed."),
    "disposal approve": ("disposing:approve", "Approve a list that somebody else has proposed."),
    "disposal withdraw": ("disposing:withdraw", "Take back a list."),
    "disposal run": ("disposing:run", "Destroy what is on an approved list, for good."),
    "disposal get": ("disposing:get", "A disposal list, and what became of each case on it."),
    "hold place": ("disposing:place", "Place a legal hold: what it covers is not deleted."),
    "hold lift": ("disposing:lift", "Lift a hold."),
    "hold list": ("disposing:list_holds", "The holds, those that were lifted too."),
    "erase": ("keeping:erase", "Erase a person: the keys go, the journal stays whole."),
    "erasures": ("backing:erasures", "Bring the ledger of erasures up to date, by which a restored backup is erased again."),
    "backup": ("backing:backup", "Copy the running store into a folder, proved; never the keyring, unless you say so."),
    "restore": ("backing:restore", "Make a store of a backup, proved, and erased of whoever was erased since."),
    "doctor": ("backing:doctor", "Whether the store is set so that what is promised about it holds."),
    "store grant": ("backing:grant", "Let a role of PostgreSQL work with the tables, which it does not own."),
    "fsck": ("backing:fsck", "Documents on disk against the record: missing, changed, named by nothing."),
    "keys show": ("custody:show", "Which keys there are, by id, and how much each wraps."),
    "keys rotate": ("custody:rotate", "Make a new outer key and wrap everything with it."),
    "keys destroy": ("custody:destroy", "Destroy an older key: what it wraps in older backups is gone."),
    "keys escrow": ("custody:escrow", "Seal the keyring for a safe, or for whoever else is to keep it."),
    "keys recover": ("custody:recover", "Make a keyring of an escrow."),
    "keys drill": ("custody:drill", "Prove that an escrow opens this store; nothing is changed."),
    "run-due": ("keeping:run_due", "Let due clocks speak, and deliver what waits for plugins."),
    "import xes": ("importing:xes", "Import an event log (IEEE 1849 XES, also .gz) as a map says."),
    "export": ("keeping:export", "Take a case out as one bundle."),
    "report clocks": ("clocks:figures", "How deadlines ended, and how long they took, by the wall and by the office."),
    "report caseload": ("keeping:caseload", "Counts by state, category and outcome, and the sums of what is reportable."),
    "type list": ("types:list_types", "The case types known here."),
    "type show": ("types:show", "A case type: states, events, fields, clocks, rules."),
    "type check": ("types:check", "Check the JSON files of case types; nothing is written."),
    "type picture": ("pictures:draw_type", "Draw a case type: its states, or its plan."),
    "type import": ("type_import:scxml", "Read a lifecycle from an SCXML document (W3C) as a case type."),
    "plugin list": ("plugins:list_plugins", "The plugins found, and what they bring."),
    "plugin doctor": ("plugins:doctor", "What is wrong with plugins, and what waits for them."),
    "calc": ("calc:calc", "Use a plugin's calculator; no store is needed. Without a name: which there are."),
}


def first_page() -> str:
    """The first page of help, as text."""
    shown = {**{name.split()[0]: "" for name in COMMANDS}, **GROUPS}
    lines = [
        "Usage: casekit COMMAND [OPTIONS]",
        "",
        "Cases, parties, documents, deadlines, and a journal that can be proved.",
        "",
        "Commands:",
    ]
    for name, words in shown.items():
        lines.append(f"  {name:<12}{words or COMMANDS[name][1]}")
        inner = [path.split()[1] for path in COMMANDS if path.startswith(f"{name} ")]
        if inner:
            lines += [f"  {'':<12}  {line}" for line in _folded(inner)]
    lines += ["", "Everywhere:"]
    lines += [f"  {name:<12}{words}" for name, words in GLOBALS.items()]
    lines += ["", "casekit COMMAND --help says more. Exit codes: 0 done, 1 refused or found wrong, 2 bad input.", ""]
    return "\n".join(lines)


def globals_last(arguments: Sequence[str]) -> list[str]:
    """The arguments with those global options that stand before the command moved behind it."""
    at = 0
    while at < len(arguments):
        name, equals, _ = arguments[at].partition("=")
        if name not in GLOBALS:
            break
        at += 1 if name in FLAGS or equals else 2
    rest = list(arguments[at:])
    end = rest.index("--") if "--" in rest else len(rest)
    return [*rest[:end], *arguments[:at], *rest[end:]]


def _folded(words: Sequence[str]) -> list[str]:
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 80:
            lines.append("")
        lines[-1] += f"{', ' if lines[-1] else ''}{word}"
    return lines
