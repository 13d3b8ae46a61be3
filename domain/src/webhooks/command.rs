//! Requests about endpoints, unchecked and checked.

use super::endpoint::{EventTypes, Signing, UnknownWord};
use super::secret::Targets;
use crate::directory::update::Given;
use crate::directory::{ClusterText, optional, required};
use crate::events::EventKind;
use crate::kernel::Faults;

/// Names in one list, at most.
const MAX_TYPES: usize = 200;

/// A request to create an endpoint, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateEndpointInput {
    /// `/url`
    pub url: Option<String>,
    /// `/description`
    pub description: Option<String>,
    /// `/event_types`
    pub event_types: Option<Vec<String>>,
    /// `/signing`
    pub signing: Option<String>,
}

/// A valid request to create an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateEndpoint {
    /// Where requests go to.
    pub url: String,
    /// What its owner calls it.
    pub description: Option<ClusterText>,
    /// Which events it wants.
    pub event_types: EventTypes,
    /// How requests are signed.
    pub signing: Signing,
}

impl CreateEndpoint {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateEndpointInput, targets: &dyn Targets) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let url = required(&mut faults, "/url", raw.url.as_deref(), |url| targets.check(url));
        let description = optional(&mut faults, "/description", raw.description.as_deref(), ClusterText::parse);
        let event_types = event_types(&mut faults, raw.event_types.as_deref().unwrap_or_default());
        let signing = optional(&mut faults, "/signing", raw.signing.as_deref(), Signing::parse);
        match (url, description, event_types, signing) {
            (Some(url), Some(description), Some(event_types), Some(signing)) => {
                Ok(Self { url, description, event_types, signing: signing.unwrap_or(Signing::V1) })
            }
            _ => Err(faults),
        }
    }
}

/// Reads a list of names, or `*` alone.
fn event_types(faults: &mut Faults, names: &[String]) -> Option<EventTypes> {
    let at = "/event_types";
    if names.is_empty() {
        faults.push(at, "required", "name the types of event, or [\"*\"] for all");
        return None;
    }
    if names.len() > MAX_TYPES {
        faults.push(at, "too_many", format!("at most {MAX_TYPES} names"));
        return None;
    }
    if names == [EventTypes::ALL] {
        return Some(EventTypes::All);
    }
    let mut kinds = std::collections::BTreeSet::new();
    let mut good = true;
    for (n, name) in names.iter().enumerate() {
        match EventKind::parse(name) {
            Some(kind) => {
                kinds.insert(kind);
            }
            None => {
                good = false;
                let detail = "there is no such type of event: see GET /v1/event-types; `*` stands alone";
                faults.push(format!("{at}/{n}"), "unknown_event_type", detail);
            }
        }
    }
    good.then_some(EventTypes::Only(kinds))
}

/// A request to change an endpoint, unchecked. A field that is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateEndpointInput {
    /// `/url`
    pub url: Given,
    /// `/description`
    pub description: Given,
    /// `/event_types`
    pub event_types: Option<Option<Vec<String>>>,
    /// `/status`
    pub status: Given,
}

/// Whether an endpoint is to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Yes.
    Enabled,
    /// No.
    Disabled,
}

impl Wanted {
    fn parse(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "enabled" => Ok(Self::Enabled),
            "disabled" => Ok(Self::Disabled),
            _ => Err(UnknownWord("enabled, disabled")),
        }
    }
}

/// A valid request to change an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateEndpoint {
    /// Where requests go to from now on.
    pub url: Option<String>,
    /// What its owner calls it from now on; emptied when there is none.
    pub description: Option<Option<ClusterText>>,
    /// Which events it wants from now on.
    pub event_types: Option<EventTypes>,
    /// Whether it listens from now on.
    pub status: Option<Wanted>,
}

impl UpdateEndpoint {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &UpdateEndpointInput, targets: &dyn Targets) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let text = |given: &Given| given.as_ref().map(|text| text.clone().unwrap_or_default());
        let (url, status) = (text(&raw.url), text(&raw.status));
        let url = url.map(|url| required(&mut faults, "/url", Some(&url), |url| targets.check(url)));
        let description = raw
            .description
            .as_ref()
            .map(|text| optional(&mut faults, "/description", text.as_deref(), ClusterText::parse).flatten());
        let types = raw.event_types.as_ref().map(|names| names.as_deref().unwrap_or_default());
        let event_types = types.map(|names| event_types(&mut faults, names));
        let status = status.map(|status| required(&mut faults, "/status", Some(&status), Wanted::parse));
        faults.check()?;
        Ok(Self { url: url.flatten(), description, event_types: event_types.flatten(), status: status.flatten() })
    }
}
