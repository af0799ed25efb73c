"use client";

/** Let the service worker keep the page for the next time, with all files that it has loaded: see public/sw.js. */
export async function keepPage(): Promise<void> {
  if (process.env.NODE_ENV !== "production" || !("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(`/sw.js?build=${process.env.BUILD}`);
  await navigator.serviceWorker.ready;
  const cache = await caches.open(`page-${process.env.BUILD}`);
  const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
  for (const file of loaded.filter((name) => name.startsWith(`${location.origin}/_next/static/`))) {
    if (!(await cache.match(file))) await cache.add(file);
  }
  document.documentElement.dataset.kept = "";
}
