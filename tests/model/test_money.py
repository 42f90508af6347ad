from __future__ import annotations

import copy
import pickle
from decimal import ROUND_DOWN, Context, Decimal, Inexact, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casekit.errors import BadInput
from casekit.model.currencies import MINOR_UNITS
from casekit.model.money import LARGEST, Money, Residual, Rounding, decimals

CURRENCIES = ("JPY", "EUR", "KWD", "CLF")  # 0, 2, 3 and 4 decimals
minors = st.integers(-LARGEST, LARGEST)
money = st.builds(Money.of_minor, minors, st.sampled_from(CURRENCIES))
small = st.builds(Money.of_minor, st.integers(-(10**9), 10**9), st.just("EUR"))
weights = st.lists(st.integers(0, 10**6) | st.decimals("0", "1000", places=3), min_size=1, max_size=12)


def oracle(value: Fraction, rounding: Rounding) -> int:
    """Decimal's own rounding, of a decimal that stands where the fraction stands between two integers."""
    places = 400  # of the values drawn here, no half is mistaken for its neighbour
    with localcontext(Context(prec=1000, rounding=ROUND_DOWN)):
        digits = Decimal(value.numerator) / Decimal(value.denominator)
        scaled = digits.quantize(Decimal(1).scaleb(-places))
        if Fraction(scaled) != value:  # cut off toward zero: say that something follows
            scaled += Decimal(1 if value > 0 else -1).scaleb(-places)
        return int(scaled.quantize(Decimal(1), rounding=rounding.value))


@given(money)
def test_text_says_the_amount_and_is_read_back(value: Money) -> None:
    text = str(value)

    assert Money.parse(text) == value
    assert Decimal(text.split(maxsplit=1)[0]) == Fraction(value.minor, 10 ** decimals(value.currency))
    assert Money(text.split(maxsplit=1)[0], value.currency) == value
    assert Money(value.amount, value.currency) == value


@given(money)
def test_amounts_survive_copies_and_keep_their_hash(value: Money) -> None:
    for twin in (copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert twin == value
        assert hash(twin) == hash(value)


@pytest.mark.parametrize(
    "text",
    [
        "", "1840.00", "1840 USD", "1840.0 USD", "1840.000 USD", "01.00 USD", "-0.00 USD", "+1.00 USD", "1,840.00 USD", "1840.00USD",
        "1840.00 usd", "1840.00 XXX", "1840.00 USD ", "1840.00 USD\n", "1.0 JPY", "1e3 JPY", "٣.٠٠ USD", "90071992547409.92 USD",
    ],
)  # fmt: skip
def test_only_the_canonical_text_is_read(text: str) -> None:
    with pytest.raises(BadInput):
        Money.parse(text)


@pytest.mark.parametrize("amount", [1.5, True, "x", "", "NaN", "Infinity", "1e400", "0.001", Decimal("0.005"), None, "٣", "1_000", " 1"])
def test_what_is_not_an_exact_amount_is_refused(amount: object) -> None:
    with pytest.raises(BadInput):
        Money(amount, "EUR")  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", ["1." + "0" * 40 + "1", Decimal("1." + "0" * 40 + "1"), Decimal("1E-999999"), Decimal("-1E-3")])
def test_no_decimal_is_ever_dropped_in_silence(amount: str | Decimal) -> None:
    with pytest.raises(BadInput, match="more decimals"):
        Money(amount, "EUR")


def test_the_callers_decimal_context_changes_nothing() -> None:
    with localcontext(Context(prec=3, traps=[Inexact])):
        value = Money("12345.67", "EUR")

        assert value.amount == Decimal("12345.67")
        assert value.times(Fraction(1, 3), Rounding.HALF_EVEN) == Money("4115.22", "EUR")


@pytest.mark.parametrize("minor", [LARGEST + 1, -LARGEST - 1])
def test_what_json_readers_would_round_is_refused(minor: int) -> None:
    with pytest.raises(BadInput):
        Money.of_minor(minor, "EUR")
    with pytest.raises(BadInput):
        Money.of_minor(LARGEST if minor > 0 else -LARGEST, "EUR") * 2


@given(st.fractions(-(10**9), 10**9, max_denominator=10**6) | st.integers(-(10**7), 10**7).map(lambda n: Fraction(n, 200)))
def test_rounding_is_that_of_decimal(value: Fraction) -> None:
    for rounding in Rounding:
        assert Money.rounded(value, "EUR", rounding).minor == oracle(value * 100, rounding)


@given(small, st.fractions(-100, 100, max_denominator=10**6))
def test_a_product_is_rounded_once(value: Money, factor: Fraction) -> None:
    for rounding in Rounding:
        assert value.times(factor, rounding).minor == oracle(value.minor * factor, rounding)


def test_halves_by_name() -> None:
    half, minus = Fraction("0.125"), Fraction("-0.125")
    expected = {
        Rounding.HALF_UP: (13, -13), Rounding.HALF_DOWN: (12, -12), Rounding.HALF_EVEN: (12, -12), Rounding.UP: (13, -13),
        Rounding.DOWN: (12, -12), Rounding.CEILING: (13, -12), Rounding.FLOOR: (12, -13),
    }  # fmt: skip

    assert expected == {r: (Money.rounded(half, "EUR", r).minor, Money.rounded(minus, "EUR", r).minor) for r in Rounding}


def test_an_amount_beyond_all_bounds_is_bad_input_and_nothing_else() -> None:
    for rounding in Rounding:
        with pytest.raises(BadInput):
            Money.rounded(Fraction(10) ** 200 + Fraction(1, 3), "EUR", rounding)


@given(money, weights.filter(lambda w: sum(map(Fraction, w)) > 0), st.sampled_from(Residual))
def test_shares_add_up_and_stay_near_their_ideal(value: Money, parts: list[int | Decimal], residual: Residual) -> None:
    shares = value.allocate(parts, residual)

    total = sum(map(Fraction, parts))
    assert sum(s.minor for s in shares) == value.minor
    assert len(shares) == len(parts)
    strays = {Residual.FIRST: 0, Residual.LAST: len(parts) - 1}.get(residual)
    for place, (share, weight) in enumerate(zip(shares, parts, strict=True)):
        off = abs(share.minor - value.minor * Fraction(weight) / total)
        assert off < 1 or (place == strays and off < len(parts))
        assert share.minor == 0 or (share.minor > 0) == (value.minor > 0)


@given(money, weights.filter(lambda w: sum(map(Fraction, w)) > 0))
def test_a_debit_is_shared_as_its_credit(value: Money, parts: list[int | Decimal]) -> None:
    for residual in Residual:
        assert (-value).allocate(parts, residual) == tuple(-s for s in value.allocate(parts, residual))


@given(small, st.integers(1, 50))
def test_largest_remainder_gives_no_two_equal_parts_more_than_a_cent_apart(value: Money, parts: int) -> None:
    shares = [s.minor for s in value.split(parts, Residual.LARGEST_REMAINDER)]

    assert max(shares) - min(shares) <= 1
    assert sorted(shares, key=abs, reverse=True) == shares


def test_residual_cents_go_where_they_are_sent() -> None:
    euro = Money("1.00", "EUR")

    assert [s.minor for s in euro.split(3, Residual.FIRST)] == [34, 33, 33]
    assert [s.minor for s in euro.split(3, Residual.LAST)] == [33, 33, 34]
    assert [s.minor for s in euro.allocate((1, 1, 4), Residual.LARGEST_REMAINDER)] == [17, 17, 66]
    assert [s.minor for s in euro.allocate((0, 1), Residual.FIRST)] == [0, 100]


@pytest.mark.parametrize("parts", [[], [0], [0, 0], [1, -1], [-1]])
def test_weights_that_make_no_sense_are_refused(parts: list[int]) -> None:
    with pytest.raises(BadInput):
        Money("1.00", "EUR").allocate(parts, Residual.FIRST)


@given(small, small, st.integers(-100, 100))
def test_sums_are_those_of_the_cents(a: Money, b: Money, factor: int) -> None:
    assert (a + b).minor == a.minor + b.minor
    assert (a - b).minor == a.minor - b.minor
    assert (a * factor).minor == (factor * a).minor == a.minor * factor
    assert (a < b, a <= b, a > b, a >= b, a == b) == tuple(getattr(a.minor, f"__{op}__")(b.minor) for op in ("lt", "le", "gt", "ge", "eq"))
    assert bool(a) == bool(a.minor)
    assert abs(a).minor == abs(a.minor)


def test_two_currencies_never_meet() -> None:
    for act in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a >= b):
        with pytest.raises(BadInput, match="two currencies"):
            act(Money("1.00", "EUR"), Money("1.00", "USD"))
    assert Money("1.00", "EUR") != Money("1.00", "USD")


def test_money_and_numbers_do_not_mix() -> None:
    for other in (1, 1.0, Decimal(1)):
        with pytest.raises(TypeError):
            Money("1.00", "EUR") + other  # type: ignore[operator]
    with pytest.raises(TypeError):
        Money("1.00", "EUR") * 1.5  # type: ignore[operator]


def test_money_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Money("1.00", "EUR").minor = 1


def test_every_currency_has_zero_two_three_or_four_decimals() -> None:
    assert set(MINOR_UNITS.values()) == {0, 2, 3, 4}
    for code in MINOR_UNITS:
        assert Money.parse(str(Money.of_minor(1, code))).minor == 1
