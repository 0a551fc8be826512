/** Has the service make one video of before beside after, and downloads it. */

import * as api from "../lib/api.js";

/** `onProgress`: called with the share that is done, 0 to 1. Throws ApiError, and AbortError for `signal`. */
export async function downloadSideBySide(id, onProgress, signal) {
  for (;;) {
    const { fraction, pollSeconds } = await api.sideBySide(id, signal);
    if (fraction === null) break;
    onProgress(fraction);
    await pause(pollSeconds * 1000, signal);
  }
  const link = document.createElement("a");
  link.href = api.sideBySideUrl(id);
  link.download = "";
  link.click();
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
