// Keeps the wall view fresh: the server says when something else is to be seen, and the main part is fetched anew.
const WAIT = 10_000;
const path = () => `/wall/events?seen=${document.querySelector("[data-seen]").dataset.seen}`;

async function renew() {
  const answer = await fetch(location.href, { cache: "no-cache" });
  if (!answer.ok) throw new Error(answer.statusText);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.querySelector("main").replaceChildren(...fresh.querySelector("main").childNodes);
}

function lost() {
  document.getElementById("lost").hidden = false;
}

function listen() {
  const events = new EventSource(path());
  events.addEventListener("view", () => renew().catch(lost));
  events.addEventListener("error", () => {
    // Between two events it connects anew by itself; where it was refused, it does not.
    if (events.readyState !== EventSource.CLOSED) return;
    setTimeout(() => renew().catch(lost).finally(listen), WAIT);
  });
  // Nobody answers any more: the view says its time, and that it is old.
  let failures = 0;
  events.addEventListener("error", () => { failures += 1; if (failures > 5) lost(); });
  for (const name of ["view", "same"]) events.addEventListener(name, () => { failures = 0; });
}

listen();
