// Keeps the page fresh without taking anything out of the reader's hands: what is being typed in stays, what was opened stays open.
// Without this script the page renews itself every five seconds.
"use strict";
const EVERY = 1500;

function busy() {
  const active = document.activeElement;
  const field = active && active.closest("#world") && active.matches("input, select, textarea");
  const written = [...document.querySelectorAll("#world input:not([type=hidden])")].some((input) => input.value !== "");
  return field || written || !document.getSelection().isCollapsed;
}

async function renew() {
  if (document.hidden || busy()) return;
  const answer = await fetch(location.pathname + location.search, { cache: "no-store" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = fresh.getElementById("world");
  const now = document.getElementById("world");
  if (!next || busy()) return;
  for (const open of now.querySelectorAll("details[open][id]")) {
    const twin = next.querySelector("#" + CSS.escape(open.id));
    if (twin) twin.open = true;
  }
  const focused = document.activeElement;
  const again = focused && focused.matches("button[name]")
    ? `button[name="${focused.name}"][value="${CSS.escape(focused.value)}"]` : null;
  now.replaceWith(next);
  document.title = fresh.title;
  if (again) { const twin = next.querySelector(again); if (twin) twin.focus({ preventScroll: true }); }
}

setInterval(() => renew().catch(() => {}), EVERY);
