/** The keys of the view of a job: what each does. The table serves the keys themselves and the list that explains them. */

import { t } from "../languages/language.js";

/** `command`: the method of the view that is called with `value`; `released`: the one for letting the key go. */
export const KEYS = [
  { keys: [" ", "k"], textKey: "keys.play", command: "toggle" },
  { keys: [","], textKey: "keys.frame_back", command: "step", value: -1 },
  { keys: ["."], textKey: "keys.frame_on", command: "step", value: 1 },
  { keys: ["b"], textKey: "keys.flicker", command: "flicker", released: "endFlicker" },
  { keys: ["+", "="], textKey: "keys.larger", command: "zoom", value: 1 },
  { keys: ["-"], textKey: "keys.smaller", command: "zoom", value: -1 },
  { keys: ["0"], textKey: "keys.whole", command: "wholePicture" },
  { keys: ["1"], textKey: "keys.pixels", command: "pixels" },
  { keys: ["f"], textKey: "keys.full", command: "fullScreen" },
  { keys: ["s"], textKey: "keys.still", command: "still" },
  { keys: ["Escape"], textKey: "keys.leave", command: "leave" },
];

const NAMED = { " ": "key_name.space", Escape: "key_name.escape" };

/** The name of a key as it is written on keyboards. */
export const keyName = (key) => (key in NAMED ? t(NAMED[key]) : key.toUpperCase());

/** The entry of KEYS that an event asks for; undefined where it is a control's own key, or typed into a field. */
export function entryFor(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const { target, key } = event;
  const typing = target.matches("select, textarea, input:not([type=range], [type=radio], [type=checkbox])");
  const pressing = key === " " && target.matches("button, a, summary, [type=radio], [type=checkbox]");
  if (pressing || (typing && key !== "Escape")) return undefined;
  const wanted = key.length === 1 ? key.toLowerCase() : key;
  return KEYS.find((entry) => entry.keys.includes(wanted));
}
