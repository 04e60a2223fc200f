"""What may not be sold here: alcohol, tobacco, cannabis and medicines, by the words people call them.

Sources: the bans on selling alcoholic drinks (Alcoholic Beverage Control Act B.E. 2551 and the notification in force
since 7 December 2563) and tobacco (Tobacco Products Control Act B.E. 2560) online; medicines and cannabis need licences
that a market cannot check.

Thai writes no spaces, so a word is told from a longer one by its neighbours: สาโท is rice wine, กระดาษสาโทนครีม is paper.
Names and units are read strictly.  Descriptions tell of much that is not for sale, so only the plainest words count
there, and not where they are denied ("ไม่มีแอลกอฮอล์").  A wrong refusal can be talked about with staff; an ordinary
name must never meet one (tests/catalog/test_forbidden.py).
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from app.errors import Refusal
from app.language import N_


class ForbiddenGoods(Refusal):
    """`word` is what it was told by, as it was typed."""

    status: ClassVar[int] = 422


class Alcohol(ForbiddenGoods):
    message = N_("“%(word)s” is alcohol. The law does not allow selling it online, so the market cannot take it.")


class Tobacco(ForbiddenGoods):
    message = N_("“%(word)s” is tobacco. The law does not allow selling it online, so the market cannot take it.")


class Cannabis(ForbiddenGoods):
    message = N_("“%(word)s” is cannabis. It may only be sold with a licence, so the market cannot take it.")


class Medicine(ForbiddenGoods):
    message = N_("“%(word)s” is a medicine. Medicines may only be sold with a licence, so the market cannot take it.")


def refuse_forbidden(names: Mapping[str, str | None], texts: Mapping[str, str | None]) -> None:
    """Refuse with a `ForbiddenGoods` that names the word and the field; both mappings are by the field's name."""
    for patterns, typed_by_field in ((_IN_NAMES, names), (_IN_TEXTS, texts)):
        for field, typed in typed_by_field.items():
            told = _DENIED.sub(" ", _plain(typed))
            for refusal, pattern in patterns.items():
                if found := pattern.search(told):
                    raise refusal(field=field, word=found[0].strip())


def _plain(typed: str | None) -> str:
    seen = re.sub("[\u200b-\u200d\u2060\ufeff\u00ad]", "", typed or "")
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", seen)).casefold()


def _pattern(thai: Iterable[str], english: Iterable[str] = (), *, english_before: str = "") -> re.Pattern[str]:
    """Thai words are found inside longer ones (with neighbours they must not have), English ones stand alone.

    `english_before` lists what, coming next, makes the English word harmless ("wine vinegar").
    """
    harmless = f"(?!.?(?:{english_before}))" if english_before else ""
    alone = [rf"(?<![a-z])(?:{'|'.join(english)})(?![a-z]){harmless}"] if english else []
    return re.compile("|".join([*thai, *alone]))


#: Glasses, bottles and colours are no drink: แก้วไวน์, ขวดเหล้า, ผ้าสีไวน์.
_NO_DRINK: Final = "(?<!แก้ว)(?<!จอก)(?<!ขวด)(?<!ถ้วย)(?<!เปิด)(?<!วาง)(?<!สี)(?<!โทน)"
#: Other things that end in ยา: น้ำยา (curry, cleaner), กระยา(สารท), พระยา, ภรรยา.
_NO_MEDICINE: Final = "(?<!น้ำ)(?<!กระ)(?<!พระ)(?<!ภรร)"

_IN_NAMES: Final = {
    Alcohol: _pattern(
        (
            "สาโท(?![นร])",  # กระดาษสาโทนครีม
            f"{_NO_DRINK}เหล้า",
            "สุรา(?=ชุมชน|พื้นบ้าน|พื้นเมือง|กลั่น|แช่|ขาว|ข้าว|ผลไม้|สมุนไพร|ไทย|หมัก|[^ก-๙]|$)",  # สุราษฎร์ธานี
            f"{_NO_DRINK}(?<!รูท)(?<!รูต)(?<!จินเจอร์)เบียร์(?!รี)",
            f"{_NO_DRINK}ไวน์(?!เน|วิเน|วินี)",  # ไวน์วิเนการ์
            *("กระแช่", "น้ำตาลเมา", "เมรัย", "ยาดอง", "เครื่องดื่มแอลกอฮอล์"),
            *("วิสกี้", "บรั่นดี", "วอดก้า", "โซจู", "แชมเปญ", "เตกีล่า"),
        ),
        (
            *("alcohol", "alcoholic drinks?", "liquors?", "(?<!root )(?<!ginger )beers?", "wines?", "whiske?ys?"),
            *("vodka", "brandy", "moonshine", "soju", "champagne", "tequila", "sato"),
        ),
        english_before="vinegar|glass|cups?|rack|opener|bottle|batter|red|colou?r|free|gel|hand|pads?",
    ),
    Tobacco: _pattern(
        (
            "(?<!เขี่ย)(?<!กัน)(?<!ดับ)บุหรี่",  # ที่เขี่ยบุหรี่
            f"{_NO_MEDICINE}ยา(?:สูบ|ฉุน|เส้น(?!เอ็น|ประสาท|ผม))",
            *("ซิการ์", "บารากู่", "นิโคติน"),
        ),
        ("tobacco", "cigarettes?", "cigars?", "e-cigarettes?", "vapes?", "shisha", "nicotine"),
        english_before="free|flower",
    ),
    # Hemp (กัญชง) is woven and worn; only what is taken of it counts.
    Cannabis: _pattern(
        ("กัญชา", "(?:ช่อดอก|สารสกัด|น้ำมัน)กัญชง"),
        ("cannabis", "marijuana", "ganja", "hashish", "thc", "cbd"),
        english_before="free",
    ),
    # Balm (ยาหม่อง), inhalers (ยาดม) and toothpaste (ยาสีฟัน) are household goods.
    Medicine: _pattern(
        (
            f"{_NO_MEDICINE}ยา(?:แผนโบราณ|แผนปัจจุบัน|แผนไทย|สมุนไพร|ปฏิชีวนะ|ลูกกลอน|สามัญ|เม็ด)",
            f"{_NO_MEDICINE}ยา(?:แก้(?!ว)|รักษา|คุม|นอนหลับ|ระบาย|ฆ่าเชื้อ|ถ่าย(?!รูป|ภาพ)|ต้ม(?!ยำ)|อม(?!ต|ร))",
            f"{_NO_MEDICINE}ยา(?:ลดความอ้วน|ลดน้ำหนัก|ลดไข้|บำรุง|ชูกำลัง|สตรี|ธาตุ|ชุด|บ้า(?!น))",
            f"{_NO_MEDICINE}ยาหอม(?!ระเหย|แดง|ใหญ่|หัว)",
            r"ฟ้าทะลายโจร(?:ชนิด|แบบ|บรรจุ)?\s?(?:แคปซูล|อัดเม็ด|เม็ด)",
            *("พาราเซตามอล", "แอสไพริน", "ไวอากร้า", "วัคซีน"),
        ),
        (
            *("medicines?", "antibiotics?", "painkillers?", "paracetamol", "aspirin", "viagra", "vaccines?"),
            "(?:sleeping|diet|slimming) pills?",
        ),
    ),
}
_IN_TEXTS: Final = {
    Alcohol: _pattern(
        ("สาโท(?![นร])", "เหล้าขาว", "เหล้าต้ม", "สุรา(?:ชุมชน|กลั่น|แช่)", "เครื่องดื่มแอลกอฮอล์"), ("rice whisky", "moonshine")
    ),
    Tobacco: _pattern(("บุหรี่ไฟฟ้า", "ขายบุหรี่", "ใบยาสูบ"), ("e-cigarettes?", "vapes?")),
    Cannabis: _pattern(("กัญชา",), ("cannabis", "marijuana", "ganja", "thc")),
    Medicine: _pattern(("ยาปฏิชีวนะ", "พาราเซตามอล", "ยานอนหลับ", "ไวอากร้า"), ("antibiotics?", "paracetamol", "viagra")),
}

_WITHOUT_TH: Final = "(?:ไม่(?:มี|ใส่|ผสม|ใช้|ขาย|ดื่ม|สูบ|ใช่|เป็น)?|ปราศจาก|ปลอด|ไร้|งด|ห้าม|เลิก)(?:ดื่ม|สูบ)?(?:เครื่องดื่ม)?"
_BAD_TH: Final = "(?:แอลกอฮอล์|เหล้า|สุรา|เบียร์|ไวน์|บุหรี่|ยาสูบ|กัญชา|ยา)"
_BAD_EN: Final = "(?:alcohol(?:ic)?|tobacco|cannabis|medicines?|beer|wine|liquor)"
#: "Without …": ปลอดเหล้าและบุหรี่, ไม่ผสมกัญชา, no added alcohol, cannabis-free.
_DENIED: Final = re.compile(
    f"{_WITHOUT_TH}{_BAD_TH}(?:และ{_BAD_TH})?"
    f"|(?<![a-z])(?:no|not|non|without|free of)[ -](?:any |added )?{_BAD_EN}"
    f"|(?<![a-z]){_BAD_EN}-free"
)
