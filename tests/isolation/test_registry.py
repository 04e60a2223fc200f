"""Every route says whose it is."""

from app.main import create_app
from tests.isolation.registry import WHOSE
from tests.isolation.routes import routes_of


def test_every_route_says_whose_it_is() -> None:
    missing = [route for route in routes_of(create_app()) if route not in WHOSE]
    assert not missing, "say in tests/isolation/registry.py (WHOSE) who gets in:\n" + "\n".join(
        f'    "{route}": …,' for route in missing
    )


def test_the_registry_names_no_route_that_is_gone() -> None:
    assert sorted(WHOSE.keys() - set(routes_of(create_app()))) == []


def test_the_table_is_the_applications_own() -> None:
    routes = routes_of(create_app())
    assert "GET /desk/groups/{slug}/orders/{number}" in routes
    assert len(routes) > 130
