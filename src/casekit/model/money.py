"""Exact money: integer minor units and a currency. Never a float, never a lost cent.

The canonical text is the amount with the currency's own number of decimals, a blank and the code:
``1840.00 USD``, ``1840 JPY``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from enum import Enum
from fractions import Fraction
from functools import lru_cache

from casekit.errors import BadInput
from casekit.model.currencies import MINOR_UNITS

LARGEST = 2**53 - 1
"""The largest amount, in minor units: what every JSON reader takes exactly."""

_TEXT = re.compile(r"(-?)([0-9]{1,16})(?:\.([0-9]{1,8}))? ([A-Z]{3})")
_AMOUNT = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,100})?")


class Rounding(Enum):
    """The named rounding policies. A rate is applied under one of them, by name, never by default."""

    HALF_UP = ROUND_HALF_UP
    HALF_EVEN = ROUND_HALF_EVEN
    HALF_DOWN = ROUND_HALF_DOWN
    UP = ROUND_UP
    DOWN = ROUND_DOWN
    CEILING = ROUND_CEILING
    FLOOR = ROUND_FLOOR


class Residual(Enum):
    """Where the cents go that a division leaves over."""

    LARGEST_REMAINDER = "largest-remainder"
    """One each to the shares that lost most by rounding down; among equals, the first."""
    FIRST = "first"
    """All to the first share."""
    LAST = "last"
    """All to the last share: what an instalment plan does."""


def decimals(currency: str) -> int:
    """The currency's number of decimals (ISO 4217).

    Raises:
        BadInput: no such currency.
    """
    try:
        return MINOR_UNITS[currency]
    except (KeyError, TypeError):
        raise BadInput.at("currency", f"{currency!r} is no ISO 4217 code", "use a code such as EUR") from None


class Money:
    """An exact amount of one currency.

    ``Money("1840.00", "USD")`` takes text, an integer (whole units) or a Decimal; more decimals than
    the currency has are refused, and so is a float. Sums and comparisons need one currency.

    Attributes:
        minor: The amount in minor units (cents), ``|minor| < 2**53``.
        currency: ISO 4217 code.
    """

    __slots__ = ("currency", "minor")
    minor: int
    currency: str

    def __init__(self, amount: str | int | Decimal, currency: str) -> None:
        _fill(self, _minor(_exact(amount, currency), amount, currency), currency)

    @classmethod
    def of_minor(cls, minor: int, currency: str) -> Money:
        """The amount that is ``minor`` cents (or the currency's own smallest unit)."""
        decimals(currency)
        return _new(minor, currency)

    @classmethod
    def parse(cls, text: str) -> Money:
        """The amount that the canonical text says.

        Raises:
            BadInput: not of the form ``1840.00 USD``.
        """
        return _parsed(text)

    @classmethod
    def rounded(cls, amount: Decimal | Fraction | int, currency: str, rounding: Rounding) -> Money:
        """The amount, rounded to the currency's decimals under a named policy."""
        return _new(_round(Fraction(amount) * 10 ** decimals(currency), rounding), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in a currency."""
        return cls.of_minor(0, currency)

    @property
    def amount(self) -> Decimal:
        """The amount in whole units, with the currency's decimals."""
        return Decimal(str(self).partition(" ")[0])

    def times(self, factor: Decimal | Fraction | int, rounding: Rounding) -> Money:
        """The amount times a factor (a rate, a share), rounded under a named policy."""
        return _new(_round(Fraction(factor) * self.minor, rounding), self.currency)

    def allocate(self, weights: Sequence[int | Decimal | Fraction], residual: Residual) -> tuple[Money, ...]:
        """Shares in the proportion of the weights; they add up to this amount exactly.

        Each share is first rounded toward zero; the cents left over go where ``residual`` says.

        Raises:
            BadInput: no weight, a negative weight, or weights that are all zero.
        """
        exact = [Fraction(w) for w in weights]
        total = sum(exact, Fraction(0))
        if not exact or total <= 0 or min(exact) < 0:
            raise BadInput.at("weights", "must be at least one, none negative, not all zero", "give each share's weight")
        ideal = [abs(self.minor) * w / total for w in exact]
        shares = [int(i) for i in ideal]
        left = abs(self.minor) - sum(shares)
        if residual is Residual.LARGEST_REMAINDER:
            for index in sorted(range(len(shares)), key=lambda i: (shares[i] - ideal[i], i))[:left]:
                shares[index] += 1
        else:
            shares[0 if residual is Residual.FIRST else -1] += left
        sign = -1 if self.minor < 0 else 1
        return tuple(_new(sign * s, self.currency) for s in shares)

    def split(self, parts: int, residual: Residual) -> tuple[Money, ...]:
        """The amount in ``parts`` equal shares, the cents left over placed by ``residual``."""
        if parts < 1:
            raise BadInput.at("parts", f"can't split into {parts}", "give at least one part")
        return self.allocate([1] * parts, residual)

    def __add__(self, other: Money) -> Money:
        return _new(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return _new(self.minor - self._same(other), self.currency)

    def __mul__(self, factor: int) -> Money:
        if type(factor) is not int:
            return NotImplemented
        return _new(self.minor * factor, self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return _new(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return _new(abs(self.minor), self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor == other.minor and self.currency == other.currency

    def __hash__(self) -> int:
        return hash((self.minor, self.currency))

    def __str__(self) -> str:
        return render(self.minor, self.currency)

    def __repr__(self) -> str:
        amount, _, currency = str(self).partition(" ")
        return f"Money({amount!r}, {currency!r})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"money does not change: {name}")

    def __reduce__(self) -> tuple[object, ...]:
        return (Money.of_minor, (self.minor, self.currency))

    def _same(self, other: Money) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"money and {type(other).__name__} do not mix")
        if other.currency != self.currency:
            raise BadInput.at("currency", f"{self} and {other} are of two currencies", "convert one at a dated rate first")
        return other.minor


def render(minor: int, currency: str) -> str:
    """The canonical text of an amount in minor units."""
    places = MINOR_UNITS[currency]
    if not places:
        return f"{minor} {currency}"
    digits = f"{abs(minor):0{places + 1}d}"
    return f"{'-' if minor < 0 else ''}{digits[:-places]}.{digits[-places:]} {currency}"


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[int, str]:
    """Minor units and currency of a canonical text.

    Raises:
        BadInput: not of the form ``1840.00 USD``, a zero with a sign, or too large.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise BadInput.at("amount", f"{text!r} is no amount of money", "write it as 1840.00 USD")
    sign, whole, part, currency = match.groups()
    places = decimals(currency)
    if len(part or "") != places or (whole[0] == "0" and len(whole) > 1):
        raise BadInput.at("amount", f"{text!r} is not written out", f"{currency} has {places} decimals")
    minor = int(whole + (part or ""))
    if minor > LARGEST or (sign and not minor):
        raise BadInput.at("amount", f"{text!r} can't be held exactly", "the limit is 2**53 - 1 minor units")
    return (-minor if sign else minor), currency


def _exact(amount: object, currency: str) -> Decimal:
    if isinstance(amount, (float, bool)):
        raise BadInput.at("amount", f"{amount!r} is not exact", "give text, an integer or a Decimal, never a float")
    if not isinstance(amount, (int, Decimal)) and not (isinstance(amount, str) and _AMOUNT.fullmatch(amount)):
        raise BadInput.at("amount", f"{amount!r} is no amount of {currency}", "write it as 1840.00")
    value = Decimal(amount)
    if not value.is_finite() or value.adjusted() > 16:
        raise BadInput.at("amount", f"{amount!r} is not a finite amount within 2**53 minor units", "write it as 1840.00")
    return value


def _minor(value: Decimal, said: object, currency: str) -> int:
    """The amount in minor units, whatever the caller's decimal context does."""
    sign, digits, exponent = value.as_tuple()
    places = decimals(currency)
    spare = -(int(exponent) + places)  # digits beyond the smallest unit
    if spare > 0 and any(digits[-spare:]):
        raise BadInput.at("amount", f"{said} has more decimals than {currency} has ({places})", "round it by a named policy")
    kept: int = int("".join(map(str, digits[:-spare] if spare > 0 else digits)) or "0") * 10 ** max(-spare, 0)
    return -kept if sign else kept


def _round(value: Fraction, rounding: Rounding) -> int:
    floor, rest = divmod(value.numerator, value.denominator)
    half = 2 * rest - value.denominator  # below, at or above zero: as the rest is to one half
    return floor + (rest > 0 and _UP[rounding](floor, half))


_UP: Mapping[Rounding, Callable[[int, int], bool]] = {
    Rounding.HALF_UP: lambda floor, half: half > 0 or (half == 0 and floor >= 0),
    Rounding.HALF_EVEN: lambda floor, half: half > 0 or (half == 0 and floor % 2 == 1),
    Rounding.HALF_DOWN: lambda floor, half: half > 0 or (half == 0 and floor < 0),
    Rounding.UP: lambda floor, _: floor >= 0,
    Rounding.DOWN: lambda floor, _: floor < 0,
    Rounding.CEILING: lambda _floor, _half: True,
    Rounding.FLOOR: lambda _floor, _half: False,
}
"""Whether a value between two integers goes to the upper one: by its floor, and by where it stands to the middle."""


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Money:
    minor, currency = parse(text)
    return _new(minor, currency)


def _new(minor: int, currency: str) -> Money:
    money = Money.__new__(Money)
    _fill(money, minor, currency)
    return money


def _fill(money: Money, minor: int, currency: str) -> None:
    if not -LARGEST <= minor <= LARGEST:
        raise BadInput.at("amount", f"{minor} minor units of {currency} can't be held exactly", "the limit is 2**53 - 1")
    object.__setattr__(money, "minor", minor)
    object.__setattr__(money, "currency", currency)
