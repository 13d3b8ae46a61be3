//! Signing keys, declarations of imports, and the checkpoints that statements say to have seen.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::chain::checkpoint::TreeHead;
use domain::chain::key::PublicKey;
use domain::chain::registry::{
    Declaration, EndedBy, KeyEnd, KeyLock, KeyOwner, KeyQueries, KeyRepository, SeenKey, SigningKey,
};
use domain::chain::statement::{Assurance, RevocationReason};
use domain::kernel::ids::{DeclarationId, MemberId, OrganisationId, SigningKeyId};
use domain::kernel::{Digest, Instant, Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, from_instant, instant, to_i64, to_u64};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

/// What every look at a key selects, from `signing_key k left join signing_key_end e on e.key_id = k.id`.
macro_rules! key_columns {
    () => {
        "k.id, k.organisation_id, k.member_id, k.assurance, k.public_key, k.next_sha256, k.created_at, k.replaces_id, k.first_id, k.rotations,
         e.kind, e.source_id, e.kid, e.assurance, e.reason, e.payload_sha256, e.created_at"
    };
}

/// The text of a look at keys, up to where its condition goes.
macro_rules! select_keys {
    ($condition:literal) => {
        concat!(
            "select ",
            key_columns!(),
            " from signing_key k left join signing_key_end e on e.key_id = k.id where ",
            $condition
        )
    };
}

/// The same with the indexes of the leaves.
macro_rules! select_seen_keys {
    ($condition:literal) => {
        concat!(
            "select ",
            key_columns!(),
            ", b.index, x.index from signing_key k left join signing_key_end e on e.key_id = k.id
             left join chain_leaf b on b.source_id = k.id left join chain_leaf x on x.source_id = e.source_id where ",
            $condition
        )
    };
}

#[derive(Queryable)]
struct KeyRow {
    id: Uuid,
    organisation_id: Uuid,
    member_id: Option<Uuid>,
    assurance: String,
    public_key: Vec<u8>,
    next_sha256: Option<Vec<u8>>,
    created_at: jiff_diesel::Timestamp,
    replaces_id: Option<Uuid>,
    first_id: Option<Uuid>,
    rotations: i16,
    end_kind: Option<String>,
    end_source_id: Option<Uuid>,
    end_kid: Option<String>,
    end_assurance: Option<String>,
    end_reason: Option<String>,
    end_payload_sha256: Option<Vec<u8>>,
    ended_at: Option<jiff_diesel::Timestamp>,
}

type KeyColumns = (
    SqlUuid,
    SqlUuid,
    Nullable<SqlUuid>,
    Text,
    Bytea,
    Nullable<Bytea>,
    Timestamptz,
    Nullable<SqlUuid>,
    Nullable<SqlUuid>,
    SmallInt,
    Nullable<Text>,
    Nullable<SqlUuid>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Bytea>,
    Nullable<Timestamptz>,
);
type SeenColumns = (KeyColumns, (Nullable<BigInt>, Nullable<BigInt>));
type SeenRow = (KeyRow, (Option<i64>, Option<i64>));
type DeclarationColumns = (SqlUuid, SqlUuid, Text, Bytea, Bytea, Bytea, Timestamptz);
type DeclarationRow = (Uuid, Uuid, String, Vec<u8>, Vec<u8>, Vec<u8>, jiff_diesel::Timestamp);

fn assurance(text: &str) -> Result<Assurance, StoreError> {
    Assurance::parse(text).ok_or_else(|| unreadable("the assurance of a key"))
}

impl KeyRow {
    fn restore(self) -> Result<SigningKey, StoreError> {
        let organisation = OrganisationId::new(self.organisation_id);
        let owner = self.member_id.map_or(KeyOwner::Organisation(organisation), |member| KeyOwner::Member {
            member: MemberId::new(member),
            organisation,
        });
        let end = match (self.end_kind, self.end_source_id, self.end_kid, self.end_assurance) {
            (Some(kind), Some(source), Some(kid), Some(stood_behind)) => Some(KeyEnd {
                by: ended_by(&kind, source, self.end_reason.as_deref())?,
                kid,
                assurance: assurance(&stood_behind)?,
                payload_sha256: digest(&self.end_payload_sha256.unwrap_or_default())?,
                at: from_instant(self.ended_at.ok_or_else(|| unreadable("the end of a key"))?),
            }),
            _ => None,
        };
        Ok(SigningKey {
            id: SigningKeyId::new(self.id),
            owner,
            assurance: assurance(&self.assurance)?,
            public: PublicKey::parse(&self.public_key).map_err(|_| unreadable("a public key"))?,
            next: self.next_sha256.map(|bytes| digest(&bytes)).transpose()?,
            replaces: self.replaces_id.map(SigningKeyId::new),
            first: SigningKeyId::new(self.first_id.unwrap_or(self.id)),
            rotations: u16::try_from(self.rotations).map_err(|_| unreadable("the rotations of a key"))?,
            created_at: from_instant(self.created_at),
            end,
        })
    }
}

fn ended_by(kind: &str, source: Uuid, reason: Option<&str>) -> Result<EndedBy, StoreError> {
    match (kind, reason.and_then(RevocationReason::parse)) {
        ("rotation", None) => Ok(EndedBy::Rotation(SigningKeyId::new(source))),
        ("revocation", Some(reason)) => Ok(EndedBy::Revocation { id: source, reason }),
        _ => Err(unreadable("the end of a key")),
    }
}

fn seen((row, (index, end_index)): SeenRow) -> Result<SeenKey, StoreError> {
    let (index, end_index) = (index.map(to_u64).transpose()?, end_index.map(to_u64).transpose()?);
    Ok(SeenKey { key: row.restore()?, index, end_index })
}

/// The 64 bits of a key's advisory lock: keys of one number only wait for each other.
fn lock_number(kid: &str) -> i64 {
    let digest = Digest::of_parts(&[b"flip360/signing-key/v1\0", kid.as_bytes()]);
    let mut first = [0; 8];
    first.copy_from_slice(&digest.bytes()[..8]);
    i64::from_be_bytes(first)
}

fn declaration(row: DeclarationRow) -> Result<Declaration, StoreError> {
    let (id, organisation, kid, file, payload, envelope, at) = row;
    Ok(Declaration {
        id: DeclarationId::new(id),
        organisation: OrganisationId::new(organisation),
        kid,
        file_sha256: digest(&file)?,
        payload_sha256: digest(&payload)?,
        envelope_sha256: digest(&envelope)?,
        created_at: Instant::new(at.into()),
    })
}

fn one_declaration(
    pg: &mut PgConnection,
    sql: &'static str,
    wanted: Digest,
) -> Result<Option<Declaration>, StoreError> {
    let row: Option<DeclarationRow> = query::<DeclarationColumns>(sql)
        .bind::<Bytea, _>(wanted.bytes().to_vec())
        .get_result(pg)
        .optional()
        .map_err(store_error)?;
    row.map(declaration).transpose()
}

impl KeyRepository for PgUnitOfWork<'_> {
    fn find_keys(&mut self, kids: &[String]) -> Result<Vec<SigningKey>, StoreError> {
        let rows: Vec<KeyRow> = query::<KeyColumns>(select_keys!("k.kid = any($1)"))
            .bind::<Array<Text>, _>(kids)
            .load(self.pg)
            .map_err(store_error)?;
        rows.into_iter().map(KeyRow::restore).collect()
    }

    fn lock_keys(&mut self, kids: &[String], lock: KeyLock) -> Result<Vec<SigningKey>, StoreError> {
        if kids.is_empty() {
            return Ok(Vec::new());
        }
        let mut numbers: Vec<i64> = kids.iter().map(|kid| lock_number(kid)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        // Locked before anything is read: a read in the same statement would see what was there before the wait.
        command(match lock {
            KeyLock::Signing => "select pg_advisory_xact_lock_shared(number) from unnest($1) as asked (number)",
            KeyLock::Ending => "select pg_advisory_xact_lock(number) from unnest($1) as asked (number)",
        })
        .bind::<Array<BigInt>, _>(numbers)
        .execute(self.pg)
        .map_err(store_error)?;
        self.find_keys(kids)
    }

    fn find_key(&mut self, id: SigningKeyId) -> Result<Option<SigningKey>, StoreError> {
        let row: Option<KeyRow> = query::<KeyColumns>(select_keys!("k.id = $1"))
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        row.map(KeyRow::restore).transpose()
    }

    fn find_members_with_keys(&mut self, members: &[MemberId]) -> Result<Vec<MemberId>, StoreError> {
        let rows: Vec<Uuid> = query::<SqlUuid>(
            "select distinct member_id from signing_key k where member_id = any($1) and not exists (select from signing_key_end e where e.key_id = k.id)",
        )
            .bind::<Array<SqlUuid>, _>(members.iter().map(|m| m.uuid()).collect::<Vec<_>>())
            .load(self.pg)
            .map_err(store_error)?;
        Ok(rows.into_iter().map(MemberId::new).collect())
    }

    fn append_key(&mut self, key: &SigningKey) -> Result<(), StoreError> {
        command(
            "insert into signing_key (id, kid, organisation_id, member_id, assurance, public_key, next_sha256, created_at, replaces_id, first_id, rotations)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind::<SqlUuid, _>(key.id.uuid())
        .bind::<Text, _>(key.public.kid())
        .bind::<SqlUuid, _>(key.owner.organisation().uuid())
        .bind::<Nullable<SqlUuid>, _>(key.owner.member().map(MemberId::uuid))
        .bind::<Text, _>(key.assurance.as_str())
        .bind::<Bytea, _>(key.public.bytes().to_vec())
        .bind::<Nullable<Bytea>, _>(key.next.map(|next| next.bytes().to_vec()))
        .bind::<Timestamptz, _>(instant(key.created_at))
        .bind::<Nullable<SqlUuid>, _>(key.replaces.map(SigningKeyId::uuid))
        .bind::<Nullable<SqlUuid>, _>(key.replaces.map(|_| key.first.uuid()))
        .bind::<SmallInt, _>(i16::try_from(key.rotations).map_err(|_| unreadable("the rotations of a key"))?)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_end(&mut self, key: SigningKeyId, end: &KeyEnd) -> Result<(), StoreError> {
        let (kind, reason) = match end.by {
            EndedBy::Rotation(_) => ("rotation", None),
            EndedBy::Revocation { reason, .. } => ("revocation", Some(reason.as_str())),
        };
        command(
            "insert into signing_key_end (key_id, kind, source_id, kid, assurance, reason, payload_sha256, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind::<SqlUuid, _>(key.uuid())
        .bind::<Text, _>(kind)
        .bind::<SqlUuid, _>(end.source())
        .bind::<Text, _>(end.kid.as_str())
        .bind::<Text, _>(end.assurance.as_str())
        .bind::<Nullable<Text>, _>(reason)
        .bind::<Bytea, _>(end.payload_sha256.bytes().to_vec())
        .bind::<Timestamptz, _>(instant(end.at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_envelope(&mut self, source: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
        query::<Bytea>("select secret from chain_secret where source_id = $1 and kind = 'envelope'")
            .bind::<SqlUuid, _>(source)
            .get_result(self.pg)
            .optional()
            .map_err(store_error)
    }

    fn append_declaration(&mut self, declaration: &Declaration) -> Result<(), StoreError> {
        command(
            "insert into import_declaration (id, organisation_id, kid, file_sha256, payload_sha256, envelope_sha256, created_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind::<SqlUuid, _>(declaration.id.uuid())
        .bind::<SqlUuid, _>(declaration.organisation.uuid())
        .bind::<Text, _>(declaration.kid.as_str())
        .bind::<Bytea, _>(declaration.file_sha256.bytes().to_vec())
        .bind::<Bytea, _>(declaration.payload_sha256.bytes().to_vec())
        .bind::<Bytea, _>(declaration.envelope_sha256.bytes().to_vec())
        .bind::<Timestamptz, _>(instant(declaration.created_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_declaration(&mut self, envelope_sha256: Digest) -> Result<Option<Declaration>, StoreError> {
        one_declaration(
            self.pg,
            "select id, organisation_id, kid, file_sha256, payload_sha256, envelope_sha256, created_at from import_declaration where envelope_sha256 = $1",
            envelope_sha256,
        )
    }

    fn find_declaration_by_payload(&mut self, payload_sha256: Digest) -> Result<Option<Declaration>, StoreError> {
        one_declaration(
            self.pg,
            "select id, organisation_id, kid, file_sha256, payload_sha256, envelope_sha256, created_at from import_declaration where payload_sha256 = $1",
            payload_sha256,
        )
    }

    fn find_heads(&mut self, sizes: &[u64]) -> Result<Vec<TreeHead>, StoreError> {
        let sizes = sizes.iter().map(|size| to_i64(*size)).collect::<Result<Vec<_>, _>>()?;
        let rows: Vec<(i64, Vec<u8>)> =
            query::<(BigInt, Bytea)>("select size, root from chain_checkpoint where size = any($1)")
                .bind::<Array<BigInt>, _>(sizes)
                .load(self.pg)
                .map_err(store_error)?;
        rows.into_iter().map(|(size, root)| Ok(TreeHead { size: to_u64(size)?, root: digest(&root)? })).collect()
    }
}

impl KeyQueries for PgQueries<'_> {
    fn list_keys(&mut self, page: &PageRequest) -> Result<Page<SeenKey>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<SeenRow> =
            query::<SeenColumns>(listed!(paging.order, select_seen_keys!(""), "k.id", at "k.created_at", ""))
                .page_by_id(paging)?
                .load(self.pg)
                .map_err(store_error)?;
        by_id(rows, page, seen, |seen| seen.key.id.uuid())
    }

    fn find_key(&mut self, id: SigningKeyId) -> Result<Option<SeenKey>, StoreError> {
        let row: Option<SeenRow> = query::<SeenColumns>(select_seen_keys!("k.id = $1"))
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        row.map(seen).transpose()
    }
}
