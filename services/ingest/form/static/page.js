/* One question at a time, and answers that survive an hour without network. Without this script the
   page is one long form, which works as well. */
'use strict';
(function () {
  const form = document.getElementById('survey');
  if (!form || !self.fetch || !self.Promise) return;
  const words = form.dataset;
  const steps = Array.prototype.slice.call(form.querySelectorAll('.step'));
  const submit = form.querySelector('button[type=submit]');
  const notice = document.getElementById('waiting');
  const hasQueue = !!self.indexedDB;
  let current = 0;
  let isSending = false;

  /* -- one question at a time -- */
  const bar = document.createElement('div');
  bar.className = 'progress';
  bar.setAttribute('aria-hidden', 'true');
  bar.appendChild(document.createElement('div'));
  form.insertBefore(bar, form.firstChild);
  const back = button(words.back, function () { show(current - 1); });
  const next = button(words.next, forward);
  next.className = 'main';
  submit.parentNode.insertBefore(back, submit);
  submit.parentNode.insertBefore(next, submit);
  form.noValidate = true;

  function button(text, act) {
    const made = document.createElement('button');
    made.type = 'button';
    made.textContent = text;
    made.addEventListener('click', act);
    return made;
  }

  function show(position, isFirst) {
    current = Math.max(0, Math.min(position, steps.length - 1));
    steps.forEach(function (step, index) { step.hidden = index !== current; });
    back.hidden = current === 0;
    next.hidden = current === steps.length - 1;
    submit.hidden = current !== steps.length - 1;
    bar.firstChild.style.width = 100 * (current + 1) / steps.length + '%';
    if (!isFirst) {
      const legend = steps[current].querySelector('legend');
      legend.focus();
      form.scrollIntoView();
    }
  }

  function isAnswered(step) {
    const fields = step.querySelectorAll('input, select, textarea');
    return Array.prototype.every.call(fields, function (field) { return field.validity.valid; });
  }

  function mark(step) {
    const message = step.querySelector('.missing');
    const isGood = isAnswered(step);
    if (message) message.hidden = isGood;
    step.classList.toggle('wrong', !isGood);
    return isGood;
  }

  function forward() {
    if (mark(steps[current])) { show(current + 1); return; }
    const field = steps[current].querySelector('input:invalid');
    if (field) field.focus();
  }

  function paint() {
    Array.prototype.forEach.call(form.querySelectorAll('.option'), function (label) {
      label.classList.toggle('chosen', label.firstChild.checked);
    });
  }

  form.addEventListener('change', function () { paint(); if (isAnswered(steps[current])) mark(steps[current]); });
  /* A finger on an answer goes on; arrow keys only choose. */
  form.addEventListener('click', function (event) {
    const isText = event.target.closest && event.target.closest('.option') && event.target.tagName !== 'INPUT';
    if (!isText) return;
    const asked = current;
    setTimeout(function () { if (asked === current && isAnswered(steps[current])) forward(); }, 250);
  });
  form.addEventListener('keydown', function (event) {
    if (event.key !== 'Enter' || event.target.tagName !== 'INPUT' || current === steps.length - 1) return;
    event.preventDefault();
    forward();
  });

  /* -- sending, and keeping what cannot be sent -- */
  function encoded() {
    const pairs = [];
    Array.prototype.forEach.call(form.elements, function (field) {
      const isOff = !field.name || (field.type === 'radio' && !field.checked);
      if (!isOff) pairs.push(encodeURIComponent(field.name) + '=' + encodeURIComponent(field.value));
    });
    return pairs.join('&');
  }

  function place(html) {
    const page = new DOMParser().parseFromString(html, 'text/html');
    const main = document.querySelector('main');
    main.innerHTML = page.querySelector('main').innerHTML;
    document.title = page.title;
    self.scrollTo(0, 0);
    (main.querySelector('h1') || main).focus();
  }

  function keep(answer) {
    return Queue.keep(answer).then(function () {
      const card = document.createElement('div');
      const title = document.createElement('h1');
      const why = document.createElement('p');
      const again = document.createElement('a');
      card.className = 'card';
      card.dataset.kept = '';
      title.tabIndex = -1;
      title.textContent = words.unsent;
      why.textContent = words.unsentWhy;
      again.className = 'button';
      again.href = location.href;
      again.textContent = words.again;
      card.appendChild(title);
      card.appendChild(why);
      const main = document.querySelector('main');
      main.textContent = '';
      main.appendChild(notice);
      main.appendChild(card);
      main.appendChild(again);
      title.focus();
      if (navigator.serviceWorker) {
        navigator.serviceWorker.ready.then(function (worker) {
          return worker.sync ? worker.sync.register('answers') : null;
        }).catch(function () {});
      }
    });
  }

  form.addEventListener('submit', function (event) {
    event.preventDefault();
    if (isSending) return;
    const wrong = steps.filter(function (step) { return !mark(step); })[0];
    if (wrong) { show(steps.indexOf(wrong)); return; }
    isSending = true;
    submit.disabled = true;
    submit.textContent = words.sending;
    const token = form.elements.token.value;
    const number = +form.elements.n.value;
    if (!form.elements.answered.value) form.elements.answered.value = new Date().toISOString();
    const answer = { key: token + number, url: location.href, body: encoded(), kept: Date.now() };
    let status = 0;
    Queue.send(answer).then(function (response) {
      if (Queue.isLater(response)) throw new Error(response.status);
      status = response.status;
      return response.text();
    }).then(function (html) {
      if (status === 200 && hasQueue) Queue.used(token, number).catch(function () {});
      if (status === 422) { replaceAll(html); return; }
      place(html);
    }).catch(function () {
      if (!hasQueue) throw new Error('nowhere to keep it');
      return keep(answer).then(function () { return Queue.used(token, number); });
    }).catch(function () {
      isSending = false;
      submit.disabled = false;
      submit.textContent = words.send;
    });
  });

  /* The service found something to mend: its page lists it, as one long form. */
  function replaceAll(html) {
    place(html);
    const again = document.getElementById('survey');
    if (again) again.addEventListener('submit', function () { again.querySelector('button').disabled = false; });
  }

  function deliver() {
    if (!hasQueue) return;
    Queue.all().then(function (answers) {
      if (!answers.length) return null;
      notice.hidden = false;
      notice.textContent = words.waiting + ' ' + answers.length;
      return Queue.deliver().then(function () { notice.textContent = words.delivered; });
    }).catch(function () {});
  }

  if (hasQueue) {
    const token = form.elements.token.value;
    Queue.next(token).then(function (number) {
      if (number > +form.elements.n.value && number < 10) form.elements.n.value = number;
    }).catch(function () {});
  }
  if (navigator.serviceWorker) navigator.serviceWorker.register('/s/worker.js', { scope: '/s/' }).catch(function () {});
  self.addEventListener('online', deliver);
  setInterval(deliver, 20000);
  paint();
  show(0, true);
  if (document.querySelector('.wrong')) show(steps.indexOf(document.querySelector('.wrong')), true);
  deliver();
})();
