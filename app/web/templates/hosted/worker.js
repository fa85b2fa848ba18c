// Keeps the page and its files, so that it opens without a network. Answers of the API never pass through here.
const HOME = {{ home|tojson }};
const FAMILY = `laurel-page ${HOME} `;
const CACHE = FAMILY + {{ version|tojson }};
const FILES = {{ kept|tojson }};
const WAIT_MS = 4000;

self.addEventListener("install", (event) => {
  event.waitUntil(prepare().then(() => self.skipWaiting()));
});

async function prepare() {
  const cache = await caches.open(CACHE);
  const response = await fetch({{ (home ~ "?lang=" ~ language)|tojson }});
  if (!response.ok) throw new Error(String(response.status));
  await Promise.all([cache.put(HOME, response), cache.addAll(FILES)]);
}

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith(FAMILY) && name !== CACHE);
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && pathname === HOME) event.respondWith(page(request));
  else if (FILES.includes(pathname)) event.respondWith(kept(pathname, request));
});

/** The newest page there is; the kept one where no answer comes in time. */
async function page(request) {
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(WAIT_MS) });
    if (response.ok) await (await caches.open(CACHE)).put(HOME, response.clone());
    return response;
  } catch (error) {
    return (await (await caches.open(CACHE)).match(HOME)) ?? Promise.reject(error);
  }
}

async function kept(pathname, request) {
  return (await (await caches.open(CACHE)).match(pathname)) ?? fetch(request);
}
