// What all the tests here share: the program under test, the browser, and how both are looked at.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { freeAddress, start, until } from "./demo.mjs";

export let demo, browser;
/** Where the browser can be told what to do by others than Playwright. */
export let debugging;

/** A browser's windows by how it was opened: to open one is most of what a visit takes. */
const contexts = new Map();

// With a past, its bars and charts are seen with something in them, and nobody waits for the first incident.
before(async () => {
  demo = await start(["--history", "2d"]);
  debugging = Number((await freeAddress()).split(":")[1]);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", `--remote-debugging-port=${debugging}`],
  });
}, { timeout: 90_000 });

after(async () => {
  await browser?.close();
  const code = await demo?.stop();
  assert.equal(code ?? 0, 0, "the demo stops when it is told to, and says that all went well");
}, { timeout: 30_000 });

/** Opens `url` in a browser with these options, hands the page to `look`, closes it. */
export async function visit(url, look, options = {}, statuses = [200, 304]) {
  const key = JSON.stringify(options);
  if (!contexts.has(key)) contexts.set(key, browser.newContext({ locale: "en-GB", ...options }));
  const page = await (await contexts.get(key)).newPage();
  try {
    const response = await page.goto(url);
    assert.ok(statuses.includes(response.status()), `${url}: ${response.status()}`);
    return await look(page);
  } finally {
    await page.close();
  }
}

/** The path of the first link on the page at `path` that is like `pattern`. */
export async function firstLink(path, pattern) {
  return visit(demo.site + path, async (page) => {
    const links = await page.locator("a[href]").evaluateAll((all) => all.map((link) => link.pathname));
    const found = links.find((link) => pattern.test(link));
    assert.ok(found, `${path} links to ${pattern}; it has ${[...new Set(links)].join(" ")}`);
    return found;
  });
}

/** The kinds of page, each found as a reader would, from the front page on. */
export const kinds = {
  front: async () => "/en",
  api: async () => {
    const path = await firstLink("/en", /^\/en\/apis\/[^/]+$/);
    // How fast the past answered is read after the start.
    if (demo.history) await until(demo.site + path, (page) => page.includes('class="l1"'), 90);
    return path;
  },
  environment: () => firstLink("/en", /^\/en\/environments\/[^/]+$/),
  incidents: async () => "/en/incidents",
  incident: async () => {
    await until(`${demo.site}/api/v1/incidents`, (incidents) => incidents.length > 0, 150);
    return firstLink("/en/incidents", /^\/en\/incidents\/[^/]+$/);
  },
  month: () => firstLink("/en/incidents", /^\/en\/incidents\/[a-z]+-\d{4}$/),
  maintenance: async () => "/en/maintenance",
  "how we measure": () => firstLink("/en", /^\/en\/how/),
  "is it me": async () => "/en/is-it-me",
  subscribe: async () => "/en/subscribe",
  wall: async () => "/en/wall",
  accessibility: async () => "/en/accessibility-statement",
};
