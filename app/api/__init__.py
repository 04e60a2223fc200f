"""The API: everything a shopper and a desk can do, for programs, under `/api/v1`.

The rooms' `api` modules hold the routes; here is what all of them share: who calls (`tokens`), how a no is told
(`problems`), what a repeated call gets (`idempotency`), how long lists are read (`paging`), how often one may call
(`rates`), what a route is (`route`) and the document that describes them all (`openapi`).

Cookies are never read here, so nothing that a browser sends by itself can act for anybody.
"""
