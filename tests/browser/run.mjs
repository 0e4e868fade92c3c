// What a person with a browser meets: both languages, no script, a narrow screen, a slow line.
// Run by tests/run; by hand: CURIAD_URL=http://127.0.0.1:8080 node tests/browser/run.mjs

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { readFile } from "node:fs/promises";
import { HtmlValidate } from "html-validate";
import { cut, lines, moving, small, unseen } from "./seen.mjs";
import { browser, demo, kinds, visit } from "./stage.mjs";
import "./tasks.mjs";
import "./lighthouse.mjs";

/** Times move on between two looks, the words do not. */
const timeless = (text) => text.replace(/[\d:.,%]+/g, "#");
const MOST_BYTES = 60_000; // the first view, everything included, as it comes over the wire
const LANES = 3;
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
// 1,280 by 1,024 pixels at 400 %.
const ZOOMED = { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 };
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const twin = (page, language) => page.locator(`link[rel=alternate][hreflang=${language}]`).first().getAttribute("href");
const pathOf = (address) => new URL(address, demo.site).pathname;

const rules = new HtmlValidate({
  extends: ["html-validate:recommended"],
  // What APIs are called makes titles long; a button of a form sends it; the wall view refreshes itself, for that it is chosen.
  rules: { "long-title": "off", "no-implicit-button-type": "off", "meta-refresh": "off" },
});

/** What is wrong with the HTML at `url`, as it is sent. */
async function invalid(url, options = {}) {
  const { results } = await rules.validateString(await (await fetch(url, options)).text(), url);
  return results.flatMap(({ messages }) => messages.map(({ ruleId, message, line, column }) => `${line}:${column} ${ruleId}: ${message}`));
}

/** What axe says against a page, as it stands. */
async function violations(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const run = (values) => globalThis.axe.run({ runOnly: { type: "tag", values }, resultTypes: ["violations"] });
  const { violations } = await page.evaluate(run, RULES);
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")}`);
}

// A page waits for the browser, the demo and the network in turn: a few at a time keep all of them busy.
describe("each kind of page", { concurrency: Number(process.env.CURIAD_LANES ?? LANES) }, () => {
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

        await t.test(`${language}: is valid HTML`, async () => {
          assert.deepEqual(await invalid(url), []);
        });

        await t.test(`${language}: says its language, and meets WCAG 2.2 AA as far as axe can tell, light, dark and on paper`, async () => {
          await visit(url, async (page) => {
            assert.equal(await page.locator("html").getAttribute("lang"), language);
            assert.equal(await page.locator("h1").count(), 1);
            assert.ok((await page.title()).length > 0);
            for (const [colorScheme, media] of [["light", "screen"], ["dark", "screen"], ["dark", "print"]]) {
              await page.emulateMedia({ colorScheme, media });
              assert.deepEqual(await violations(page), [], `${colorScheme}, ${media}`);
            }
          });
        });

        await t.test(`${language}: asks no other host, the console stays empty, and the first view weighs at most ${MOST_BYTES} bytes`, async () => {
          const context = await browser.newContext();
          const page = await context.newPage();
          const asked = [], wrong = [];
          page.on("request", (request) => asked.push(request.url()));
          page.on("requestfailed", (request) => wrong.push(`failed: ${request.url()}`));
          page.on("response", (response) => response.status() < 400 || wrong.push(`${response.status()}: ${response.url()}`));
          page.on("console", (line) => ["error", "warning"].includes(line.type()) && wrong.push(line.text()));
          page.on("pageerror", (error) => wrong.push(error.message));
          const wire = await context.newCDPSession(page);
          const names = new Map(), weights = [];
          await wire.send("Network.enable");
          wire.on("Network.responseReceived", ({ requestId, response }) => names.set(requestId, response.url));
          wire.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => weights.push([encodedDataLength, names.get(requestId)]));
          await page.goto(url, { waitUntil: quiet });
          await context.close();
          assert.deepEqual(wrong, []);
          const { host } = new URL(demo.site);
          assert.deepEqual(asked.filter((one) => !one.startsWith("data:") && new URL(one).host !== host), []);
          const whole = weights.reduce((sum, [bytes]) => sum + bytes, 0);
          t.diagnostic(`${language} ${path}: ${whole} bytes in ${weights.length} requests`);
          assert.ok(whole > 0 && whole <= MOST_BYTES, `${whole} bytes: ${JSON.stringify(weights)}`);
        });

        await t.test(`${language}: at 400 % nothing scrolls sideways or is cut off, and all that is pressed is large enough`, async () => {
          await visit(url, async (page) => {
            assert.deepEqual(await page.evaluate(small), []);
            assert.deepEqual(await page.evaluate(cut), []);
            await page.locator("details").evaluateAll((all) => all.forEach((one) => (one.open = true)));
            assert.deepEqual(await page.evaluate(cut), [], "with all that can be opened");
          }, ZOOMED);
        });

        await t.test(`${language}: says all on paper, shows all in forced colours, moves nothing for who wants that`, async () => {
          await visit(url, async (page) => {
            assert.deepEqual(await page.evaluate(small), [], "on a wide screen");
            await page.emulateMedia({ media: "print" });
            const printed = new Set(await page.locator("main").innerText().then((text) => text.split(/\n|\t/).map((line) => timeless(line.trim()))));
            assert.equal(await page.locator("nav").filter({ visible: true }).count(), 0);
            await page.emulateMedia({ media: "screen" });
            assert.deepEqual((await page.evaluate(lines)).filter((line) => !printed.has(timeless(line))), []);
            await page.emulateMedia({ forcedColors: "active" });
            assert.deepEqual(await page.evaluate(unseen), []);
            await page.emulateMedia({ forcedColors: null, reducedMotion: "reduce" });
            assert.deepEqual(await page.evaluate(moving), []);
          });
        });

        await t.test(`${language}: says the same without script`, async () => {
          // The world may change while we look, and a browser keeps a page for some seconds: what differs for longer is the page's.
          const words = (page) => page.locator("main").innerText().then((text) => timeless(text).trim());
          const seen = [];
          const end = Date.now() + 45_000;
          do {
            seen[0] = await visit(url, words, { javaScriptEnabled: false });
            seen[1] = await visit(url, words);
          } while (seen[0] !== seen[1] && Date.now() < end);
          assert.ok(seen[0].length > 40, "the page has something to say");
          assert.equal(seen[0], seen[1]);
        });
      }
    });
  }
});

test("what is no page of its own is as good: frames, answers, and what is not found", { timeout: 120_000 }, async () => {
  const answer = "api=patient-demographics&environment=production&status=503";
  for (const [path, status = 200] of [
    ["/en/embed/patient-demographics"], ["/cy/mewnblannu/patient-demographics"],
    [`/en/is-it-me?${answer}`], [`${pathOf(await visit(`${demo.site}/en/is-it-me`, (page) => twin(page, "cy")))}?${answer}`],
    ["/en/is-it-me?api=&environment=", 400], ["/en/nothing-here", 404], ["/cy/dim-byd-yma", 404],
  ]) {
    const url = demo.site + path;
    assert.deepEqual(await invalid(url), [], path);
    const open = [status, 304];
    await visit(url, async (page) => {
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await violations(page), [], `${path}, ${colorScheme}`);
      }
    }, {}, open);
    await visit(url, async (page) => {
      assert.deepEqual(await page.evaluate(small), [], path);
      assert.deepEqual(await page.evaluate(cut), [], path);
    }, ZOOMED, open);
  }
});

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

test("what is no page of its own is valid HTML too", { timeout: 60_000 }, async () => {
  const form = { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" } };
  for (const [path, options] of [
    ["/en/nothing"],
    ["/cy?find=x&kind=rest"],
    ["/en/is-it-me?api=patient-demographics&environment=production&status=401"],
    ["/en/embed/patient-demographics"],
    ["/en/subscribe?api=results&environment=production&when=back"],
    ["/en/subscribe", { ...form, body: "email=nobody" }],
    ["/en/subscribe", { ...form, body: "email=html%40example.wales" }],
  ]) {
    assert.deepEqual(await invalid(demo.site + path, options), [], `${path} ${options?.body ?? ""}`);
  }
  for (const path of ["/en", "/cy/apis/patient-demographics"]) assert.deepEqual(await invalid(demo.internal + path), [], path);
});

test("the front page is chosen by the reader's language", { timeout: 60_000 }, async () => {
  for (const [locale, path] of [["cy-GB", "/cy"], ["en-GB", "/en"]]) {
    await visit(`${demo.site}/`, async (page) => assert.equal(new URL(page.url()).pathname, path), { locale });
  }
});

test("the internal view meets WCAG 2.2 AA and shows all five environments", { timeout: 60_000 }, async () => {
  await visit(`${demo.internal}/en`, async (page) => {
    assert.deepEqual(await violations(page), []);
    const environments = new Set(await page.locator("a[href]").evaluateAll((all) => all.map((link) => link.pathname).filter((path) => path.startsWith("/en/environments/"))));
    assert.equal(environments.size, 5, [...environments].join(" "));
  });
});
