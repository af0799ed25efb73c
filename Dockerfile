FROM python:3.13-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
WORKDIR /build
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock .
# pip refuses files whose hash is not in the lock file; flit_core, which builds the package, is in it too.
RUN --mount=type=cache,target=/var/cache/pip \
    pip --cache-dir /var/cache/pip --python /opt/venv/bin/python \
    install --no-compile --require-hashes -r requirements.lock
# Debug symbols are half the size of the shared libraries.
RUN find /opt/venv -name '*.so*' -exec strip --strip-debug {} +
COPY pyproject.toml LICENSE ./
COPY src src
RUN pip --python /opt/venv/bin/python install --no-compile --no-deps --no-build-isolation --no-index .

FROM python:3.13-slim AS root
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app
# Without pip, IDLE, headers, translations, and character sets other than Python's own.
RUN pip uninstall --yes --root-user-action=ignore pip \
    && rm -rf /usr/local/lib/python3.13/ensurepip /usr/local/lib/python3.13/idlelib /usr/local/include \
        /usr/share/locale /usr/lib/*/gconv
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY alembic.ini ./
COPY migrations migrations
ENV PATH=/opt/venv/bin:$PATH
# Import everything that the service imports, with its extras, once: this checks the imports, and keeps the byte code of
# only these modules, including the standard library. Without byte code, a start takes three times as long.
RUN python -c "import alembic.config, prometheus_client.multiprocess, todo_api.cli.check, todo_api.cli.serve" \
    && RATE_LIMIT_REDIS_URL=redis://redis OTEL_EXPORTER_OTLP_ENDPOINT=http://collector todo-api openapi > /dev/null

# One layer: files that earlier stages have removed take no space.
FROM scratch
COPY --from=root / /
WORKDIR /app
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000
USER app
EXPOSE 8000
# With bash, because starting Python every ten seconds would cost more than the idle service.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["bash", "-c", "\
    exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /health/ready HTTP/1.0\\r\\n\\r\\n' >&3 \
    && read -r _ status _ <&3 && [ $status = 200 ]"]
CMD ["todo-api", "serve"]
