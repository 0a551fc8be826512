#!/usr/bin/env bash
# Makes the secrets that are missing, in the directory `secrets` beside docker-compose.yml; keeps those that are there.
# Containers run as a user of their own and have to read the files, so these are readable; the directory is not.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p secrets
chmod 700 secrets
for name in redis_password s3_access_key_id s3_secret_access_key grafana_password; do
  [ -s "secrets/$name" ] && continue
  (umask 022; od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"secrets/$name")
  chmod 444 "secrets/$name"
  echo "made secrets/$name"
done
