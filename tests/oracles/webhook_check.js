// Verifies webhooks: `v1` with npm's standardwebhooks, `v1a` with Node's own Ed25519.
// One request a line on standard input: {key, id, timestamp, signature, body}; one line {ok} for each.
const crypto = require("node:crypto");
const path = require("node:path");
const modules = process.argv[2];

function shared(key, headers, body) {
  const { Webhook } = require(path.join(modules, "standardwebhooks"));
  new Webhook(key).verify(body, headers);
}

function asymmetric(key, headers, body) {
  const raw = Buffer.from(key.slice("whpk_".length), "base64");
  const jwk = { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") };
  const message = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  const signatures = headers["webhook-signature"].split(" ").filter((one) => one.startsWith("v1a,"));
  const good = (one) =>
    crypto.verify(null, message, crypto.createPublicKey({ key: jwk, format: "jwk" }), Buffer.from(one.slice(4), "base64"));
  if (!signatures.some(good)) throw new Error("no signature is good");
}

let input = "";
process.stdin.on("data", (chunk) => (input += chunk));
process.stdin.on("end", () => {
  for (const line of input.split("\n").filter(Boolean)) {
    const { key, id, timestamp, signature, body } = JSON.parse(line);
    const headers = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
    let ok = true;
    try {
      (key.startsWith("whpk_") ? asymmetric : shared)(key, headers, body);
    } catch (error) {
      if (error.code === "MODULE_NOT_FOUND") throw error;
      ok = false;
    }
    console.log(JSON.stringify({ ok }));
  }
});
