"""Money: no satang is lost on the way from a typed price to a split sum and back to the reader's eye."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.money import (
    MOST_TYPED,
    Satang,
    WrongAmount,
    baht,
    in_thai_words,
    parse_baht,
    share,
    split_by_largest_remainder,
)

amounts = st.integers(0, MOST_TYPED)
totals = st.integers(-(10**12), 10**12)
weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any)


@pytest.mark.parametrize(
    ("satang", "loose", "exact"),
    [
        (125_000, "฿1,250", "฿1,250.00"),
        (125_050, "฿1,250.50", "฿1,250.50"),
        (5, "฿0.05", "฿0.05"),
        (0, "฿0", "฿0.00"),
        (-4_500, "−฿45", "−฿45.00"),
        (-50, "−฿0.50", "−฿0.50"),
        (100_000_000_00, "฿100,000,000", "฿100,000,000.00"),
    ],
)
def test_an_amount_reads_as_people_write_it(satang: int, loose: str, exact: str) -> None:
    assert baht(satang) == baht(satang, "en") == loose
    assert baht(satang, exact=True) == exact


@pytest.mark.parametrize(
    ("satang", "words"),
    [
        (0, "ศูนย์บาทถ้วน"),
        (100, "หนึ่งบาทถ้วน"),
        (1_000, "สิบบาทถ้วน"),
        (1_100, "สิบเอ็ดบาทถ้วน"),
        (2_100, "ยี่สิบเอ็ดบาทถ้วน"),
        (10_100, "หนึ่งร้อยเอ็ดบาทถ้วน"),
        (125_000, "หนึ่งพันสองร้อยห้าสิบบาทถ้วน"),
        (125_025, "หนึ่งพันสองร้อยห้าสิบบาทยี่สิบห้าสตางค์"),
        (25, "ยี่สิบห้าสตางค์"),
        (1, "หนึ่งสตางค์"),
        (111_111_11, "หนึ่งแสนหนึ่งหมื่นหนึ่งพันหนึ่งร้อยสิบเอ็ดบาทสิบเอ็ดสตางค์"),
        (1_000_000_00, "หนึ่งล้านบาทถ้วน"),
        (1_000_001_00, "หนึ่งล้านเอ็ดบาทถ้วน"),
        (21_500_000_00, "ยี่สิบเอ็ดล้านห้าแสนบาทถ้วน"),
        (10**12 * 100, "หนึ่งล้านล้านบาทถ้วน"),
        (-4_500, "ลบสี่สิบห้าบาทถ้วน"),
    ],
)
def test_a_receipt_says_the_amount_in_thai_words(satang: int, words: str) -> None:
    assert in_thai_words(satang) == words


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_two_amounts_never_share_their_words(one: int, other: int) -> None:
    assert (in_thai_words(one) == in_thai_words(other)) == (one == other)


@pytest.mark.parametrize(
    ("typed", "satang"),
    [
        ("45", 4_500),
        ("1,250.50", 125_050),
        ("1250.5", 125_050),
        ("฿45", 4_500),
        ("฿ 45", 4_500),
        ("45 บาท", 4_500),
        ("๔๕ บาท", 4_500),
        ("๑,๒๕๐.๕๐", 125_050),
        (" 45\t", 4_500),
        ("\u00a045\u00a0บาท", 4_500),
        ("45.-", 4_500),
        ("THB 45", 4_500),
        ("45 baht", 4_500),
        ("0", 0),
        ("007", 700),
        ("0" * 50 + "45", 4_500),
        ("10,000,000", MOST_TYPED),
    ],
)
def test_a_price_is_read_as_people_type_it(typed: str, satang: int) -> None:
    assert parse_baht(typed) == satang


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("บาท", "empty"),
        ("-45", "negative"),
        ("−฿45", "negative"),
        ("฿-45", "negative"),
        ("45.125", "too_fine"),
        ("1.250", "too_fine"),
        ("10,000,000.01", "too_large"),
        ("9" * 10_000, "too_large"),
        ("1,25", "malformed"),
        ("1,2,50", "malformed"),
        ("1250,50", "malformed"),
        ("4 5", "malformed"),
        ("1e3", "malformed"),
        ("٤٥", "malformed"),
        ("nan", "malformed"),
        ("สี่สิบห้า", "malformed"),
        ("45\n46", "malformed"),
    ],
)
def test_what_is_no_price_is_refused_with_its_reason(typed: str, reason: str) -> None:
    with pytest.raises(WrongAmount) as refused:
        parse_baht(typed)
    assert refused.value.reason == reason
    assert isinstance(refused.value, ValueError)


@given(amounts)
def test_what_is_shown_can_be_typed_again(satang: int) -> None:
    assert parse_baht(baht(satang)) == parse_baht(baht(satang, exact=True)) == satang


@given(st.text())
def test_any_text_is_an_amount_or_a_named_refusal(text: str) -> None:
    try:
        satang = parse_baht(text)
    except WrongAmount:
        return
    assert 0 <= satang <= MOST_TYPED


def test_a_hundred_baht_in_three_gives_the_odd_satang_to_the_first() -> None:
    assert split_by_largest_remainder(10_000, [1, 1, 1]) == [3_334, 3_333, 3_333]
    assert split_by_largest_remainder(-10_000, [1, 1, 1]) == [-3_334, -3_333, -3_333]
    assert split_by_largest_remainder(2, [1, 1, 1]) == [1, 1, 0]


@given(totals, weights)
def test_parts_sum_to_the_whole_and_none_is_a_satang_off(total: int, weights: list[int]) -> None:
    parts = split_by_largest_remainder(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        # |part − exact share| < 1, multiplied out so that no float judges money.
        assert abs(part * sum(weights) - total * weight) < sum(weights)
        assert weight or part == 0


@given(totals, weights)
def test_a_larger_weight_never_gets_less_and_a_refund_mirrors_the_sale(total: int, weights: list[int]) -> None:
    parts = split_by_largest_remainder(total, weights)
    ordered = sorted(zip(weights, map(abs, parts), strict=True))
    assert [part for _, part in ordered] == sorted(abs(part) for part in parts)
    assert split_by_largest_remainder(-total, weights) == [-part for part in parts]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [1, -1], [3, -1]])
def test_weights_that_say_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split_by_largest_remainder(100, weights)


@pytest.mark.parametrize(
    ("total", "basis_points", "part"),
    [(10_000, 250, 250), (1, 5_000, 1), (1, 4_999, 0), (3, 5_000, 2), (-3, 5_000, -2), (4_500, 165, 74), (0, 165, 0)],
)
def test_a_share_rounds_half_a_satang_up(total: int, basis_points: int, part: int) -> None:
    assert share(total, basis_points) == part


@given(totals, st.integers(0, 10_000))
def test_a_share_is_within_half_a_satang_and_its_reversal_undoes_it(total: int, basis_points: int) -> None:
    part = share(total, basis_points)
    assert abs(part * 10_000 - total * basis_points) <= 5_000
    assert share(-total, basis_points) == -part
    assert share(total, 10_000) == Satang(total)
