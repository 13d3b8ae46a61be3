// Ed25519 JWS over canonical JSON by Node's own crypto, sharing nothing with the product.
// One JSON request per line on stdin, one answer per line on stdout:
//   {"jwk": …, "envelope": …}      → {"ok": true, "statement": …} or {"ok": false, "why": …}
//   {"seed": hex, "statement": …}  → {"envelope": …, "jwk": …}
'use strict';
const crypto = require('node:crypto');

function canonical(value) {
  if (Array.isArray(value)) return '[' + value.map(canonical).join(',') + ']';
  if (value !== null && typeof value === 'object') {
    const members = Object.keys(value).sort().map((key) => JSON.stringify(key) + ':' + canonical(value[key]));
    return '{' + members.join(',') + '}';
  }
  return JSON.stringify(value);
}

const b64url = (bytes) => Buffer.from(bytes).toString('base64').replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

function fromB64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw new Error('not base64url');
  const bytes = Buffer.from(text.replace(/-/g, '+').replace(/_/g, '/'), 'base64');
  if (b64url(bytes) !== text) throw new Error('base64url with stray bits');
  return bytes;
}

const thumbprint = (jwk) =>
  b64url(crypto.createHash('sha256').update(`{"crv":"${jwk.crv}","kty":"${jwk.kty}","x":"${jwk.x}"}`).digest());

function check({ jwk, envelope }) {
  const parts = envelope.split('.');
  if (parts.length !== 3) throw new Error('not three parts');
  const header = fromB64url(parts[0]).toString('utf8');
  const payload = fromB64url(parts[1]).toString('utf8');
  const protectedHeader = JSON.parse(header);
  const statement = JSON.parse(payload);
  if (canonical(protectedHeader) !== header || canonical(statement) !== payload) throw new Error('not canonical');
  if (Object.keys(protectedHeader).join() !== 'alg,kid,typ' || protectedHeader.alg !== 'Ed25519') throw new Error('header');
  if (protectedHeader.kid !== thumbprint(jwk) || statement.kid !== protectedHeader.kid) throw new Error('kid');
  const key = crypto.createPublicKey({ key: jwk, format: 'jwk' });
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`, 'ascii');
  if (!crypto.verify(null, signed, key, fromB64url(parts[2]))) throw new Error('signature');
  return { ok: true, statement };
}

function sign({ seed, statement, typ }) {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'hex')]);
  const key = crypto.createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const { crv, kty, x } = crypto.createPublicKey(key).export({ format: 'jwk' });
  const kid = thumbprint({ crv, kty, x });
  const header = canonical({ typ, alg: 'Ed25519', kid });
  const signed = `${b64url(header)}.${b64url(canonical({ ...statement, kid }))}`;
  return { envelope: `${signed}.${b64url(crypto.sign(null, Buffer.from(signed, 'ascii'), key))}`, jwk: { crv, kty, x } };
}

for (const line of require('node:fs').readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const request = JSON.parse(line);
  try {
    console.log(JSON.stringify(request.seed ? sign(request) : check(request)));
  } catch (error) {
    console.log(JSON.stringify({ ok: false, why: error.message }));
  }
}
