#!/bin/sh
# Deblurs a video with nothing but curl (7.83 or newer): deblur.sh IN OUT [OPTION=VALUE ...]
# CDVD_URL and CDVD_KEY name the service and the key. Ends with 0, or with 1 and the service's reason; OUT is then not touched.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 IN OUT [OPTION=VALUE ...]" >&2; exit 2; }
in=$1 out=$2
shift 2
[ -r "$in" ] || { echo "$0: $in cannot be read" >&2; exit 2; }
: "${CDVD_URL:=http://127.0.0.1:8080}"

work=$(mktemp -d)
trap 'rm -rf "$work"; rm -f "$out.part"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# In a file, since the arguments of a command can be read by everybody on the machine.
printf '%s' "${CDVD_KEY:+Authorization: Bearer $CDVD_KEY}" >"$work/key"

# Asks with a few tries where the service is away or busy. Leaves headers and body; ends the script with what was refused.
ask() {
  if ! curl -sS --fail-with-body --retry 5 --retry-connrefused --retry-max-time 120 -H "@$work/key" \
    -D "$work/head" -o "$work/body" "$@"; then
    [ ! -s "$work/body" ] || { cat "$work/body"; echo; } >&2
    exit 1
  fi
}
header() { tr -d '\r' <"$work/head" | awk -v name="$1:" 'tolower($1) == name { print $2 }' | tail -n 1; }
status() { grep -o '"status":"[a-z]*"' "$work/body" | head -n 1 | cut -d '"' -f 4; }

name=$(printf '%s' "$in" | sed 's/[\\"]/\\&/g') # as curl wants it between quotes
for option; do
  set -- "$@" --form-string "$option"
  shift
done
# The key makes one job of a submission that is sent twice because its answer was lost.
ask -H "Idempotency-Key: $(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" "$@" -F "video=@\"$name\"" "$CDVD_URL/jobs"
job=$CDVD_URL$(header location)
echo "$job" >&2

while :; do
  ask "$job"
  case $(status) in
    queued | running) sleep "$(header retry-after)" ;;
    succeeded) break ;;
    *) cat "$work/body" >&2; exit 1 ;;
  esac
done

curl -sSL --fail --retry 5 --retry-connrefused -H "@$work/key" -o "$out.part" "$job/result"
mv "$out.part" "$out"
