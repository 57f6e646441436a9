// The service worker of the citizens' portal. The server puts self.KEEP before it: { offline, pages, files, icon, build }.
// Kept are bundled files and impersonal copies of public pages, fetched without cookies. What belongs to somebody is never kept.

const NAME = `asty-portal-${self.KEEP.build}`;
const PUBLIC = [/^\/$/, /^\/services\/[^/]+$/, /^\/accessibility$/];

const copy = (path, lang) => fetch(`${path}?lang=${lang}`, { credentials: "omit", cache: "no-store" });

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(NAME);
    await cache.addAll(self.KEEP.files);
    for (const path of [self.KEEP.offline, ...self.KEEP.pages]) await keep(cache, path, "el");
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("asty-portal-") && name !== NAME) await caches.delete(name);
    }
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
  else if (request.mode === "navigate") event.respondWith(page(event, url));
});

async function file(request) {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(NAME)).put(request, answer.clone());
  return answer;
}

async function page(event, url) {
  try {
    const answer = (await event.preloadResponse) ?? (await fetch(event.request));
    if (answer.ok && !answer.redirected && PUBLIC.some((one) => one.test(url.pathname))) {
      event.waitUntil(remember(url.pathname, answer.headers.get("Content-Language") ?? "el").catch(() => undefined));
    }
    return answer;
  } catch {
    const cache = await caches.open(NAME);
    const kept = PUBLIC.some((one) => one.test(url.pathname)) && (await cache.match(url.pathname));
    return kept || (await cache.match(self.KEEP.offline));
  }
}

// A page is kept in the language in which it was read last.
async function remember(path, lang) {
  const cache = await caches.open(NAME);
  const kept = await cache.match(path);
  if (kept?.headers.get("Content-Language") !== lang) await keep(cache, path, lang);
}

async function keep(cache, path, lang) {
  const answer = await copy(path, lang);
  if (answer.ok) await cache.put(path, answer);
}

self.addEventListener("push", (event) => {
  const { id, title, body, link } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, { body, tag: id, icon: self.KEEP.icon, data: { link } }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const link = new URL(event.notification.data.link || "/notices", location.origin);
  if (link.origin !== location.origin) return;
  event.waitUntil(open(link.href));
});

async function open(address) {
  for (const client of await self.clients.matchAll({ type: "window" })) {
    if (client.url === address) return client.focus();
  }
  return self.clients.openWindow(address);
}
