"""Where one answer of the shopper's API leads: OpenAPI links, from a basket over what it costs to the order.

A program, or a test that walks the document, goes on with nothing but what it was just told.
"""

from typing import Any, Final

_TOKEN_AGAIN: Final = {"header.Basket-Token": "$request.header.Basket-Token"}
_BUYER: Final = {
    "name": "มะลิ ใจเย็น",
    "phone": "0891112222",
    "address_line": "12 หมู่ 3",
    "subdistrict_code": "310427",
}


def _link(operation: str, parameters: dict[str, str], body: dict[str, Any] | None = None) -> dict[str, Any]:
    link: dict[str, Any] = {"operationId": operation, "parameters": parameters}
    return link | ({"requestBody": body} if body else {})


def _order(total: str) -> dict[str, Any]:
    """What places an order at the total that was just told."""
    return {"buyer": _BUYER, "payment_method": "promptpay", "expected_total_satang": total}


def _leads_to(description: str, *links: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "links": {link["operationId"]: link for link in links}}


_NEW: Final = {"header.Basket-Token": "$response.body#/token"}
OF_NEW_BASKET: Final = _leads_to(
    "The basket with its token.",
    _link("quote_basket", _NEW),
    _link("add_to_basket", _NEW),
    _link("place_order", _NEW, _order("$response.body#/basket/total_satang")),
)
OF_QUOTE: Final = _leads_to(
    "What the basket costs now.",
    _link("set_amount", {**_TOKEN_AGAIN, "path.variant_id": "$response.body#/groups/0/lines/0/variant_id"}),
    _link("choose_delivery", {**_TOKEN_AGAIN, "path.group": "$response.body#/groups/0/group/slug"}),
    _link("keep_what_there_is", _TOKEN_AGAIN),
    _link("place_order", _TOKEN_AGAIN, _order("$response.body#/total_satang")),
)
_ORDER: Final = {"path.link": "$response.body#/link"}
OF_ORDER: Final = _leads_to(
    "The order.",
    *(_link(operation, _ORDER) for operation in ("follow_order", "pay_by_promptpay", "picture_of_promptpay")),
    *(_link(operation, _ORDER) for operation in ("pay_by_card", "cancel_my_order", "say_where_to")),
)
