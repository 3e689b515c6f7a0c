// What plain HTML cannot do. Everything works without it, but for what moves by itself.
"use strict";

// Owner: a button that may be pressed again only after a while. The server has the last word.
function countDown(form) {
  const until = Date.now() + 1000 * Number(form.dataset.waitSeconds);
  const button = form.querySelector("button");
  const left = form.querySelector("[data-left]");
  const tick = () => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    button.disabled = seconds > 0;
    left.textContent = seconds > 0 ? ` (${seconds})` : "";
    if (seconds > 0) setTimeout(tick, 250);
  };
  tick();
}

// Owner: a form with a file, sent with its progress shown. A refusal comes back as a page: its main part is put in place.
function showUpload(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // A server that is sent too much hangs up before it can say so.
    const letter = form.querySelector("input[type=file]");
    const tooLarge = letter && letter.files[0] && letter.files[0].size > Number(letter.dataset.maxBytes);
    if (letter) form.querySelector("[data-too-large]").hidden = !tooLarge;
    if (tooLarge) return;
    const row = form.querySelector("[data-progress]");
    const bar = row.querySelector("progress");
    const words = row.querySelector("[data-uploaded]");
    const button = form.querySelector("button");
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.responseType = "document";
    request.upload.onprogress = (sent) => {
      bar.value = (100 * sent.loaded) / sent.total;
      words.textContent = sent.loaded < sent.total ? `${Math.floor(bar.value)} %` : words.dataset.checking;
    };
    request.onload = () => {
      const page = request.response;
      if (request.responseURL !== form.action || !page) return location.assign(request.responseURL);
      const main = page.querySelector("main");
      document.querySelector("main").replaceWith(main);
      begin(main);
      const pages = main.querySelector("[data-look-here]");
      if (pages) pages.focus();
      else main.querySelector("[role=alert], h1").scrollIntoView({ block: "center" });
    };
    // Without a connection the plain form shows what the browser has to say.
    request.onerror = () => form.submit();
    button.disabled = true;
    row.hidden = false;
    request.send(new FormData(form));
  });
}

function begin(root) {
  root.querySelectorAll("form[data-wait-seconds]").forEach(countDown);
  root.querySelectorAll("form[data-upload]").forEach(showUpload);
}
document.addEventListener("DOMContentLoaded", () => begin(document));
// A page that the browser has kept may be of a step that is over.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

// What moves by itself: say so while the service does not answer, and leave when the session has ended meanwhile.
function staleness(stale) {
  document.querySelectorAll("[data-stale]").forEach((note) => { note.hidden = !stale; });
}
document.addEventListener("htmx:responseError", () => staleness(true));
document.addEventListener("htmx:sendError", () => staleness(true));
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  const answered = new URL(xhr.responseURL || location.href).pathname;
  if (xhr.status < 400) staleness(false);
  if (answered !== new URL(pathInfo.requestPath, location.href).pathname) {
    event.detail.shouldSwap = false;
    location.assign(xhr.responseURL);
  }
});
