//! Products that an operator adds beside those that ship.

use super::{Product, ProductCode, VerticalCode, reference};
use crate::directory::ProductName;
use crate::kernel::Faults;
use crate::kernel::ids::{ProductId, VerticalId};

/// A request to create a product, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateProductInput {
    /// `/vertical`: its id or its code.
    pub vertical: Option<String>,
    /// `/code`
    pub code: Option<String>,
    /// `/name`
    pub name: Option<String>,
}

/// A valid request to create a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateProduct {
    vertical: VerticalCode,
    code: ProductCode,
    name: ProductName,
}

impl CreateProduct {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateProductInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        for (pointer, given) in [("/vertical", &raw.vertical), ("/code", &raw.code), ("/name", &raw.name)] {
            if given.is_none() {
                faults.push(pointer, "required", "this field is required");
            }
        }
        let vertical = raw.vertical.as_deref().and_then(|text| {
            // Whether there is such a vertical is for the store to say.
            match VerticalId::parse(text).ok().and_then(reference::vertical_code) {
                Some(code) => Some(code),
                None => faults.keep("/vertical", VerticalCode::parse(text)),
            }
        });
        let code = raw.code.as_deref().and_then(|text| faults.keep("/code", ProductCode::parse(text)));
        let name = raw.name.as_deref().and_then(|text| faults.keep("/name", ProductName::parse(text)));
        match (vertical, code, name) {
            (Some(vertical), Some(code), Some(name)) => Ok(Self { vertical, code, name }),
            _ => Err(faults),
        }
    }

    /// The new product.
    #[must_use]
    pub fn into_product(self, id: ProductId) -> Product {
        Product { id, vertical: self.vertical, code: self.code, name: self.name.to_string(), version: 1 }
    }
}

/// A valid request to change a product. Its code and its vertical stand in deals and stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateProduct {
    name: Option<ProductName>,
}

impl UpdateProduct {
    /// Checks every field; `name` is absent, `null` or a text.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(name: Option<&Option<String>>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let name = match name {
            None => None,
            Some(None) => {
                faults.push("/name", "required", "this field cannot be emptied");
                None
            }
            Some(Some(text)) => faults.keep("/name", ProductName::parse(text)),
        };
        faults.check()?;
        Ok(Self { name })
    }

    /// The product after the change.
    #[must_use]
    pub fn apply(&self, product: Product) -> Product {
        let name = self.name.as_ref().map_or(product.name, ToString::to_string);
        Product { name, version: product.version + 1, ..product }
    }
}
