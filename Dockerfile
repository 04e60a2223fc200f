# The market as an image: the steps of `make run`, once for building, and only what runs in the end.
# One image serves as web, worker, migrate and backup; docker-compose.yml says which is which.

FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/market
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
COPY .ci/find_uv.py .ci/find_uv.py
COPY pyproject.toml uv.lock README.md ./
# Libraries first: they change seldom, and this layer is kept as long as uv.lock stays the same.
RUN uv=$(python3 .ci/find_uv.py) && "$uv" sync --quiet --frozen --no-dev --inexact --no-install-project
COPY migrations migrations
COPY app app
COPY producers producers
COPY catalog catalog
COPY orders orders
COPY incubation_centers incubation_centers
RUN uv=$(python3 .ci/find_uv.py) && "$uv" sync --quiet --frozen --no-dev --inexact && rm -rf .tools .ci

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 market \
    && useradd --uid 10001 --gid market --no-create-home --home-dir /var/lib/market --shell /usr/sbin/nologin market \
    && install --directory --owner=market --group=market --mode=0700 /var/lib/market /backups
COPY --from=build /srv/market /srv/market
WORKDIR /srv/market
# Style sheets and scripts carry their fingerprint in the address (app.pages.static): nothing to build for them.
ENV PATH=/srv/market/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MARKET_HOME=/var/lib/market \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001
EXPOSE 8000
# Web listens at PORT; a worker does when WORKER_PORT says the same.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
CMD ["market", "web"]
