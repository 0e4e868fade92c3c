// What people come for, done with the keyboard alone, from the front page on: nothing is clicked, nothing is given the focus.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./demo.mjs";
import { demo, visit } from "./stage.mjs";

/** Whether what has the focus is in sight, nothing lies over it, and it shows that it has it; in the browser. */
function focused() {
  const one = document.activeElement, box = one.getClientRects()[0], style = getComputedStyle(one);
  const over = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
  return {
    says: (one.labels?.[0] ?? one).innerText.trim(),
    path: one.pathname ?? "",
    seen: box.top >= 0 && box.top < innerHeight && !!over && (one.contains(over) || over.contains(one)),
    marked: style.boxShadow !== "none" || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
    what: one.outerHTML.slice(0, 120),
  };
}

/** Goes on with the Tab key until what has the focus says, or leads to, what is `wanted`. */
async function go(page, wanted) {
  const passed = [];
  while (passed.length < 150) {
    await page.keyboard.press("Tab");
    const { says, path, seen, marked, what } = await page.evaluate(focused);
    assert.ok(seen, `the focus is on what is not seen: ${what}`);
    assert.ok(marked, `what has the focus does not show it: ${what}`);
    if (says === wanted || (wanted instanceof RegExp && wanted.test(path))) return;
    passed.push(says);
  }
  assert.fail(`the Tab key never leads to ${wanted}: ${passed.join(" | ")}`);
}

/** Presses Enter where that leads to another page. */
async function enter(page, address) {
  await Promise.all([page.waitForURL(address), page.keyboard.press("Enter")]);
}

const task = (name, path, act, audience = "site") => {
  test(`with the keyboard alone: ${name}`, { timeout: 200_000 }, () => {
    // Where nothing moves smoothly, what has the focus is in sight at once.
    return visit(demo[audience] + path, act, { reducedMotion: "reduce", viewport: { width: 1280, height: 720 } });
  });
};

task("does this API work in UAT?", "/en", async (page) => {
  await go(page, "Results and Reporting");
  await enter(page, /\/en\/apis\/results/);
  assert.match(await page.locator("#uat .state").innerText(), /Working|working|Slow|Planned|Not known/);
}, "internal");

task("what happened? An incident is read", "/en", async (page) => {
  await until(`${demo.site}/api/v1/incidents`, (incidents) => incidents.length > 0, 150);
  await go(page, "Incidents");
  await enter(page, /\/en\/incidents$/);
  await go(page, /^\/en\/incidents\/C-\d+$/);
  await enter(page, /\/en\/incidents\/C-\d+$/);
  assert.match(await page.locator("h1").innerText(), /./);
  assert.ok(await page.locator(".posts li").count() > 0, "it says what was said");
});

task("is it me?", "/en", async (page) => {
  await go(page, "Patient Demographics");
  await enter(page, /\/en\/apis\//);
  // The first leads to the page of that name.
  await go(page, "Is it me?");
  await go(page, "Is it me?");
  await page.keyboard.press("Enter");
  await go(page, "Compare with what you got");
  await enter(page, /is-it-me\?/);
  assert.equal(await page.locator("#api").inputValue(), "patient-demographics");
  await go(page, "What you got");
  await page.keyboard.type("401");
  await go(page, "Compare");
  await enter(page, /status=401/);
  assert.match(await page.locator("#told").innerText(), /./);
});

task("tell me by e-mail", "/en", async (page) => {
  await go(page, "Be told by e-mail");
  await enter(page, /\/en\/subscribe/);
  await go(page, "Your e-mail address");
  await page.keyboard.type("keyboard@example.wales");
  await go(page, "API");
  await page.keyboard.type("Results");
  await go(page, "Ask for e-mails");
  await page.keyboard.press("Enter");
  await page.locator(".said").waitFor();
  assert.match(await page.locator(".said").innerText(), /^Look into your mailbox/);
});

// The form stands there from a dozen APIs on, and where something was looked for.
task("in Welsh, and only what I look for", "/en?find=e", async (page) => {
  await go(page, "Cymraeg");
  await enter(page, /\/cy\?find=e$/);
  assert.equal(await page.locator("html").getAttribute("lang"), "cy");
  const all = await page.locator(".matrix tbody tr").count();
  await go(page, "Dod o hyd i API");
  await page.keyboard.type("canlyniadau");
  await enter(page, /find=canlyniadau/);
  const found = await page.locator(".matrix tbody th").allInnerTexts();
  assert.ok(found.length > 0 && found.length < all && found.every((name) => /canlyniadau/i.test(name)), found.join(" | "));
  await go(page, "English");
  await enter(page, /\/en\?find=canlyniadau/);
});
