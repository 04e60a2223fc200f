/* When the time to pay is over, the page says so at once; a chosen slip is not thrown away by it. */

const panel = document.querySelector("[data-until]");
const LONGEST_MS = 24 * 60 * 60 * 1000;

if (panel) {
  const left = new Date(panel.dataset.until) - Date.now();
  if (left > 0 && left < LONGEST_MS) setTimeout(lookAgain, left + 1000);
}

function lookAgain() {
  const slip = document.querySelector("input[name=slip]");
  if (!slip?.files.length) location.reload();
}
