"""The catalogue for programs: listings, groups, centres, and the words by which they are told apart.

Every answer is the same for every reader and holds both languages, so it is remembered and answered by ETag as the
public pages are.
"""

from fastapi import Response
from pydantic import BaseModel

from app.api.route import room
from app.api.shapes import Words
from app.pages import PUBLIC
from producers.clusters import Cluster

router = room("Catalogue")


class ClusterTold(BaseModel):
    code: str
    name: Words


class ClustersTold(BaseModel):
    items: list[ClusterTold]


@router.get("/clusters")
async def clusters(response: Response) -> ClustersTold:
    """The three clusters of livelihood, by which everything is grouped."""
    response.headers["Cache-Control"] = PUBLIC
    return ClustersTold(
        items=[ClusterTold(code=each.value, name=Words(th=each.name_th, en=each.name_en)) for each in Cluster]
    )
