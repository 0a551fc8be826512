/** Takes files that are dropped anywhere on the page. */

/** Calls `take(files)` for each drop of files. */
export function listenForDrops(take) {
  const page = document.documentElement;
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  page.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    page.classList.add("dropping");
  });
  page.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) page.classList.remove("dropping");
  });
  page.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    page.classList.remove("dropping");
    take(event.dataTransfer.files);
  });
}
