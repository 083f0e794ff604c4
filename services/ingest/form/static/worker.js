/* Keeps the pages that were opened and their files; delivers what waits when the network is back.
   FILES comes before this line. */
'use strict';
const CACHE = 'ikm-pages';

self.addEventListener('install', function (event) {
  event.waitUntil(caches.open(CACHE).then(function (cache) { return cache.addAll(FILES); })
    .then(function () { return self.skipWaiting(); }));
});

self.addEventListener('activate', function (event) {
  event.waitUntil(caches.open(CACHE).then(function (cache) {
    return cache.keys().then(function (requests) {
      return Promise.all(requests.map(function (request) {
        const path = new URL(request.url).pathname;
        const isOld = path.startsWith('/s/static/') && FILES.indexOf(path) < 0;
        return isOld ? cache.delete(request) : null;
      }));
    });
  }).then(function () { return self.clients.claim(); }));
});

self.addEventListener('fetch', function (event) {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  if (!url.pathname.startsWith('/s/')) return;
  event.respondWith(url.pathname.startsWith('/s/static/') ? kept(event.request) : fresh(event.request));
});

function kept(request) {
  return caches.match(request).then(function (response) { return response || fetch(request); });
}

function fresh(request) {
  return fetch(request).then(function (response) {
    if (response.ok) {
      const copy = response.clone();
      caches.open(CACHE).then(function (cache) { cache.put(request, copy); });
    }
    return response;
  }, function (error) {
    return caches.match(request).then(function (response) {
      if (response) return response;
      throw error;
    });
  });
}

self.addEventListener('sync', function (event) {
  if (event.tag === 'answers') event.waitUntil(Queue.deliver());
});
