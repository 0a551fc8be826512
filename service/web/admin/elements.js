/** Makes the elements of the page. Texts are set as text: names of files and tenants are never markup. */

export function create(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** A button; its id lets it keep the focus when its list is made anew. */
export function button(id, text, onClick, properties = {}) {
  const made = create("button", { type: "button", id, textContent: text, ...properties });
  made.addEventListener("click", () => onClick(made));
  return made;
}

export const state = (text, kind) => create("span", { className: `state ${kind}`, textContent: text });
export const name = (text) => create("strong", { className: "name", textContent: text });
/** A line of details; `lang` where it is in another language than the page. */
export const line = (text, lang = "") => create("p", { className: "detail", textContent: text, lang });

/** Shows elements in place of what was there; the focus stays on what has the same id. */
export function show(place, elements, nothing) {
  const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
  const empty = place.tagName === "UL" ? create("li", { className: "quiet", textContent: nothing }) : [];
  place.replaceChildren(...(elements.length ? elements : [empty].flat()));
  if (focused) document.getElementById(focused)?.focus();
}
