#!/usr/bin/env bash
# Pins what the images install, with hashes, for every platform: `make lock`. Needs uv.
set -euo pipefail
cd "$(dirname "$0")/.."
constraints=$(mktemp)
trap 'rm -f "$constraints"' EXIT
compile() { uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate "$@"; }
compile pyproject.toml --all-extras --no-emit-package torch -o "$constraints" >/dev/null
pin() { # target source...
  compile --generate-hashes --constraints "$constraints" "${@:2}" -o "$1.txt" >/dev/null
}
cd docker/requirements
for image in build gateway export torch triton-cpu; do pin "$image" "$image.in"; done
for image in worker all-in-one; do
  pin "$image" "$image.in" runtime-cpu.in
  pin "$image-gpu" "$image.in" runtime-gpu.in
done
