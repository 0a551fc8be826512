/** Estimates how long a chosen video will take, from what the browser can read of the file. */

import { estimate } from "../lib/api.js";
import { spoken } from "../lib/format.js";

const USUAL_FPS = 30;
const FRAMES_TO_TIME = 8;
const PATIENCE_MS = 2500;

/** "About 3 minutes once it is sent", or "" where the browser or the service cannot tell. */
export async function estimateText(file, restoration) {
  try {
    const properties = await propertiesOf(file);
    if (!properties) return "";
    const expected = await estimate({ ...properties, bytes: file.size, ...restoration });
    if (expected.seconds == null) return "";
    const queued = expected.waiting_s > 30 ? `, of which ${spoken(expected.waiting_s)} in the queue` : "";
    return `About ${spoken(expected.seconds)} once it is sent${queued}`;
  } catch {
    return ""; // the upload itself shows what is wrong
  }
}

/** Reads size, duration and rate; null for a file that this browser cannot play. */
async function propertiesOf(file) {
  const video = document.createElement("video");
  const url = URL.createObjectURL(file);
  video.muted = true;
  video.preload = "auto";
  try {
    video.src = url;
    if (!(await happens(video, "loadedmetadata"))) return null;
    const { videoWidth: width, videoHeight: height, duration: duration_s } = video;
    if (!width || !Number.isFinite(duration_s) || duration_s <= 0) return null;
    return { width, height, duration_s, fps: await rate(video) };
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  }
}

function happens(video, event) {
  return new Promise((resolve) => {
    video.addEventListener(event, () => resolve(true), { once: true });
    video.addEventListener("error", () => resolve(false), { once: true });
    setTimeout(() => resolve(false), PATIENCE_MS);
  });
}

/** Measures the frame rate, which browsers do not report: plays a few frames unseen and compares their times. */
async function rate(video) {
  if (!video.requestVideoFrameCallback) return USUAL_FPS;
  const times = [];
  const enough = new Promise((resolve) => {
    const look = (_, { mediaTime }) => {
      times.push(mediaTime);
      if (times.length > FRAMES_TO_TIME) resolve();
      else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    video.addEventListener("ended", resolve, { once: true });
    setTimeout(resolve, PATIENCE_MS);
  });
  await video.play().catch(() => {});
  await enough;
  const steps = times.slice(1).map((time, index) => time - times[index]);
  const shortest = Math.min(...steps.filter((step) => step > 0.001)); // players may skip frames, so the shortest step counts
  return Number.isFinite(shortest) ? Math.min(Math.max(1 / shortest, 1), 240) : USUAL_FPS;
}
