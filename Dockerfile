FROM python:3.13-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
WORKDIR /build
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock .
# Nothing gets in whose hash the lock file does not hold; flit_core, which builds the package, is in it too.
RUN --mount=type=cache,target=/var/cache/pip \
    pip --cache-dir /var/cache/pip --python /opt/venv/bin/python \
    install --no-compile --require-hashes -r requirements.lock
# What wheels hold for debuggers is half of their machine code.
RUN find /opt/venv -name '*.so*' -exec strip --strip-debug {} +
COPY pyproject.toml LICENSE ./
COPY src src
RUN pip --python /opt/venv/bin/python install --no-compile --no-deps --no-build-isolation --no-index .

FROM python:3.13-slim AS root
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app
# No pip, no IDLE, no headers, no translations, no character sets but Python's own.
RUN pip uninstall --yes --root-user-action=ignore pip \
    && rm -rf /usr/local/lib/python3.13/ensurepip /usr/local/lib/python3.13/idlelib /usr/local/include \
        /usr/share/locale /usr/lib/*/gconv
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY alembic.ini ./
COPY migrations migrations
ENV PATH=/opt/venv/bin:$PATH
# Loads all that the service loads, with its extras, once: to see that it can be, and to keep the byte code of that and
# of nothing else, the standard library included. Without it, a start would take three times as long.
RUN python -c "import alembic.config, prometheus_client.multiprocess, todo_api.cli.check, todo_api.cli.serve" \
    && RATE_LIMIT_REDIS_URL=redis://redis OTEL_EXPORTER_OTLP_ENDPOINT=http://collector todo-api openapi > /dev/null

# One layer of what is left: what the stages before have removed weighs nothing here.
FROM scratch
COPY --from=root / /
WORKDIR /app
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000
USER app
EXPOSE 8000
# By bash alone: to start a Python every ten seconds would cost more than the service does while it is idle.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["bash", "-c", "\
    exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /health/ready HTTP/1.0\\r\\n\\r\\n' >&3 \
    && read -r _ status _ <&3 && [ $status = 200 ]"]
CMD ["todo-api", "serve"]
