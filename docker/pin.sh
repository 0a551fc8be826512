#!/usr/bin/env bash
# Writes the digest behind the tag of every image from elsewhere, or renews it: `make pin`. Needs Docker with buildx, and
# the images' registries. The digest is that of the index of all platforms.
set -euo pipefail
cd "$(dirname "$0")/.."
files=(docker-compose.yml docker/compose.*.yml docker/*/Dockerfile docker/k8s/*/*.yaml)
images=$(grep -hoE '^ *(FROM|image:) +[^ @]+:[^ @]+' "${files[@]}" | awk '{print $NF}' | sort -u)
edits=$(mktemp)
trap 'rm -f "$edits"' EXIT
for image in $images; do
  digest=$(docker buildx imagetools inspect "$image" | awk '$1 == "Digest:" { print $2; exit }')
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "pin: no digest for $image: $digest" >&2; exit 1; }
  echo "s|((FROM\|image:) +$image)(@sha256:[0-9a-f]+)?( .*)?\$|\1@$digest\4|" >>"$edits"
  echo "$image $digest"
done
sed -i -E -f "$edits" "${files[@]}"
