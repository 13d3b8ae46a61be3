// A client of other people's making (npm's oauth4webapi) against a running server: metadata, a token by
// private_key_jwt, strict validation of that token, and of altered ones.
// On standard input: {modules, base, issuer, audience, client, administrator}; one line of JSON comes out.
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

let input = "";
for await (const chunk of process.stdin) input += chunk;
const { modules, base, issuer, audience, client: id, administrator } = JSON.parse(input);
const require = createRequire(path.join(modules, "x.js"));
const oauth = await import(pathToFileURL(require.resolve("oauth4webapi")));

// The server calls itself by its public name; in a test it listens on this machine.
const rerouted = { [oauth.customFetch]: (url, options) => fetch(String(url).replace(issuer, base), options) };

const found = await oauth.discoveryRequest(new URL(issuer), { algorithm: "oauth2", ...rerouted });
const as = await oauth.processDiscoveryResponse(new URL(issuer), found);

const keys = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
const { kty, crv, x } = await crypto.subtle.exportKey("jwk", keys.publicKey);
const registered = await fetch(`${base}/v1/api-clients/${id}/keys`, {
  method: "POST",
  headers: { authorization: `Bearer ${administrator}`, "content-type": "application/json", "idempotency-key": "oracle" },
  body: JSON.stringify({ jwk: { kty, crv, x } }),
});
if (registered.status !== 201) throw new Error(`the key was not registered: ${await registered.text()}`);
const { kid } = await registered.json();

const client = { client_id: id };
const granted = async (key) => {
  const parameters = new URLSearchParams({ scope: "deals:read" });
  const response = await oauth.clientCredentialsGrantRequest(as, client, oauth.PrivateKeyJwt(key), parameters, rerouted);
  return oauth.processClientCredentialsResponse(as, client, response);
};
const { access_token: token, expires_in, scope } = await granted({ key: keys.privateKey, kid });
const again = await granted(keys.privateKey);

const judge = (jwt, wanted = audience, server = as) => {
  const request = new Request(`${issuer}/v1/me`, { headers: { authorization: `Bearer ${jwt}` } });
  return oauth.validateJwtAccessToken(server, request, wanted, rerouted);
};
const refused = async (...given) => judge(...given).then(() => false, () => true);
const claims = await judge(token);
const [header, payload, signature] = token.split(".");
const other = Buffer.from(payload, "base64url").toString().replace("deals:read", "deals:write");
const stranger = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);

console.log(
  JSON.stringify({
    claims,
    expires_in,
    scope,
    second: again.access_token !== token && (await judge(again.access_token)).sub === id,
    altered: await refused([header, Buffer.from(other).toString("base64url"), signature].join(".")),
    unsigned: await refused(`${header}.${payload}.`),
    elsewhere: await refused(token, "https://elsewhere.example"),
    stranger: await granted(stranger.privateKey).then(() => "granted", (error) => error.error ?? String(error)),
  }),
);
