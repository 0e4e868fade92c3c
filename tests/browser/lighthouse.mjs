// Lighthouse on the pages that most people meet: it has nothing against them. How fast it thinks they are is noted.

import assert from "node:assert/strict";
import { test } from "node:test";
import lighthouse from "lighthouse";
import { debugging, demo, kinds } from "./stage.mjs";

const WHOLE = ["accessibility", "best-practices", "seo"];

for (const kind of ["front", "api", "incident", "month", "maintenance"]) {
  test(`Lighthouse has nothing against the ${kind} page`, { timeout: 240_000 }, async (t) => {
    const url = demo.site + await kinds[kind]();
    let lhr;
    // Where it has no score, it did not get to see all: it looks again.
    for (let tries = 0; tries < 3 && !WHOLE.every((category) => lhr?.categories[category].score != null); tries++) {
      ({ lhr } = await lighthouse(url, {
        port: debugging,
        logLevel: "error",
        onlyCategories: [...WHOLE, "performance"],
        disableFullPageScreenshot: true,
      }));
    }
    t.diagnostic(`performance ${Math.round((lhr.categories.performance.score ?? 0) * 100)}`);
    for (const category of WHOLE) {
      const { score, auditRefs } = lhr.categories[category];
      const against = auditRefs.filter(({ id, weight }) => weight > 0 && ![null, 1].includes(lhr.audits[id].score)).map(({ id }) => id);
      const missed = Object.values(lhr.audits).filter(({ errorMessage }) => errorMessage).map(({ id, errorMessage }) => `${id} (${errorMessage})`);
      assert.equal(score, 1, `${category}: ${[...against, ...missed].join(" ")}`);
    }
  });
}
