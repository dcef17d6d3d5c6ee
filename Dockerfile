# syntax=docker/dockerfile:1
# The image of worker, pages and commands: docker build --tag streamwatch .
# Runs as a user without rights, on a read-only root file system: only /data is written to.

FROM python:3.13-slim-bookworm AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# The locked versions, hashes checked; kept as long as the lock stays.
COPY requirements-runtime.lock ./
RUN pip wheel --quiet --require-hashes --requirement requirements-runtime.lock --wheel-dir /wheels
COPY pyproject.toml README.md LICENSE docker-compose.yml ./
COPY dev/pom.xml dev/
COPY docs/man docs/man
COPY docs/runbooks docs/runbooks
COPY src src
RUN pip wheel --quiet --no-deps --no-index --find-links /wheels --wheel-dir /dist . \
    && python -m venv /opt/streamwatch \
    && /opt/streamwatch/bin/pip install --quiet --no-index --find-links /wheels --find-links /dist \
        "streamwatch[avro,json-schema,openlineage,parquet,postgres,protobuf,telemetry,web]" \
    && /opt/streamwatch/bin/pip check \
    && /opt/streamwatch/bin/pip uninstall --quiet --yes pip

FROM python:3.13-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin streamwatch \
    && install --directory --owner 10001 --group 10001 /data
COPY --from=build /opt/streamwatch /opt/streamwatch
ENV PATH=/opt/streamwatch/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STREAMWATCH_METRICS_HOST=0.0.0.0 \
    STREAMWATCH_WEB_HOST=0.0.0.0
USER 10001:10001
# Settings, taps and the SQLite database, if there is one, lie here.
WORKDIR /data
VOLUME /data
EXPOSE 9464 8080
# A worker answers on its port of metrics; `streamwatch web` on its own (see docker-compose.yml).
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9464/-/healthy', timeout=4)"]
ENTRYPOINT ["streamwatch"]
CMD ["worker"]
