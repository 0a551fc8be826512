#!/bin/sh
# Deblurs the part of a video from START to END (seconds) and puts it back: deblur_part.sh IN START END OUT
# Sound and subtitles are copied. For constant frame rates; the whole picture is coded once more, at a high quality.
# FFMPEG and CDVD name other commands than `ffmpeg` and `cdvd`; CDVD_URL has a running service do the work.
set -eu
[ $# -eq 4 ] || { echo "usage: $0 IN START END OUT" >&2; exit 2; }
in=$1 start=$2 end=$3 out=$4
ffmpeg() { command "${FFMPEG:-ffmpeg}" -nostdin -hide_banner -loglevel error -y "$@"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# 1. Cut: the frames from START on that come before END, without loss.
ffmpeg -i "$in" -map 0:v:0 -vf "trim=start=$start:end=$end,setpts=PTS-STARTPTS" -c:v ffv1 "$work/part.mkv"

# 2. Deblur, again without loss. The part alone is sent, so that nothing before and after it takes time.
"${CDVD:-cdvd}" deblur "$work/part.mkv" -o "$work/sharp.mkv" --codec ffv1

# 3. Put it back between what comes before and after. The same bounds in all trims: each frame is in exactly one of them.
ffmpeg -i "$in" -i "$work/sharp.mkv" -filter_complex "
  [0:v:0] split [one][two];
  [one] trim=end=$start, setpts=PTS-STARTPTS [before];
  [two] trim=start=$end, setpts=PTS-STARTPTS [after];
  [1:v:0] setpts=PTS-STARTPTS [part];
  [before][part][after] concat=n=3 [whole]" \
  -map '[whole]' -map '0:a?' -map '0:s?' -c copy -c:v libx264 -crf 16 -preset medium "$out"
