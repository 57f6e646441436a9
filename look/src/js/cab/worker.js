// The service worker of /cab. The server puts self.KEEP before it: { shell, files, layers, build }.
// Shell and bundled files come from the tablet first: a truck has no time to wait for coverage. The rest of /api is never kept here.

const NAME = `asty-cab-${self.KEEP.build}`;
const LAYERS = "asty-cab-map";

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(NAME);
    await cache.addAll([self.KEEP.shell, ...self.KEEP.files].map((url) => new Request(url, { cache: "reload" })));
    const layers = await caches.open(LAYERS);
    await Promise.all(self.KEEP.layers.map((url) => freshen(layers, url).catch(() => undefined)));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("asty-cab-") && name !== NAME && name !== LAYERS) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === self.KEEP.shell) event.respondWith(shell(request, url));
  else if (self.KEEP.files.includes(url.pathname)) event.respondWith(file(request));
  else if (self.KEEP.layers.includes(url.pathname)) event.respondWith(layer(event, url.pathname));
});

async function shell(request, url) {
  const cache = await caches.open(NAME);
  if (!url.search) {
    const kept = await cache.match(self.KEEP.shell);
    if (kept) return kept;
    return fetch(request);
  }
  // a choice of language: the server says it, and it is kept
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected) await cache.put(self.KEEP.shell, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(self.KEEP.shell);
    if (kept) return kept;
    throw error;
  }
}

async function file(request) {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

async function layer(event, path) {
  const cache = await caches.open(LAYERS);
  const kept = await cache.match(path, { ignoreVary: true });
  const fresh = freshen(cache, path);
  if (!kept) return fresh;
  event.waitUntil(fresh.catch(() => undefined));
  return kept;
}

async function freshen(cache, path) {
  const answer = await fetch(path, { headers: { Accept: "application/geo+json" } });
  if (answer.ok) await cache.put(path, answer.clone());
  return answer;
}
