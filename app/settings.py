"""What can be set from outside, in one place, read once from the environment and checked at start."""

from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class WrongSetting(SystemExit):
    """The process ends at start with a line per variable that is missing or malformed."""


def _postgres_url(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme not in {"postgres", "postgresql", "postgresql+asyncpg"} or not rest:
        raise ValueError("should look like postgresql://user:password@host:5432/market")
    return f"postgresql+asyncpg://{rest}"


def _files_url(url: str) -> str:
    if not url.startswith("s3://"):
        raise ValueError("should look like s3://bucket/prefix (leave it out for local files)")
    return url


def _smtp_url(url: str) -> str:
    if not url.startswith(("smtp://", "smtps://")):
        raise ValueError("should look like smtp://user:password@host:587")
    return url


def _with_its_key(secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    if (secret is None) != (info.data.get("stripe_secret_key") is None):
        raise ValueError("STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET belong together: set both, or neither")
    return secret


def _networks(given: str | tuple[str, ...]) -> tuple[str, ...]:
    parts = given.split(",") if isinstance(given, str) else given
    return tuple(str(ip_network(part.strip(), strict=False)) for part in parts if part.strip())


class Settings(BaseSettings):
    """Every variable has the field's name in capitals; README's table says the same in prose."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True)

    market_home: Path = Path("var")
    """Folder of the embedded database, local files and the generated secret."""
    database_url: Annotated[str, AfterValidator(_postgres_url)] | None = None
    """A PostgreSQL server; without it the embedded one under `market_home` is used."""
    database_pool: int = Field(default=10, ge=1, le=200)
    """Connections a process may hold."""
    host: str = "127.0.0.1"
    """The network address to listen at; 0.0.0.0 is every one this machine has."""
    port: int = Field(default=8000, ge=1, le=65535)
    """Where web answers."""
    web_processes: int = Field(default=2, ge=1, le=64)
    """Processes that serve pages; one for each processor core."""
    public_url: AnyHttpUrl | None = None
    """Address people use, for links in mails, canonical URLs and cookies' security."""
    secret_key: SecretStr | None = None
    """Signs links; made once under `market_home` when not given.  Give it when web runs on several machines."""
    market_demo: bool | None = None
    """Seed the demo market into an empty database: by default only into the embedded one."""
    promptpay_id: str | None = None
    """The market's own PromptPay id (phone, 13-digit tax id or e-wallet)."""
    promptpay_name: str = "ตลาดนัดองค์กรชุมชน"
    """Account name that the buyer's bank app will show."""
    stripe_secret_key: SecretStr | None = None
    """Opens payments by card and PromptPay on Stripe's pages, together with the next one."""
    stripe_webhook_secret: Annotated[SecretStr | None, AfterValidator(_with_its_key)] = Field(
        default=None, validate_default=True
    )
    """Stripe signs its events with it; the address to give them to is /webhooks/stripe."""
    stripe_api_base: AnyHttpUrl | None = None
    """Another server that answers as Stripe does; only for trying out."""
    stripe_standin: bool = False
    """`market run` starts such a server itself and sets the three above."""
    hold_minutes: int = Field(default=60, ge=5, le=7 * 24 * 60)
    """How long a placed, unpaid order holds its goods."""
    carrier_links: dict[str, str] = {}
    """Where parcels are followed, as JSON: carrier's name → address with {number}; adds to or replaces the known ones."""
    files_url: Annotated[str, AfterValidator(_files_url)] | None = None
    """s3://bucket/prefix for pictures and slips; without it they are under `market_home`."""
    smtp_url: Annotated[str, AfterValidator(_smtp_url)] | None = None
    """smtp://user:password@host:587; without it notices are kept for staff to read, and nothing is sent."""
    mail_from: str = "no-reply@localhost"
    """Who the notices come from."""
    webhooks_local: bool = False
    """Webhooks may go to this machine itself, without encryption: only for writing programs."""
    page_memory_seconds: float = Field(default=0.8, ge=0, le=1)
    """How long an anonymous page may be remembered by a web process; one second is the promise to shoppers."""
    api_reads_a_minute: int = Field(default=1200, ge=1)
    """Reads of the API that one caller may make of one web process within a minute."""
    api_changes_a_minute: int = Field(default=240, ge=1)
    """Changing calls of the API that one caller may make within a minute, over all processes."""
    counts_memory_seconds: float = Field(default=10, ge=0, le=300)
    """How long a web process remembers how many listings each choice would give; the listings themselves are not kept."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least important lines to write; WARNING leaves out one line per request."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """JSON lines for machines, text for people; auto: text when somebody sits at the terminal."""
    slow_request_ms: int = Field(default=1000, ge=1)
    """A request that takes longer is written as a warning."""
    slow_statement_ms: int = Field(default=300, ge=1)
    """An SQL statement that takes longer is written as a warning, without its values."""
    metrics_token: SecretStr | None = Field(default=None, min_length=16)
    """Who may read /metrics says `Authorization: Bearer …`; without a token only this machine itself may."""
    worker_port: int | None = Field(default=None, ge=1, le=65535)
    """Where a worker that runs apart answers /healthz, /readyz and /metrics; without it, it does not listen."""
    trusted_proxies: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_networks)] = ()
    """Addresses and networks of proxies, with commas between, whose word about the reader's address we take."""

    @property
    def address(self) -> str:
        """The market's address without a trailing slash."""
        return str(self.public_url).rstrip("/") if self.public_url else f"http://localhost:{self.port}"

    @property
    def payment_page_origin(self) -> str | None:
        """Where buyers are sent to pay: "https://checkout.stripe.com"; None while there is no such place."""
        if self.stripe_secret_key is None:
            return None
        base = str(self.stripe_api_base).rstrip("/") if self.stripe_api_base else None
        return base or "https://checkout.stripe.com"

    @property
    def is_https(self) -> bool:
        return self.address.startswith("https://")


def table() -> str:
    """All settings for docs/operating.md, as Markdown."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "–" if field.default in (None, (), {}) else f"`{field.default}`"
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        rows.append(f"| `{name.upper()}` | {default} | {meaning} |")
    return "\n".join(rows) + "\n"


@cache
def settings() -> Settings:
    """Return the settings; end the process with a message that names the variable when one is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        lines = (f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise WrongSetting("Wrong setting\n" + "\n".join(f"  {line}" for line in lines)) from None


if __name__ == "__main__":
    page = Path("docs/operating.md")
    before, begin, rest = page.read_text().partition("from app/settings.py -->\n")
    page.write_text(before + begin + table() + rest[rest.index("<!-- end of settings -->") :])
