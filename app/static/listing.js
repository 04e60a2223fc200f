// What the chosen amount costs stands on the button; another variant has another price, other steps, another unit.
for (const form of document.querySelectorAll("form[data-order]")) {
  const amount = form.querySelector("[data-stepper] input");
  const unit = form.querySelector(".unit-word");
  const cost = form.querySelector("[data-cost][hidden]");

  const show = () => {
    const satang = Math.round(Number(cost.dataset.cost) * Number(amount.value));
    cost.hidden = !(satang > 0);
    cost.textContent = `฿${(satang / 100).toLocaleString("en", { minimumFractionDigits: satang % 100 ? 2 : 0 })}`;
  };

  form.addEventListener("input", show);
  form.addEventListener("change", ({ target }) => {
    if (target.name === "variant_id") {
      const { least, most, step } = target.dataset;
      Object.assign(amount.dataset, { least, most, step });
      cost.dataset.cost = target.dataset.cost;
      amount.value = least;
      unit.textContent = target.dataset.unit;
      amount.dispatchEvent(new Event("change", { bubbles: true }));
    }
    show();
  });
  show();
}
