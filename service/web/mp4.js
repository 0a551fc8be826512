/** The time of every frame of an MP4 file, read from its index (the `moov` box) by ranges: not the whole file. */

import { range } from "./api.js";

const HEADER = 16; // bytes of the longest box header
const LARGEST_INDEX = 32 * 1024 * 1024;
const EMPTY_EDIT = -1;

/** Seconds, in order of presentation. Throws for what is no MP4 file with a video track. */
export async function readTimes(url, signal) {
  const index = await movieBox(url, signal);
  const track = children(index).find((box) => box.type === "trak" && handler(box) === "vide");
  return presentation(track, timescale(find(index, "mvhd")));
}

async function movieBox(url, signal) {
  for (let at = 0; ; ) {
    const head = box(await range(url, at, at + HEADER - 1, signal), 0);
    if (head.type === "moov") {
      if (head.size > LARGEST_INDEX) throw new RangeError("the index is too large");
      return box(await range(url, at, at + head.size - 1, signal), 0);
    }
    if (head.size < 8) throw new RangeError("no index");
    at += head.size;
  }
}

function box(view, at) {
  const type = String.fromCharCode(...[4, 5, 6, 7].map((offset) => view.getUint8(at + offset)));
  const short = view.getUint32(at);
  const long = short === 1;
  const size = long ? Number(view.getBigUint64(at + 8)) : short;
  return { type, size, view, begin: at + (long ? 16 : 8), end: at + size };
}

function children(parent) {
  const found = [];
  for (let at = parent.begin; at + 8 <= parent.end; at = found.at(-1).end) {
    const child = box(parent.view, at);
    if (child.size < 8) throw new RangeError("a box without a size");
    found.push(child);
  }
  return found;
}

/** The box at a path of types below `parent`; undefined where there is none. */
function find(parent, ...path) {
  return path.reduce((box, type) => box && children(box).find((child) => child.type === type), parent);
}

function handler(track) {
  const box = find(track, "mdia", "hdlr");
  return box && String.fromCharCode(...[8, 9, 10, 11].map((offset) => box.view.getUint8(box.begin + offset)));
}

/** Of mvhd and mdhd, which have 64-bit dates in version 1. */
function timescale(box) {
  return box.view.getUint32(box.begin + (box.view.getUint8(box.begin) === 1 ? 20 : 12));
}

function presentation(track, movieScale) {
  const scale = timescale(find(track, "mdia", "mdhd"));
  const samples = find(track, "mdia", "minf", "stbl");
  const steps = runs(find(samples, "stts"));
  const shifts = runs(find(samples, "ctts"));
  const { skipped, delay } = edit(find(track, "edts", "elst"), movieScale);
  let decoded = 0;
  const times = steps.map((step, sample) => {
    const shown = decoded + (shifts[sample] ?? 0) - skipped;
    decoded += step;
    return shown;
  });
  // What an edit list hides comes before zero.
  return times.filter((time) => time >= 0).sort((one, other) => one - other).map((time) => time / scale + delay);
}

/** A table of (count, value), spelled out: one value per sample. */
function runs(table) {
  const values = [];
  if (!table) return values;
  const count = table.view.getUint32(table.begin + 4);
  for (let entry = 0; entry < count; entry += 1) {
    const at = table.begin + 8 + 8 * entry;
    const value = table.view.getInt32(at + 4);
    for (let left = table.view.getUint32(at); left > 0; left -= 1) values.push(value);
  }
  return values;
}

/** Ticks of the track that are not shown, and seconds before its first frame. */
function edit(list, movieScale) {
  let delay = 0;
  if (!list) return { skipped: 0, delay };
  const wide = list.view.getUint8(list.begin) === 1;
  const count = list.view.getUint32(list.begin + 4);
  for (let entry = 0; entry < count; entry += 1) {
    const at = list.begin + 8 + (wide ? 20 : 12) * entry;
    const length = wide ? Number(list.view.getBigUint64(at)) : list.view.getUint32(at);
    const start = wide ? Number(list.view.getBigInt64(at + 8)) : list.view.getInt32(at + 4);
    if (start !== EMPTY_EDIT) return { skipped: start, delay };
    delay += length / movieScale;
  }
  return { skipped: 0, delay };
}
