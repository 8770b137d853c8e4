# One image for every process of ours; the command names which: deptbus run correlate, deptbus setup, ...
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app
WORKDIR /app

# What changes least comes first: a change of ours leaves the installed dependencies as they are.
COPY requirements.lock ./
RUN python3 -m pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock \
    && useradd --uid 10001 --create-home deptbus \
    && printf '#!/bin/sh\nexec python3 -m deptbus "$@"\n' >/usr/local/bin/deptbus \
    && chmod 755 /usr/local/bin/deptbus \
    && install -d -o deptbus /tmp/run /tmp/run/dashboard

COPY schemas schemas
COPY topics topics
COPY services services
COPY deptbus deptbus
RUN python3 -m compileall -q deptbus services

USER deptbus
ENTRYPOINT ["deptbus"]
CMD ["--help"]
