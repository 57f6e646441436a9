// Registers a passkey or signs in with one: asks the server for options, the authenticator for an answer, and hands it back.
const part = document.querySelector("[data-passkey]");
const go = part.querySelector("[data-passkey-go]");
const wrong = part.querySelector("[data-passkey-wrong]");
const why = part.querySelector("[data-passkey-why]");

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function send(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": part.dataset.csrf },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.advice ?? said.error);
  return said;
}

function readable(options) {
  const listed = (keys) => keys?.map((key) => ({ ...key, id: bytes(key.id) }));
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: bytes(options.user.id) } }),
    ...(options.excludeCredentials && { excludeCredentials: listed(options.excludeCredentials) }),
    ...(options.allowCredentials && { allowCredentials: listed(options.allowCredentials) }),
  };
}

function written(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response };
}

go.hidden = false;
go.addEventListener("click", async () => {
  wrong.hidden = true;
  go.disabled = true;
  try {
    const options = readable(await send(part.dataset.begin, {}));
    const credential = await navigator.credentials[part.dataset.passkey]({ publicKey: options });
    location.assign((await send(part.dataset.finish, written(credential))).next);
  } catch (error) {
    why.textContent = error.name === "NotAllowedError" ? "" : error.message;
    wrong.hidden = false;
    go.disabled = false;
  }
});
