// The place choice appears while the postcode or tambon is typed. Without this file the form asks in a second step.
const PAUSE_MS = 200;

for (const fieldset of document.querySelectorAll("[data-address]")) {
  const area = fieldset.querySelector("input[name=area]");
  const choices = fieldset.querySelector("[data-choices]");
  const select = choices.querySelector("select");
  let pause;
  let latest = "";

  const show = (places) => {
    const chosen = select.value;
    select.replaceChildren(
      ...(places.length === 1 ? [] : [new Option(select.dataset.prompt, "")]),
      ...places.map((place) => new Option(place[document.documentElement.lang] ?? place.th, place.code)),
    );
    if (places.some((place) => place.code === chosen)) select.value = chosen;
    choices.hidden = places.length === 0;
  };

  const ask = async () => {
    const typed = area.value.trim();
    latest = typed;
    const ready = /^\d+$/.test(typed) ? typed.length === 5 : typed.length >= 2;
    if (!ready) return show([]);
    try {
      const answer = await fetch(`/places.json?q=${encodeURIComponent(typed)}`);
      const places = await answer.json();
      if (latest === typed) show(places);
    } catch {
      choices.hidden = true; // Offline or refused: the form's second step asks instead.
    }
  };

  area.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(ask, PAUSE_MS);
  });
}
