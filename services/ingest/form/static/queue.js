/* Answers that wait for the network, in IndexedDB. Page and service worker both deliver them: the
   id is in the answer, so what both send counts once. */
'use strict';
var Queue = (function () {
  const NAME = 'answers';

  function open() {
    return new Promise(function (resolve, reject) {
      const request = indexedDB.open('ikm', 1);
      request.onupgradeneeded = function () {
        request.result.createObjectStore(NAME, { keyPath: 'key' });
        request.result.createObjectStore('tokens');
      };
      request.onsuccess = function () { resolve(request.result); };
      request.onerror = function () { reject(request.error); };
    });
  }

  function run(store, mode, work) {
    return open().then(function (database) {
      return new Promise(function (resolve, reject) {
        const transaction = database.transaction(store, mode);
        const request = work(transaction.objectStore(store));
        transaction.oncomplete = function () { database.close(); resolve(request.result); };
        transaction.onabort = function () { database.close(); reject(transaction.error); };
      });
    });
  }

  function send(answer) {
    const stop = self.AbortController ? new AbortController() : null;
    const timer = stop ? setTimeout(function () { stop.abort(); }, 15000) : 0;
    return fetch(answer.url, {
      method: 'POST', body: answer.body, credentials: 'omit', signal: stop ? stop.signal : undefined,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' }
    }).then(function (response) {
      clearTimeout(timer);
      return response;
    }, function (error) {
      clearTimeout(timer);
      throw error;
    });
  }

  /* Whether to keep an answer: the service is away, or asks to come again. */
  function isLater(response) {
    return response.status >= 500 || response.status === 408 || response.status === 429;
  }

  let delivery = null;
  /* Sends the oldest first and stops at the first that cannot be sent; gives how many were sent. */
  function deliver() {
    if (delivery) return delivery;
    const done = function () { delivery = null; };
    delivery = all().then(function (answers) {
      answers.sort(function (a, b) { return a.kept - b.kept; });
      return answers.reduce(function (before, answer) {
        return before.then(function (sent) {
          return send(answer).then(function (response) {
            if (isLater(response)) throw new Error(response.status);
            return run(NAME, 'readwrite', function (store) { return store.delete(answer.key); });
          }).then(function () { return sent + 1; });
        });
      }, Promise.resolve(0));
    });
    delivery.then(done, done);
    return delivery;
  }

  function all() {
    return run(NAME, 'readonly', function (store) { return store.getAll(); });
  }

  function keep(answer) {
    return run(NAME, 'readwrite', function (store) { return store.put(answer); });
  }

  /* The number of the next answer of a page that is answered again without network. */
  function next(token) {
    return run('tokens', 'readonly', function (store) { return store.get(token); })
      .then(function (number) { return number || 0; });
  }

  function used(token, number) {
    return run('tokens', 'readwrite', function (store) { return store.put(number + 1, token); });
  }

  return { all: all, keep: keep, deliver: deliver, send: send, isLater: isLater, next: next, used: used };
})();
