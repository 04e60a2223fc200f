"""Whose every route is: one line per route; the tests beside this file visit them all.

To add a route, add a line to `WHOSE` under its own room: "METHOD /path/as/written" → who gets in.  Choose from

    PUBLIC        everybody, signed in or not
    BY_LINK       everybody who knows the secret token in the path
    SIGNED_IN     every person, and each sees only their own things
    PACKER EDITOR OWNER   that role in the group of the path, and the roles above it
    WATCHED       the group's people, the coordinators of its centre, staff
    CENTER        the centre's coordinators, staff
    RECEIVER      whoever answers for the account of the money: the group's owners here, staff
    STAFF         staff alone

and, for a form that does nothing when it is empty, what to type: `OWNER.with_form(name_th="ชื่อ")`.  The better the
form, the harder the test: a foreign hand sends it too, and nothing in the database may change.

Routes of the API are visited with tokens instead of cookies: `api(OWNER, "orders:read")` is what a token of the group's
owner with that scope may do; the same token without the scope, and every cookie, must be refused.

A parameter of the path that is new ({thing_id}) needs a value of each world in `world.py`: `Words` says how.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final


class Who(StrEnum):
    """Everybody who tries every door.  All but the last five live in, or belong to, the first of two worlds."""

    packer = "packer"
    editor = "editor"
    owner = "owner"
    coordinator = "coordinator"
    staff = "staff"
    shopper = "shopper"
    stranger = "stranger"
    other_shopper = "other shopper"
    outsider = "owner of another group"
    other_coordinator = "coordinator of another centre"
    revoked = "revoked member"
    """Was owner of the group, coordinator of its centre and staff."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Who gets in; everybody else must find what they would find if the thing did not exist."""

    gets_in: frozenset[Who]
    form: Mapping[str, str] = field(default_factory=dict)
    """What is typed; where it holds a key of `world.Words`, that world's word is typed."""
    scope: str | None = None
    """For the API: which scope a token needs."""
    is_api: bool = False

    def with_form(self, **typed: str) -> "Whose":
        return replace(self, form=typed)

    @property
    def kept_out(self) -> list[Who]:
        return [who for who in Who if who not in self.gets_in]


def api(whose: Whose, scope: str | None = None) -> Whose:
    return replace(whose, scope=scope, is_api=True)


def _of(*who: Who) -> Whose:
    return Whose(frozenset(who))


PUBLIC: Final = _of(*Who)
BY_LINK: Final = _of(*Who)
SIGNED_IN: Final = _of(*(who for who in Who if who is not Who.stranger))
PACKER: Final = _of(Who.packer, Who.editor, Who.owner)
EDITOR: Final = _of(Who.editor, Who.owner)
OWNER: Final = _of(Who.owner)
WATCHED: Final = _of(Who.packer, Who.editor, Who.owner, Who.coordinator, Who.staff)
CENTER: Final = _of(Who.coordinator, Who.staff)
RECEIVER: Final = _of(Who.owner, Who.staff)
STAFF: Final = _of(Who.staff)

WHOSE: Final[dict[str, Whose]] = {
    # app: signing in, addresses, health
    "GET /sign-in": PUBLIC,
    "POST /sign-in": PUBLIC,
    "GET /register": PUBLIC,
    "POST /register": PUBLIC,
    "POST /sign-out": PUBLIC,
    "GET /account": SIGNED_IN,
    "POST /account/password": SIGNED_IN,
    "POST /account/sign-out-elsewhere": SIGNED_IN,
    "GET /places.json": PUBLIC,
    "GET /api": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": PUBLIC,
    # catalogue, baskets and orders, for programs: a basket is its token's, an order its link's
    "GET /api/v1/openapi.json": api(PUBLIC),
    "GET /api/v1/categories": api(PUBLIC),
    "GET /api/v1/centers": api(PUBLIC),
    "GET /api/v1/centers/{slug}": api(PUBLIC),
    "GET /api/v1/clusters": api(PUBLIC),
    "GET /api/v1/facets": api(PUBLIC),
    "GET /api/v1/groups": api(PUBLIC),
    "GET /api/v1/groups/{slug}": api(PUBLIC),
    "GET /api/v1/listings": api(PUBLIC),
    "GET /api/v1/listings/{slug}": api(PUBLIC),
    "GET /api/v1/places": api(PUBLIC),
    "GET /api/v1/regions": api(PUBLIC),
    "POST /api/v1/baskets": api(PUBLIC),
    "GET /api/v1/basket": api(PUBLIC),
    "POST /api/v1/basket/lines": api(PUBLIC),
    "PUT /api/v1/basket/lines/{variant_id}": api(PUBLIC),
    "DELETE /api/v1/basket/lines/{variant_id}": api(PUBLIC),
    "PUT /api/v1/basket/deliveries/{group}": api(PUBLIC),
    "POST /api/v1/basket/tidy": api(PUBLIC),
    "POST /api/v1/orders": api(PUBLIC),
    "POST /api/v1/orders/find": api(PUBLIC),
    "GET /api/v1/orders/{link}": api(BY_LINK),
    "GET /api/v1/orders/{link}/promptpay": api(BY_LINK),
    "GET /api/v1/orders/{link}/promptpay.png": api(BY_LINK),
    "POST /api/v1/orders/{link}/card-payment": api(BY_LINK),
    "POST /api/v1/orders/{link}/slips": api(BY_LINK),
    "POST /api/v1/orders/{link}/cancel": api(BY_LINK),
    "PUT /api/v1/orders/{link}/pay-to": api(BY_LINK),
    # desks, for programs
    "GET /api/v1/desk": api(SIGNED_IN),
    "GET /api/v1/desk/groups/{slug}": api(EDITOR, "listings:write"),
    "PUT /api/v1/desk/groups/{slug}/story": api(EDITOR, "listings:write"),
    "PUT /api/v1/desk/groups/{slug}/delivery": api(EDITOR, "listings:write"),
    "GET /api/v1/desk/groups/{slug}/listings": api(EDITOR, "listings:write"),
    "POST /api/v1/desk/groups/{slug}/listings": api(EDITOR, "listings:write"),
    "GET /api/v1/desk/groups/{slug}/listings/{listing_slug}": api(EDITOR, "listings:write"),
    "PATCH /api/v1/desk/groups/{slug}/listings/{listing_slug}": api(EDITOR, "listings:write"),
    "POST /api/v1/desk/groups/{slug}/listings/{listing_slug}/sell": api(EDITOR, "listings:write"),
    "POST /api/v1/desk/groups/{slug}/listings/{listing_slug}/pause": api(EDITOR, "listings:write"),
    "POST /api/v1/desk/groups/{slug}/listings/{listing_slug}/sizes": api(EDITOR, "listings:write"),
    "PUT /api/v1/desk/groups/{slug}/listings/{listing_slug}/sizes/{variant_id}": api(EDITOR, "listings:write"),
    "DELETE /api/v1/desk/groups/{slug}/listings/{listing_slug}/sizes/{variant_id}": api(EDITOR, "listings:write"),
    "PUT /api/v1/desk/groups/{slug}/listings/{listing_slug}/sizes/{variant_id}/price": api(EDITOR, "listings:write"),
    "PUT /api/v1/desk/groups/{slug}/listings/{listing_slug}/sizes/{variant_id}/left": api(EDITOR, "listings:write"),
    "POST /api/v1/desk/groups/{slug}/listings/{listing_slug}/photos": api(EDITOR, "listings:write"),
    "PUT /api/v1/desk/groups/{slug}/listings/{listing_slug}/photos": api(EDITOR, "listings:write"),
    "DELETE /api/v1/desk/groups/{slug}/listings/{listing_slug}/photos/{photo_id}": api(EDITOR, "listings:write"),
    "GET /api/v1/desk/groups/{slug}/canvas": api(WATCHED, "money:read"),
    "GET /api/v1/desk/groups/{slug}/canvas/entries": api(WATCHED, "money:read"),
    "GET /api/v1/desk/groups/{slug}/balance": api(WATCHED, "money:read"),
    "PUT /api/v1/desk/groups/{slug}/canvas/notes/{number}": api(EDITOR, "money:write"),
    "PUT /api/v1/desk/groups/{slug}/canvas/plan": api(EDITOR, "money:write"),
    "POST /api/v1/desk/groups/{slug}/canvas/income": api(EDITOR, "money:write"),
    "POST /api/v1/desk/groups/{slug}/canvas/costs": api(EDITOR, "money:write"),
    "POST /api/v1/desk/groups/{slug}/canvas/facts/{fact_id}/take-back": api(EDITOR, "money:write"),
    "GET /api/v1/desk/groups/{slug}/orders": api(PACKER, "orders:read"),
    "GET /api/v1/desk/groups/{slug}/orders/{number}": api(PACKER, "orders:read"),
    "POST /api/v1/desk/groups/{slug}/orders/{number}/pack": api(PACKER, "orders:write"),
    "POST /api/v1/desk/groups/{slug}/orders/{number}/hand-over": api(PACKER, "orders:write"),
    "PUT /api/v1/desk/groups/{slug}/orders/{number}/tracking": api(PACKER, "orders:write"),
    "GET /api/v1/desk/slips": api(SIGNED_IN, "orders:read"),
    "GET /api/v1/desk/refunds": api(SIGNED_IN, "orders:read"),
    "POST /api/v1/desk/slips/{slip_id}/accept": api(RECEIVER, "orders:write"),
    "POST /api/v1/desk/slips/{slip_id}/refuse": api(RECEIVER, "orders:write"),
    "POST /api/v1/desk/refunds/{task_id}/done": api(RECEIVER, "orders:write"),
    "GET /api/v1/staff/orders/{number}": api(STAFF, "orders:read"),
    "POST /api/v1/staff/orders/{number}/cancel": api(STAFF, "orders:write"),
    "POST /api/v1/staff/orders/{number}/parts/{part_id}/cancel": api(STAFF, "orders:write"),
    "GET /api/v1/desk/centers/{slug}/demand": api(CENTER, "center:read"),
    "GET /api/v1/desk/centers/{slug}/revenue": api(CENTER, "center:read"),
    # catalog: the market itself
    "GET /": PUBLIC,
    "GET /search": PUBLIC,
    "GET /market": PUBLIC,
    "GET /listings/{slug}": PUBLIC,
    "GET /groups/{slug}": PUBLIC,
    "GET /robots.txt": PUBLIC,
    "GET /sitemap.xml": PUBLIC,
    "GET /sitemap-{part}.xml": PUBLIC,
    "GET /how-we-rank": PUBLIC,
    "GET /privacy": PUBLIC,
    "GET /terms": PUBLIC,
    "GET /media/{key:path}": PUBLIC,
    # catalog: the listings of a group
    "GET /desk/groups/{slug}/listings/new": EDITOR,
    "POST /desk/groups/{slug}/listings/new": EDITOR.with_form(
        name_th="ข้าวเม่าใหม่", price="45", unit_th="ถุง", left="5", do="draft"
    ),
    "GET /desk/groups/{slug}/listings": PACKER,
    "GET /desk/groups/{slug}/listings/{listing_slug}": EDITOR,
    "POST /desk/groups/{slug}/listings/{listing_slug}/amounts": EDITOR.with_form(
        variant="{variant_id}", price="1", left="3"
    ),
    "POST /desk/groups/{slug}/listings/{listing_slug}/sell": EDITOR,
    "POST /desk/groups/{slug}/listings/{listing_slug}/pause": EDITOR,
    "GET /desk/groups/{slug}/listings/{listing_slug}/words": EDITOR,
    "POST /desk/groups/{slug}/listings/{listing_slug}/words": EDITOR.with_form(name_th="ชื่ออื่น"),
    "GET /desk/groups/{slug}/listings/{listing_slug}/details": EDITOR,
    "POST /desk/groups/{slug}/listings/{listing_slug}/details": EDITOR.with_form(
        category="snacks-sweets", storage="frozen"
    ),
    "GET /desk/groups/{slug}/listings/{listing_slug}/certificates": EDITOR,
    "POST /desk/groups/{slug}/listings/{listing_slug}/certificates": EDITOR.with_form(certificates="{certificate_id}"),
    "GET /desk/groups/{slug}/listings/{listing_slug}/sizes": EDITOR,
    "POST /desk/groups/{slug}/listings/{listing_slug}/sizes": EDITOR.with_form(unit_th="กล่อง", price="90", left="4"),
    "POST /desk/groups/{slug}/listings/{listing_slug}/sizes/{variant_id}": EDITOR.with_form(unit_th="กล่อง", price="1"),
    "POST /desk/groups/{slug}/listings/{listing_slug}/sizes/{variant_id}/close": EDITOR,
    "GET /desk/groups/{slug}/listings/{listing_slug}/photos": EDITOR,
    "POST /desk/groups/{slug}/listings/{listing_slug}/photos": EDITOR,
    "POST /desk/groups/{slug}/listings/{listing_slug}/photos/{photo_id}": EDITOR.with_form(do="remove"),
    "POST /desk/groups/{slug}/listings/{listing_slug}/photos/{photo_id}/words": EDITOR.with_form(alt_th="รูปข้าวเม่า"),
    # producers: joining, the group's own desk
    "GET /apply": PUBLIC,
    "POST /apply": SIGNED_IN,
    "GET /invitations/{token}": BY_LINK,
    "POST /invitations/{token}": SIGNED_IN,
    "GET /cloth/{slug}.svg": PUBLIC,
    "GET /desk/groups/{slug}/about": PACKER,
    "GET /desk/groups/{slug}/about/story": EDITOR,
    "POST /desk/groups/{slug}/about/story": EDITOR.with_form(name_th="ชื่อกลุ่มอื่น"),
    "GET /desk/groups/{slug}/about/money": OWNER,
    "POST /desk/groups/{slug}/about/money": OWNER.with_form(promptpay_id="0899999999", promptpay_name="คนอื่น"),
    "GET /desk/groups/{slug}/about/delivery": EDITOR,
    "POST /desk/groups/{slug}/about/delivery": EDITOR.with_form(
        pickup_enabled="yes", pickup_text_th="บ้านคนอื่น", whole="yes"
    ),
    "GET /desk/groups/{slug}/canvas": WATCHED,
    "GET /desk/groups/{slug}/canvas/print": WATCHED,
    "GET /desk/groups/{slug}/canvas/entries": WATCHED,
    "GET /desk/groups/{slug}/canvas/notes/{number}": EDITOR,
    "POST /desk/groups/{slug}/canvas/notes/{number}": EDITOR.with_form(text_th="คำของคนอื่น"),
    "GET /desk/groups/{slug}/canvas/plan": EDITOR,
    "POST /desk/groups/{slug}/canvas/plan": EDITOR.with_form(**{"every-{stream_id}": "500", "whole": "yes"}),
    "GET /desk/groups/{slug}/canvas/off-market": EDITOR,
    "POST /desk/groups/{slug}/canvas/off-market": EDITOR.with_form(
        day="2026-11-20", satang="100", stream="{stream_id}", token="0198d3f0-0000-7000-8000-00000000000a"
    ),
    "GET /desk/groups/{slug}/canvas/costs": EDITOR,
    "POST /desk/groups/{slug}/canvas/costs": EDITOR.with_form(
        day="2026-11-20", satang="100", note="ค่าน้ำ", token="0198d3f0-0000-7000-8000-00000000000b"
    ),
    "POST /desk/groups/{slug}/canvas/entries/{fact_id}/take-back": EDITOR,
    "GET /desk/groups/{slug}/canvas/streams": EDITOR,
    "POST /desk/groups/{slug}/canvas/streams": EDITOR.with_form(kind="goods", name_th="รายได้ใหม่"),
    "POST /desk/groups/{slug}/canvas/streams/{stream_id}": EDITOR.with_form(name_th="ชื่ออื่น"),
    "POST /desk/groups/{slug}/canvas/streams/{stream_id}/close": EDITOR,
    "POST /desk/groups/{slug}/canvas/step": EDITOR.with_form(step="1"),
    "GET /desk/groups/{slug}/certificates": PACKER,
    "GET /desk/groups/{slug}/certificates/new": EDITOR,
    "POST /desk/groups/{slug}/certificates/new": EDITOR.with_form(kind="pgs", detail="กลุ่มอินทรีย์"),
    "POST /desk/groups/{slug}/certificates/{certificate_id}/remove": EDITOR,
    "GET /desk/groups/{slug}/members": PACKER,
    "GET /desk/groups/{slug}/members/invite": OWNER,
    "POST /desk/groups/{slug}/members/invite": OWNER.with_form(role="owner"),
    "POST /desk/groups/{slug}/members/invitations/{invitation_id}/take-back": OWNER,
    "POST /desk/groups/{slug}/members/{person_id}/role": OWNER.with_form(role="editor"),
    "POST /desk/groups/{slug}/members/{person_id}/end": OWNER,
    "GET /desk/groups/{slug}/programs": OWNER,
    "GET /desk/groups/{slug}/programs/tokens/new": OWNER,
    "POST /desk/groups/{slug}/programs/tokens": OWNER.with_form(name="เครื่องพิมพ์", scopes="webhooks"),
    "POST /desk/groups/{slug}/programs/tokens/{token_id}/revoke": OWNER,
    "GET /desk/groups/{slug}/programs/hooks/new": OWNER,
    "POST /desk/groups/{slug}/programs/hooks": OWNER.with_form(url="https://example.com/hook", events="order.paid"),
    "GET /desk/groups/{slug}/programs/hooks/{hook_id}": OWNER,
    "POST /desk/groups/{slug}/programs/hooks/{hook_id}/secret": OWNER,
    "POST /desk/groups/{slug}/programs/hooks/{hook_id}/pause": OWNER,
    "POST /desk/groups/{slug}/programs/hooks/{hook_id}/resume": OWNER,
    "POST /desk/groups/{slug}/programs/hooks/{hook_id}/test": OWNER,
    "POST /desk/groups/{slug}/programs/hooks/{hook_id}/delete": OWNER,
    "GET /desk/groups/{slug}/programs/hooks/{hook_id}/deliveries/{delivery_id}": OWNER,
    "POST /desk/groups/{slug}/programs/hooks/{hook_id}/deliveries/{delivery_id}/replay": OWNER,
    "GET /staff/programs": STAFF,
    "GET /staff/programs/tokens/new": STAFF,
    "POST /staff/programs/tokens": STAFF.with_form(name="เครื่องพิมพ์", scopes="webhooks"),
    "POST /staff/programs/tokens/{token_id}/revoke": STAFF,
    "GET /staff/programs/hooks/new": STAFF,
    "POST /staff/programs/hooks": STAFF.with_form(url="https://example.com/hook", events="order.paid"),
    "GET /staff/programs/hooks/{hook_id}": STAFF,
    "POST /staff/programs/hooks/{hook_id}/secret": STAFF,
    "POST /staff/programs/hooks/{hook_id}/pause": STAFF,
    "POST /staff/programs/hooks/{hook_id}/resume": STAFF,
    "POST /staff/programs/hooks/{hook_id}/test": STAFF,
    "POST /staff/programs/hooks/{hook_id}/delete": STAFF,
    "GET /staff/programs/hooks/{hook_id}/deliveries/{delivery_id}": STAFF,
    "POST /staff/programs/hooks/{hook_id}/deliveries/{delivery_id}/replay": STAFF,
    "GET /desk/groups/{slug}/trail": OWNER,
    "GET /staff/trail": STAFF,
    "GET /staff/groups": STAFF,
    "GET /staff/groups/{slug}": STAFF,
    "POST /staff/groups/{slug}/approve": STAFF,
    "POST /staff/groups/{slug}/close": STAFF.with_form(because="ทดสอบ"),
    "POST /staff/groups/{slug}/certificates/{certificate_id}/verify": STAFF,
    "GET /staff/invite": STAFF,
    "POST /staff/invite": STAFF.with_form(hint="คนรู้จัก"),
    # Buying (room orders)
    "GET /basket": PUBLIC,
    "POST /basket/add": PUBLIC,
    "POST /basket": PUBLIC,
    "GET /checkout": PUBLIC,
    "POST /checkout": PUBLIC,
    "GET /orders/find": PUBLIC,
    "POST /orders/find": PUBLIC,
    "GET /o/{token}": BY_LINK,
    "GET /o/{token}/promptpay.png": BY_LINK,
    "POST /o/{token}/pay": BY_LINK,
    "POST /webhooks/stripe": PUBLIC,
    "POST /o/{token}/slip": BY_LINK,
    "POST /o/{token}/cancel": BY_LINK,
    "POST /o/{token}/pay-to": BY_LINK.with_form(pay_to="081-234-5678"),
    "POST /o/{token}/refund-email": BY_LINK.with_form(email="mali@example.com"),
    "GET /o/{token}/receipt": BY_LINK,
    "GET /o/{token}/data.zip": BY_LINK,
    "GET /o/{token}/erase": BY_LINK,
    "POST /o/{token}/erase": BY_LINK,
    "GET /account/data.zip": SIGNED_IN,
    "GET /account/erase": SIGNED_IN,
    "POST /account/erase": SIGNED_IN,
    "GET /my/orders": SIGNED_IN,
    # Desks of orders and money (room orders)
    "GET /desk": SIGNED_IN,
    "GET /desk/groups/{slug}": PACKER,
    "GET /desk/groups/{slug}/picking": PACKER,
    "GET /desk/groups/{slug}/orders/{number}": PACKER,
    "GET /desk/groups/{slug}/orders/{number}/slip": PACKER,
    "POST /desk/groups/{slug}/orders/{number}/pack": PACKER,
    "POST /desk/groups/{slug}/orders/{number}/hand-over": PACKER,
    "POST /desk/groups/{slug}/orders/{number}/tracking": PACKER.with_form(
        carrier="ไปรษณีย์ไทย", tracking="EX123456789TH"
    ),
    "GET /staff/slips": STAFF,
    "GET /desk/slips": SIGNED_IN,
    "GET /desk/slips/{slip_id}/picture": RECEIVER,
    "POST /desk/slips/{slip_id}/accept": RECEIVER.with_form(amount="50"),
    "POST /desk/slips/{slip_id}/refuse": RECEIVER.with_form(reason="ยังไม่เข้าบัญชี"),
    "GET /staff/refunds": STAFF,
    "GET /desk/refunds": SIGNED_IN,
    "POST /desk/refunds/{task_id}/done": RECEIVER.with_form(note="โอนแล้ว"),
    "POST /desk/give-back": SIGNED_IN,
    "GET /desk/give-back/orders/{number}": RECEIVER,
    "POST /desk/give-back/orders/{number}/parts/{part_id}": RECEIVER.with_form(
        reason="ของช้ำ", satang="1", seen_off_satang="0"
    ),
    "GET /staff": STAFF,
    "POST /staff/orders": STAFF.with_form(number="orders/{number}"),
    "GET /staff/orders/{number}": STAFF,
    "POST /staff/orders/{number}/cancel": STAFF.with_form(reason="ทดสอบ"),
    "POST /staff/orders/{number}/parts/{part_id}/cancel": STAFF.with_form(reason="ทดสอบ"),
    "GET /staff/jobs": STAFF,
    "POST /staff/jobs/{job_id}/retry": STAFF,
    "GET /staff/provider-events": STAFF,
    "POST /staff/provider-events/{event_id}/retry": STAFF,
    "GET /staff/notices": STAFF,
    # incubation centres
    "GET /centers": PUBLIC,
    "GET /centers/{slug}": PUBLIC,
    "GET /desk/centers/{slug}": CENTER,
    "GET /desk/centers/{slug}/demand": CENTER,
    "GET /desk/centers/{slug}/demand/print": CENTER,
    "GET /desk/centers/{slug}/demand.xlsx": CENTER,
    "GET /desk/centers/{slug}/revenue": CENTER,
    "GET /desk/centers/{slug}/account": CENTER,
    "POST /desk/centers/{slug}/account": CENTER.with_form(promptpay_id="0899999999", promptpay_name="คนอื่น"),
    "GET /desk/centers/{slug}/programs": CENTER,
    "GET /desk/centers/{slug}/programs/tokens/new": CENTER,
    "POST /desk/centers/{slug}/programs/tokens": CENTER.with_form(name="เครื่องพิมพ์", scopes="webhooks"),
    "POST /desk/centers/{slug}/programs/tokens/{token_id}/revoke": _of(Who.coordinator),
    "GET /desk/centers/{slug}/programs/hooks/new": CENTER,
    "POST /desk/centers/{slug}/programs/hooks": CENTER.with_form(url="https://example.com/hook", events="order.paid"),
    "GET /desk/centers/{slug}/programs/hooks/{hook_id}": CENTER,
    "POST /desk/centers/{slug}/programs/hooks/{hook_id}/secret": CENTER,
    "POST /desk/centers/{slug}/programs/hooks/{hook_id}/pause": CENTER,
    "POST /desk/centers/{slug}/programs/hooks/{hook_id}/resume": CENTER,
    "POST /desk/centers/{slug}/programs/hooks/{hook_id}/test": CENTER,
    "POST /desk/centers/{slug}/programs/hooks/{hook_id}/delete": CENTER,
    "GET /desk/centers/{slug}/programs/hooks/{hook_id}/deliveries/{delivery_id}": CENTER,
    "POST /desk/centers/{slug}/programs/hooks/{hook_id}/deliveries/{delivery_id}/replay": CENTER,
}
