/* What a page does better with script; every page works without it. */

for (const box of document.querySelectorAll("[data-stepper]")) stepper(box);
for (const input of document.querySelectorAll("input[type=file][data-preview]")) preview(input);
for (const button of document.querySelectorAll("[data-copy]")) copyable(button);
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
openWhenWide();
document.getElementById("form-errors")?.focus();

/** Minus and plus beside an amount, in steps of the sale unit, kept between least and most. */
function stepper(box) {
  const input = box.querySelector("input");
  const { dataset } = input; // Read anew each time: another variant has other steps.
  const clamp = (n) => Math.min(dataset.most === "" ? Infinity : Number(dataset.most), Math.max(Number(dataset.least), n));
  const show = () => {
    for (const button of box.querySelectorAll("button")) {
      const next = Number(input.value) + Number(dataset.step) * Number(button.dataset.by);
      button.disabled = clamp(next) !== next;
    }
  };
  for (const button of box.querySelectorAll("button")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const next = (Number(input.value) || 0) + Number(dataset.step) * Number(button.dataset.by);
      input.value = String(Number(clamp(next).toFixed(3)));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
  input.addEventListener("change", show);
  show();
}

/** Shows the chosen photos before they are sent. */
function preview(input) {
  input.classList.add("unseen");
  input.addEventListener("change", () => {
    const box = input.parentElement;
    for (const old of box.querySelectorAll(".file-preview")) {
      URL.revokeObjectURL(old.src);
      old.remove();
    }
    input.classList.toggle("unseen", [...input.files].every((file) => file.type.startsWith("image/")));
    for (const file of input.files) {
      if (!file.type.startsWith("image/")) continue;
      const image = new Image();
      image.className = "file-preview";
      image.alt = file.name;
      image.onerror = () => {
        image.remove();
        input.classList.remove("unseen");
      };
      image.src = URL.createObjectURL(file);
      box.append(image);
    }
  });
}

/** Copies a number (an account, a tracking code) and says so. */
function copyable(button) {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.done;
  });
}

/** The panel of facets stands open beside the shelf where older browsers cannot do it by style alone. */
function openWhenWide() {
  if (CSS.supports("selector(::details-content)") || !matchMedia("(min-width: 60rem)").matches) return;
  for (const details of document.querySelectorAll("[data-open-when-wide]")) details.open = true;
}
