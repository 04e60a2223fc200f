"""Categories: what kind of thing a listing is.  A short list in code, three clusters' worth; its codes stand in URLs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from producers.clusters import Cluster


@dataclass(frozen=True, slots=True)
class Category:
    code: str
    cluster: Cluster
    name_th: str
    name_en: str


CATEGORIES: Final = (
    Category("vegetables", Cluster.production, "ผัก", "Vegetables"),
    Category("fruit", Cluster.production, "ผลไม้", "Fruit"),
    Category("rice-grains", Cluster.production, "ข้าวและธัญพืช", "Rice and grains"),
    Category("herbs", Cluster.production, "สมุนไพรและเครื่องเทศ", "Herbs and spices"),
    Category("fish-livestock", Cluster.production, "ปลา ไข่ และปศุสัตว์", "Fish, eggs and livestock"),
    Category("honey-wild", Cluster.production, "น้ำผึ้งและของป่า", "Honey and wild foods"),
    Category("seeds-compost", Cluster.production, "เมล็ดพันธุ์และปุ๋ย", "Seeds and compost"),
    Category("other-produce", Cluster.production, "ผลผลิตอื่น ๆ", "Other produce"),
    Category("snacks-sweets", Cluster.processing_marketing, "ขนมและของกินเล่น", "Snacks and sweets"),
    Category("pastes-sauces", Cluster.processing_marketing, "น้ำพริกและเครื่องปรุง", "Pastes and sauces"),
    Category("fish-seafood", Cluster.processing_marketing, "ปลาและอาหารทะเลแปรรูป", "Preserved fish and seafood"),
    Category("preserves", Cluster.processing_marketing, "ของดองและผลไม้แปรรูป", "Pickles and dried fruit"),
    Category("drinks", Cluster.processing_marketing, "ชา กาแฟ เครื่องดื่ม", "Tea, coffee and drinks"),
    Category("textiles", Cluster.processing_marketing, "ผ้าและเสื้อผ้า", "Cloth and clothes"),
    Category("crafts", Cluster.processing_marketing, "งานฝีมือและของใช้", "Crafts and household"),
    Category("wellness", Cluster.processing_marketing, "สมุนไพรเพื่อความสบาย", "Herbal comfort"),
    Category("hampers", Cluster.processing_marketing, "ชุดของขวัญ", "Hampers and gifts"),
    Category("other-made", Cluster.processing_marketing, "ของแปรรูปอื่น ๆ", "Other things made by hand"),
    Category("day-trips", Cluster.services, "เที่ยวหนึ่งวัน", "Day trips"),
    Category("workshops", Cluster.services, "เวิร์กช็อปและเรียนรู้", "Workshops"),
    Category("homestays", Cluster.services, "โฮมสเตย์และที่พัก", "Homestays"),
    Category("boats-walks", Cluster.services, "ล่องเรือ เดินป่า ปั่นจักรยาน", "Boats, walks and bicycles"),
    Category("study-visits", Cluster.services, "ศึกษาดูงานและประชุม", "Study visits and meetings"),
    Category("food-experiences", Cluster.services, "กินและทำอาหารท้องถิ่น", "Local food"),
    Category("other-visits", Cluster.services, "บริการอื่น ๆ", "Other services"),
)

_BY_CODE: Final = {category.code: category for category in CATEGORIES}
_OTHERS: Final = {
    Cluster.production: "other-produce",
    Cluster.processing_marketing: "other-made",
    Cluster.services: "other-visits",
}


def category(code: str) -> Category | None:
    return _BY_CODE.get(code)


def categories_of(cluster: Cluster) -> Sequence[Category]:
    return [each for each in CATEGORIES if each.cluster == cluster]


def other(cluster: Cluster) -> Category:
    """Where a listing of that cluster goes when nobody chose anything nearer."""
    return _BY_CODE[_OTHERS[cluster]]
