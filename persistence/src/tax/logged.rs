//! Tax papers as the log is told of them, and what their leaves commit to.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Date, Nullable, Text, Uuid as SqlUuid};
use domain::kernel::ids::{PayeeId, PayoutId, TaxDocumentId};
use domain::store::StoreError;
use domain::tax::logged::Loggable;
use uuid::Uuid;

use super::rows;
use crate::bind::digest;
use crate::error::store_error;
use crate::statement::{command, query};

#[derive(Queryable)]
struct LoggableRow {
    seq: i64,
    id: Uuid,
    kind: String,
    number: String,
    payee: Uuid,
    payout: Option<Uuid>,
    issued_on: jiff_diesel::Date,
    sha256: Vec<u8>,
    previous_sha256: Vec<u8>,
}

type LoggableColumns = (BigInt, SqlUuid, Text, Text, SqlUuid, Nullable<SqlUuid>, Date, Bytea, Bytea);

impl LoggableRow {
    fn restore(self) -> Result<Loggable, StoreError> {
        Ok(Loggable {
            seq: self.seq,
            id: TaxDocumentId::new(self.id),
            kind: rows::kind(&self.kind)?,
            number: self.number,
            payee: PayeeId::new(self.payee),
            payout: self.payout.map(PayoutId::new),
            issued_on: self.issued_on.into(),
            sha256: digest(&self.sha256)?,
            previous_sha256: digest(&self.previous_sha256)?,
        })
    }
}

pub(super) fn papers_after(pg: &mut PgConnection, seq: i64) -> Result<Vec<Loggable>, StoreError> {
    let found: Vec<LoggableRow> = query::<LoggableColumns>(
        "select seq, id, kind, number, payee_id, payout_id, issued_on, content_sha256, previous_sha256
         from tax_document where seq > $1 order by seq",
    )
    .bind::<BigInt, _>(seq)
    .load(pg)
    .map_err(store_error)?;
    found.into_iter().map(LoggableRow::restore).collect()
}

pub(super) fn append_envelopes(
    pg: &mut PgConnection,
    envelopes: &[(TaxDocumentId, Vec<u8>)],
) -> Result<(), StoreError> {
    command("insert into tax_document_envelope (document_id, envelope) select * from unnest($1::uuid[], $2::bytea[])")
        .bind::<Array<SqlUuid>, _>(envelopes.iter().map(|(id, _)| id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(envelopes.iter().map(|(_, envelope)| envelope.as_slice()).collect::<Vec<_>>())
        .execute(pg)
        .map_err(store_error)?;
    Ok(())
}
