# An image of edgegate, compiled: docs/container.md says how it is run.
#
#   docker build -t edgegate .
#
# Any Debian with Python 3.10 or later may be the base, where another registry or another Python is wanted.
ARG BASE=docker.io/library/python:3.13-slim-bookworm

FROM ${BASE} AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev python3-dev python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Not empty: as it is, without the minutes that compiling takes, and slower.
ARG EDGEGATE_PURE=
RUN python3 -m venv /opt/edgegate \
 && /opt/edgegate/bin/python -m pip install --no-cache-dir --disable-pip-version-check . \
 && /opt/edgegate/bin/edgegate --version \
 && { test -n "$EDGEGATE_PURE" || /opt/edgegate/bin/edgegate --version | grep -q compiled; }
# What only an installation needs goes; what is written at a first start is written now, since nothing may be later.
RUN /opt/edgegate/bin/python -m pip uninstall --yes --quiet pip setuptools || true \
 && /opt/edgegate/bin/python -m compileall -q /opt/edgegate/lib \
 && /opt/edgegate/bin/twistd --help > /dev/null

FROM ${BASE}
COPY --from=build /opt/edgegate /opt/edgegate
ENV PATH=/opt/edgegate/bin:$PATH PYTHONDONTWRITEBYTECODE=1
WORKDIR /etc/edgegate
USER 65532:65532
EXPOSE 80 443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:15000/ready', timeout=4)"]
ENTRYPOINT ["twistd", "--nodaemon", "--pidfile=", "edgegate", "--config=/etc/edgegate"]
