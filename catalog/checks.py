"""What must be true of stock and shelves, whoever wrote them."""

from typing import Final

from app.findings import Check

CHECKS: Final = (
    Check(
        "pools follow their holds",
        "pool {id} ({thing}) says that {held} are held; its holds say {told}",
        """
        SELECT pools.id, trim_scale(pools.held_milli / 1000.0) AS held, trim_scale(coalesce(sums.held_milli, 0) / 1000.0) AS told,
            coalesce((
                SELECT listings.slug FROM variants JOIN listings ON listings.id = variants.listing_id
                WHERE variants.pool_id = pools.id LIMIT 1
            ), 'no listing') AS thing
        FROM pools LEFT JOIN (
            SELECT pool_id, sum(amount_milli) AS held_milli FROM holds WHERE state = 'held' GROUP BY pool_id
        ) AS sums ON sums.pool_id = pools.id
        WHERE pools.held_milli <> coalesce(sums.held_milli, 0)
        """,
    ),
    Check(
        "nothing is sold twice",
        "pool {id} has {on_hand} on hand, of which {held} are held",
        """
        SELECT id, trim_scale(on_hand_milli / 1000.0) AS on_hand, trim_scale(held_milli / 1000.0) AS held FROM pools
        WHERE on_hand_milli < 0 OR held_milli < 0 OR held_milli > on_hand_milli
        """,
    ),
    Check(
        "holds have a pool",
        "hold {id} is of pool {pool_id}, which does not exist",
        """
        SELECT holds.id, holds.pool_id FROM holds
        WHERE NOT EXISTS (SELECT FROM pools WHERE pools.id = holds.pool_id)
        """,
    ),
    Check(
        "listings know their group",
        "listing {slug} stands in another centre, province or state than its group {group_slug}",
        """
        SELECT listings.slug, groups.slug AS group_slug FROM listings JOIN groups ON groups.id = listings.group_id
        WHERE (listings.center_id, listings.region, listings.province_code, listings.is_open)
            IS DISTINCT FROM (groups.center_id, groups.region, groups.province_code, groups.state = 'approved')
        """,
    ),
)
