//! Verticals that an operator adds beside those that ship.

use super::{Vertical, VerticalCode, reference};
use crate::directory::update::{Changed, Given, kept, nullable};
use crate::directory::{Description, ProductName, optional, required};
use crate::kernel::Faults;

/// A request to create a vertical, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateVerticalInput {
    /// `/code`
    pub code: Option<String>,
    /// `/name`
    pub name: Option<String>,
    /// `/description`
    pub description: Option<String>,
}

/// A valid request to create a vertical.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateVertical {
    code: VerticalCode,
    name: ProductName,
    description: Option<Description>,
}

impl CreateVertical {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateVerticalInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let code = required(&mut faults, "/code", raw.code.as_deref(), VerticalCode::parse);
        let name = required(&mut faults, "/name", raw.name.as_deref(), ProductName::parse);
        let description = optional(&mut faults, "/description", raw.description.as_deref(), Description::parse);
        match (code, name, description) {
            (Some(code), Some(name), Some(description)) => Ok(Self { code, name, description }),
            _ => Err(faults),
        }
    }

    /// The new vertical.
    #[must_use]
    pub fn into_vertical(self) -> Vertical {
        Vertical {
            id: reference::vertical_id(self.code),
            code: self.code,
            name: self.name.to_string(),
            description: self.description.map(|text| text.to_string()),
            version: 1,
        }
    }
}

/// A request to change a vertical, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateVerticalInput {
    /// `/name`
    pub name: Given,
    /// `/description`
    pub description: Given,
}

/// A valid request to change a vertical. Its code stands in agreements and calculations and stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateVertical {
    name: Option<ProductName>,
    description: Changed<Description>,
}

impl UpdateVertical {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &UpdateVerticalInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let name = kept(&mut faults, "/name", &raw.name, ProductName::parse);
        let description = nullable(&mut faults, "/description", &raw.description, Description::parse);
        match (name, description) {
            (Some(name), Some(description)) => Ok(Self { name, description }),
            _ => Err(faults),
        }
    }

    /// The vertical after the change.
    #[must_use]
    pub fn apply(&self, vertical: Vertical) -> Vertical {
        let name = self.name.as_ref().map_or(vertical.name, ToString::to_string);
        let description = match &self.description {
            None => vertical.description,
            Some(given) => given.as_ref().map(ToString::to_string),
        };
        Vertical { name, description, version: vertical.version + 1, ..vertical }
    }
}
