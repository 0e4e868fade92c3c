// The program under test: `curiad demo` on free ports, or what CURIAD_URL names.

import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One that stays free until it is used: below the ports that the kernel gives to whoever asks for any. */
export async function freeAddress() {
  for (;;) {
    const port = randomInt(12_000, 30_000);
    const server = createServer().listen(port, "127.0.0.1");
    const free = await once(server, "listening").then(() => true, () => false);
    if (!free) continue;
    server.close();
    await once(server, "close");
    return `127.0.0.1:${port}`;
  }
}

/** Asks until `good` accepts the answer's JSON, or its text where it is none, or says after `seconds` what the last answer was. */
export async function until(url, good, seconds) {
  const end = Date.now() + seconds * 1000;
  let last = "nothing";
  while (Date.now() < end) {
    try {
      const response = await fetch(url);
      last = `${response.status} ${await response.text()}`;
      const json = /json/.test(response.headers.get("content-type"));
      if (response.ok && good(json ? JSON.parse(last.slice(4)) : last.slice(4))) return;
    } catch (error) {
      last = error.message;
    }
    await new Promise((again) => setTimeout(again, 100));
  }
  throw new Error(`${url} after ${seconds} s: ${last.slice(0, 500)}`);
}

/** Returns the addresses of the public and the internal view, and how to stop; `more`: further flags of the demo, which answers within `patience` seconds. */
export async function start(more = [], patience = 60) {
  if (process.env.CURIAD_URL) {
    const site = process.env.CURIAD_URL;
    return { site, internal: process.env.CURIAD_INTERNAL_URL ?? site, stop: async () => 0 };
  }
  const program = process.env.CURIAD_BIN ?? "target/debug/curiad";
  const directory = await mkdtemp(join(tmpdir(), "curiad-browser-"));
  const [site, internal] = [await freeAddress(), await freeAddress()];
  const flags = ["--listen", site, "--listen-internal", internal, "--listen-world", "127.0.0.1:0", "--data", directory, "--any-ports", ...more];
  const child = spawn(program, ["demo", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (more) => (said = (said + more).slice(-20_000)));
  }
  const ended = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? signal));
  });
  const early = ended.then((code) => {
    throw new Error(`${program} demo ended with ${code}:\n${said}`);
  });
  early.catch(() => {});
  const checked = ({ instances }) => instances.some((instance) => instance.checked_at);
  await Promise.race([until(`http://${site}/api/v1/status`, checked, patience), early]);

  return {
    site: `http://${site}`,
    internal: `http://${internal}`,
    history: more.includes("--history"),
    async stop() {
      child.kill("SIGTERM");
      const hard = setTimeout(() => child.kill("SIGKILL"), 15_000);
      const code = await ended;
      clearTimeout(hard);
      await rm(directory, { recursive: true, force: true });
      return code;
    },
  };
}
