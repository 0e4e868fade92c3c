// Lighthouse on the pages that most people meet: it has nothing against them. How fast it thinks they are is noted.

import assert from "node:assert/strict";
import { test } from "node:test";
import lighthouse from "lighthouse";
import { debugging, demo, kinds } from "./stage.mjs";

const WHOLE = ["accessibility", "best-practices", "seo"];

for (const kind of ["front", "api", "incident"]) {
  test(`Lighthouse has nothing against the ${kind} page`, { timeout: 240_000 }, async (t) => {
    const { lhr } = await lighthouse(demo.site + await kinds[kind](), {
      port: debugging,
      logLevel: "error",
      onlyCategories: [...WHOLE, "performance"],
      disableFullPageScreenshot: true,
    });
    t.diagnostic(`performance ${Math.round(lhr.categories.performance.score * 100)}`);
    for (const category of WHOLE) {
      const { score, auditRefs } = lhr.categories[category];
      const against = auditRefs.filter(({ id, weight }) => weight > 0 && ![null, 1].includes(lhr.audits[id].score)).map(({ id }) => id);
      assert.equal(score, 1, `${category}: ${against.join(" ")}`);
    }
  });
}
