// Keeps a page up to date: fetches it again and swaps the parts that changed. Without this script a reload does the same.
const sources = new Map(); // part name -> HTML as the server sent it

const partsOf = (root) => root.querySelectorAll("[data-part]");
/** Times of day come in UTC, for readers without this script. */
function localizeTimes(root) {
  for (const time of root.querySelectorAll("time[data-clock]")) {
    time.textContent = new Date(time.dateTime).toLocaleTimeString([], { timeStyle: "medium", hour12: false });
  }
}

for (const part of partsOf(document)) sources.set(part.dataset.part, part.outerHTML);
localizeTimes(document);

/** Puts a new part in place of an old one; what a reader has opened stays open, and the focus stays where it was. */
function swap(old, fresh) {
  for (const before of old.querySelectorAll("details[id]")) {
    const after = fresh.querySelector(`details[id="${CSS.escape(before.id)}"]`);
    if (after) after.open = before.open;
  }
  const scrolled = [...old.querySelectorAll("[tabindex]")].map((box) => [box.scrollLeft, box.scrollTop]);
  const focusable = "a[href], button, summary, [tabindex]";
  const focused = [...old.querySelectorAll(focusable)].indexOf(document.activeElement);
  localizeTimes(fresh);
  old.replaceWith(fresh);
  [...fresh.querySelectorAll("[tabindex]")].forEach((box, index) => {
    [box.scrollLeft, box.scrollTop] = scrolled[index] ?? [0, 0];
  });
  if (focused >= 0) fresh.querySelectorAll(focusable)[focused]?.focus({ preventScroll: true });
}

async function refresh() {
  const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
  // The session ran out: let the person see the login form.
  if (answer.redirected) return location.reload();
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = document.querySelector("main");
  const known = [...partsOf(document)].map((part) => part.dataset.part).join();
  if (known !== [...partsOf(page)].map((part) => part.dataset.part).join()) {
    // A part came or went: take the page's main as a whole.
    for (const part of partsOf(page)) sources.set(part.dataset.part, part.outerHTML);
    return swap(main, document.adoptNode(page.querySelector("main")));
  }
  for (const fresh of partsOf(page)) {
    const name = fresh.dataset.part;
    const html = fresh.outerHTML;
    if (sources.get(name) === html) continue;
    sources.set(name, html);
    swap(document.querySelector(`[data-part="${name}"]`), document.adoptNode(fresh));
  }
}

let isDue = false;
let latest = Promise.resolve();
/** One refresh at a time and at most one per second, however much is going on. */
function refreshSoon() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    latest = latest.then(refresh).catch(() => {});
  }, 1000);
}

const events = document.querySelector("[data-events]");
if (events) {
  const source = new EventSource(events.dataset.events);
  source.onmessage = (message) => {
    refreshSoon();
    if (JSON.parse(message.data).kind === "run.ended") source.close();
  };
}

const every = document.querySelector("[data-refresh]");
if (every) setInterval(() => !document.hidden && refreshSoon(), Number(every.dataset.refresh) * 1000);

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});
