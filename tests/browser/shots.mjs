// Makes the pictures in docs/ again, to be looked at before they are kept. Not part of tests/run.
//
//   cargo build --workspace --all-targets && node tests/browser/shots.mjs     needs pngquant (Debian's)

import { execFileSync, spawn } from "node:child_process";
import { chromium } from "playwright-core";
import { start, until } from "./demo.mjs";

const MOST_BYTES = 150_000;
const docs = process.env.CURIAD_SHOTS ?? "docs";
// Stories made by hand (status-page/examples/look.rs), each on a port.
const LOOK = { nothing: 9708, long: 9710, down: 9712 };

const demo = await start(["--history", "90d"], 900);
const look = spawn(process.env.CURIAD_LOOK ?? "target/debug/examples/look", { stdio: "inherit" });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });

/** Takes what stands in a window of `width` by `height` pixels at `url`. */
async function shoot(name, url, { width = 1280, height = 1000, scale = 1, colorScheme = "light", at } = {}) {
  const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: scale, colorScheme });
  await page.goto(url, { waitUntil: "load" });
  if (at) await page.locator(at).evaluate((one) => one.scrollIntoView());
  const file = `${docs}/${name}.png`;
  await page.screenshot({ path: file });
  await page.close();
  execFileSync("pngquant", ["--force", "--speed", "1", "--strip", "--nofs", "--output", file, "64", file]);
  const { size } = await import("node:fs").then(({ statSync }) => statSync(file));
  console.log(`${file}: ${size} bytes`);
  if (size > MOST_BYTES) process.exitCode = 1;
}

try {
  // The past is made first, and its response times are summed up after that.
  const page = await browser.newPage();
  for (let tries = 0; tries < 600; tries++) {
    const there = await page.goto(`${demo.site}/en/apis/patient-demographics`).catch(() => null);
    if (there && await page.locator("#production .chart .l1").count()) break;
    await new Promise((again) => setTimeout(again, 1000));
  }
  await page.close();
  const major = (incidents) => incidents.some(({ status, environment }) => status === "open" && environment === "production");
  await until(`${demo.site}/api/v1/incidents`, major, 150);
  const [incident] = (await (await fetch(`${demo.site}/api/v1/incidents`)).json()).filter(({ status }) => status === "open");
  await shoot("status-page", `${demo.internal}/en`);
  await shoot("front-dark", `${demo.site}/en`, { colorScheme: "dark" });
  await shoot("front-welsh", `${demo.site}/cy`);
  await shoot("front-phone", `${demo.site}/en`, { width: 390, height: 844, scale: 2 });
  await shoot("incident", `${demo.site}/en/incidents/${incident.id}`);
  await shoot("api", `${demo.site}/en/apis/patient-demographics`, { height: 1400 });
  await until(`http://127.0.0.1:${LOOK.down}/api/v1/status`, ({ instances }) => instances.length > 0, 60);
  await shoot("all-down", `http://127.0.0.1:${LOOK.down}/en`);
  await shoot("sixty-welsh", `http://127.0.0.1:${LOOK.long}/cy`);
  await shoot("nothing-yet", `http://127.0.0.1:${LOOK.nothing}/en`, { height: 700 });
} finally {
  await browser.close();
  look.kill("SIGTERM");
  await demo.stop();
}
