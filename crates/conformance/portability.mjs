// Evaluates the modules of a folder (see src/portability.rs) with @open-policy-agent/opa-wasm.
//
// usage: node portability.mjs FOLDER NODE_MODULES
//
// The host parses a result set with JSON.parse, which would take numbers for doubles: the text that the module wrote is
// kept instead.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [folder, modules] = process.argv.slice(2);
const { loadPolicy } = createRequire(join(resolve(modules), "x.js"))("@open-policy-agent/opa-wasm");
const cases = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));

const parse = JSON.parse;
const bytes = (text) => new TextEncoder().encode(text).buffer;

async function evaluate({ module, data, input }) {
  const wasm = readFileSync(join(folder, module));
  // No second argument: the host gives the module its usual five pages.
  const [policy, again] = [await loadPolicy(wasm), await loadPolicy(wasm)];
  if (Buffer.compare(Buffer.from(policy.mem.buffer), Buffer.from(again.mem.buffer)) !== 0) {
    return { start: "two instances differ after their start" };
  }
  policy.setData(bytes(data));
  JSON.parse = (text) => text;
  try {
    return { answers: policy.evaluate(input === undefined ? undefined : bytes(input), "eval") };
  } finally {
    JSON.parse = parse;
  }
}

const results = [];
for (const test of cases) {
  try {
    results.push(await evaluate(test));
  } catch (error) {
    results.push({ error: String(error.message ?? error) });
  }
}
writeFileSync(join(folder, "results.json"), JSON.stringify(results));
