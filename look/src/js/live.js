// Keeps a server-rendered page up to date: <main data-live="/live/events" …>. Every element with data-part and an id is
// replaced by the same element of a fresh page when the server says that something changed. Without it a page still works.

const MIN_MS = 1000;
const URGENT_MS = 250; // an alarm does not wait for the second to be over
const root = document.querySelector("[data-live^='/']"); // the sign that says "live" carries its word in an attribute of that name
const state = document.getElementById("live-state");
const announce = document.getElementById("announce");

function keyOf(element) {
  return element.id ? `#${CSS.escape(element.id)}` : element.dataset.key ? `[data-key="${CSS.escape(element.dataset.key)}"]` : null;
}

function swap(part, fresh) {
  if (part.innerHTML === fresh.innerHTML) return;
  const chosen = getSelection();
  if (chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode)) return; // somebody is copying from it
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  if (focused && focused.matches("input, select, textarea")) return; // somebody is typing in it
  const key = focused && keyOf(focused);
  part.replaceChildren(...fresh.childNodes);
  if (key) part.querySelector(key)?.focus({ preventScroll: true });
}

async function take(url) {
  const answer = await fetch(url, { headers: { Accept: "text/html" } });
  if (answer.redirected && new URL(answer.url).pathname !== new URL(url, location).pathname) {
    // the sign-in has ended: the server leads there and back, but nobody loses what they are typing
    if (!document.activeElement?.matches("input, select, textarea")) location.assign(url);
    throw new Error("signed out");
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok && answer.status !== 422) throw new Error(String(answer.status));
  for (const part of document.querySelectorAll("[data-part]")) {
    const fresh = page.getElementById(part.id);
    if (fresh) swap(part, fresh);
  }
  const said = page.getElementById("announce")?.dataset.say ?? "";
  if (announce && said !== announce.dataset.say) {
    announce.dataset.say = said;
    announce.textContent = said;
  }
  return page;
}

function show(what) {
  if (!state || state.dataset.state === what) return;
  state.dataset.state = what;
  state.className = `sign sign--${{ live: "good", waiting: "off", away: "bad" }[what]}`;
  state.textContent = state.dataset[what];
}

let last = -MIN_MS;
let timer = 0;
let due = 0;
let taking = false;
let after = 0; // how long to wait with the next one when this one is here; 0: none is wanted
function refreshSoon(gap = MIN_MS) {
  if (document.hidden) return;
  if (taking) {
    after = Math.min(after || gap, gap);
    return;
  }
  const at = Math.max(performance.now(), last + gap);
  if (timer && due <= at) return;
  clearTimeout(timer);
  due = at;
  timer = setTimeout(refresh, at - performance.now());
}

async function refresh() {
  timer = 0;
  last = performance.now();
  taking = true;
  try {
    await take(location.href);
    show("live");
  } catch {
    show("away");
  }
  taking = false;
  const gap = after;
  after = 0;
  if (gap) refreshSoon(gap);
}

if (root) {
  const events = new EventSource(root.dataset.live);
  events.addEventListener("open", () => show("live"));
  events.addEventListener("error", () => {
    show("waiting");
    if (events.readyState === EventSource.CLOSED) refreshSoon(); // refused: the page itself tells why
  });
  events.addEventListener("away", () => show("away"));
  events.addEventListener("changed", (event) => {
    if (root.hasAttribute("data-away")) return location.reload();
    const news = JSON.parse(event.data);
    refreshSoon(!news.kinds?.length || news.kinds.includes("alarm") ? URGENT_MS : MIN_MS);
    dispatchEvent(new CustomEvent("asty:changed", { detail: news }));
  });
  document.addEventListener("visibilitychange", () => document.hidden || refreshSoon());
  // "2 minutes ago" grows old even when nothing happens
  setInterval(() => refreshSoon(), 30_000);
}

// Filters, sorting and paging without losing the place on the page.
async function go(url, push) {
  try {
    await take(url);
    if (push) history.pushState(null, "", url);
    dispatchEvent(new Event("asty:taken"));
  } catch {
    location.assign(url);
  }
}
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-swap]");
  if (!form) return;
  event.preventDefault();
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  document.activeElement?.blur?.();
  go(`${form.action.split("?")[0]}${query.size ? `?${query}` : ""}`, true);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(link.href, true);
});
addEventListener("popstate", () => go(location.href, false));
