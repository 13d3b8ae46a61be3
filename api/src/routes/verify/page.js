"use strict";
// Judges receipts in this page. It has no way out: the policy allows no connection, and the WebAssembly imports nothing.
(async () => {
  const el = (id) => document.getElementById(id);
  const code = Uint8Array.from(atob(el("verifier").textContent), (c) => c.charCodeAt(0));
  const { instance } = await WebAssembly.instantiate(code, {});
  const { memory, take, give_back, judge } = instance.exports;
  const largest = 2000000;
  let trust = null;
  let receipts = [];

  // A piece of the other memory with these bytes; nothing when there are none or too many.
  const put = (bytes) => {
    const at = bytes.length > largest ? 0 : take(bytes.length);
    if (at) new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
    return [at, at ? bytes.length : 0];
  };
  const verdictOf = (trustBytes, receiptBytes) => {
    if (receiptBytes.length > largest) return { holds: false, error: "the receipt: too long" };
    const t = put(trustBytes), r = put(receiptBytes);
    const packed = judge(...t, ...r);
    const at = Number(packed >> 32n), length = Number(packed & 0xffffffffn);
    const text = new TextDecoder().decode(new Uint8Array(memory.buffer, at, length).slice());
    give_back(at, length);
    if (t[1]) give_back(...t);
    if (r[1]) give_back(...r);
    return JSON.parse(text);
  };

  const tag = (name, text) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const list = (parent, heading, lines) => {
    if (!lines.length) return;
    parent.append(tag("h3", heading));
    const made = tag("ul");
    lines.forEach((line) => made.append(tag("li", line)));
    parent.append(made);
  };
  const show = (name, verdict) => {
    const made = tag("article");
    made.className = verdict.holds ? "holds" : "broken";
    made.append(tag("h2", `${verdict.holds ? "Proved" : "Not proved"}: ${verdict.id || name}`));
    if (verdict.checkpoint) made.append(tag("p", `As of ${verdict.checkpoint.size} leaves of the log (${name}).`));
    if (verdict.error) list(made, "What is wrong", [verdict.error]);
    list(made, "What is wrong", (verdict.faults || []).map((f) => `${f.pointer}: ${f.code}: ${f.detail}`));
    list(made, "What is proved", verdict.proved || []);
    list(made, "What is not proved", verdict.not_proved || []);
    list(made, "Keys that signed", verdict.holds ? verdict.keys : []);
    list(made, "Witnesses that cosigned", verdict.holds ? verdict.witnesses : []);
    el("verdicts").append(made);
  };
  const judgeAll = () => {
    el("verdicts").replaceChildren();
    if (!trust && receipts.length) el("verdicts").append(tag("p", "Choose the trust file too: without it nothing can be proved."));
    if (trust) receipts.forEach(({ name, bytes }) => show(name, verdictOf(trust.bytes, bytes)));
    document.body.dataset.judged = String(trust ? receipts.length : 0);
  };
  const read = async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });
  const takeTrust = async (files) => {
    if (!files.length) return;
    trust = await read(files[0]);
    el("trusted").textContent = `Trusted: ${trust.name}.`;
    judgeAll();
  };
  const takeReceipts = async (files) => {
    receipts = await Promise.all(Array.from(files, read));
    judgeAll();
  };
  for (const [id, taken] of [["trust", takeTrust], ["receipts", takeReceipts]]) {
    const input = el(id), zone = input.parentElement;
    input.addEventListener("change", () => taken(input.files));
    zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => { event.preventDefault(); zone.classList.remove("over"); taken(event.dataTransfer.files); });
  }
  document.body.dataset.ready = "true";
})();
