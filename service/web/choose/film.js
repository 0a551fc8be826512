/** Draws a strip of pictures of a video, one beside the other in the order of time. */

const MOST = 24;

/** Draws on `canvas`, from the file at `url`, as far as the browser can; stops when `signal` is aborted. */
export async function drawFilm(canvas, url, { width, height, duration_s }, signal) {
  const { clientWidth, clientHeight } = canvas;
  const pixels = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [clientWidth * pixels, clientHeight * pixels];
  const count = Math.min(MOST, Math.max(1, Math.ceil(clientWidth / (clientHeight * (width / height)))));
  const video = Object.assign(document.createElement("video"), { muted: true, preload: "auto", src: url });
  signal.addEventListener("abort", () => release(video));
  if (!(await happens(video, "loadeddata", signal))) return;
  for (let index = 0; index < count; index += 1) {
    video.currentTime = Math.min((duration_s * (index + 0.5)) / count, duration_s - 0.001);
    if (!(await happens(video, "seeked", signal))) return;
    drawCell(canvas, video, index, count);
  }
  release(video);
}

/** Fills the cell with the middle of the picture. */
function drawCell(canvas, video, index, count) {
  const cell = canvas.width / count;
  const scale = Math.max(cell / video.videoWidth, canvas.height / video.videoHeight);
  const [width, height] = [cell / scale, canvas.height / scale];
  const [x, y] = [(video.videoWidth - width) / 2, (video.videoHeight - height) / 2];
  canvas.getContext("2d").drawImage(video, x, y, width, height, index * cell, 0, cell, canvas.height);
}

/** Resolves with whether the event came before an error or an abort. */
function happens(video, event, signal) {
  return new Promise((resolve) => {
    video.addEventListener(event, () => resolve(!signal.aborted), { once: true });
    video.addEventListener("error", () => resolve(false), { once: true });
    signal.addEventListener("abort", () => resolve(false), { once: true });
  });
}

function release(video) {
  video.removeAttribute("src");
  video.load();
}
