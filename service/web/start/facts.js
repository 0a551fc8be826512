/** Says what the service takes, who sees it and how long it is kept. */

import { decimal, t } from "../languages/language.js";
import { bytes, spoken } from "../lib/format.js";

const $ = (id) => document.getElementById(id);

const DAY_S = 86_400;

/** `limits` is the answer of /limits, `session` that of /session or null. */
export function fillFacts(limits, session) {
  $("fact-limits").textContent = t("start.limits", {
    length: lasting(limits.max_duration_s),
    size: bytes(limits.max_upload_bytes, 0),
    pixels: decimal(limits.max_frame_pixels / 1e6, 1),
  });
  $("fact-file").textContent = [place(), viewers(session), kept(limits)].join(" ");
}

function place() {
  const own = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  return own ? t("start.here") : t("start.there", { host: location.host });
}

function viewers(session) {
  return session?.keys_required ? t("start.seen_by_key", { tenant: session.tenant ?? "" }) : t("start.seen_by_all");
}

function kept({ files_keep_s: seconds }) {
  return seconds === null ? t("start.kept") : t("start.deleted", { time: lasting(seconds) });
}

/** "7 days"; shorter ones as spoken. */
function lasting(seconds) {
  return seconds >= 2 * DAY_S ? t("count.days", { count: Math.round(seconds / DAY_S) }) : spoken(seconds);
}
