// Curiad beside Debian's prometheus-blackbox-exporter, before the same targets: nginx, and servers that do one thing wrong.
// It prints what each calls up or down, and where they disagree. Nothing is asserted: which of them is right is for people.
// By hand, for no part of tests/run needs it; it wants Debian's nginx, openssl and prometheus-blackbox-exporter:
//
//   cargo build && node tests/compare/run.mjs

import { execFileSync, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { createServer as createSecure } from "node:tls";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const ROOT = new URL("../../", import.meta.url).pathname;
const room = await mkdtemp(join(tmpdir(), "curiad-compare-"));
const stops = [];

const listening = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));
async function freePort() {
  const server = createServer();
  const port = await listening(server);
  await new Promise((closed) => server.close(closed));
  return port;
}
const run = (program, ...options) => execFileSync(program, options, { cwd: room, stdio: ["ignore", "pipe", "pipe"] });

/** A server that speaks to each connection once it has read a request. */
async function speaks(speak, secure) {
  const hear = (socket) => {
    socket.on("error", () => {});
    socket.once("data", () => speak(socket));
  };
  const server = secure ? createSecure(secure, hear) : createServer(hear);
  server.on("tlsClientError", () => {});
  return listening(server);
}
const says = (text) => speaks((socket) => socket.end(text));
const hangs = (text) => speaks((socket) => socket.write(text));
const every = (start, piece, milliseconds) => speaks((socket) => {
  socket.write(start);
  const timer = setInterval(() => socket.write(piece), milliseconds);
  socket.on("close", () => clearInterval(timer));
});
const http = async (port) => `http://127.0.0.1:${await port}`;

// Certificates of one authority, and one that is its own.
run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "9", "-subj", "/CN=Authority");
async function certificate(name, subject, days) {
  await writeFile(join(room, "extensions"), `subjectAltName=${subject}\n`);
  run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
  run("openssl", "x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", String(days),
    "-extfile", "extensions", "-out", `${name}.pem`);
  return { cert: await readFile(join(room, `${name}.pem`)), key: await readFile(join(room, `${name}.key`)) };
}
const good = await certificate("good", "IP:127.0.0.1", 9);
const expired = await certificate("expired", "IP:127.0.0.1", -1);
const other = await certificate("other", "DNS:other.example", 9);
run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "own.key", "-out", "own.pem", "-days", "9", "-subj", "/CN=own",
  "-addext", "subjectAltName=IP:127.0.0.1");
const own = { cert: await readFile(join(room, "own.pem")), key: await readFile(join(room, "own.key")) };
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const secured = async (with_) => `https://127.0.0.1:${await speaks((socket) => socket.end(OK), with_)}`;

const [plain, tls, nothing] = [await freePort(), await freePort(), await freePort()];
await writeFile(join(room, "nginx.conf"), `daemon off; master_process off; pid ${room}/nginx.pid; error_log ${room}/error.log;
events {} http { access_log off; gzip on; gzip_min_length 1; gzip_types application/json; default_type application/json;
client_body_temp_path ${room}/b; proxy_temp_path ${room}/p; fastcgi_temp_path ${room}/f; uwsgi_temp_path ${room}/u; scgi_temp_path ${room}/s;
server { listen 127.0.0.1:${plain}; location / { return 200 '{"status":"UP"}'; } location /down { return 200 '{"status":"DOWN"}'; }
location /busy { return 429; } location /who { return 401; } location /none { return 404; } location /sick { return 503 '{"status":"UP"}'; }
location /moved { return 302 /; } location /round { return 302 /round; } location /behind { proxy_pass http://127.0.0.1:${nothing}; } }
server { listen 127.0.0.1:${tls} ssl http2; ssl_certificate ${room}/good.pem; ssl_certificate_key ${room}/good.key; location / { return 200 ok; } } }`);
const nginx = spawn("/usr/sbin/nginx", ["-e", `${room}/error.log`, "-c", `${room}/nginx.conf`], { stdio: "ignore" });
stops.push(() => nginx.kill());
const at = (path) => `http://127.0.0.1:${plain}${path}`;

const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
const packed = (body) => speaks((socket) => {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`);
  socket.end(body);
});
const targets = [
  ["nginx, well", at("/")],
  ["nginx, well, HTTP/2 over TLS", `https://127.0.0.1:${tls}`],
  ["nginx, 404", at("/none")],
  ["nginx, 401", at("/who")],
  ["nginx, 429", at("/busy")],
  ["nginx, 503", at("/sick")],
  ["nginx, 503, its body says UP", at("/sick"), { health: true }],
  ["nginx, nothing behind it", at("/behind")],
  ["nginx, 200, its body says DOWN", at("/down"), { health: true }],
  ["nginx, a redirect to what is well", at("/moved")],
  ["nginx, redirects in a circle", at("/round")],
  ["nobody listens", `http://127.0.0.1:${nothing}`],
  ["a name that is none", "http://curiad.invalid"],
  ["silence", await http(hangs(""))],
  ["closed without a word", await http(says(""))],
  ["half a head, then silence", await http(hangs("HTTP/1.1 200 OK\r\nX-Y"))],
  ["SSH", await http(says("SSH-2.0-OpenSSH_9.2p1\r\n"))],
  ["a status that is no number", await http(says("HTTP/1.1 9x9 no\r\n\r\n"))],
  ["two lengths", await http(says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"))],
  ["a header without a name", await http(says("HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 0\r\n\r\n"))],
  ["a body shorter than announced", await http(says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"))],
  ["a body, then silence", await http(hangs("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"))],
  ["chunks without the last", await http(says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"))],
  ["a body, a byte at a time, without end", await http(every("HTTP/1.1 200 OK\r\n\r\n", "x", 50))],
  ["interim answers without end", await http(every("", "HTTP/1.1 103 Early Hints\r\n\r\n", 20))],
  ["an answer that is late, but in time", await http(speaks((socket) => setTimeout(() => socket.end(OK), 700)))],
  ["packed, but not what it says", await http(packed(Buffer.from("no gzip")))],
  ["64 MiB packed into 64 KiB", await http(packed(bomb))],
  ["a head of two megabytes", await http(says(`HTTP/1.1 200 OK\r\nX-Y: ${"y".repeat(2 ** 21)}\r\nContent-Length: 0\r\n\r\n`))],
  ["TLS, well", await secured(good)],
  ["TLS, expired", await secured(expired)],
  ["TLS, of another name", await secured(other)],
  ["TLS, of no authority", await secured(own)],
  ["TLS 1.1 at most", await secured({ ...good, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" })],
  ["https:// where plain HTTP is spoken", `https://127.0.0.1:${plain}`],
];

// Curiad: an API a target, since each has a URL of its own.
const config = join(room, "config");
await cp(join(ROOT, "tests/configuration/good"), config, { recursive: true });
await rm(join(config, "apis/documents.yaml"));
await mkdir(join(config, "apis"), { recursive: true });
await writeFile(join(config, "curiad.yaml"), `${await readFile(join(config, "curiad.yaml"), "utf8")}egress: { roots: ["file:${room}/ca.pem"] }\n`);
for (const [number, [name, url, operation]] of targets.entries()) {
  const { origin, pathname } = new URL(url);
  const text = { en: name, cy: name, same: true };
  await writeFile(join(config, `apis/t${number}.yaml`), JSON.stringify({
    id: `t${number}`, name: text, description: text, kind: "rest", lifecycle: "stable", service_level: "standard", team: "records",
    latency: { slow: "1s", timeout: "2s" }, operations: { asked: { get: pathname, ...operation } },
    environments: { sit: { url: origin } },
  }));
}
const lines = (await readFile(join(ROOT, "tests/configuration/environment"), "utf8")).trim().split("\n");
const env = { ...process.env, ...Object.fromEntries(lines.map((line) => line.split(/=(.*)/s))) };
const curiad = (number) => new Promise((done) => {
  const program = process.env.CURIAD_BIN ?? join(ROOT, "target/debug/curiad");
  const child = spawn(program, ["--config", config, "--json", "probe", `t${number}`, "--environment", "sit"], { env });
  let [out, errors] = ["", ""];
  child.stdout.on("data", (piece) => { out += piece; });
  child.stderr.on("data", (piece) => { errors += piece; });
  child.on("close", () => {
    if (!out.startsWith("[")) return done(["?", errors + out]);
    const [{ verdict, layer, failure }] = JSON.parse(out);
    const word = { pass: "up", slow: "up", fail: "down", inconclusive: "unknown" }[verdict];
    done([word, failure ? `${layer}: ${failure.message}` : verdict]);
  });
});

// The other: as it comes, with the same authority and the same time.
const port = await freePort();
const module = { prober: "http", timeout: "2s", http: { preferred_ip_protocol: "ip4", tls_config: { ca_file: `${room}/ca.pem` } } };
await writeFile(join(room, "blackbox.yml"), JSON.stringify({ modules: { http_2xx: module } }));
const exporter = spawn("prometheus-blackbox-exporter", [`--config.file=${room}/blackbox.yml`, `--web.listen-address=127.0.0.1:${port}`], { stdio: "ignore" });
stops.push(() => exporter.kill());
async function blackbox(url) {
  for (let turn = 0; ; turn++) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/probe?module=http_2xx&target=${encodeURIComponent(url)}`);
      return /^probe_success 1$/m.test(await answer.text()) ? "up" : "down";
    } catch (error) {
      if (turn === 50) throw error;
      await new Promise((again) => setTimeout(again, 100));
    }
  }
}

let differ = 0;
for (const [number, [name, url]] of targets.entries()) {
  const theirs = await blackbox(url);
  const [ours, why] = await curiad(number);
  differ += ours !== theirs;
  console.log(`${ours === theirs ? " " : "≠"} ${name.padEnd(40)} curiad ${ours.padEnd(8)} blackbox ${theirs.padEnd(5)} ${why.slice(0, 160)}`);
}
console.log(`${targets.length} targets, ${differ} on which they disagree`);
stops.forEach((stop) => stop());
await rm(room, { recursive: true, force: true });
process.exit(0);
