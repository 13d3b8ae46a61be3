//! Signing keys, declarations of imports, and the checkpoints that statements say to have seen.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::chain::checkpoint::TreeHead;
use domain::chain::key::PublicKey;
use domain::chain::registry::{Declaration, KeyOwner, KeyQueries, KeyRepository, SigningKey};
use domain::chain::statement::Assurance;
use domain::kernel::ids::{DeclarationId, MemberId, OrganisationId, SigningKeyId};
use domain::kernel::{Digest, Instant, Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, instant, to_i64, to_u64};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

type KeyColumns = (SqlUuid, SqlUuid, Nullable<SqlUuid>, Text, Bytea, Nullable<Bytea>, Timestamptz);
type KeyRow = (Uuid, Uuid, Option<Uuid>, String, Vec<u8>, Option<Vec<u8>>, jiff_diesel::Timestamp);
type DeclarationColumns = (SqlUuid, SqlUuid, Text, Bytea, Bytea, Bytea, Timestamptz);
type DeclarationRow = (Uuid, Uuid, String, Vec<u8>, Vec<u8>, Vec<u8>, jiff_diesel::Timestamp);

fn key((id, organisation, member, assurance, public, next, at): KeyRow) -> Result<SigningKey, StoreError> {
    let organisation = OrganisationId::new(organisation);
    let owner = member.map_or(KeyOwner::Organisation(organisation), |member| KeyOwner::Member {
        member: MemberId::new(member),
        organisation,
    });
    Ok(SigningKey {
        id: SigningKeyId::new(id),
        owner,
        assurance: Assurance::parse(&assurance).ok_or_else(|| unreadable("the assurance of a key"))?,
        public: PublicKey::parse(&public).map_err(|_| unreadable("a public key"))?,
        next: next.map(|bytes| digest(&bytes)).transpose()?,
        created_at: Instant::new(at.into()),
    })
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
        let rows: Vec<KeyRow> = query::<KeyColumns>(
            "select id, organisation_id, member_id, assurance, public_key, next_sha256, created_at from signing_key where kid = any($1)",
        )
        .bind::<Array<Text>, _>(kids)
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(key).collect()
    }

    fn find_members_with_keys(&mut self, members: &[MemberId]) -> Result<Vec<MemberId>, StoreError> {
        let rows: Vec<Uuid> = query::<SqlUuid>("select distinct member_id from signing_key where member_id = any($1)")
            .bind::<Array<SqlUuid>, _>(members.iter().map(|m| m.uuid()).collect::<Vec<_>>())
            .load(self.pg)
            .map_err(store_error)?;
        Ok(rows.into_iter().map(MemberId::new).collect())
    }

    fn append_key(&mut self, key: &SigningKey) -> Result<(), StoreError> {
        command(
            "insert into signing_key (id, kid, organisation_id, member_id, assurance, public_key, next_sha256, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind::<SqlUuid, _>(key.id.uuid())
        .bind::<Text, _>(key.public.kid())
        .bind::<SqlUuid, _>(key.owner.organisation().uuid())
        .bind::<Nullable<SqlUuid>, _>(key.owner.member().map(MemberId::uuid))
        .bind::<Text, _>(key.assurance.as_str())
        .bind::<Bytea, _>(key.public.bytes().to_vec())
        .bind::<Nullable<Bytea>, _>(key.next.map(|next| next.bytes().to_vec()))
        .bind::<Timestamptz, _>(instant(key.created_at))
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
    fn list_keys(&mut self, page: &PageRequest) -> Result<Page<SigningKey>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<KeyRow> = query::<KeyColumns>(listed!(
            paging.order,
            "select id, organisation_id, member_id, assurance, public_key, next_sha256, created_at from signing_key where ",
            "id", at "created_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, key, |key| key.id.uuid())
    }

    fn find_key(&mut self, id: SigningKeyId) -> Result<Option<SigningKey>, StoreError> {
        let row: Option<KeyRow> = query::<KeyColumns>(
            "select id, organisation_id, member_id, assurance, public_key, next_sha256, created_at from signing_key where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(key).transpose()
    }
}
