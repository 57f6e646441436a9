// Says on the kiosk what became of the code that a phone scans; once the phone has the application, the screen is cleared.
const EVERY = 2000;
const LEAVES = 8000;

export function follow(part, end) {
  const words = part.querySelectorAll("[data-state]");
  const asking = setInterval(async () => {
    const answer = await fetch(part.dataset.handOff, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return;
    const { state } = await answer.json();
    for (const one of words) one.hidden = one.dataset.state !== state;
    if (state !== "taken") return;
    clearInterval(asking);
    setTimeout(() => location.replace(end), LEAVES);
  }, EVERY);
}
