/** Shows a small picture of a job's video, which plays while a pointer or the focus is on it. */

import { stripUrl } from "../lib/api.js";

/** Fills `element`, which has an image and a hidden film; both load when they are about to be seen. */
export function playOnHover(element, poster, id) {
  const [image, film] = [element.querySelector("img"), element.querySelector("span")];
  image.addEventListener("error", () => element.classList.add("unknown"), { once: true });
  image.addEventListener("load", () => element.classList.remove("unknown"), { once: true });
  image.src = poster;
  const play = () => {
    if (!element.classList.contains("unknown")) film.style.backgroundImage = `url("${stripUrl(id)}")`;
  };
  element.addEventListener("pointerenter", play);
  element.addEventListener("focus", play);
}
