"""The three clusters of livelihood by which the source groups everything; fixed, hence in code.

Names: the source document of CODI (พอช.), "คลัสเตอร์".
"""

from app.language import Named


class Cluster(Named):
    """What kind of livelihood; the value stands in URLs and tables."""

    production = "production", "การผลิต", "Production"
    processing_marketing = "processing-marketing", "การแปรรูป-การตลาด", "Processing and marketing"
    services = "services", "การบริการ", "Services"
