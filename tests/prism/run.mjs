// `schema: openapi` against answers that we did not write: Prism (stoplight.io) serves the example's OpenAPI document, and the
// real `curiad probe` holds its answers against it. Run by tests/run; by hand, once its packages are there:
// (cd tests/prism && npm ci) && CURIAD_BIN=target/debug/curiad node tests/prism/run.mjs

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { freeAddress } from "../browser/demo.mjs";

const ROOT = new URL("../../", import.meta.url).pathname;
const DOCUMENT = "openapi/reference-data.yaml";
const published = await readFile(join(ROOT, "config", DOCUMENT), "utf8");

const stops = [];
after(async () => { for (const stop of stops.reverse()) await stop(); });

async function directory() {
  const path = await mkdtemp(join(tmpdir(), "curiad-prism-"));
  stops.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Prism with this document, once it listens: its URL. */
async function prism(document) {
  const path = join(await directory(), "openapi.yaml");
  await writeFile(path, document);
  const [host, port] = (await freeAddress()).split(":");
  const program = join(ROOT, "tests/prism/node_modules/@stoplight/prism-cli/dist/index.js");
  const child = spawn(process.execPath, [program, "mock", "--host", host, "--port", port, path]);
  const ended = new Promise((done) => child.once("exit", done));
  stops.push(async () => { child.kill(); await ended; });
  let said = "";
  await new Promise((listens, failed) => {
    const hear = (piece) => { said += piece; if (said.includes("is listening on")) listens(); };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    ended.then((code) => failed(new Error(`Prism ended with ${code}: ${said}`)));
  });
  return `http://${host}:${port}`;
}

/** One probe of an operation at `url`, as `curiad probe --json` tells it. */
async function probe(url, operation) {
  const path = await directory();
  await cp(join(ROOT, "tests/configuration/good/curiad.yaml"), join(path, "curiad.yaml"));
  await cp(join(ROOT, "config/openapi"), join(path, "openapi"), { recursive: true });
  const text = { en: "Reference data", cy: "Data cyfeirio" };
  // JSON is YAML.
  const api = {
    id: "reference-data", name: text, description: text, kind: "rest", lifecycle: "stable", service_level: "standard",
    team: "records", openapi: DOCUMENT, latency: { slow: "5s", timeout: "20s" }, operations: { asked: operation },
    environments: { sit: { url } },
  };
  await cp(join(ROOT, "tests/configuration/good/apis"), join(path, "apis"), { recursive: true });
  await rm(join(path, "apis/documents.yaml"));
  await writeFile(join(path, "apis/reference-data.yaml"), JSON.stringify(api));
  const environment = await readFile(join(ROOT, "tests/configuration/environment"), "utf8");
  const secrets = Object.fromEntries(environment.trim().split("\n").map((line) => line.split(/=(.*)/s)));
  const options = ["--config", path, "--json", "probe", "reference-data", "--environment", "sit", "--operation", "asked"];
  const child = spawn(process.env.CURIAD_BIN ?? join(ROOT, "target/debug/curiad"), options, { env: { ...process.env, ...secrets } });
  let out = "", errors = "";
  child.stdout.on("data", (piece) => { out += piece; });
  child.stderr.on("data", (piece) => { errors += piece; });
  const code = await new Promise((done) => child.once("close", done));
  assert.ok(out.startsWith("["), `curiad probe says ${code}: ${errors}${out}`);
  const [outcome] = JSON.parse(out);
  return { code, outcome, schema: outcome.expectations.find(({ what }) => what === "schema") };
}

const asked = (path, expect = {}, prefer) => ({
  get: path,
  headers: { Accept: "application/json, application/problem+json, application/vnd.lists+json", ...(prefer && { Prefer: prefer }) },
  expect: { status: 200, schema: "openapi", ...expect },
});

const well = await prism(published);

test("what Prism answers by the document's examples keeps the document", async () => {
  const { code, outcome, schema } = await probe(well, asked("/lists"));
  assert.equal(code, 0, JSON.stringify(outcome));
  assert.deepEqual(schema, { what: "schema", expected: `GET /lists 200 of ${DOCUMENT}`, seen: "so it is", ok: true });
});

test("what Prism makes up from the document's schemas keeps the document", async () => {
  for (let turn = 0; turn < 10; turn++) {
    for (const path of ["/lists", "/lists/sex"]) {
      const { code, outcome } = await probe(well, asked(path, {}, "dynamic=true"));
      assert.equal(code, 0, JSON.stringify(outcome));
    }
  }
});

test("another status is held against what is promised for it", async () => {
  const both = { status: [200, 404] };
  const { code, outcome, schema } = await probe(well, asked("/lists/none", both, "code=404"));
  assert.equal(code, 0, JSON.stringify(outcome));
  assert.equal(schema.expected, `GET /lists/{code} 404 of ${DOCUMENT}`);
  const refused = await probe(well, asked("/lists/none", {}, "code=404"));
  assert.deepEqual([refused.code, refused.outcome.failure.kind], [1, "unexpected_status"]);
});

test("an API that went another way than its document is a failure of the contract, with a pointer", async () => {
  const changed = (from, to) => {
    assert.ok(published.includes(from), from);
    return published.replace(from, to);
  };
  for (const [document, said] of [
    [changed("entries: 4", 'entries: "4"'), "/0/entries: should be a whole number"],
    [changed("code: sex", "code: Sex"), "/0/code: should match /^[a-z][a-z0-9-]*$/"],
    [changed("cy: Rhyw", "cy: null"), "/0/name/cy: should be a string"],
    [changed("[{ code: sex", "[{ kod: sex"), '/0: lacks "code"'],
    [changed("            application/json:", "            application/vnd.lists+json:"), "a Content-Type that it does not have"],
  ]) {
    const { code, outcome, schema } = await probe(await prism(document), asked("/lists"));
    assert.deepEqual([code, outcome.layer, schema?.seen], [1, "contract", said], JSON.stringify(outcome));
    assert.ok(!JSON.stringify(outcome).includes("Rhyw"));
  }
});
