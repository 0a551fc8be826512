"""Wording of messages to users, and the sentences of findings.

These have names, and places for values, so that a page can say the same in another language. One with a plural is a
pair, for a ``count`` of one and for others. A value that is itself the name of a part, such as ``part.sound``, stands
for the text of that part with the same values.
"""

from __future__ import annotations

from collections.abc import Mapping

Value = str | int | float
_PART = "part."
_PART_PLACES = frozenset({"title", "what", "reason", "how", "ended"})
"""Only these places of a sentence may hold the name of a part: in others there may be words of a stranger's file."""
MOST_CHARACTERS = 300
"""Of one value: a file may hold megabytes of names, which would go into every description of its job."""

PHRASES: dict[str, str | tuple[str, str]] = {
    # Frames and their times
    "frames_kept": ("{count} frame, as many as in the source.", "{count} frames, as many as in the source."),
    "times_exact": "Each frame appears exactly at its time.",
    "times_within": "Each frame appears within {milliseconds:.3g} ms at its time.",
    "duplicates_dropped": (
        "{count} frame with another frame's time left out.",
        "{count} frames with another frame's time left out.",
    ),
    "clock_begins_late": "The clock of the file begins at {seconds:.3f} s, that of the result at zero.",
    "clock_breaks": "The clock of the file breaks; what follows begins where {ended} ended.",
    "clock_breaks_standing": "The clock of the file breaks; what follows begins where {ended} ended, and until then "
    "the picture stands for {seconds:.2f} s.",
    "clock_breaks_standing_most": "The clock of the file breaks; what follows begins where {ended} ended, and until "
    "then the picture stands for up to {seconds:.2f} s.",
    "sound_steps_back": "The clock of the sound steps back; the sound goes on without a gap.",
    "part.picture": "the picture has",
    "part.picture_and_sound": "picture and sound have",
    # Damage
    "truncated": "The file is truncated: its last {seconds:.3f} s are missing.",
    "frame_held": "A frame does not decode; its neighbor's picture is shown in its place.",
    "frame_concealed": "A frame decodes with errors, which the decoder concealed.",
    "sound_damaged": (
        "Damaged sound is left out: {count} packet.",
        "Damaged sound is left out: {count} packets.",
    ),
    "sound_silent": (
        "{count} packet of stream {number} do not decode; there it is silent.",
        "{count} packets of stream {number} do not decode; there it is silent.",
    ),
    "samples_differ": "Samples of stream {number} are not the same after they were stored as {codec}.",
    "packets_differ": "Packets of copied {what} ({codec}) are not the same.",
    # Fields
    "deinterlaced": "Interlaced frames are deinterlaced, by bwdif and each frame's own flag.",
    "fields_kept": "Interlaced frames keep both fields, each restored by itself; the result does not mark them.",
    "taken_as_progressive": "Interlaced frames are taken for progressive ones, as was asked for.",
    "pulldown": "The video is film in 3:2 pulldown: two of five frames consist of two film frames. They are "
    "deinterlaced like the others, and all frames stay.",
    "pulldown_by_flags": "The video is film in 3:2 pulldown by flags: its frames are shown in turns for two and for "
    "three fields.",
    # Pictures
    "depth_reduced": "{given} bits per sample are reduced to the {taken} that {codec} has here.",
    "depth_kept": "{given} bits per sample are kept: what the network changes is added to them.",
    "chroma_kept": "Chroma is kept at {given}.",
    "chroma_reduced": "Chroma is reduced from {given} to the {taken} of {codec}.",
    "alpha_kept": "Transparency is kept as it is.",
    "alpha_dropped": "Transparency is dropped: {codec} in {container} has none.",
    "rgb_kept": "Pictures coded in RGB stay so.",
    "rgb_converted": "Pictures coded in RGB become Y'CbCr of BT.709 in {codec}.",
    "matrix_converted": "The matrix YCgCo, which {codec} cannot name, becomes BT.709.",
    "color_kept": "Primaries, transfer, matrix and range are kept.",
    "hdr10_kept": "The mastering display and the light levels of HDR10 are kept.",
    "hdr10_dropped": "The mastering display and the light levels of HDR10 are left out: {codec} has no place for them "
    "here.",
    "hdr10_plus_dropped": "The dynamic metadata of HDR10+ is left out; HDR10 remains.",
    "dolby_vision_dropped": "Dolby Vision of profile {profile} is left out; its base, {base}, is restored.",
    "size_made_even": "{given} becomes {made} by repeating the edge: {codec} that plays everywhere has even sizes.",
    "pixel_shape_kept": "The shape of pixels, {shape}, is kept.",
    "pixel_shape_changes": "The shape of pixels changes; the result keeps that of the first frame.",
    "captions_kept": "Captions within the pictures (CEA-608/708) are carried over.",
    "captions_dropped": "Captions within the pictures (CEA-608/708) are left out: only {codecs} carry them here.",
    "shown_copied": "The {what} is copied.",
    "shown_dropped": "The {what} is left out: {container} cannot be given it here.",
    "part.crop": "clean aperture",
    "part.spherical": "360-degree projection",
    "part.stereo": "stereo packing",
    # Streams
    "stream_copied": "{title} is copied, packet by packet.",
    "stream_dropped": "{title} is left out: {reason}.",
    "sound_copied_assumed": "{title} is copied, packet by packet, its channels taken as {layout}.",
    "sound_stored": "{title} is stored as {stored}, {how}: {reason}.",
    "sound_stored_assumed": "{title} is stored as {stored}, {how}, its channels taken as {layout}: {reason}.",
    "sound_unwanted": "{title} is left out, as was asked for.",
    "subtitles_copied": "{title} are copied, packet by packet.",
    "subtitles_as_text": "{title} are stored as plain text ({stored}), without styles.",
    "subtitles_dropped": "{title} are left out: {reason}.",
    "attachment_copied": "{title} is copied.",
    "cover_copied": "The cover picture is copied.",
    "tags_dropped": "{title} loses tags that {container} has no place for: {tags}.",
    "timecode_kept": "The timecode {timecode} is kept.",
    "chapter_track_kept": "The track that names the chapters is kept as chapters.",
    "part.sound": "Sound of stream {number} ({details})",
    "part.subtitles": "Subtitles of stream {number} ({details})",
    "part.video": "Video of stream {number} ({details})",
    "part.data": "Data of stream {number} ({details})",
    "part.attachment": "Attachment of stream {number} ({details})",
    "part.stream": "Stream of stream {number} ({details})",
    "part.cover": "The cover picture of stream {number}",
    "part.of_sound": "sound",
    "part.of_subtitles": "subtitles",
    "part.of_video": "video",
    "part.of_data": "data",
    "part.exact": "sample by sample the same",
    "part.coded": "coded anew",
    "part.rounded": "rounded to 24 bits",
    "part.asked": "sound=compatible asks for it",
    "part.unplayed": "players of {container} do not know {codec}",
    "part.untaken": "{container} does not take {codec}",
    "part.refused": "{container} does not take it",
    # The file
    "metadata_kept": (
        "{count} entry of metadata kept: {names}.",
        "{count} entries of metadata kept: {names}.",
    ),
    "chapters_kept": ("{count} chapter kept.", "{count} chapters kept."),
    "programs_dropped": "{container} has no programs: which streams belong together is lost (streams of each: "
    "{streams}).",
}


def written(name: str, values: Mapping[str, Value]) -> str:
    """Returns the English text of a phrase."""
    text = PHRASES[name]
    if not isinstance(text, str):
        text = text[values["count"] != 1]
    return text.format(**{key: _part(key, value, values) for key, value in values.items()})


def _part(place: str, value: Value, values: Mapping[str, Value]) -> Value:
    """Returns the text of a part where the value is the name of one."""
    named = place in _PART_PLACES and isinstance(value, str) and value.startswith(_PART)
    text = PHRASES.get(str(value)) if named else None
    return text.format(**values) if isinstance(text, str) else value


def presentable(text: str, most: int = MOST_CHARACTERS) -> str:
    """Makes words of a stranger fit for a sentence: without control characters, and ``most`` long with its "..."."""
    shown = "".join(one if one.isprintable() else " " for one in text[: most + 1])
    return shown if len(shown) <= most else f"{shown[: most - 3].rstrip()}..."


def plural(count: int, noun: str, several: str | None = None) -> str:
    """Returns a count with its noun: ``plural(1, "frame")`` is "1 frame", ``plural(2, "frame")`` is "2 frames".

    ``several`` is the plural of a noun that does not form it with an s, such as "entries".
    """
    return f"{count} {noun if count == 1 else several or noun + 's'}"
