"""Texts of a log as values, under a map: times, amounts, actors, fields. Exact, or refused with the place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from casekit.definition.fields import kind_of
from casekit.definition.maprules import ImportMap
from casekit.errors import BadInput
from casekit.model.log import LogAttribute, log_time
from casekit.model.money import LARGEST, Money, decimals
from casekit.model.time import Effective, at_wall_time, day_start, instant, zone_named

_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?")
_NOT_ACTOR = re.compile(r"[^A-Za-z0-9._@+-]")
_HOUR = timedelta(hours=1)
_MIDNIGHT = datetime.min.time()


def when(rules: ImportMap, text: str, where: str) -> Effective:
    """When an event held: a day that stays a day, or an instant, as the map's precision says.

    The zone is the map's; without one, the offset in the text as ``Etc/GMT∓h``. Midnight in the text's own
    offset is the day that the text writes; else midnight in the map's zone is the day there.

    Raises:
        BadInput: no time, or one without a zone where the map has none; names ``where``.
    """
    said = log_time(text, where)
    zone = _zone(rules, said, where)
    if not isinstance(said, datetime):
        return _day(said, zone, where)
    wall = _wall(said, rules, where)
    if rules.time.precision == "day" or (rules.time.precision == "auto" and wall.time() == _MIDNIGHT):
        return _day(wall.date(), zone, where)
    try:
        return Effective(instant(said if said.tzinfo else at_wall_time(said, zone)), zone)
    except BadInput:
        raise _outside(text, where) from None


def _wall(said: datetime, rules: ImportMap, where: str) -> datetime:
    if said.time() == _MIDNIGHT or not said.tzinfo or not rules.time.zone:
        return said
    try:
        return said.astimezone(zone_named(rules.time.zone))
    except (OverflowError, BadInput):
        raise _outside(said.isoformat(), where) from None


def _day(day: date, zone: str, where: str) -> Effective:
    try:
        return Effective(day_start(day.isoformat(), zone), zone, day.isoformat())
    except BadInput:
        raise _outside(day.isoformat(), where) from None


def _outside(text: str, where: str) -> BadInput:
    return BadInput.at(where, f"{text!r} lies outside the years 1 to 9999", "correct it")


def _zone(rules: ImportMap, said: date, where: str) -> str:
    if rules.time.zone:
        return rules.time.zone
    offset = said.utcoffset() if isinstance(said, datetime) else None
    if offset is None:
        raise BadInput.at(where, f"{said.isoformat()} has no zone", 'say the zone in the map: [time] zone = "Europe/Rome"')
    hours, rest = divmod(offset, _HOUR)
    if rest or not -12 <= hours <= 14:
        raise BadInput.at(where, f"no zone is always at {said.isoformat()[-6:]}", "say the zone in the map, under [time]")
    return f"Etc/GMT{-hours:+d}" if hours else "UTC"


def amount(text: str, currency: str, where: str) -> Money:
    """The amount that a text says, to the cent: ``35.0``, ``35``, ``1840.00``, or with its currency ``35.00 EUR``.

    What a zero or a negative amount means, the caller decides.

    Args:
        text: The text; zeros beyond the currency's decimals do no harm.
        currency: The currency of a bare number; empty: the text must name its own.
        where: What a problem names.

    Raises:
        BadInput: no such number, an exponent, more decimals than the currency has, no currency, or too large.
    """
    number, _, own = text.strip().partition(" ")
    code = own or currency
    if not code:
        raise BadInput.at(where, f"{text!r} has no currency", 'say it in the map: currency = "EUR"')
    try:
        sign, whole, part = _digits(number, where)
        places = decimals(code)
        if len(part.rstrip("0")) > places:
            raise BadInput.at(where, f"{text!r} has more decimals than {code} has ({places})", "round it in the log, by a named rule")
        if len(whole) > len(str(LARGEST)):
            raise BadInput.at(where, f"{text!r} can't be held exactly", "the limit is 2**53 - 1 minor units")
        return Money.of_minor(int(sign + whole + f"{part[:places]:0<{places}}"), code)
    except BadInput as wrong:
        raise BadInput.at(where, wrong.problems[0].what, wrong.problems[0].do) from None


def _digits(text: str, where: str) -> tuple[str, str, str]:
    """Sign (``-`` or nothing; nothing of zero), whole digits without zeros in front, digits behind the point."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None or not (match[2] or match[3]):
        raise BadInput.at(where, f"{text!r} is no plain number", "write it as 1840.00, without exponent or separators")
    whole, part = match[2].lstrip("0") or "0", match[3] or ""
    negative = match[1] == "-" and (whole + part).strip("0")
    return "-" if negative else "", whole, part


def actor_of(rules: ImportMap, text: str | None) -> str | None:
    """The actor that a name of the log becomes, such as ``log:541``; None where there is no name.

    What an actor's name can't hold becomes ``-``; beyond 100 characters it is cut.
    """
    name = (text or "").strip()
    return f"{rules.actor.prefix}:{_NOT_ACTOR.sub('-', name)[:100]}" if name else None


def value(rules: ImportMap, attribute: LogAttribute, schema: Mapping[str, Any], where: str) -> Any:
    """An attribute as the canonical JSON value that a field's schema wants; the schema's limits are not tested here.

    Money takes the map's currency; days and instants are read in the map's zone, as of :func:`when`.

    Args:
        rules: The map.
        attribute: The attribute.
        schema: JSON Schema of the field.
        where: What a problem names, beside the attribute.

    Raises:
        BadInput: the text says no such value; names ``where`` and the attribute.
    """
    place = f"{where}: attribute {attribute.key!r}"
    kind = value_kind(schema)
    if attribute.kind in ("list", "container") or kind == "other":
        raise BadInput.at(place, f"a {attribute.kind} can't fill a field of this schema", "leave it raw")
    text = attribute.value
    if kind == "string":
        return text
    if kind == "money":
        return str(amount(text, rules.currency, place))
    if kind in ("date", "date-time"):
        return _time(rules, text, kind, place)
    if kind == "boolean":
        return _boolean(text, place)
    return _decimal(text, place) if kind == "decimal" else _integer(text, place)


def value_kind(schema: Mapping[str, Any]) -> str:
    """The kind of value that a text is turned into: as of ``fields.kind_of``, and ``string`` for an enumeration of texts."""
    kind = kind_of(schema)
    if kind == "other" and "type" not in schema and "enum" in schema and all(isinstance(v, str) for v in schema["enum"]):
        return "string"
    return kind


def _time(rules: ImportMap, text: str, kind: str, where: str) -> str:
    if kind == "date-time":
        return when(rules, text, where).at
    said = log_time(text, where)
    if not isinstance(said, datetime):
        return said.isoformat()
    return _wall(said, rules, where).date().isoformat()


def _boolean(text: str, where: str) -> bool:
    try:
        return {"true": True, "1": True, "false": False, "0": False}[text.strip()]
    except KeyError:
        raise BadInput.at(where, f"{text!r} is neither true nor false", "write true or false") from None


def _decimal(text: str, where: str) -> str:
    sign, whole, part = _digits(text, where)
    return f"{sign}{whole}.{part}" if part else sign + whole


def _integer(text: str, where: str) -> int:
    sign, whole, part = _digits(text, where)
    if part.strip("0"):
        raise BadInput.at(where, f"{text!r} is no whole number", "map it to a decimal")
    if len(whole) > len(str(LARGEST)) or int(whole) > LARGEST:
        raise BadInput.at(where, f"{text!r} is beyond 53 bits", "keep such a number as text")
    return int(sign + whole)
