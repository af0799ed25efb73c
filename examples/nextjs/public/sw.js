// Keeps the page and its files, so that it opens without a network. The tasks are kept by the client of the API.
const CACHE = `page-${new URL(location).searchParams.get("build")}`;
const PAGES = ["/", "/sign-in"];

self.addEventListener("install", (event) => {
  event.waitUntil(Promise.all(PAGES.map(keepPage)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([dropEarlierBuilds(), self.clients.claim()]));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || pathname.startsWith("/api/")) return;
  if (request.mode === "navigate") event.respondWith(page(request, pathname));
  else if (pathname.startsWith("/_next/static/") || pathname.startsWith("/icon")) event.respondWith(file(request));
});

async function dropEarlierBuilds() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
}

// The newest page if there is a network, else the one that was kept.
async function page(request, pathname) {
  try {
    const response = await fetch(request);
    if (response.ok && PAGES.includes(pathname)) void keepPage(pathname);
    return response;
  } catch (error) {
    const kept = await caches.match(PAGES.includes(pathname) ? pathname : "/");
    if (kept) return kept;
    throw error;
  }
}

// Files have their content's hash in their name: what is kept never changes.
async function file(request) {
  const kept = await caches.match(request);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) await (await caches.open(CACHE)).put(request, response.clone());
  return response;
}

// Keeps a page with all files that it names.
async function keepPage(path) {
  const response = await fetch(path, { credentials: "omit" });
  if (!response.ok) return;
  const text = await response.clone().text();
  const cache = await caches.open(CACHE);
  const files = [...new Set(text.match(/\/_next\/static\/[^"'\\ )]+/g))];
  await Promise.all(files.map(async (name) => (await cache.match(name)) ?? cache.add(name)));
  await cache.put(path, response);
}
