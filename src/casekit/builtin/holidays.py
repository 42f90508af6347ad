"""Calendars of working days from the ``holidays`` library, an optional part (``casekit[holidays]``).

Three sets for the United States, for the law means three things by a holiday: the days of 5 U.S.C. 6103(a) as they
fall; those days and the ones observed for them; and what a court keeps, which depends on the direction of counting
and on the state. What is open in law is marked doubtful, and counting gives a reading with and one without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

from casekit.sdk import BadInput, Calendar, CalendarSource, HolidaySet, week


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.split())


STATES = _codes(
    "AK AL AR AS AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MP MS MT NC ND NE NH NJ NM NV NY OH OK"
    " OR PA PR RI SC SD TN TX UT VA VI VT WA WI WV WY"
)
LAENDER = _codes("BB BE BW BY HB HE HH MV NI NW RP SH SL SN ST TH")
MEMBERS = {
    "AT": "Vienna", "BE": "Brussels", "BG": "Sofia", "CY": "Nicosia", "CZ": "Prague", "DE": "Berlin", "DK": "Copenhagen",
    "EE": "Tallinn", "ES": "Madrid", "FI": "Helsinki", "FR": "Paris", "GR": "Athens", "HR": "Zagreb", "HU": "Budapest",
    "IE": "Dublin", "IT": "Rome", "LT": "Vilnius", "LU": "Luxembourg", "LV": "Riga", "MT": "Malta", "NL": "Amsterdam",
    "PL": "Warsaw", "PT": "Lisbon", "RO": "Bucharest", "SE": "Stockholm", "SI": "Ljubljana", "SK": "Bratislava",
}  # fmt: skip
"""Member states of the European Union → city of their time zone."""

_SATURDAY, _SUNDAY = 5, 6
_PAY_AND_LEAVE = "5 U.S.C. 6103(b) and Executive Order 11582 speak of pay and leave; courts publish the observed day as a legal holiday"
_CLOSINGS = "an executive order closed departments that day for pay and leave; whether courts keep it is disputed"
_STATE = "Whether each day is a legal holiday by the state's own law: compare with the list that the court publishes."
_NOTIFIED = "The list that the state has notified under Article 2(1); bridge days and institutions' own days are not in it."


def calendar_sources() -> list[CalendarSource]:
    """The calendars that can be made; their years are those asked for that the library knows."""
    court = "Days that a federal court keeps"
    return [
        _source("us.statutory", "Legal public holidays of 5 U.S.C. 6103(a), as they fall", "US", _us_statutory),
        _source("us.observed", "Legal public holidays and the days observed for them", "US", _us_observed),
        _source("us.court", f"{court}, in no state in particular", "US", partial(_us_court, "")),
        *(_source(f"us.court.{state.lower()}", f"{court} in {state}", "US", partial(_us_court, state)) for state in STATES),
        _source("uk.england-wales", "Working days in England and Wales", "GB", _england),
        _source("uk.rp-2001", "Days of SI 2001/341 reg 8(3)", "GB", _england_elections),
        _source("de", "Working days in all of Germany", "DE", partial(_germany, "")),
        *(_source(f"de.{land.lower()}", f"Working days in Germany, {land}", "DE", partial(_germany, land)) for land in LAENDER),
        *(
            _source(f"eu.{state.lower()}", f"Working days of Regulation 1182/71 in {state}", state, partial(_member, state))
            for state in MEMBERS
        ),
    ]


def _source(key: str, title: str, country: str, build: Callable[[int, int], Calendar]) -> CalendarSource:
    return CalendarSource(key, title, partial(_known, country, build))


def _known(country: str, build: Callable[[int, int], Calendar], first: int, last: int) -> Calendar:
    """The calendar of those years that the library knows; of the others its sets say that they do not cover them."""
    known = getattr(_library(), country)
    begin, end = max(first, known.start_year), min(last, known.end_year)
    if begin > end:
        what = f"no year from {first} to {last} is known"
        raise BadInput.at(f"holidays {country}", what, f"ask for years between {known.start_year} and {known.end_year}")
    return build(begin, end)


def _us_statutory(first: int, last: int) -> Calendar:
    return _made("us.statutory", "America/New_York", first, last, {"us.statutory": _statutory(first, last)})


def _us_observed(first: int, last: int) -> Calendar:
    return _made(
        "us.observed", "America/New_York", first, last, {"us.statutory": _statutory(first, last), "us.observed": _observed(first, last)}
    )


def _us_court(state: str, first: int, last: int) -> Calendar:
    statutory, observed = _statutory(first, last), _observed(first, last, _PAY_AND_LEAVE)
    sets = {"us.statutory": statutory, "us.observed": observed}
    known = {**statutory.days, **observed.days}
    closed = {
        d: name for d, name in _days("US", first, last, categories=("government",)).items() if d not in known and "half-day" not in name
    }
    sets["us.executive"] = _set(closed, first, last, "Closings by executive order", citation="Executive Order 11582", doubtful=_CLOSINGS)
    if state:
        own = {d: name for d, name in _days("US", first, last, subdiv=state).items() if d not in known}
        sets[f"us.state.{state.lower()}"] = _set(
            own, first, last, f"State holidays, {state}", citation="Fed. R. Civ. P. 6(a)(6)(C)", forward_only=True, unverified=_STATE
        )
    return _made(f"us.court.{state.lower()}" if state else "us.court", "America/New_York", first, last, sets)


def _england(first: int, last: int) -> Calendar:
    return _made("uk.england-wales", "Europe/London", first, last, {"uk.england-wales": _bank_holidays(first, last)})


def _england_elections(first: int, last: int) -> Calendar:
    eves = _set(
        {f"{year}-12-24": "Christmas Eve" for year in range(first, last + 1)}, first, last, "Christmas Eve", citation="SI 2001/341 reg 8(3)"
    )
    return _made("uk.rp-2001", "Europe/London", first, last, {"uk.england-wales": _bank_holidays(first, last), "uk.rp-2001": eves})


def _germany(land: str, first: int, last: int) -> Calendar:
    key = f"de.{land.lower()}" if land else "de"
    days = _days("DE", first, last, subdiv=land or None)
    sets = {
        key: _set(days, first, last, f"Gesetzliche Feiertage {land or 'bundesweit'}", citation="BGB § 193; Feiertagsgesetze der Länder")
    }
    return _made(key, "Europe/Berlin", first, last, sets)


def _member(state: str, first: int, last: int) -> Calendar:
    key = f"eu.{state.lower()}"
    found = _set(
        _days(state, first, last),
        first,
        last,
        f"Public holidays in {state}",
        citation="Regulation 1182/71, Article 2(1)",
        unverified=_NOTIFIED,
    )
    return _made(key, f"Europe/{MEMBERS[state]}", first, last, {key: found})


def _bank_holidays(first: int, last: int) -> HolidaySet:
    citation = "Banking and Financial Dealings Act 1971; Good Friday and Christmas Day by common law"
    return _set(_days("GB", first, last, subdiv="ENG"), first, last, "Bank holidays in England and Wales", citation=citation)


def _statutory(first: int, last: int) -> HolidaySet:
    return _set(_days("US", first, last, observed=False), first, last, "Legal public holidays", citation="5 U.S.C. 6103(a)")


def _observed(first: int, last: int, doubtful: str = "") -> HolidaySet:
    """The days observed instead: Friday before a Saturday, Monday after a Sunday.

    The year after is looked at too: New Year's Day 2028 is a Saturday, and 31 December 2027 is the day observed.
    """
    moved = {}
    for text, name in _days("US", first - 1, last + 1, observed=False).items():
        fell = date.fromisoformat(text)
        shift = {_SATURDAY: -1, _SUNDAY: 1}.get(fell.weekday(), 0)
        kept = fell + timedelta(days=shift)
        if shift and first <= kept.year <= last:
            moved[kept.isoformat()] = f"{name} (observed)"
    return _set(
        moved,
        first,
        last,
        "Days observed for legal public holidays",
        citation="5 U.S.C. 6103(b); Executive Order 11582, section 3(a)",
        doubtful=doubtful,
    )


def _set(days: Mapping[str, str], first: int, last: int, title: str, **more: Any) -> HolidaySet:
    """A holiday set of whole years; days in the order of the calendar, so that the same days give the same digest."""
    return HolidaySet(
        dict(sorted(days.items())), title, f"{first:04}-01-01", f"{last:04}-12-31", source=f"holidays {_library().__version__}", **more
    )


def _made(key: str, zone: str, first: int, last: int, sets: Mapping[str, HolidaySet]) -> Calendar:
    titles = {source.key: source.title for source in calendar_sources()}
    return Calendar(key, f"{first}-{last}.{_library().__version__}", titles[key], week(), zone, sets)


def _days(country: str, first: int, last: int, **more: Any) -> dict[str, str]:
    """What the library knows of a country, in the country's own language whatever the machine speaks."""
    library = _library()
    language = getattr(library, country).default_language
    found = library.country_holidays(country, years=range(first, last + 1), language=language, **more)
    return {d.isoformat(): str(name) for d, name in found.items() if first <= d.year <= last}


def _library() -> Any:
    try:
        import holidays
    except ImportError:
        raise BadInput.at(
            "holidays", "the holidays library is not installed", "install casekit[holidays], or bring calendars of your own"
        ) from None
    return holidays


__all__ = ["LAENDER", "MEMBERS", "STATES", "calendar_sources"]
