// The story of a referral, told with the generated TypeScript client: from a new member to money in the bank file.
import { createPrivateKey, randomUUID, sign } from "node:crypto";
import * as flip360 from "@flip360/client";
import { createClient, createConfig } from "@flip360/client/client";

type Party = { client_id: string; client_secret: string; organisation_id: string; kid: string; private_key: string };
type Parties = Record<"introducer" | "provider" | "finance" | "approver", Party> & { bank_account_id: string };

const baseUrl = process.env.FLIP360_URL!;
const parties = JSON.parse(process.env.FLIP360_PARTIES!) as Parties;

/** What an operation gave; its problem as an error otherwise. */
async function ok<T>(answer: Promise<{ data: T; error?: unknown; response?: Response }>): Promise<NonNullable<T>> {
  const { data, error, response } = await answer;
  if (data === undefined || data === null) throw new Error(`${response?.url}: ${response?.status} ${JSON.stringify(error)}`);
  return data;
}

async function login(party: Party) {
  const client = createClient(createConfig({ baseUrl }));
  const token = await ok(flip360.createToken({
    client,
    body: { grant_type: "client_credentials", client_id: party.client_id, client_secret: party.client_secret },
  }));
  client.setConfig({ auth: () => token.access_token });
  return client;
}

/** Each call has a key of its own: a retry with it has no second effect. */
const once = () => ({ "Idempotency-Key": randomUUID() });

const signed = (input: string, party: Party) =>
  `${input}.${sign(null, Buffer.from(input), createPrivateKey(party.private_key)).toString("base64url")}`;

const [introducer, provider] = [await login(parties.introducer), await login(parties.provider)];
const [finance, approver] = [await login(parties.finance), await login(parties.approver)];
const organisation_id = parties.introducer.organisation_id;

// A member, who is paid to an account.
const key = once();
const person = { organisation_id, kind: "person", name: "Zoë O’Brien" };
const contact = await ok(flip360.createContact({ client: introducer, headers: key, body: person }));
const again = await ok(flip360.createContact({ client: introducer, headers: key, body: person }));
if (again.id !== contact.id) throw new Error("a retry made a second contact");
const member = await ok(flip360.createMember({
  client: introducer, headers: once(), body: { organisation_id, contact_id: contact.id, member_ref: "TS-1" },
}));
await ok(flip360.createPayee({
  client: introducer, headers: once(),
  body: {
    organisation_id, legal_name: "Zoë O’Brien", abn: "51 824 753 556", member_id: member.id, from_on: "2026-01-01",
    bank_account: { bsb: "062-000", account_number: "87654321", account_name: "Zoe OBrien" },
  },
}));

// What is wrong is told all at once, by field.
const refused = await flip360.createContact({
  client: introducer, headers: once(), body: { organisation_id, kind: "alien", name: "", email: "no" },
});
const pointers = (refused.error?.errors ?? []).map((fault) => fault.pointer).sort();
if (refused.response?.status !== 422 || pointers.join() !== "/email,/kind,/name") {
  throw new Error(`expected three faults, not ${JSON.stringify(refused.error)}`);
}

// The introducer offers, the provider accepts; each signs.
const terms = {
  member_id: member.id, provider_id: parties.provider.organisation_id, product: "FIXED-3Y", external_ref: "TS-2026-1",
  referred_on: "2026-08-03", consent: { declared: true }, disclosure: { declared: true },
};
const offer = await ok(flip360.prepareHandshake({
  client: introducer, headers: once(), body: { ...terms, type: "offer", kid: parties.introducer.kid },
}));
const referral = await ok(flip360.createReferral({
  client: introducer, headers: once(),
  body: { ...terms, client: { kind: "person", name: "Jane Citizen" }, offer: signed(offer.signing_input, parties.introducer) },
}));
const accept = await ok(flip360.prepareHandshake({
  client: provider, headers: once(), body: { type: "accept", kid: parties.provider.kid, handshake_id: referral.handshake_id },
}));
await ok(flip360.countersignHandshake({
  client: provider, headers: once(), path: { id: referral.handshake_id },
  body: { accept: signed(accept.signing_input, parties.provider) },
}));

// It settles, and earns.
const id = referral.deal_id;
await ok(flip360.createDealFact({ client: provider, headers: once(), path: { id }, body: { kind: "contract", on: "2026-08-10" } }));
await ok(flip360.createDealFact({
  client: provider, headers: once(), path: { id },
  body: { kind: "settlement", on: "2026-08-20", amount: { amount: 50_000_000, currency: "AUD" } },
}));
const commission = await ok(flip360.getDealCommission({ client: introducer, path: { id } }));

// It is paid, by two people.
const run = await ok(flip360.createPayoutRun({ client: finance, headers: once(), body: { bank_account_id: parties.bank_account_id } }));
await ok(flip360.proposePayoutRun({ client: finance, headers: once(), path: { id: run.id } }));
await ok(flip360.approvePayoutRun({
  client: approver, headers: once(), path: { id: run.id }, body: { content_sha256: run.content_sha256 },
}));
const executed = await ok(flip360.executePayoutRun({ client: finance, headers: once(), path: { id: run.id } }));
const file = await ok(flip360.getPayoutRunAba({ client: finance, path: { id: run.id }, parseAs: "text" }));

// The member reads what it earned, and what happened, in order.
const statement = await ok(flip360.getStatement({ client: introducer, query: { member_id: member.id } }));
const events: string[] = [];
for (let after = 0; ; ) {
  const page = await ok(flip360.listEvents({ client: introducer, query: { after_sequence: after, limit: 5, subject_id: id } }));
  if (page.data.length === 0) break;
  events.push(...page.data.map((event) => event.type));
  after = page.data[page.data.length - 1]!.sequence;
}
const receipt = await ok(flip360.getHandshakeReceipt({ client: introducer, path: { id: referral.handshake_id } }));

console.log(JSON.stringify({
  deal_id: id, lines: commission.lines.map((line) => line.earned.amount), paid_minor: executed.total.amount,
  file_lines: String(file).trimEnd().split("\r\n").length, earned_minor: statement.totals.earned.amount, events,
  receipt: Object.keys(receipt).length > 0,
}));
