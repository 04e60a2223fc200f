/* Another way of delivery changes the total and the ways to pay: the server says how, without losing what was typed. */

const form = document.querySelector("[data-checkout]");
let latest = 0;

form.querySelector("[data-look]").hidden = true;
form.addEventListener("change", (event) => {
  if (event.target.matches("[data-delivery]")) look();
});

async function look() {
  const asked = ++latest;
  const data = new URLSearchParams(new FormData(form));
  data.set("look", "yes");
  try {
    const answer = await fetch(form.action, { method: "POST", body: data });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (asked === latest) show(page);
  } catch {
    form.querySelector("[data-look]").hidden = false; // Offline: the button asks again.
  }
}

function show(page) {
  const fresh = page.getElementById("fresh-pay");
  if (!fresh) return location.reload(); // The basket was ordered or emptied in another tab.
  keepChoice(fresh); // They may have chosen how to pay while the server was thinking.
  document.getElementById("fresh-pay").replaceWith(fresh);
  for (const id of ["address", "no-address"]) {
    document.getElementById(id).hidden = page.getElementById(id).hidden;
  }
  form.querySelector("[data-look]").hidden = true;
}

function keepChoice(fresh) {
  const chosen = form.querySelector("[name=payment_method]:checked")?.value;
  for (const way of fresh.querySelectorAll("[name=payment_method]:not(:disabled)")) {
    if (way.value === chosen) way.checked = true;
  }
}
