/** Offers a job's video once more with the best quality, where that is another one than it had. */

import * as api from "../lib/api.js";
import { hasResult } from "../lib/job.js";

/** Options of a submission; the rest of a job's are what the service made of them. */
const TAKEN_OVER = [
  "codec", "container", "crf", "encode_quality", "encoder", "bit_depth", "chroma", "deinterlace", "sound", "start", "end",
  "strict",
];

/** The options of the new job; null where there is nothing better. */
export async function bestOptions(job) {
  if (!hasResult(job)) return null;
  const { qualities } = await api.models();
  const best = qualities.find(({ name, available }) => name === "best" && available);
  const used = best && job.model === best.model && job.options.looks === best.looks;
  if (!best || used) return null;
  const given = TAKEN_OVER.map((name) => [name, job.options[name]]).filter(([, value]) => value != null);
  const options = { ...Object.fromEntries(given), quality: "best" };
  if ("crf" in options) delete options.encode_quality; // a job has both, a submission either
  return options;
}
