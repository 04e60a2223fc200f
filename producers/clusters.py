"""The three clusters of livelihood by which the source groups everything; fixed, hence in code.

Names: the source document of CODI (พอช.), "คลัสเตอร์".
"""

from enum import StrEnum
from typing import Final

from app.language import Bilingual


class Cluster(StrEnum):
    """What kind of livelihood; the value stands in URLs and tables."""

    production = "production"
    processing_marketing = "processing-marketing"
    services = "services"

    @property
    def name_th(self) -> str:
        return _NAMES[self].th

    @property
    def name_en(self) -> str:
        return _NAMES[self].en or ""


_NAMES: Final = {
    Cluster.production: Bilingual("การผลิต", "Production"),
    Cluster.processing_marketing: Bilingual("การแปรรูป-การตลาด", "Processing and marketing"),
    Cluster.services: Bilingual("การบริการ", "Services"),
}
