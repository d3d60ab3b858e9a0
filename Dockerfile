# Two images: `serving` (the default) and `training`. How to build them: deploy/README.md.

# Any base with Python 3.11 to 3.13 and its venv module will do; add "@sha256:..." to pin the bytes.
ARG BASE_IMAGE=docker.io/library/python:3.11.15-slim-bookworm
# Extras of saccade-server in the serving image, comma separated. "tensorflow" brings the reference
# engine, for artifacts without a compiled form, and makes the image five times as large; "mnn" brings
# the quicker one, for versions that `saccade-models quicken` has made.
ARG SERVER_EXTRAS=
# Anything: what each request runs is compiled, which takes minutes, and a C compiler, from the base
# image or from Debian. Over http2 small networks answer up to 1.24 times as much then.
ARG COMPILED=


# The target of every installation, /opt/saccade, has no pip: the one beside it fills it.
FROM ${BASE_IMAGE} AS builder
ARG BASE_PYTHON=python3
# pip's own settings; it ignores empty ones. This stage is not shipped, but its history keeps them:
# a password belongs into a pip.conf that is mounted while building.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
ARG PIP_CERT
# As ENV too: not every builder hands ARGs on to the stages that start from this one.
ENV PIP_INDEX_URL=${PIP_INDEX_URL} \
    PIP_EXTRA_INDEX_URL=${PIP_EXTRA_INDEX_URL} \
    PIP_FIND_LINKS=${PIP_FIND_LINKS} \
    PIP_CERT=${PIP_CERT} \
    PIP_CONSTRAINT=/build/constraints.txt \
    PIP_BUILD_CONSTRAINT=/build/constraints.txt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY constraints.txt ./
RUN ${BASE_PYTHON} -m venv pip \
    && pip/bin/python -m pip install --upgrade pip \
    && ${BASE_PYTHON} -m venv --without-pip /opt/saccade
# Only what the dependencies follow from: a change of the sources leaves the next layers alone.
COPY deploy/image/dependencies.py ./
COPY client/pyproject.toml client/
COPY server/pyproject.toml server/
COPY models/pyproject.toml models/


FROM builder AS serving-dependencies
ARG SERVER_EXTRAS
RUN pip/bin/python dependencies.py client "server${SERVER_EXTRAS:+[$SERVER_EXTRAS]}" > requirements.txt \
    && pip/bin/python -m pip --python /opt/saccade/bin/python install -r requirements.txt


# Into a folder of its own, so that the shipped image keeps the sources in a small layer.
FROM serving-dependencies AS serving-application
ARG SERVER_EXTRAS
ARG BASE_PYTHON=python3
ARG COMPILED
# Debian's own Python has its headers in a package.
RUN if [ -n "${COMPILED}" ] && ! command -v gcc; then \
        apt-get update \
        && apt-get install --yes --no-install-recommends gcc libc6-dev \
            $([ "$(command -v ${BASE_PYTHON})" != /usr/bin/python3 ] || echo python3-dev); \
    fi
COPY client client
COPY server server
RUN HATCH_BUILD_HOOK_ENABLE_MYPYC=${COMPILED:+1} \
    pip/bin/python -m pip --python /opt/saccade/bin/python install --prefix /application \
    ./client "./server${SERVER_EXTRAS:+[$SERVER_EXTRAS]}"


FROM builder AS training-dependencies
RUN pip/bin/python dependencies.py client server 'models[cpu]' > requirements.txt \
    && pip/bin/python -m pip --python /opt/saccade/bin/python install -r requirements.txt


FROM training-dependencies AS training-application
COPY client client
COPY server server
COPY models models
RUN pip/bin/python -m pip --python /opt/saccade/bin/python install --prefix /application \
    ./client ./server './models[cpu]'


# What both images share. Nothing belongs to the user: it reads, and writes to /tmp only, so the
# root may be read-only and any other uid will do as well.
FROM ${BASE_IMAGE} AS runtime
RUN groupadd --gid 10001 saccade \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin saccade \
    && mkdir /models
# HOME: libraries that keep a cache there must not fail for a uid without an entry in /etc/passwd.
ENV PATH=/opt/saccade/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
COPY LICENSE /licenses/saccade


FROM runtime AS training
COPY --from=training-dependencies /opt/saccade /opt/saccade
COPY --from=training-application /application /opt/saccade
# Numeric, so that Kubernetes can tell that it is not root.
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["saccade-models"]
CMD ["--help"]
# Last: they differ from build to build.
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="saccade-training" \
      org.opencontainers.image.description="Trains, evaluates and exports image classifiers" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"


FROM runtime AS serving
COPY --from=serving-dependencies /opt/saccade /opt/saccade
COPY --from=serving-application /application /opt/saccade
COPY deploy/image/healthcheck.py /opt/saccade/healthcheck.py
# Inside a container the loopback interface reaches nobody.
ENV SACCADE_HOST=0.0.0.0 \
    SACCADE_GRPC_PORT=8500 \
    SACCADE_HTTP_PORT=8501 \
    SACCADE_MODEL_REPOSITORY=/models
EXPOSE 8500 8501
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s --retries=3 \
    CMD ["/opt/saccade/bin/python", "-I", "/opt/saccade/healthcheck.py"]
ENTRYPOINT ["saccade-server", "serve"]
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="saccade-server" \
      org.opencontainers.image.description="gRPC image-classification server for SavedModels" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
