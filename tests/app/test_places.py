"""Places: every one of Thailand's 7,436 subdistricts is found the ways people write it."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import places
from app.places import Place, Subdistrict

ALL = [
    each
    for province in places.provinces()
    for district in places.districts(province.code)
    for each in places.subdistricts(district.code)
]


def found(each: Subdistrict) -> Place:
    place = places.place(each.code)
    assert place is not None
    return place


any_place = st.sampled_from(ALL).map(found)


def test_the_whole_country_is_there() -> None:
    assert len(places.provinces()) == 77
    assert sum(len(places.districts(each.code)) for each in places.provinces()) == 928
    assert len(ALL) == len({each.code for each in ALL}) == 7436


def test_every_province_lies_in_exactly_one_of_five_regions() -> None:
    codes = [code for region in places.REGIONS for code in region.province_codes]
    assert sorted(codes) == [each.code for each in places.provinces()]
    assert [region.id for region in places.REGIONS] == [
        "bangkok-metro-east",
        "central-west",
        "north",
        "northeast",
        "south",
    ]


@pytest.mark.parametrize(
    ("names", "region"),
    [
        ("ปราจีนบุรี กรุงเทพมหานคร ตราด ระยอง", "bangkok-metro-east"),
        ("กาญจนบุรี", "central-west"),
        ("แพร่ ตาก", "north"),
        ("บุรีรัมย์", "northeast"),
        ("ชุมพร กระบี่ ปัตตานี", "south"),
    ],
)
def test_the_provinces_of_the_eleven_centres_lie_where_the_network_says(names: str, region: str) -> None:
    codes = {each.name_th: each.code for each in places.provinces()}
    assert {places.region_of(codes[name]).id for name in names.split()} == {region}
    assert places.region_by_id(region) is places.region_of(codes[names.split(maxsplit=1)[0]])


def test_an_unknown_code_or_id_is_nothing() -> None:
    assert (places.place("999999"), places.province("99"), places.region_by_id("east")) == (None, None, None)
    assert places.province_by_slug("atlantis") is None


def test_a_province_has_an_address_of_its_own() -> None:
    slugs = {places.province_slug(each): each for each in places.provinces()}
    assert len(slugs) == 77
    assert all(places.province_by_slug(slug) is each for slug, each in slugs.items())
    assert {"buri-ram", "bangkok", "phang-nga", "phra-nakhon-si-ayutthaya"} <= slugs.keys()


def test_a_place_is_told_as_people_write_it() -> None:
    nong_sano, palace = places.place("310427"), places.place("100101")
    assert nong_sano is not None
    assert palace is not None
    assert nong_sano.full_line("th") == "ต.หนองโสน อ.นางรอง จ.บุรีรัมย์ 31110"
    assert nong_sano.line("en") == "Nong Sano, Nang Rong, Buri Ram"
    assert nong_sano.region.id == "northeast"
    assert palace.line("th") == "แขวงพระบรมมหาราชวัง เขตพระนคร กรุงเทพมหานคร"
    assert palace.full_line("en") == "Phra Borom Maha Ratchawang, Phra Nakhon, Bangkok 10200"


def test_a_place_with_two_postcodes_shows_only_the_one_it_is_told() -> None:
    place = next(found(each) for each in ALL if len(each.postal_codes) > 1)
    assert place.full_line("th") == place.line("th")
    assert place.full_line("th", place.postcodes[1]).endswith(f" {place.postcodes[1]}")


@pytest.mark.parametrize("typed", ["31110", " 31110 ", "๓๑๑๑๐", "31 110"])
def test_a_postcode_leads_to_its_places(typed: str) -> None:
    assert "310427" in [place.code for place in places.by_postcode(typed)]


@pytest.mark.parametrize("typed", ["", "3111", "311100", "00000", "x"])
def test_what_is_no_postcode_leads_nowhere(typed: str) -> None:
    assert places.by_postcode(typed) == []


@given(any_place)
def test_every_place_is_found_by_each_of_its_postcodes(place: Place) -> None:
    assert all(place in places.by_postcode(postcode) for postcode in place.postcodes)


@pytest.mark.parametrize("typed", ["หนองโส", "ต.หนองโส", "ตำบล หนองโส", "nong san", "NONG SANO", "tambon nongsano"])
def test_the_first_letters_of_a_tambon_offer_it(typed: str) -> None:
    offered = places.by_tambon_prefix(typed, limit=50)
    assert "310427" in [place.code for place in offered]


def test_an_exact_name_is_offered_first_and_never_more_than_asked() -> None:
    offered = places.by_tambon_prefix("บ้านกลาง", limit=5)
    assert len(offered) == len({place.code for place in offered}) == 5
    assert {place.subdistrict.name_th for place in offered} == {"บ้านกลาง"}
    assert places.by_tambon_prefix(" ") == places.by_tambon_prefix("zzz") == places.by_tambon_prefix("%") == []


@given(any_place, st.integers(1, 30))
def test_any_beginning_of_a_name_offers_its_place(place: Place, letters: int) -> None:
    for name in (place.subdistrict.name_th, place.subdistrict.name_en):
        assert place in places.by_tambon_prefix(name[:letters], limit=7436)


def test_an_offer_takes_a_few_milliseconds() -> None:
    places.by_tambon_prefix("ก")
    started = perf_counter()
    for letter in "กขคงจชดตถทนบปพมยรลวสหอ":
        places.by_tambon_prefix(letter)
    assert (perf_counter() - started) / 22 < 0.02


def test_every_subdistrict_finds_itself() -> None:
    lost = [
        place.line("th")
        for place in map(found, ALL)
        if places.match(place.subdistrict.name_th, place.district.name_th, place.province.name_th) != place
    ]
    assert lost == []


@given(any_place, st.sampled_from(["", " "]))
def test_every_subdistrict_finds_itself_with_its_prefixes(place: Place, gap: str) -> None:
    tambon, amphoe = place.subdistrict.name_th, place.district.name_th.removeprefix("เขต")
    for short in [("ต.", "อ.", "จ."), ("ตำบล", "อำเภอ", "จังหวัด"), ("แขวง", "เขต", "จ.")]:
        names = (tambon, amphoe, place.province.name_th)
        typed = [prefix + gap + name for prefix, name in zip(short, names, strict=True)]
        assert places.match(*typed) == place


@pytest.mark.parametrize(
    ("tambon", "amphoe", "province", "code"),
    [
        ("ในเมือง", "เมือง", "บุรีรัมย์", "310101"),
        ("ต. ในเมือง", "อ.เมือง", "จ.บุรีรัมย์", "310101"),
        ("Nong Sano", "Nang Rong", "buriram", "310427"),
        ("nong-sano", "Nang Rong District", "Buri Ram Province", "310427"),
        ("พระบรมมหาราชวัง", "พระนคร", "กทม.", "100101"),
        ("พระบรมมหาราชวัง", "เขตพระนคร", "กรุงเทพฯ", "100101"),
        ("ปอพาน", "เมืองร้อยเอ็ด", "ร้อยเอ็ด", "450109"),
        ("จ.ป.ร.", "กระบุรี", "ระนอง", "850406"),
        ("เขาไม้เเก้ว", "กบินทร์บุรี", "ปราจีนบุรี", "250213"),
        ("ตะโละกาโปร์", "", "", "940902"),
    ],
)
def test_a_place_is_read_as_people_write_it(tambon: str, amphoe: str, province: str, code: str) -> None:
    place = places.match(tambon, amphoe, province)
    assert place is not None
    assert place.code == code


@pytest.mark.parametrize(
    "typed", [("วัดโบสถ์", "เมือง", "ตาก"), ("บ้านกลาง", "", ""), ("", "นางรอง", "บุรีรัมย์"), ("หนองโสน", "นางรอง", "ตาก")]
)
def test_a_place_that_is_wrong_or_in_doubt_is_not_guessed(typed: tuple[str, str, str]) -> None:
    assert places.match(*typed) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("บุรีรัม", "บุรีรัมย์"),
        ("จ.บุรีรัม", "บุรีรัมย์"),
        ("วัดโบสถ", "วัดโบสถ์"),
        ("Buriram", "Buri Ram"),
        ("ตะโละกาโป", "ตะโละกาโปร์"),
    ],
)
def test_a_misspelt_name_is_answered_with_near_ones(typed: str, meant: str) -> None:
    near = places.nearest_names(typed)
    assert near[0] == meant
    assert len(near) <= 3


@given(st.text(max_size=200))
def test_no_text_breaks_a_question(text: str) -> None:
    assert len(places.nearest_names(text)) <= 3
    assert len(places.by_tambon_prefix(text)) <= 20
    assert places.match(text, text, text) is None or text.strip()
    places.by_postcode(text)
