"""The story of a referral, told with the generated Python client: from a new member to money in the bank file."""

import base64
import json
import os
from typing import Any, TypeVar
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from flip360_client import AuthenticatedClient, Client
from flip360_client import models as m
from flip360_client.api.access import create_token
from flip360_client.api.deals import create_deal_fact, create_referral, get_deal_commission
from flip360_client.api.directory import create_contact, create_member, create_payee
from flip360_client.api.events import list_events
from flip360_client.api.chain import countersign_handshake, get_handshake_receipt, prepare_handshake
from flip360_client.api.payouts import approve_payout_run, create_payout_run, execute_payout_run
from flip360_client.api.payouts import get_payout_run_aba, get_statement, propose_payout_run

URL = os.environ["FLIP360_URL"]
PARTIES: dict[str, Any] = json.loads(os.environ["FLIP360_PARTIES"])
Answer = TypeVar("Answer")


def ok(answer: Answer | m.Problem | None) -> Answer:
    """What an operation gave; its problem as an error otherwise."""
    if answer is None or isinstance(answer, m.Problem):
        raise RuntimeError(answer)
    return answer


def login(party: dict[str, Any]) -> AuthenticatedClient:
    request = m.TokenRequest(
        grant_type="client_credentials", client_id=party["client_id"], client_secret=party["client_secret"]
    )
    token = create_token.sync(client=Client(URL), body=request)
    assert isinstance(token, m.Token), token
    return AuthenticatedClient(URL, token=token.access_token)


def key() -> str:
    """Each call has a key of its own: a retry with it has no second effect."""
    return str(uuid4())


def signed(text: str, party: dict[str, Any]) -> str:
    private = load_pem_private_key(party["private_key"].encode(), password=None)
    assert isinstance(private, Ed25519PrivateKey)
    return text + "." + base64.urlsafe_b64encode(private.sign(text.encode())).rstrip(b"=").decode()


introducer, provider = login(PARTIES["introducer"]), login(PARTIES["provider"])
finance, approver = login(PARTIES["finance"]), login(PARTIES["approver"])
organisation = PARTIES["introducer"]["organisation_id"]

# A member, who is paid to an account.
once = key()
person = m.CreateContact(organisation_id=organisation, kind="person", name="Zoë O’Brien")
contact = ok(create_contact.sync(client=introducer, body=person, idempotency_key=once))
again = ok(create_contact.sync(client=introducer, body=person, idempotency_key=once))
assert again.id == contact.id, "a retry made a second contact"
member = ok(
    create_member.sync(
        client=introducer,
        body=m.CreateMember(organisation_id=organisation, contact_id=contact.id, member_ref="PY-1"),
        idempotency_key=key(),
    )
)
account = m.BankDetails(bsb="062-000", account_number="87654321", account_name="Zoe OBrien")
payee = m.CreatePayee.from_dict(
    {
        "organisation_id": organisation,
        "legal_name": "Zoë O’Brien",
        "abn": "51 824 753 556",
        "bank_account": account.to_dict(),
        "member_id": member.id,
        "from_on": "2026-01-01",
    }
)
ok(create_payee.sync(client=introducer, body=payee, idempotency_key=key()))

# What is wrong is told all at once, by field.
wrong = m.CreateContact(organisation_id=organisation, kind="alien", name="", email="no")
refused = create_contact.sync(client=introducer, body=wrong, idempotency_key=key())
assert isinstance(refused, m.Problem) and refused.status == 422, refused
assert sorted(fault["pointer"] for fault in refused.to_dict()["errors"]) == ["/email", "/kind", "/name"], refused

# The introducer offers, the provider accepts; each signs.
terms: dict[str, Any] = {
    "member_id": member.id,
    "provider_id": PARTIES["provider"]["organisation_id"],
    "product": "FIXED-3Y",
    "external_ref": "PY-2026-1",
    "referred_on": "2026-08-03",
    "consent": {"declared": True},
    "disclosure": {"declared": True},
}
draft = m.PrepareHandshake.from_dict({**terms, "type": "offer", "kid": PARTIES["introducer"]["kid"]})
offer = ok(prepare_handshake.sync(client=introducer, body=draft, idempotency_key=key()))
body = m.CreateReferral.from_dict(
    {
        **terms,
        "client": {"kind": "person", "name": "Jane Citizen"},
        "offer": signed(offer.signing_input, PARTIES["introducer"]),
    }
)
referral = ok(create_referral.sync(client=introducer, body=body, idempotency_key=key()))
draft = m.PrepareHandshake(type_="accept", kid=PARTIES["provider"]["kid"], handshake_id=referral.handshake_id)
accept = ok(prepare_handshake.sync(client=provider, body=draft, idempotency_key=key()))
ok(
    countersign_handshake.sync(
        referral.handshake_id,
        client=provider,
        body=m.CountersignHandshake(accept=signed(accept.signing_input, PARTIES["provider"])),
        idempotency_key=key(),
    )
)

# It settles, and earns.
deal = referral.deal_id
facts: list[dict[str, Any]] = [
    {"kind": "contract", "on": "2026-08-10"},
    {"kind": "settlement", "on": "2026-08-20", "amount": {"amount": 50_000_000, "currency": "AUD"}},
]
for fact in facts:
    ok(create_deal_fact.sync(deal, client=provider, body=m.CreateDealFact.from_dict(fact), idempotency_key=key()))
commission = ok(get_deal_commission.sync(deal, client=introducer))

# It is paid, by two people.
preview = m.PreviewPayoutRun(bank_account_id=PARTIES["bank_account_id"])
run = ok(create_payout_run.sync(client=finance, body=preview, idempotency_key=key()))
ok(propose_payout_run.sync(run.id, client=finance, idempotency_key=key()))
approval = m.ApprovePayoutRun(content_sha256=run.content_sha256)
ok(approve_payout_run.sync(run.id, client=approver, body=approval, idempotency_key=key()))
executed = ok(execute_payout_run.sync(run.id, client=finance, idempotency_key=key()))
file = ok(get_payout_run_aba.sync(run.id, client=finance))

# The member reads what it earned, and what happened, in order.
statement = ok(get_statement.sync(client=introducer, member_id=member.id))
events: list[str] = []
after = 0
while page := ok(list_events.sync(client=introducer, after_sequence=after, limit=5, subject_id=deal)).data:
    events.extend(event.type_ for event in page)
    after = page[-1].sequence
receipt = ok(get_handshake_receipt.sync(referral.handshake_id, client=introducer))

print(
    json.dumps(
        {
            "deal_id": deal,
            "lines": [line.earned.amount for line in commission.lines],
            "paid_minor": executed.total.amount,
            "file_lines": len(file.splitlines()),
            "earned_minor": statement.totals.earned.amount,
            "events": events,
            "receipt": bool(receipt.to_dict()),
        }
    )
)
