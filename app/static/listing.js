// Another variant has other steps and another unit; the amount beside the button follows it.
for (const form of document.querySelectorAll("form[data-order]")) {
  const amount = form.querySelector("[data-stepper] input");
  const unit = form.querySelector(".unit-word");
  form.addEventListener("change", ({ target }) => {
    if (target.name !== "variant_id") return;
    const { least, most, step } = target.dataset;
    Object.assign(amount.dataset, { least, most, step });
    amount.value = least;
    unit.textContent = target.dataset.unit;
    amount.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
