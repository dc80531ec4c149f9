// Drives Node's own fetch by the JSON-lines protocol of the conformance corpus.
//
// In: one JSON object a line on standard input. Out: one a line on standard output.
// Needs plain Node 20 or newer and no package.
//
// The difficult part is where connections go. A case says http://a.test, the peer
// listens on 127.0.0.1:41001, and the Host field and the reuse of connections must
// stay what they are for http://a.test. Global fetch takes no resolver; it does take
// undici's `dispatcher` option, and the class for one is reachable without the npm
// package: fetch publishes its default dispatcher under a registered symbol, which is
// how copies of undici share it, and its constructor is the Agent class. An Agent takes
// a `connect` function, so name and port are mapped there and nothing is patched.

import net from "node:net";
import readline from "node:readline";
import tls from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";

const PROTOCOL = 1;
const DIGEST_ABOVE_BYTES = 64 * 1024;
const HEAD_BYTES = 256;

const CAPABILITIES = [
  "decode.gzip", "decode.deflate", "decode.br", "keepalive", "named-hosts", "redirects",
  "stream", "timeout.sock_read", "timeout.total", "tls",
];
const ERRORS = {
  CERT_HAS_EXPIRED: "tls.verify.expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "tls.verify.self_signed",
  ERR_TLS_CERT_ALTNAME_INVALID: "tls.verify.hostname",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "tls.verify.untrusted",
  ECONNREFUSED: "connect.refused",
  ECONNRESET: "disconnect.reset",
  ENOTFOUND: "connect.dns",
  UND_ERR_HEADERS_TIMEOUT: "timeout.sock_read",
  UND_ERR_BODY_TIMEOUT: "timeout.sock_read",
  UND_ERR_CONNECT_TIMEOUT: "timeout.connect",
  UND_ERR_HEADERS_OVERFLOW: "limit.head",
  TimeoutError: "timeout.total",
  AbortError: "cancelled",
};

class Unsupported extends Error {}

const bytesOf = (value) =>
  typeof value === "string" ? Buffer.from(value, "latin1") : Buffer.from(value.b64, "base64");

async function reportBytes(data) {
  if (data.length <= DIGEST_ABOVE_BYTES) return data.toString("latin1");
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", data));
  const head = data.subarray(0, HEAD_BYTES).toString("base64");
  return { len: data.length, sha256: digest.toString("hex"), head: { b64: head } };
}

async function agentClass() {
  // The default dispatcher exists once fetch was used; this address needs no network.
  await fetch("data:,");
  for (const symbol of Object.getOwnPropertySymbols(globalThis)) {
    if (symbol.description?.startsWith("undici.globalDispatcher.")) {
      return globalThis[symbol].constructor;
    }
  }
  throw new Error(`fetch of Node ${process.version} does not show its dispatcher`);
}

/** Connect to where the peer really listens; TLS still asks for the case's name. */
function connector(env) {
  return (options, callback) => {
    const secure = options.protocol === "https:";
    const port = options.port || (secure ? 443 : 80);
    const target = env.resolve[`${options.hostname}:${port}`];
    if (!target) {
      const missing = new Error(`getaddrinfo ENOTFOUND ${options.hostname}`);
      callback(Object.assign(missing, { code: "ENOTFOUND" }));
      return;
    }
    const colon = target.lastIndexOf(":");
    const address = { host: target.slice(0, colon), port: Number(target.slice(colon + 1)) };
    const socket = secure
      ? tls.connect({
          ...address,
          servername: net.isIP(options.hostname) ? "" : options.servername || options.hostname,
          ca: env.ca_pem || undefined,
          ALPNProtocols: ["http/1.1"],
        })
      : net.connect(address);
    socket.setNoDelay(true);
    const fail = (error) => callback(error);
    socket.once("error", fail);
    socket.once(secure ? "secureConnect" : "connect", () => {
      socket.off("error", fail);
      callback(null, socket);
    });
  };
}

function describeError(error) {
  // fetch wraps everything in "TypeError: fetch failed"; the cause says what happened.
  // A DOMException has a number as code, which says less than its name.
  const inner = error.cause ?? error;
  const name = typeof inner.code === "string" ? inner.code : inner.name ?? "Error";
  return { raw: `${name}: ${inner.message}`, message: String(inner.message) };
}

/** Decode as fetch does: a Response made of the same bytes has the same decoders. */
async function readAs(kind, bytes, result) {
  const whole = new Response(bytes);
  if (kind === "json") result.json = await whole.json();
  else result.text = await whole.text();
}

class Conversation {
  constructor(request, signals, Agent) {
    this.request = request;
    this.signals = signals;
    this.Agent = Agent;
    this.scale = request.scale;
    this.began = performance.now();
    this.results = {};
    this.failed = new Set();
    this.open = new Map();
    this.agents = new Map();
  }

  now() {
    return (performance.now() - this.began) / 1000;
  }

  async play(actions) {
    for (const action of actions) {
      const { as: name, ...rest } = action;
      const [[verb, argument]] = Object.entries(rest);
      if (argument !== null && this.failed.has(argument.on)) continue;
      const result = (this.results[name] = {});
      const start = this.now();
      try {
        await this.perform(name, verb, argument, result);
      } catch (error) {
        if (error instanceof Unsupported) throw error;
        this.failed.add(name);
        result.error = describeError(error);
        if (result.status !== undefined) result.error.phase = "body";
      }
      result.t = [start, this.now()];
      // fetch hands out the end of a body before its connection counts as idle. A
      // program does something between two requests; without this turn of the event
      // loop each second request would open a second connection.
      await new Promise(setImmediate);
    }
  }

  async perform(name, verb, argument, result) {
    switch (verb) {
      case "request":
        return this.fetch(name, argument, result);
      case "read":
        return this.read(this.open.get(argument.on), argument.size ?? Infinity, result);
      case "close":
        return this.open.get(argument.on).reader?.cancel();
      case "sleep":
        return sleep(argument * 1000 * this.scale);
      case "wait_for":
        return this.signals.wait(argument);
      case "signal":
        return this.signals.set(argument);
      case "group":
        return Promise.all(argument.map((inner) => this.play([inner].flat())));
      default:
        throw new Unsupported(`action ${verb} is not known here`);
    }
  }

  /** One Agent for each set of timers: undici sets them by dispatcher, not by request. */
  dispatcher(readSeconds) {
    const key = readSeconds ?? "default";
    if (!this.agents.has(key)) {
      const options = { connect: connector(this.request.env) };
      if (readSeconds !== undefined) {
        // undici takes whole milliseconds, and zero would mean no timer at all.
        const milliseconds = Math.max(1, Math.round(readSeconds * 1000 * this.scale));
        options.headersTimeout = options.bodyTimeout = milliseconds;
      }
      if (this.request.session.keepalive === false) options.pipelining = 0;
      if (this.request.session.limit) options.connections = this.request.session.limit;
      this.agents.set(key, new this.Agent(options));
    }
    return this.agents.get(key);
  }

  async fetch(name, fields, result) {
    const { total, sock_read: read, ...otherTimers } = fields.timeout ?? {};
    for (const timer of Object.keys(otherTimers)) {
      throw new Unsupported(`timeout ${timer} cannot be set`);
    }
    if ("decode" in fields || this.request.session.decode === false) {
      throw new Unsupported("fetch always decodes");
    }
    const url = new URL(fields.url);
    for (const [key, value] of fields.params ?? []) url.searchParams.append(key, value);
    const limit = this.request.session.redirects ?? 20;
    if (limit > 0 && limit !== 20) throw new Unsupported("fetch follows 20 redirects, no other number");
    const follow = limit > 0;
    const options = {
      method: fields.method,
      headers: new Headers(fields.headers ?? []),
      redirect: follow ? "follow" : "manual",
      dispatcher: this.dispatcher(read),
      ...this.body(fields),
    };
    if (options.json) options.headers.append("content-type", "application/json");
    const guard = total === undefined ? null : new AbortController();
    const timer =
      guard &&
      setTimeout(
        () => guard.abort(new DOMException(`no end after ${total} s`, "TimeoutError")),
        total * 1000 * this.scale,
      );
    if (guard) options.signal = guard.signal;
    const stream = { reader: null, ahead: Buffer.alloc(0), timer };
    this.open.set(name, stream);
    try {
      const response = await fetch(url, options);
      result.status = response.status;
      result.reason = response.statusText;
      result.url = response.url;
      result.headers = [...response.headers];
      stream.reader = response.body?.getReader() ?? null;
      if (fields.stream === true) return;
      await this.read(stream, Infinity, result);
      if (fields.read_as) await readAs(fields.read_as, stream.taken, result);
    } finally {
      if (fields.stream !== true) clearTimeout(timer);
    }
  }

  body(fields) {
    const given = fields.body;
    if (given === undefined) return {};
    if ("text" in given) return { body: given.text };
    if ("bytes" in given) return { body: bytesOf(given.bytes) };
    if ("form" in given) return { body: new URLSearchParams(given.form) };
    if ("json" in given) return { body: JSON.stringify(given.json), json: true };
    if ("chunks" in given) {
      const body = ReadableStream.from(this.pieces(given.chunks));
      return { body, duplex: "half" };
    }
    throw new Unsupported(`body ${Object.keys(given)} cannot be sent`);
  }

  async *pieces(parts) {
    for (const part of parts) {
      if (part.wait !== undefined) await sleep(part.wait * 1000 * this.scale);
      else yield bytesOf(part);
    }
  }

  async read(stream, size, result) {
    try {
      while (stream.reader && stream.ahead.length < size) {
        const { done, value } = await stream.reader.read();
        if (done) break;
        stream.ahead = Buffer.concat([stream.ahead, value]);
      }
    } catch (error) {
      result.partial = await reportBytes(stream.ahead);
      throw error;
    }
    const taken = stream.ahead.subarray(0, size === Infinity ? undefined : size);
    stream.ahead = stream.ahead.subarray(taken.length);
    stream.taken = taken;
    result.body = await reportBytes(taken);
  }

  async release() {
    for (const stream of this.open.values()) clearTimeout(stream.timer);
    await Promise.all([...this.agents.values()].map((agent) => agent.destroy()));
  }
}

class Signals {
  constructor(announce) {
    this.announce = announce;
    this.events = new Map();
  }

  event(name) {
    if (!this.events.has(name)) {
      const event = {};
      event.raised = new Promise((resolve) => (event.raise = resolve));
      this.events.set(name, event);
    }
    return this.events.get(name);
  }

  set(name) {
    this.receive(name);
    this.announce(name);
  }

  receive(name) {
    this.event(name).raise();
  }

  wait(name) {
    return this.event(name).raised;
  }
}

const write = (message) => process.stdout.write(JSON.stringify(message) + "\n");
const running = new Map();

async function run(request, Agent) {
  const { id } = request;
  const signals = new Signals((name) => write({ op: "event", id, name }));
  running.set(id, signals);
  const conversation = new Conversation(request, signals, Agent);
  const answer = { op: "result", id, results: conversation.results };
  try {
    await conversation.play(request.actions);
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    answer.results = {};
    answer.unsupported = error.message;
  }
  await conversation.release();
  running.delete(id);
  write(answer);
}

function describe(id) {
  write({
    op: "describe",
    id,
    protocol: PROTOCOL,
    client: {
      name: "node",
      version: process.versions.undici ?? "",
      runtime: `node ${process.versions.node}`,
    },
    capabilities: CAPABILITIES,
    unsupported_fields: [
      "request.decode", "request.timeout.connect", "request.timeout.sock_connect",
      "request.timeout.pool", "request.timeout.ceil_threshold",
    ],
    clock: "real",
    min_timeout_ms: 1,
    timeout_step_ms: 1,
    max_parallel: 8,
    defaults: { redirects: 20, decode: true, keepalive: true },
    errors: ERRORS,
  });
}

const Agent = await agentClass();
for await (const line of readline.createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (message.op === "bye") break;
  else if (message.op === "describe") describe(message.id);
  else if (message.op === "run") run(message, Agent);
  else if (message.op === "signal") running.get(message.id)?.receive(message.name);
  else write({ op: "error", id: message.id, message: `op ${message.op} is not known` });
}
process.exit(0);
