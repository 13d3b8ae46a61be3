//! Taking the file: it streams in piece by piece and is hashed on the way; then its job is enqueued.
//!
//! Bounds: [`CHUNK_BYTES`] are held at a time. An upload that stopped leaves an import that
//! [`sweep`] puts away.

use jiff::SignedDuration;
use uuid::Uuid;

use super::file::{DealImport, FileFault, ImportFormat, ImportState};
use crate::access::{MissingScope, Scope};
use crate::chain::declaration::{DeclareError, declare, find_declared};
use crate::directory::OrganisationKind;
use crate::env::Env;
use crate::jobs::{self, Job, JobKind};
use crate::kernel::digest::Hasher;
use crate::kernel::ids::{DealImportId, JobId, OrganisationId};
use crate::kernel::{Digest, Instant};
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// Bytes of a piece of the file.
pub const CHUNK_BYTES: usize = 512 * 1024;
/// Why a cancelled import failed.
pub const CANCELLED: (&str, &str) = ("cancelled", "the import was cancelled; deals recorded before stay");
/// Why an import failed whose file never came whole.
pub const INTERRUPTED: (&str, &str) = ("upload_interrupted", "the file did not arrive whole");
/// How long an upload may take, in hours.
const MAX_UPLOAD_HOURS: i64 = 6;

/// Why an import was not begun or received.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// The actor may not.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// The organisation is none that the actor acts for.
    #[error("there is no such organisation")]
    UnknownOrganisation,
    /// There is no such provider.
    #[error("there is no such provider")]
    UnknownProvider,
    /// One of the two may do no new business.
    #[error("the organisation is suspended")]
    Suspended,
    /// The import has been received, or has ended.
    #[error("the import takes no more bytes")]
    NotUploading,
    /// The declaration.
    #[error(transparent)]
    Declare(#[from] DeclareError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for ReceiveError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Declare(error) => error.store_error(),
            Self::MissingScope(_)
            | Self::UnknownOrganisation
            | Self::UnknownProvider
            | Self::Suspended
            | Self::NotUploading => None,
        }
    }
}

/// Begins an import.
#[derive(Debug, Clone, Copy)]
pub struct BeginImport {
    /// Whose members referred.
    pub organisation: OrganisationId,
    /// Who sells.
    pub provider: OrganisationId,
    /// How the file is written.
    pub format: ImportFormat,
}

/// Begins an import whose file is about to stream in.
///
/// # Errors
/// See [`ReceiveError`].
pub fn begin(uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &BeginImport) -> Result<DealImport, ReceiveError> {
    env.actor.require(Scope::DealsWrite)?;
    if !env.actor.acts_for(command.organisation) {
        return Err(ReceiveError::UnknownOrganisation);
    }
    parties(uow, command)?;
    let import = DealImport {
        id: DealImportId::new(env.ids.next()),
        organisation: command.organisation,
        provider: command.provider,
        format: command.format,
        state: ImportState::Uploading,
        file_sha256: None,
        file_bytes: 0,
        declaration: None,
        fault: None,
        counts: None,
        created_by: env.actor.id,
        created_at: env.now,
        finished_at: None,
    };
    uow.imports().insert(&import)?;
    Ok(import)
}

/// An introducer imports deals of a provider, both of them in business.
fn parties(uow: &mut dyn UnitOfWork, command: &BeginImport) -> Result<(), ReceiveError> {
    let found = uow.parties().find_organisations_by_id(&[command.organisation, command.provider])?;
    let of = |id, kind| found.iter().find(|party| party.id == id && party.kind == kind);
    let introducer = of(command.organisation, OrganisationKind::Introducer).ok_or(ReceiveError::UnknownOrganisation)?;
    let provider = of(command.provider, OrganisationKind::Provider).ok_or(ReceiveError::UnknownProvider)?;
    if introducer.active && provider.active { Ok(()) } else { Err(ReceiveError::Suspended) }
}

/// A piece of the file.
pub struct Chunk {
    /// Its place, from 0.
    pub n: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A file while it streams in: cuts it to pieces and hashes it.
#[derive(Default)]
pub struct Upload {
    hasher: Hasher,
    bytes: u64,
    next_n: u32,
    buffer: Vec<u8>,
}

/// A file that is here, whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedFile {
    /// Its digest.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
}

impl Upload {
    /// Takes what came; gives the pieces that are full.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Vec<Chunk> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        let mut full = Vec::new();
        while !bytes.is_empty() {
            let (taken, rest) = bytes.split_at(bytes.len().min(CHUNK_BYTES - self.buffer.len()));
            self.buffer.extend_from_slice(taken);
            bytes = rest;
            if self.buffer.len() == CHUNK_BYTES {
                full.push(self.cut());
            }
        }
        full
    }

    /// The last piece, if there is one, and what the file came to.
    #[must_use]
    pub fn finish(mut self) -> (Option<Chunk>, ReceivedFile) {
        let last = (!self.buffer.is_empty()).then(|| self.cut());
        (last, ReceivedFile { sha256: self.hasher.finish(), bytes: self.bytes })
    }

    fn cut(&mut self) -> Chunk {
        let chunk = Chunk { n: self.next_n, bytes: std::mem::take(&mut self.buffer) };
        self.next_n += 1;
        chunk
    }
}

/// Keeps a piece of the file of an import that was begun.
///
/// # Errors
/// See [`ReceiveError`].
pub fn append(uow: &mut dyn UnitOfWork, import: DealImportId, chunk: &Chunk) -> Result<(), ReceiveError> {
    let found = uow.imports().lock(import)?;
    if found.is_none_or(|found| found.state != ImportState::Uploading) {
        return Err(ReceiveError::NotUploading);
    }
    Ok(uow.imports().append_chunk(import, chunk.n, &chunk.bytes)?)
}

/// The file is here: notes its digest and the declaration that answers for it, and enqueues the job.
///
/// # Errors
/// See [`ReceiveError`].
pub fn received(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    import: DealImportId,
    file: ReceivedFile,
    declaration: Digest,
) -> Result<(DealImport, Job), ReceiveError> {
    let found = uow.imports().lock(import)?.filter(|found| found.state == ImportState::Uploading);
    let mut import = found.ok_or(ReceiveError::NotUploading)?;
    import.state = ImportState::Received;
    import.file_sha256 = Some(file.sha256);
    import.file_bytes = file.bytes;
    import.declaration = Some(declaration);
    uow.imports().update(&import)?;
    let id = JobId::new(env.ids.next());
    let job = Job::new(id, JobKind::DealImport, import.id.uuid(), import.created_by, env.now).of(import.organisation);
    jobs::enqueue(uow, &job)?;
    Ok((import, job))
}

/// The same, with the declaration that the organisation signed for this very file: it is verified, kept
/// and logged in the transaction that enqueues the job.
///
/// # Errors
/// See [`ReceiveError`].
pub fn received_declared(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    import: DealImportId,
    file: ReceivedFile,
    declaration: &str,
) -> Result<(DealImport, Job), ReceiveError> {
    let found = uow.imports().lock(import)?.ok_or(ReceiveError::NotUploading)?;
    let declared = declare(uow, env, declaration)?;
    let declared = find_declared(uow, found.organisation, declared.envelope_sha256, file.sha256)?;
    received(uow, env, import, file, declared.envelope_sha256)
}

/// Puts an upload away that came to nothing; what was received is left alone.
///
/// # Errors
/// The failure of the store.
pub fn abandoned(uow: &mut dyn UnitOfWork, env: &Env<'_>, import: DealImportId) -> Result<(), StoreError> {
    let uploading = uow.imports().lock(import)?.is_some_and(|found| found.state == ImportState::Uploading);
    if uploading { stopped(uow, env, import, INTERRUPTED) } else { Ok(()) }
}

/// Puts an upload away whose request was answered before: it was none of its own. What was received is left alone.
///
/// # Errors
/// The failure of the store.
pub fn repeated(uow: &mut dyn UnitOfWork, import: DealImportId) -> Result<(), StoreError> {
    let uploading = uow.imports().lock(import)?.is_some_and(|found| found.state == ImportState::Uploading);
    if uploading { uow.imports().discard(import) } else { Ok(()) }
}

/// Ends an import that goes no further, and drops its file.
///
/// # Errors
/// The failure of the store.
pub fn stopped(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    import: DealImportId,
    (code, detail): (&str, &str),
) -> Result<(), StoreError> {
    let Some(mut import) = uow.imports().lock(import)?.filter(|found| !found.state.is_ended()) else { return Ok(()) };
    import.state = ImportState::Failed;
    import.fault = Some(FileFault::new(code, detail));
    import.finished_at = Some(env.now);
    uow.imports().forget(import.id)?;
    import.counts = Some(uow.imports().count_rows(import.id)?);
    uow.imports().update(&import)
}

/// Puts away uploads that stopped long ago. Returns how many.
///
/// # Errors
/// The failure of the store.
pub fn sweep(uow: &mut dyn UnitOfWork, env: &Env<'_>) -> Result<usize, StoreError> {
    let patience = SignedDuration::from_hours(MAX_UPLOAD_HOURS);
    let before = env.now.timestamp().checked_sub(patience).map_or(env.now, Instant::new);
    let abandoned = uow.imports().list_abandoned(before)?;
    for import in &abandoned {
        stopped(uow, env, *import, INTERRUPTED)?;
    }
    Ok(abandoned.len())
}

/// Where an import is looked up: the result of its job.
#[must_use]
pub fn path(import: Uuid) -> String {
    format!("/v1/deals/imports/{}", DealImportId::new(import))
}
