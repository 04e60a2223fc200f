/* When the time to pay is over, the page says so at once; a chosen slip is not thrown away by it.
   Whoever comes back from the payment page sees by themselves when the bank has spoken. */

const panel = document.querySelector("[data-until]");
const LONGEST_MS = 24 * 60 * 60 * 1000;

if (panel) {
  const left = new Date(panel.dataset.until) - Date.now();
  if (left > 0 && left < LONGEST_MS) setTimeout(lookAgain, left + 1000);
}

const WAIT_MS = 3000;
const MOST_LOOKS = 40;

if (document.querySelector("[data-look-again]")) {
  const looks = Number(sessionStorage.getItem("looks") ?? 0);
  sessionStorage.setItem("looks", looks + 1);
  if (looks < MOST_LOOKS) setTimeout(() => location.reload(), WAIT_MS);
} else {
  sessionStorage.removeItem("looks");
}

function lookAgain() {
  const slip = document.querySelector("input[name=slip]");
  if (!slip?.files.length) location.reload();
}
