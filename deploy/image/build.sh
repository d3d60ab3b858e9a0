#!/usr/bin/env bash
# Builds an image from the Dockerfile, by docker if a daemon answers, else by buildah.
#
#   deploy/image/build.sh NAME [OPTION...]
#
# The options go to the builder as they are: --target training, --build-arg ..., --volume ...
# Build arguments of the Dockerfile that are set in the environment are passed on (see below).
set -euo pipefail

if [[ $# -lt 1 || $1 == -* ]]; then
    echo "usage: $0 NAME [OPTION of docker build or buildah build...]" >&2
    exit 2
fi
name=$1
shift
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

arguments=(--file Dockerfile --tag "$name")
# PIP_CERT and PIP_FIND_LINKS are not here: they name files of this machine, which the build does
# not see unless an option mounts them.
for variable in BASE_IMAGE BASE_PYTHON SERVER_EXTRAS COMPILED PIP_INDEX_URL PIP_EXTRA_INDEX_URL; do
    if [[ -v $variable ]]; then
        arguments+=(--build-arg "$variable=${!variable}")
    fi
done

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' server/pyproject.toml)
arguments+=(--build-arg "VERSION=$version")
if git rev-parse --git-dir >/dev/null 2>&1; then
    revision=$(git rev-parse HEAD)
    [[ -z $(git --no-optional-locks status --porcelain) ]] || revision+=-dirty
    arguments+=(--build-arg "REVISION=$revision" --build-arg "CREATED=$(git log -1 --format=%cI)")
fi

if docker info >/dev/null 2>&1; then
    exec docker build "${arguments[@]}" "$@" .
elif command -v buildah >/dev/null; then
    # The OCI format has no HEALTHCHECK; without layers nothing would be cached.
    exec buildah build --format docker --layers "${arguments[@]}" "$@" .
fi
echo "$0: neither a docker daemon nor buildah found" >&2
exit 1
