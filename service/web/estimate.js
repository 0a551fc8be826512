/** How long a chosen video will take, asked before it is sent, from what the browser can tell about the file. */

import { estimate } from "./api.js";
import { spoken } from "./format.js";

const USUAL_FPS = 30;
const FRAMES_TO_TIME = 8;
const PATIENCE_MS = 2500;

/** "About 3 minutes to deblur", or "" where the browser or the service cannot tell. */
export async function estimateText(file, model) {
  try {
    const seen = await described(file);
    if (!seen) return "";
    const told = await estimate({ ...seen, bytes: file.size, ...(model ? { model } : {}) });
    if (told.seconds == null) return "";
    const turn = told.waiting_s > 30 ? `, of which ${spoken(told.waiting_s)} in the queue` : "";
    return `About ${spoken(told.seconds)} once it is sent${turn}`;
  } catch {
    return ""; // an estimate is a courtesy: the upload itself tells what is wrong
  }
}

/** Size, length and rate; null for a file that this browser cannot play. */
async function described(file) {
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

/** Browsers do not tell the frame rate: play a few frames, unseen, and look at their times. */
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
  const shortest = Math.min(...steps.filter((step) => step > 0.001)); // frames may be skipped, never invented
  return Number.isFinite(shortest) ? Math.min(Math.max(1 / shortest, 1), 240) : USUAL_FPS;
}
