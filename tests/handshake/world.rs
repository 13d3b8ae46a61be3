//! A platform with a partner on each side, keys in hand, and statements that a test can bend.

use std::collections::BTreeSet;

use domain::access::{Actor, Role};
use domain::catalogue::ProductCode;
use domain::chain::checkpoint::TreeHead;
use domain::chain::merkle::empty_root;
use domain::chain::registration::{self, Registered};
use domain::chain::registry::SigningKey;
use domain::chain::revocation::{RevokeKey, RevokeKeyError, RevokedBy, revoke};
use domain::chain::rotation::{RotateKey, RotateKeyError, Rotated, rotate};
use domain::chain::signer::Signer;
use domain::chain::statement::{
    Accept, Assurance, Declared, KeyRegistration, KeyRevocation, KeyRotation, Offer, PartyId, RevocationReason, Salt,
    Statement, VERSION,
};
use domain::deals::countersign::{self, Countersign, Countersigned};
use domain::deals::refer::{self, Outcome, Referred};
use domain::deals::referral::{OfferBy, Refer};
use domain::deals::terms::Terms;
use domain::directory::contact::{ContactKind, CreateContact, PersonalData};
use domain::directory::organisation::{OrganisationKind, OrganisationStatus};
use domain::directory::{ExternalRef, LegalName, Organisation, PersonName};
use domain::env::{Asked, Env};
use domain::kernel::id::IdSource;
use domain::kernel::ids::{ContactId, HandshakeId, MemberId, OrganisationId, SigningKeyId};
use domain::kernel::time::Randomness;
use harness::platform::{MemorySigner, ORIGIN, Platform};

const MEMBERS: &str = "member_ref,upline_ref\nA1,\nA2,A1\nA3,A2\n";

/// Keys of this world: the member A2's, the introducer's, the provider's.
pub struct World {
    pub platform: Platform,
    pub member_key: MemorySigner,
    pub introducer_key: MemorySigner,
    pub provider_key: MemorySigner,
    pub member: MemberId,
    pub keyless: MemberId,
}

impl World {
    /// Everybody is onboarded and has registered a key; the member A3 has none.
    pub fn new() -> Self {
        let platform = Platform::new();
        platform.onboard(MEMBERS);
        let of = |reference: &str| {
            let refs = [reference.to_owned()];
            let found = platform
                .store()
                .transaction(|uow| uow.directory().find_members(platform.introducer, &refs))
                .expect("the members");
            found[0].id
        };
        let (member, keyless) = (of("A2"), of("A3"));
        let world = Self {
            member_key: MemorySigner::new(21),
            introducer_key: MemorySigner::new(22),
            provider_key: MemorySigner::new(23),
            member,
            keyless,
            platform,
        };
        let (introducer, provider) = (world.platform.introducer, world.platform.provider);
        let introduces = partner(introducer);
        world.register(&world.itself(), PartyId::member(member), &world.member_key);
        world.register(&introduces, PartyId::organisation(introducer), &world.introducer_key);
        world.register(&partner(provider), PartyId::organisation(provider), &world.provider_key);
        world
    }

    fn register(&self, actor: &Actor, party: PartyId, key: &MemorySigner) {
        let envelope = self.registration(party, key).sign(key).expect("an envelope");
        assert!(self.registered(actor, &envelope).expect("a registration").new);
    }

    /// The member itself.
    pub fn itself(&self) -> Actor {
        of_member(self.platform.introducer, self.member)
    }

    /// What an actor takes from its surroundings.
    pub fn env<'a>(&'a self, actor: &'a Actor) -> Env<'a> {
        Env { actor, ..self.platform.env() }
    }

    pub fn salt(&self) -> Salt {
        let mut bytes = [0; 32];
        self.platform.randomness.fill(&mut bytes);
        Salt(bytes)
    }

    pub fn registration(&self, party: PartyId, key: &MemorySigner) -> Statement {
        Statement::KeyRegistration(KeyRegistration {
            assurance: Assurance::Own,
            jwk: key.public_key().jwk(),
            kid: key.kid(),
            log: ORIGIN.to_owned(),
            next: Some(MemorySigner::new(99).public_key().digest()),
            party,
            salt: self.salt(),
            v: VERSION,
        })
    }

    /// The rotation of a party's key to the next, signed by both.
    pub fn rotation(
        &self,
        party: PartyId,
        (old, new): (&MemorySigner, &MemorySigner),
        next: Option<u8>,
    ) -> KeyRotation {
        let mut rotation = KeyRotation {
            assurance: Assurance::Own,
            jwk: new.public_key().jwk(),
            kid: old.kid(),
            log: ORIGIN.to_owned(),
            next: next.map(|seed| MemorySigner::new(seed).public_key().digest()),
            party,
            proof: String::new(),
            salt: self.salt(),
            seen: nothing(),
            v: VERSION,
        };
        rotation.prove(new).expect("a proof");
        rotation
    }

    /// The revocation of a party's key, by that or another one.
    pub fn revocation(&self, party: PartyId, key: &MemorySigner, by: &MemorySigner) -> KeyRevocation {
        KeyRevocation {
            asked_by: None,
            assurance: Assurance::Own,
            key: key.kid(),
            kid: by.kid(),
            log: ORIGIN.to_owned(),
            party,
            reason: RevocationReason::Compromised,
            salt: self.salt(),
            seen: nothing(),
            v: VERSION,
        }
    }

    /// The id of a registered key.
    pub fn key_id(&self, key: &MemorySigner) -> SigningKeyId {
        let kids = [key.kid()];
        self.platform.store().transaction(|uow| uow.keys().find_keys(&kids)).expect("a look")[0].id
    }

    pub fn rotate(&self, actor: &Actor, key: SigningKeyId, rotation: &str) -> Result<Rotated, RotateKeyError> {
        let env = self.env(actor);
        let command = RotateKey { key, rotation: rotation.to_owned() };
        self.platform.store().transaction(|uow| rotate(uow, &env, &command))
    }

    pub fn revoke(&self, actor: &Actor, key: SigningKeyId, by: RevokedBy) -> Result<SigningKey, RevokeKeyError> {
        let env = self.env(actor);
        let command = RevokeKey { key, by };
        self.platform.store().transaction(|uow| revoke(uow, &env, &command))
    }

    /// A referral of the member with these terms, signed with some key as the member.
    pub fn signed_with(&self, key: &MemorySigner, external_ref: &str) -> Refer {
        let terms = self.terms(external_ref);
        let offer = Offer { kid: key.kid(), ..self.offer(&terms) };
        let offer = Statement::Offer(offer).sign(key).expect("an envelope");
        Refer { client: client(), terms, offer: OfferBy::Referrer(offer) }
    }

    /// Another provider, with a key of its own.
    pub fn another_provider(&self, seed: u8) -> (OrganisationId, MemorySigner) {
        let id = OrganisationId::new(self.platform.ids.next());
        let organisation = Organisation {
            id,
            kind: OrganisationKind::Provider,
            name: LegalName::parse("Next Provider Bank Ltd").expect("a name"),
            abn: None,
            external_ref: None,
            status: OrganisationStatus::Active,
        };
        let now = self.platform.now;
        let made = self.platform.store().transaction(|uow| uow.directory().insert_organisation(&organisation, now));
        made.expect("the organisation is kept");
        let key = MemorySigner::new(seed);
        self.register(&partner(id), PartyId::organisation(id), &key);
        (id, key)
    }

    pub fn registered(&self, actor: &Actor, envelope: &str) -> Result<Registered, registration::RegisterKeyError> {
        let env = self.env(actor);
        self.platform.store().transaction(|uow| registration::register(uow, &env, envelope))
    }

    /// The terms of a referral of the member.
    pub fn terms(&self, external_ref: &str) -> Terms {
        Terms {
            consent: Declared { declared: true, text_sha256: None },
            disclosure: Declared { declared: true, text_sha256: None },
            external_ref: Some(ExternalRef::parse(external_ref).expect("a reference")),
            member: self.member,
            product: ProductCode::parse("FIXED-3Y").expect("a code"),
            provider: self.platform.provider,
            referred_on: "2026-11-20".parse().expect("a date"),
            v: 1,
        }
    }

    /// The offer of these terms, by the member's own key.
    pub fn offer(&self, terms: &Terms) -> Offer {
        Offer {
            assurance: Assurance::Own,
            declaration: None,
            handshake: HandshakeId::new(self.platform.ids.next()),
            kid: self.member_key.kid(),
            log: ORIGIN.to_owned(),
            party: PartyId::member(terms.member),
            previous: None,
            referred: Some(PartyId::contact(ContactId::new(self.platform.ids.next()))),
            row_sha256: Some(terms.digest().expect("a digest")),
            salt: self.salt(),
            seen: nothing(),
            to: PartyId::organisation(terms.provider),
            v: VERSION,
            value: None,
        }
    }

    /// A referral whose offer the member signed.
    pub fn signed(&self, external_ref: &str) -> Refer {
        let terms = self.terms(external_ref);
        let offer = Statement::Offer(self.offer(&terms)).sign(&self.member_key).expect("an envelope");
        Refer { client: client(), terms, offer: OfferBy::Referrer(offer) }
    }

    pub fn refer_as(&self, actor: &Actor, commands: &[Refer]) -> Result<Vec<Outcome>, refer::ReferError> {
        let env = self.env(actor);
        let asked = each(actor, commands);
        self.platform.store().transaction(|uow| refer::refer(uow, &env, &asked))
    }

    /// The one outcome of one referral by the introducer.
    pub fn refer(&self, command: &Refer) -> Outcome {
        let mut outcomes = self.refer_as(&partner(self.platform.introducer), std::slice::from_ref(command));
        outcomes.as_mut().expect("a batch").remove(0)
    }

    pub fn accept(&self, made: &Referred) -> Accept {
        Accept {
            assurance: Assurance::Own,
            declaration: None,
            handshake: made.handshake,
            kid: self.provider_key.kid(),
            log: ORIGIN.to_owned(),
            offer_sha256: made.offer_sha256,
            party: PartyId::organisation(self.platform.provider),
            salt: self.salt(),
            seen: nothing(),
            v: VERSION,
        }
    }

    pub fn accepted(&self, made: &Referred) -> Countersign {
        let accept = Statement::Accept(self.accept(made)).sign(&self.provider_key).expect("an envelope");
        Countersign { handshake: made.handshake, accept }
    }

    pub fn countersign_as(
        &self,
        actor: &Actor,
        commands: &[Countersign],
    ) -> Result<Vec<countersign::Outcome>, countersign::CountersignError> {
        let env = self.env(actor);
        let asked = each(actor, commands);
        self.platform.store().transaction(|uow| countersign::countersign(uow, &env, &asked))
    }

    pub fn countersign(&self, command: &Countersign) -> Result<Countersigned, countersign::CountersignRefusal> {
        let mut outcomes = self.countersign_as(&partner(self.platform.provider), std::slice::from_ref(command));
        outcomes.as_mut().expect("a batch").remove(0)
    }

    /// Rows that a referral or its seal would leave.
    pub fn rows(&self) -> [i64; 7] {
        let tables = [
            "deal",
            "contact",
            "personal_data",
            "deal_fact",
            "deal_transition",
            "handshake_statement",
            "chain_pending",
        ];
        tables.map(|table| self.platform.number(&format!("select count(*) from {table}")))
    }
}

/// A tree that every log has had.
pub fn nothing() -> TreeHead {
    TreeHead { size: 0, root: empty_root() }
}

/// Commands of one actor.
pub fn each<'a, C>(actor: &'a Actor, commands: &'a [C]) -> Vec<Asked<'a, C>> {
    commands.iter().map(|command| Asked { actor, command }).collect()
}

/// The administrator of an organisation.
pub fn partner(organisation: OrganisationId) -> Actor {
    Actor {
        id: organisation.uuid(),
        roles: BTreeSet::from([Role::PartnerAdmin]),
        scopes: Role::PartnerAdmin.scopes().iter().copied().collect(),
        organisation: Some(organisation),
        member: None,
    }
}

/// A member of an organisation.
pub fn of_member(organisation: OrganisationId, member: MemberId) -> Actor {
    Actor {
        id: member.uuid(),
        roles: BTreeSet::from([Role::Member]),
        scopes: Role::Member.scopes().iter().copied().collect(),
        organisation: Some(organisation),
        member: Some(member),
    }
}

pub fn client() -> CreateContact {
    CreateContact {
        kind: ContactKind::Person,
        personal: PersonalData { name: PersonName::parse("Zoë Client").expect("a name"), email: None, phone: None },
    }
}
