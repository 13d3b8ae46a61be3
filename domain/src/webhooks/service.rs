//! Use cases: make, change, re-key, delete, test endpoints; send again by hand.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use uuid::Uuid;

use super::command::{CreateEndpoint, UpdateEndpoint, Wanted};
use super::delivery::Delivery;
use super::endpoint::{DisabledReason, Endpoint, EndpointStatus, EventTypes, MAX_PER_OWNER};
use super::error::WebhookError;
use super::repository::KeptEndpoint;
use super::retry::later;
use super::secret::{SharedSecret, SigningSecret, Vault};
use crate::access::{Actor, Role, Scope, ownership};
use crate::env::Env;
use crate::events::data::{EndpointDisabled, WebhookTested};
use crate::events::{EventKind, NewEvent, record_changed};
use crate::kernel::Faults;
use crate::kernel::ids::{EventId, OrganisationId, WebhookDeliveryId, WebhookEndpointId};
use crate::store::{StoreError, UnitOfWork};

/// The secret before the last rotation signs too for so long.
pub const ROTATION: SignedDuration = SignedDuration::from_hours(24);

/// An endpoint and its shared secret, which is shown this once.
pub struct NewSecret {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// `whsec_…`; none for `v1a`.
    pub secret: Option<SharedSecret>,
}

/// Creates an endpoint of the caller's organisation, or of the operator. It gets what happens from now on.
///
/// # Errors
/// See [`WebhookError`].
pub fn create(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    vault: &dyn Vault,
    command: &CreateEndpoint,
) -> Result<NewSecret, WebhookError> {
    env.actor.require(Scope::WebhooksWrite)?;
    let organisation = owner(env.actor)?;
    let scopes = reading(env.actor, organisation);
    readable(&command.event_types, &scopes)?;
    if uow.webhooks().count_endpoints(organisation)? >= MAX_PER_OWNER {
        return Err(WebhookError::TooMany(MAX_PER_OWNER));
    }
    let id = WebhookEndpointId::new(env.ids.next());
    let secret = SigningSecret::new(command.signing, env.draw());
    let endpoint = Endpoint {
        id,
        organisation,
        owner: Some(env.actor.id),
        url: command.url.clone(),
        description: command.description.clone(),
        event_types: command.event_types.clone(),
        scopes,
        signing: command.signing,
        public_key: secret.public_key(),
        previous_until: None,
        status: EndpointStatus::Enabled,
        failing_since: None,
        after_sequence: uow.webhooks().last_sequence()?,
        created_at: env.now,
        version: 1,
    };
    let sealed = secret.seal(vault, env.randomness, id)?;
    uow.webhooks().insert_endpoint(&endpoint, &sealed)?;
    changed(uow, env, EventKind::WebhookEndpointCreated, &endpoint)?;
    Ok(NewSecret { endpoint, secret: secret.shared() })
}

/// Changes an endpoint. One that is disabled gives up what waits; one that is enabled again gets what
/// happens from then on.
///
/// # Errors
/// See [`WebhookError`].
pub fn update(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: WebhookEndpointId,
    version: i32,
    command: &UpdateEndpoint,
) -> Result<Endpoint, WebhookError> {
    let found = locked(uow, env, id)?.endpoint;
    fresh(&found, Some(version))?;
    let was = found.status;
    let mut endpoint = Endpoint { version: found.version + 1, ..found };
    if let Some(url) = &command.url {
        endpoint.url.clone_from(url);
    }
    if let Some(description) = &command.description {
        endpoint.description.clone_from(description);
    }
    if let Some(event_types) = &command.event_types {
        endpoint.scopes = reading(env.actor, endpoint.organisation);
        readable(event_types, &endpoint.scopes)?;
        endpoint.event_types.clone_from(event_types);
        endpoint.owner = Some(env.actor.id);
    }
    match command.status {
        Some(Wanted::Enabled) if was != EndpointStatus::Enabled => {
            // What a crash between two transactions may have left.
            uow.webhooks().give_up(&[id], env.now)?;
            endpoint = endpoint.enabled(uow.webhooks().last_sequence()?);
            endpoint.owner = Some(env.actor.id);
        }
        Some(Wanted::Disabled) if was == EndpointStatus::Enabled => {
            let version = endpoint.version;
            endpoint = Endpoint { version, ..endpoint.disabled(DisabledReason::ByHand, env.now) };
            disabled(uow, env, std::slice::from_ref(&endpoint))?;
        }
        _ => {}
    }
    uow.webhooks().update_endpoints(std::slice::from_ref(&endpoint))?;
    changed(uow, env, EventKind::WebhookEndpointUpdated, &endpoint)?;
    Ok(endpoint)
}

/// Deletes an endpoint: its secrets are gone, what waits is given up.
///
/// # Errors
/// See [`WebhookError`].
pub fn delete(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: WebhookEndpointId,
    version: i32,
) -> Result<Endpoint, WebhookError> {
    let found = locked(uow, env, id)?.endpoint;
    fresh(&found, Some(version))?;
    uow.webhooks().give_up(&[id], env.now)?;
    uow.webhooks().delete_endpoint(id)?;
    let endpoint = Endpoint { version: found.version + 1, ..found };
    changed(uow, env, EventKind::WebhookEndpointDeleted, &endpoint)?;
    Ok(endpoint)
}

/// Gives an endpoint another secret; both sign for [`ROTATION`].
///
/// # Errors
/// See [`WebhookError`].
pub fn rotate_secret(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    vault: &dyn Vault,
    id: WebhookEndpointId,
) -> Result<NewSecret, WebhookError> {
    let kept = locked(uow, env, id)?;
    let secret = SigningSecret::new(kept.endpoint.signing, env.draw());
    let endpoint = Endpoint {
        public_key: secret.public_key(),
        previous_until: Some(later(env.now, ROTATION)),
        version: kept.endpoint.version + 1,
        ..kept.endpoint
    };
    let sealed = secret.seal(vault, env.randomness, id)?;
    uow.webhooks().update_secret(&endpoint, &sealed, &kept.secret)?;
    changed(uow, env, EventKind::WebhookEndpointSecretRotated, &endpoint)?;
    Ok(NewSecret { endpoint, secret: secret.shared() })
}

/// Sends a `webhook.test` event to this endpoint and to no other, whatever types it wants.
///
/// # Errors
/// See [`WebhookError`].
pub fn test(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: WebhookEndpointId,
) -> Result<(EventId, Endpoint), WebhookError> {
    let endpoint = locked(uow, env, id)?.endpoint;
    if endpoint.status != EndpointStatus::Enabled {
        return Err(WebhookError::Disabled);
    }
    let data = WebhookTested { endpoint_id: id };
    let event = NewEvent::new(env, EventKind::WebhookTest, id.uuid(), &data, &endpoint.seen_by())?;
    uow.events().append(std::slice::from_ref(&event))?;
    Ok((event.id, endpoint))
}

/// Sends an event again, now, with the same `webhook-id`.
///
/// # Errors
/// See [`WebhookError`].
pub fn redeliver(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: WebhookDeliveryId) -> Result<Delivery, WebhookError> {
    env.actor.require(Scope::WebhooksWrite)?;
    let endpoint = uow.webhooks().find_endpoint_of(id)?.ok_or(WebhookError::NotFound)?;
    let endpoint = locked(uow, env, endpoint)?.endpoint;
    if endpoint.status != EndpointStatus::Enabled {
        return Err(WebhookError::Disabled);
    }
    let delivery = uow.webhooks().lock_delivery(id)?.ok_or(WebhookError::NotFound)?.again(env.now);
    uow.webhooks().update_delivery(&delivery)?;
    Ok(delivery)
}

/// Disables the endpoints for which somebody answers who may do nothing any more, and gives up what waits for them.
///
/// # Errors
/// The failure of the store.
pub(crate) fn owner_gone(uow: &mut dyn UnitOfWork, env: &Env<'_>, owner: Uuid) -> Result<(), StoreError> {
    let endpoints = uow.webhooks().lock_endpoints_of(owner)?;
    let gone = |endpoint: Endpoint| endpoint.disabled(DisabledReason::OwnerGone, env.now);
    let endpoints: Vec<Endpoint> = endpoints.into_iter().map(gone).collect();
    uow.webhooks().update_endpoints(&endpoints)?;
    if endpoints.is_empty() { Ok(()) } else { disabled(uow, env, &endpoints) }
}

/// Gives up what waits for endpoints that were disabled, and tells why they were.
pub(super) fn disabled(uow: &mut dyn UnitOfWork, env: &Env<'_>, endpoints: &[Endpoint]) -> Result<(), StoreError> {
    let ids: Vec<WebhookEndpointId> = endpoints.iter().map(|endpoint| endpoint.id).collect();
    uow.webhooks().give_up(&ids, env.now)?;
    let mut events = Vec::with_capacity(endpoints.len());
    for endpoint in endpoints {
        let EndpointStatus::Disabled { reason, .. } = endpoint.status else { continue };
        let data = EndpointDisabled { endpoint_id: endpoint.id, reason: reason.as_str() };
        let kind = EventKind::WebhookEndpointDisabled;
        events.push(NewEvent::new(env, kind, endpoint.id.uuid(), &data, &endpoint.seen_by())?);
    }
    uow.events().append(&events)
}

/// Whose an endpoint is that this actor makes. A member has none.
fn owner(actor: &Actor) -> Result<Option<OrganisationId>, WebhookError> {
    match (actor.sees_everything(), actor.organisation, actor.member) {
        (true, ..) => Ok(None),
        (false, Some(organisation), None) => Ok(Some(organisation)),
        _ => Err(WebhookError::NotFound),
    }
}

/// What an endpoint may learn: what the actor may read, and never more than its owner may.
fn reading(actor: &Actor, organisation: Option<OrganisationId>) -> BTreeSet<Scope> {
    let partner = Role::PartnerAdmin.scopes();
    actor.scopes.iter().copied().filter(|scope| organisation.is_none() || partner.contains(scope)).collect()
}

fn readable(event_types: &EventTypes, scopes: &BTreeSet<Scope>) -> Result<(), WebhookError> {
    let mut faults = Faults::default();
    for kind in event_types.beyond(scopes) {
        let detail = format!("`{kind}` needs the scope `{}`", kind.scope());
        faults.push("/event_types", "not_readable", detail);
    }
    faults.check().map_err(WebhookError::Invalid)
}

fn locked(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: WebhookEndpointId) -> Result<KeptEndpoint, WebhookError> {
    env.actor.require(Scope::WebhooksWrite)?;
    let found = uow.webhooks().lock_endpoint(id)?;
    found.filter(|kept| ownership::has(env.actor, kept.endpoint.organisation)).ok_or(WebhookError::NotFound)
}

fn fresh(endpoint: &Endpoint, version: Option<i32>) -> Result<(), WebhookError> {
    if version.is_none_or(|version| version == endpoint.version) { Ok(()) } else { Err(WebhookError::Stale) }
}

fn changed(uow: &mut dyn UnitOfWork, env: &Env<'_>, kind: EventKind, endpoint: &Endpoint) -> Result<(), StoreError> {
    let id = endpoint.id;
    record_changed(uow, env, kind, (&id, id.uuid()), Some(endpoint.version), &endpoint.seen_by())
}
