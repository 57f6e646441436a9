// Clears the screen when nobody touches it: after `rests` seconds a warning that counts down `warns` seconds, then the page that leaves all.
const TOUCHES = ["pointerdown", "keydown", "input", "wheel"];
const HERE = 30_000;

export function watch(dialog, { rests, warns }, end) {
  const rest = Number(rests) * 1000;
  const home = rest === 0;
  const left = dialog.querySelector("[data-left]");
  let touched = Date.now();
  let told = Date.now();

  function touch() {
    touched = Date.now();
    if (home || touched - told < HERE) return;
    told = touched;
    fetch("/kiosk/here").catch(() => undefined);
  }

  for (const kind of TOUCHES) {
    addEventListener(kind, () => { if (!dialog.open) touch(); }, { capture: true, passive: true });
  }
  dialog.querySelector("[data-stay]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", touch);

  setInterval(() => {
    const idle = Date.now() - touched;
    if (home) {
      // the first page is clean but for the language that somebody chose
      if (idle >= 60_000 && document.documentElement.lang !== "el") location.replace(end);
      return;
    }
    if (idle < rest) return;
    const seconds = Math.ceil((rest + Number(warns) * 1000 - idle) / 1000);
    if (seconds <= 0) {
      location.replace(end);
      return;
    }
    left.textContent = seconds;
    if (!dialog.open) dialog.showModal();
  }, 500);
}
