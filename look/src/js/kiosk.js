// The kiosk's pages: the keyboard on the screen, the clock that clears it, the hand-off to a phone, printing. Each page works without it.
import { follow } from "./kiosk/hand-off.js";
import { keyboard } from "./kiosk/keyboard.js";
import { watch } from "./kiosk/idle.js";

const END = "/kiosk/end";

// a page that the browser has kept in memory belongs to whoever stood here before
addEventListener("pageshow", (event) => { if (event.persisted) location.replace(END); });
addEventListener("contextmenu", (event) => event.preventDefault());
for (const form of document.forms) form.autocomplete = "off";

const print = document.querySelector("[data-print]");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

keyboard(document.querySelector("[data-keys]"));
watch(document.querySelector("[data-warning]"), document.body.dataset, END);
const handed = document.querySelector("[data-hand-off]");
if (handed) follow(handed, END);
