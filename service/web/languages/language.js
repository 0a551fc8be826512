/**
 * Gives the texts of the page in the reader's language: that of an earlier choice, else the first of the browser's that
 * there is a table for. A table maps keys to texts; `{name}` in a text stands for a value, and a text that depends on a
 * count is an object with one text for each plural category of the language (`one`, `other`, ...).
 */

/** What each language calls itself. Each has a folder with a `table.js` beside this file. */
export const LANGUAGES = { en: "English", de: "Deutsch" };
const REMEMBERED = "cdvd-language";
/** Attributes in the page's markup whose values are keys, and what each fills in. */
const FILLED = {
  text: (element, text) => (element.textContent = text),
  label: (element, text) => element.setAttribute("aria-label", text),
  tip: (element, text) => element.setAttribute("title", text),
  hint: (element, text) => element.setAttribute("placeholder", text),
  alt: (element, text) => element.setAttribute("alt", text),
};

export const language = chosen();
const { table } = await import(`./${language}/table.js`);
const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);

/** The text of a key with its values; `values.count` chooses the plural. Numbers are written as the language does. */
export function t(key, values = {}) {
  const entry = table[key];
  if (entry === undefined) {
    console.error(`No text for "${key}" in ${language}`);
    return key;
  }
  const text = typeof entry === "string" ? entry : (entry[plurals.select(values.count)] ?? entry.other);
  return text.replace(/\{(\w+)\}/g, (_, name) => written(values[name]));
}

/** Whether the table has a text for the key. */
export const known = (key) => key in table;

const written = (value) => (typeof value === "number" ? numbers.format(value) : String(value));

/** Writes a number with so many digits after the decimal separator of the language. */
export function decimal(value, digits) {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString(language, options);
}

/** Fills the markup below `root`, templates too: `data-text="key"` and the others of FILLED. */
export function translate(root) {
  for (const [name, fill] of Object.entries(FILLED)) {
    for (const element of root.querySelectorAll(`[data-${name}]`)) fill(element, t(element.dataset[name]));
  }
  for (const template of root.querySelectorAll("template")) translate(template.content);
}

/** Fills a select with all languages; the one that is chosen is remembered, and the page shown in it. */
export function offerLanguages(select) {
  select.replaceChildren(...Object.entries(LANGUAGES).map(([code, name]) => new Option(name, code)));
  select.value = language;
  select.addEventListener("change", () => {
    localStorage.setItem(REMEMBERED, select.value);
    location.reload();
  });
}

function chosen() {
  const wanted = [localStorage.getItem(REMEMBERED), ...navigator.languages.map((tag) => tag.split("-")[0])];
  return wanted.find((code) => code in LANGUAGES) ?? "en";
}
