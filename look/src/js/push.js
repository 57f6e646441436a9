// The browser's own notices on the page of preferences: asks only on a click, says in words how it stands, can be switched off.
const part = document.querySelector("[data-push]");
const on = part.querySelector("[data-push-on]");
const off = part.querySelector("[data-push-off]");
const address = part.dataset.push;

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

function show(state) {
  for (const words of part.querySelectorAll("[data-push-state]")) words.hidden = words.dataset.pushState !== state;
  on.hidden = state !== "off";
  off.hidden = state !== "on";
}

async function send(method, body) {
  const answer = await fetch(address, {
    method,
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": part.dataset.csrf },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
}

async function state(registration) {
  if (Notification.permission === "denied") return "denied";
  const held = await registration.pushManager.getSubscription();
  if (!held) return "off";
  // the vendor may have given a new address since, and the browser may have changed hands
  await send("POST", held.toJSON());
  return "on";
}

async function begin(registration, key) {
  if ((await Notification.requestPermission()) !== "granted") return Notification.permission === "denied" ? "denied" : "off";
  const held = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  await send("POST", held.toJSON());
  return "on";
}

async function end(registration) {
  const held = await registration.pushManager.getSubscription();
  if (!held) return "off";
  await send("DELETE", { endpoint: held.endpoint });
  await held.unsubscribe();
  return "off";
}

function act(button, registration, step) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      show(await step(registration));
    } catch (error) {
      console.info(`push: ${error.message}`);
      show("failed");
      on.hidden = off.hidden = false;
    }
    button.disabled = false;
  });
}

if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) show("missing");
else {
  const { key } = await (await fetch(address, { headers: { Accept: "application/json" } })).json();
  if (!key) show("unset");
  else {
    const registration = await navigator.serviceWorker.ready;
    act(on, registration, (it) => begin(it, key));
    act(off, registration, end);
    show(await state(registration).catch(() => "failed"));
  }
}
