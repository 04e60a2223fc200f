"""The description of a real installation: valid, complete, without a password, and the same steps as `make run`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.language import ROOT
from app.main import page_routes
from app.settings import Settings

COMPOSE = ROOT / "docker-compose.yml"
OURS = ("web1", "web2", "worker", "migrate", "backup")
#: What an installation of containers does without: the demo, and servers that only pretend.
NOT_INSTALLED = {"MARKET_DEMO", "STRIPE_API_BASE", "STRIPE_STANDIN", "WEBHOOKS_LOCAL"}
#: Read by the file store's library (README of app.files), not by us.
FOR_S3 = {"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return loaded


def ran(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, env=os.environ | variables, cwd=ROOT
    )


def test_it_follows_the_compose_specification() -> None:
    checked = ran(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)
    assert checked.returncode == 0, checked.stdout


def test_the_checker_does_find_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "wrong.yml").write_text("services: {web: {image: x, helthcheck: {}}}")
    assert ran(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", tmp_path / "wrong.yml").returncode


@pytest.mark.parametrize("service", OURS)
def test_it_sets_what_the_market_reads_and_nothing_else(compose: dict[str, Any], service: str) -> None:
    known = {name.upper() for name in Settings.model_fields}
    assert set(compose["services"][service]["environment"]) == (known - NOT_INSTALLED) | FOR_S3


def test_what_is_set_is_well_formed(compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in compose["services"]["worker"]["environment"].items():
        given = {"SMTP_URL": "smtp://market:x@mail.example:587"}.get(name) or re.sub(
            r"\$\{\w+:([-?])([^}]*)\}", lambda found: found[2] if found[1] == "-" else "a" * 32, value
        )
        monkeypatch.setenv(name, given)
    settings = Settings()
    assert (settings.worker_port, settings.port, settings.is_https) == (8000, 8000, True)
    assert settings.trusted_proxies == ("172.28.7.2/32",)


def test_no_password_has_a_default(compose: dict[str, Any]) -> None:
    text = COMPOSE.read_text()
    secret = re.compile(r"\$\{(\w*(?:PASSWORD|SECRET_KEY|TOKEN|ACCESS_KEY|S3_SECRET_KEY)):?([-?]?)([^}]*)\}")
    defaults = {name: value for name, how, value in secret.findall(text) if how == "-" and value}
    required = {name for name, how, _ in secret.findall(text) if how == "?"}
    assert defaults == {}
    assert required == {"POSTGRES_PASSWORD", "SECRET_KEY", "S3_ACCESS_KEY", "S3_SECRET_KEY", "METRICS_TOKEN"}


def test_the_example_names_everything_that_must_be_set() -> None:
    required = set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))
    example = (ROOT / "docs/operating/env.example").read_text()
    offered = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    assert required <= set(offered)
    assert set(offered.values()) == {""}


def test_every_service_is_bounded_and_watched(compose: dict[str, Any]) -> None:
    one_shot = {name for name, service in compose["services"].items() if service["restart"] == "no"}
    assert one_shot == {"migrate", "bucket", "backup"}
    for name, service in compose["services"].items():
        assert service["logging"]["options"]["max-size"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        from_image = service.get("command", [""])[:2] in (["market", "web"], ["market", "worker"])
        assert name in one_shot or from_image or service["healthcheck"]["test"], name
        assert name in one_shot or service["stop_grace_period"], name


def test_only_the_proxy_can_be_reached_from_outside(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if service.get("ports")] == ["proxy"]
    assert compose["networks"]["back"]["internal"] is True
    for name in ("database", "files", "search"):
        assert compose["services"][name]["networks"] == ["back"]


def test_what_is_waited_for_exists_and_can_be_healthy(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            is_one_shot = services[name]["restart"] == "no"
            assert how["condition"] == ("service_completed_successfully" if is_one_shot else "service_healthy")


def test_whoever_asks_for_health_asks_where_something_answers(compose: dict[str, Any]) -> None:
    asked = set(re.findall(r"/\w+z\b", (ROOT / "Dockerfile").read_text() + caddyfile()))
    assert asked == {"/healthz", "/readyz"}
    assert asked <= {path for _, path in page_routes()}
    assert compose["services"]["proxy"]["environment"]["MARKET_WEB"].split() == ["web1:8000", "web2:8000"]


def test_the_proxy_understands_its_configuration() -> None:
    checked = ran(
        *(BIN / "caddyserver", "adapt", "--config", ROOT / "docs/operating/Caddyfile", "--adapter", "caddyfile"),
        MARKET_HOST="market.example",
        ACME_EMAIL="a@market.example",
        MARKET_WEB="web1:8000 web2:8000",
    )
    assert checked.returncode == 0, checked.stderr
    told = json.dumps(json.loads(checked.stdout))
    assert all(part in told for part in ("web1:8000", "web2:8000", "/readyz", "market.example"))


def test_the_proxy_hides_what_only_machines_ask() -> None:
    assert "@machines path /healthz /readyz /metrics\n\trespond @machines 404" in caddyfile()


def test_the_image_is_made_by_the_steps_of_make_run() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\nrun:")[2].partition("\n\n")[0]
    (getting,) = re.findall(r'"\$\$uv" (sync .*)', recipe)
    image = (ROOT / "Dockerfile").read_text()
    assert f'uv=$(python3 .ci/find_uv.py) && "$uv" {getting}' in image
    assert "market run" in recipe
    assert {'CMD ["market", "web"]', "USER 10001"} <= set(image.splitlines())


def test_the_image_holds_every_room_and_no_secret() -> None:
    image, ignored = ((ROOT / name).read_text() for name in ("Dockerfile", ".dockerignore"))
    packages = json.loads(re.findall(r"^packages = (\[.*\])$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0])
    assert all(f"COPY {room} {room}\n" in image for room in packages)
    assert {line[1:] for line in ignored.splitlines() if line.startswith("!")} >= set(packages) | {"uv.lock"}
    assert ignored.startswith("*\n")
    assert "SECRET" not in image


def test_the_image_follows_good_practice() -> None:
    checked = ran(BIN / "hadolint", "--no-color", ROOT / "Dockerfile")
    assert checked.returncode == 0, checked.stdout


def caddyfile() -> str:
    return (ROOT / "docs/operating/Caddyfile").read_text()
