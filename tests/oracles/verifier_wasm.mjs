// Judges receipts with the committed WebAssembly in Node: verifier_wasm.mjs WASM TRUST RECEIPT…; a JSON line each.
import { readFileSync } from "node:fs";

const [wasm, trustPath, ...paths] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(wasm));
if (WebAssembly.Module.imports(module).length) throw new Error("the verifier imports something: it could reach out");
const { memory, take, give_back, judge } = new WebAssembly.Instance(module).exports;

const put = (bytes) => {
  const at = take(bytes.length);
  if (at) new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
  return [at, at ? bytes.length : 0];
};
for (const path of paths) {
  const trust = put(readFileSync(trustPath));
  const receipt = put(readFileSync(path));
  const packed = judge(...trust, ...receipt);
  const at = Number(packed >> 32n), length = Number(packed & 0xffffffffn);
  console.log(new TextDecoder().decode(new Uint8Array(memory.buffer, at, length).slice()));
  give_back(at, length);
  if (trust[1]) give_back(...trust);
  if (receipt[1]) give_back(...receipt);
}
