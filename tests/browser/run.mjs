// What a person with a browser meets: both languages, no script, a narrow screen, a slow line.
// Run by tests/run; by hand: CURIAD_URL=http://127.0.0.1:8080 node tests/browser/run.mjs

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { readFile } from "node:fs/promises";
import { chromium } from "playwright-core";
import { start, until } from "./demo.mjs";

const MOST_BYTES = 60_000; // the first view, everything included, as it comes over the wire
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let demo, browser;

before(async () => {
  demo = await start();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
}, { timeout: 90_000 });

after(async () => {
  await browser?.close();
  const code = await demo?.stop();
  assert.equal(code ?? 0, 0, "the demo stops when it is told to, and says that all went well");
}, { timeout: 30_000 });

/** Opens `url` in a browser that has never been here, hands the page to `look`, closes it. */
async function visit(url, look, options = {}) {
  const context = await browser.newContext({ locale: "en-GB", ...options });
  try {
    const page = await context.newPage();
    const response = await page.goto(url);
    assert.equal(response.status(), 200, url);
    return await look(page);
  } finally {
    await context.close();
  }
}

const twin = (page, language) => page.locator(`link[rel=alternate][hreflang=${language}]`).first().getAttribute("href");
const pathOf = (address) => new URL(address, demo.site).pathname;

async function firstLink(path, pattern) {
  return visit(demo.site + path, async (page) => {
    const links = await page.locator("a[href]").evaluateAll((all) => all.map((link) => link.pathname));
    const found = links.find((link) => pattern.test(link));
    assert.ok(found, `${path} links to ${pattern}; it has ${[...new Set(links)].join(" ")}`);
    return found;
  });
}

/** The kinds of page, each found as a reader would, from the front page on. */
const kinds = {
  front: async () => "/en",
  api: () => firstLink("/en", /^\/en\/apis\/[^/]+$/),
  environment: () => firstLink("/en", /^\/en\/environments\/[^/]+$/),
  incidents: async () => "/en/incidents",
  incident: async () => {
    await until(`${demo.site}/api/v1/incidents`, (incidents) => incidents.length > 0, 150);
    return firstLink("/en/incidents", /^\/en\/incidents\/[^/]+$/);
  },
  month: () => firstLink("/en/incidents", /^\/en\/incidents\/[a-z]+-\d{4}$/),
  maintenance: async () => "/en/maintenance",
  "is it me": async () => "/en/is-it-me",
  subscribe: async () => "/en/subscribe",
  wall: async () => "/en/wall",
  accessibility: async () => "/en/accessibility-statement",
};

for (const [kind, find] of Object.entries(kinds)) {
  test(kind, { timeout: 240_000 }, async (t) => {
    // The wall view always waits for news.
    const quiet = kind === "wall" ? "load" : "networkidle";
    const english = await find();
    const welsh = pathOf(await visit(demo.site + english, (page) => twin(page, "cy")));

    await t.test("has a twin in Welsh that leads back", async () => {
      assert.match(welsh, /^\/cy(\/|$)/);
      const back = await visit(demo.site + welsh, (page) => twin(page, "en"));
      assert.equal(pathOf(back), english);
    });

    for (const [language, path] of [["en", english], ["cy", welsh]]) {
      const url = demo.site + path;

      await t.test(`${language}: says its language, has one heading of the first rank and a title`, async () => {
        await visit(url, async (page) => {
          assert.equal(await page.locator("html").getAttribute("lang"), language);
          assert.equal(await page.locator("h1").count(), 1);
          assert.ok((await page.title()).length > 0);
        });
      });

      for (const colorScheme of ["light", "dark"]) {
        await t.test(`${language}: meets WCAG 2.2 AA as far as axe can tell, ${colorScheme}`, async () => {
          await visit(url, async (page) => {
            await page.evaluate(axe);
            const { violations } = await page.evaluate((values) => globalThis.axe.run({ runOnly: { type: "tag", values } }), RULES);
            const said = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")}`);
            assert.deepEqual(said, []);
          }, { colorScheme });
        });
      }

      await t.test(`${language}: asks no other host for anything, and the console stays empty`, async () => {
        const context = await browser.newContext();
        const page = await context.newPage();
        const asked = [], wrong = [];
        page.on("request", (request) => asked.push(request.url()));
        page.on("requestfailed", (request) => wrong.push(`failed: ${request.url()}`));
        page.on("response", (response) => response.status() < 400 || wrong.push(`${response.status()}: ${response.url()}`));
        page.on("console", (line) => ["error", "warning"].includes(line.type()) && wrong.push(line.text()));
        page.on("pageerror", (error) => wrong.push(error.message));
        await page.goto(url, { waitUntil: quiet });
        await context.close();
        assert.deepEqual(wrong, []);
        const { host } = new URL(demo.site);
        assert.deepEqual(asked.filter((one) => !one.startsWith("data:") && new URL(one).host !== host), []);
      });

      await t.test(`${language}: does not scroll sideways at 320 pixels`, async () => {
        await visit(url, async (page) => {
          const [wide, beyond] = await page.evaluate(() => [
            document.documentElement.scrollWidth,
            [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > 320.5)
              .slice(0, 5).map((one) => one.outerHTML.slice(0, 120)),
          ]);
          assert.ok(wide <= 320, `${wide} pixels wide: ${beyond.join(" | ")}`);
        }, { viewport: { width: 320, height: 640 } });
      });

      await t.test(`${language}: says the same without script`, async () => {
        // Times move on between two visits, the words do not; and the world may change once while we look.
        const words = (page) => page.locator("main").innerText().then((text) => text.replace(/[\d:.,%]+/g, "#").trim());
        const seen = [];
        for (let tries = 0; tries < 3; tries++) {
          seen[0] = await visit(url, words, { javaScriptEnabled: false });
          seen[1] = await visit(url, words);
          if (seen[0] === seen[1]) break;
        }
        assert.ok(seen[0].length > 40, "the page has something to say");
        assert.equal(seen[0], seen[1]);
      });

      await t.test(`${language}: weighs at most ${MOST_BYTES} bytes on the first view`, async () => {
        const context = await browser.newContext();
        const page = await context.newPage();
        const wire = await context.newCDPSession(page);
        const names = new Map(), weights = [];
        await wire.send("Network.enable");
        wire.on("Network.responseReceived", ({ requestId, response }) => names.set(requestId, response.url));
        wire.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => weights.push([encodedDataLength, names.get(requestId)]));
        await page.goto(url, { waitUntil: quiet });
        await context.close();
        const whole = weights.reduce((sum, [bytes]) => sum + bytes, 0);
        t.diagnostic(`${language} ${path}: ${whole} bytes in ${weights.length} requests`);
        assert.ok(whole > 0 && whole <= MOST_BYTES, `${whole} bytes: ${JSON.stringify(weights)}`);
      });
    }
  });
}

test("the wall view is brought up to date while it stands", { timeout: 90_000 }, async () => {
  await visit(`${demo.site}/en/wall`, async (page) => {
    const seen = () => page.locator("[data-seen]").getAttribute("data-seen");
    const before = await seen();
    await page.waitForFunction((old) => document.querySelector("[data-seen]").dataset.seen !== old, before, { timeout: 60_000 });
    assert.ok(await seen() > before);
    assert.equal(await page.locator("h1").count(), 1);
    assert.equal(await page.locator("#lost").isVisible(), false);
  });
});

test("is it me? is asked with the keyboard alone", { timeout: 60_000 }, async () => {
  await visit(`${demo.site}/en/is-it-me`, async (page) => {
    await page.locator("#api").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.type("401");
    await page.locator("#at").focus();
    for (let tries = 0; tries < 12 && await page.evaluate(() => document.activeElement.tagName) !== "BUTTON"; tries++) {
      await page.keyboard.press("Tab");
    }
    await Promise.all([page.waitForURL(/status=401/), page.keyboard.press("Enter")]);
    assert.match(await page.locator("#told").innerText(), /./);
  });
});

test("the front page is chosen by the reader's language", { timeout: 60_000 }, async () => {
  for (const [locale, path] of [["cy-GB", "/cy"], ["en-GB", "/en"]]) {
    await visit(`${demo.site}/`, async (page) => assert.equal(new URL(page.url()).pathname, path), { locale });
  }
});

test("the internal view meets WCAG 2.2 AA and shows all five environments", { timeout: 60_000 }, async () => {
  await visit(`${demo.internal}/en`, async (page) => {
    await page.evaluate(axe);
    const { violations } = await page.evaluate((values) => globalThis.axe.run({ runOnly: { type: "tag", values } }), RULES);
    assert.deepEqual(violations.map(({ id, help }) => `${id}: ${help}`), []);
    const environments = new Set(await page.locator("a[href]").evaluateAll((all) => all.map((link) => link.pathname).filter((path) => path.startsWith("/en/environments/"))));
    assert.equal(environments.size, 5, [...environments].join(" "));
  });
});
