"""What may not be sold is refused with the reason; what only sounds like it passes."""

import csv
from pathlib import Path

import pytest

from catalog.forbidden import Alcohol, Cannabis, ForbiddenGoods, Medicine, Tobacco, refuse_forbidden

DEMO = list(csv.DictReader((Path(__file__).parent / "demo_names.csv").read_text("utf8").splitlines()))

REFUSED = {
    Alcohol: (
        "สาโท|สาโทข้าวเหนียวดำ|เหล้าขาว 40 ดีกรี|เหล้าอุ|เหล้าต้ม|สุราชุมชน|สุรากลั่นพื้นบ้าน|สุราแช่ลูกหม่อน|ไวน์กระเจี๊ยบ|ไวน์ผลไม้ 750 มล."
        "|เบียร์ข้าวหอมมะลิ|น้ำตาลเมา|กระแช่|ยาดองสมุนไพร|วิสกี้|เครื่องดื่มแอลกอฮอล์|สา\u200bโท"
        "|Mulberry wine|Rice wine, sato|Craft beer|Homemade liquor|Thai whisky|Sato"
    ),
    Tobacco: (
        "บุหรี่มวนเอง|ยาเส้นตราช้าง|ยาสูบพื้นเมือง|ใบยาสูบตากแห้ง|บุหรี่ไฟฟ้า|ยาฉุน|ซิการ์มวนมือ|Hand-rolled cigars|Tobacco leaves|Vape juice"
    ),
    Cannabis: "คุกกี้กัญชา|ชากัญชา|น้ำมันกัญชา|ใบกัญชาแห้ง|น้ำมันกัญชง|Cannabis tea|CBD oil|Ganja cookies",
    Medicine: (
        "ยาแก้ไอมะขามป้อม|ยาสมุนไพรแก้ปวดเมื่อย|ยาลูกกลอน|ยาแผนโบราณ|ยาลดความอ้วน|ยาหอมห้าเจดีย์|ยานอนหลับ|พาราเซตามอล|ยาบำรุงเลือด"
        "|ฟ้าทะลายโจรแคปซูล|ฟ้าทะลายโจรชนิดแคปซูล|ยาต้มแก้เบาหวาน|ยาสตรี|Herbal medicine|Cough medicine|Diet pills"
    ),
}
PASSING = (
    "น้ำส้มสายชูหมักจากสับปะรด|ยาหม่องสมุนไพร|น้ำมันเหลือง|ยาดมสมุนไพร|ยาสีฟันสมุนไพร|ยาสระผมมะกรูด|น้ำยาล้างจานมะกรูด|น้ำยาซักผ้า|น้ำยาขนมจีน"
    "|ขนมจีนน้ำยาปลาแก้มช้ำ|น้ำยาแกงใต้|น้ำยาต้มยำ|น้ำยาลดกลิ่นเท้า|หมอนยางพารา|ที่นอนยางพารา|รองเท้ายาง|กระยาสารท|ข้าวยาคู|ใบย่านาง|น้ำใบย่านาง"
    "|ร้านยายแก้ว|น้ำพริกยายบ้านนา|กระดาษสาโทนครีม|ขนมไส้เบียร์รี่|สมุดกระดาษสา|ของฝากสุราษฎร์ธานี|ไข่เค็มไชยาสุราษฎร์|ผ้าสีไวน์|ผ้าไหมโทนไวน์แดง|แก้วไวน์ไม้ไผ่"
    "|จอกเหล้าดินเผา|ที่เขี่ยบุหรี่กะลา|ข้าวหมากใบตอง|ลูกแป้งข้าวหมาก|รูทเบียร์|จินเจอร์เบียร์|ผ้าใยกัญชง|เสื้อใยกัญชงปักมือ|เป็ดตุ๋นยาจีน"
    "|ฟ้าทะลายโจรแห้ง|ต้นฟ้าทะลายโจร|ขมิ้นชันผง|กาแฟแคปซูล|กระท่อมปลายนา|พักกระท่อมริมน้ำ|เสื่อกกบ้านเหล่า|ข้าวเหลาทิพย์|ไวนิลหน้าร้าน"
    "|ทุเรียนพระยาหอม|ผักปลอดภัยไร้สาร|พริกไทยดำ|สบู่ยาแก่นฝาง|มะขามแก้ว|ลูกยอม|ยาหยี|สวนยาย|ยาวพันวา|ตลาดน้ำยามเย็น|บ้านยาง"
    "|Wine vinegar|Pineapple vinegar|Root beer candle|Wine-red silk scarf|Wine glass of bamboo|Ginger tea|Ginseng|Seaweed crisps|Hemp shirt"
    "|Alcohol-free hand wash|Non-alcoholic ginger drink|Weeding day on the farm|Rum Mo village mat|Sake bowl|Tobacco flower dress"
)


def words(joined: str) -> list[str]:
    return joined.split("|")


@pytest.mark.parametrize(
    ("refusal", "name"), [(refusal, name) for refusal, names in REFUSED.items() for name in words(names)]
)
def test_forbidden_goods_are_refused_by_name(refusal: type[ForbiddenGoods], name: str) -> None:
    with pytest.raises(refusal) as refused:
        refuse_forbidden({"name_th": name}, {})

    assert refused.value.field == "name_th"


@pytest.mark.parametrize("name", words(PASSING))
def test_ordinary_goods_that_only_sound_alike_pass(name: str) -> None:
    refuse_forbidden({"name_th": name}, {"description_th": name})


@pytest.mark.parametrize("row", DEMO, ids=lambda row: row["name_en"])
def test_every_good_of_the_groups_passes(row: dict[str, str]) -> None:
    names = {"name_th": row["name_th"], "name_en": row["name_en"], "unit_th": row["unit_th"]}

    refuse_forbidden(names, {"description_th": row["name_th"]})


def test_the_list_holds_all_of_the_groups_goods() -> None:
    assert len(DEMO) == 68


def test_the_reason_names_the_word_in_the_readers_language() -> None:
    with pytest.raises(Alcohol) as refused:
        refuse_forbidden({"name_th": "สาโทบ้านเรา"}, {})

    assert "“สาโท”" in refused.value.text("th")
    assert "“สาโท” is alcohol" in refused.value.text("en")


@pytest.mark.parametrize(
    "text",
    [
        "น้ำหมักจากข้าวเหนียว เรียกกันว่าสาโท แรงกำลังดี",
        "เหล้าขาวกลั่นเองจากชุมชน",
        "มีส่วนผสมของกัญชา",
        "คล้ายบุหรี่ไฟฟ้า",
        "ผสมยานอนหลับ",
        "Our own moonshine",
    ],
)
def test_a_description_may_give_it_away(text: str) -> None:
    with pytest.raises(ForbiddenGoods) as refused:
        refuse_forbidden({"name_th": "ของดีบ้านเรา"}, {"description_th": text})

    assert refused.value.field == "description_th"


@pytest.mark.parametrize(
    "text",
    [
        "หมู่บ้านปลอดเหล้าและบุหรี่ ไม่มีเครื่องดื่มแอลกอฮอล์",
        "ไม่ผสมกัญชา",
        "ดับคาวด้วยเหล้าจีนเล็กน้อย",
        "ที่พักงดสูบบุหรี่ไฟฟ้า",
        "รสคล้ายไวน์แต่เป็นน้ำผลไม้",
        "ใช้แทนยาสีฟันได้",
        "No alcohol, cannabis-free",
    ],
)
def test_a_description_may_speak_of_what_is_not_sold(text: str) -> None:
    refuse_forbidden({"name_th": "น้ำผลไม้"}, {"description_th": text})
