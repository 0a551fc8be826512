#!/usr/bin/env bash
# Pins what the images install, with hashes, for every platform: `make lock`. Needs uv.
set -euo pipefail
cd "$(dirname "$0")/.."
constraints=$(mktemp)
trap 'rm -f "$constraints"' EXIT
compile() { uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate "$@"; }
compile pyproject.toml --all-extras --no-emit-package torch -o "$constraints" >/dev/null
for image in build gateway worker all-in-one export triton-cpu; do
  compile --generate-hashes --constraints "$constraints" "docker/requirements/$image.in" \
    -o "docker/requirements/$image.txt" >/dev/null
done
