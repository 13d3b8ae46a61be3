//! A request to refer: the client, the terms, and who signs the offer.

use super::terms::{Terms, TermsInput};
use crate::directory::contact::{CreateContact, CreateContactInput};
use crate::kernel::Faults;

/// Who signs the offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferBy {
    /// The referrer: the envelope, signed by the member's or the organisation's registered key.
    Referrer(String),
    /// The platform, on the instruction of whom it acts for: shown as `custodial` everywhere.
    Custodian,
}

/// A valid request to refer; that members, products and keys exist is for the use case to find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refer {
    /// Who is referred.
    pub client: CreateContact,
    /// What the offer commits to.
    pub terms: Terms,
    /// Who signs it.
    pub offer: OfferBy,
}

/// A request to refer, unchecked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ReferInput {
    /// `/client`
    pub client: Option<CreateContactInput>,
    /// `/member_id` …
    pub terms: TermsInput,
    /// `/assurance`: `self` (the default with an offer) or `custodial`
    pub assurance: Option<String>,
    /// `/offer`
    pub offer: Option<String>,
}

impl Refer {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &ReferInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let client = client(&mut faults, raw.client.as_ref());
        let terms = Terms::parse(&raw.terms, &mut faults);
        let offer = offer(&mut faults, raw);
        match (client, terms, offer) {
            (Some(client), Some(terms), Some(offer)) => Ok(Self { client, terms, offer }),
            _ => Err(faults),
        }
    }
}

fn client(faults: &mut Faults, raw: Option<&CreateContactInput>) -> Option<CreateContact> {
    let Some(raw) = raw else {
        faults.push("/client", "required", "this field is required");
        return None;
    };
    match CreateContact::parse(raw) {
        Ok(client) => Some(client),
        Err(found) => {
            for fault in found.0 {
                faults.push(format!("/client{}", fault.pointer), fault.code, fault.detail);
            }
            None
        }
    }
}

fn offer(faults: &mut Faults, raw: &ReferInput) -> Option<OfferBy> {
    match (raw.assurance.as_deref(), raw.offer.as_ref()) {
        (None | Some("self"), Some(envelope)) => return Some(OfferBy::Referrer(envelope.clone())),
        (Some("custodial"), None) => return Some(OfferBy::Custodian),
        (Some("custodial"), Some(_)) => {
            faults.push("/offer", "not_with_custodial", "the platform signs a custodial offer; send none");
        }
        (None | Some("self"), None) => {
            let detail = "send the signed offer, or ask for assurance custodial";
            faults.push("/offer", "required", detail);
        }
        (Some(_), _) => faults.push("/assurance", "unknown_value", "expected one of: self, custodial"),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::terms::DeclaredInput;
    use super::*;

    fn told(raw: &ReferInput) -> Vec<(String, &'static str)> {
        Refer::parse(raw).expect_err("faults").0.into_iter().map(|f| (f.pointer, f.code)).collect()
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let missing = told(&ReferInput::default());
        let required =
            ["/client", "/member_id", "/provider_id", "/product", "/referred_on", "/consent", "/disclosure", "/offer"];
        assert_eq!(missing, required.map(|pointer| (pointer.to_owned(), "required")));
        let wrong = ReferInput {
            client: Some(CreateContactInput {
                kind: Some("person".into()),
                name: Some("A\0B".into()),
                ..CreateContactInput::default()
            }),
            terms: TermsInput {
                member_id: Some("org_01h455vb4pex5vsknk084sn02q".into()),
                provider_id: Some("org_01h455vb4pex5vsknk084sn02q".into()),
                product: Some("fixed".into()),
                external_ref: Some("a b".into()),
                referred_on: Some("2026-02-30".into()),
                consent: Some(DeclaredInput { declared: Some(false), text_sha256: Some("AB".into()) }),
                disclosure: Some(DeclaredInput { declared: None, text_sha256: None }),
            },
            assurance: Some("attested".into()),
            offer: None,
        };
        let expected = [
            ("/client/name", "control_character"),
            ("/member_id", "invalid_id"),
            ("/product", "invalid_product_code"),
            ("/external_ref", "invalid_reference"),
            ("/referred_on", "invalid_date"),
            ("/consent/declared", "not_declared"),
            ("/consent/text_sha256", "invalid_digest"),
            ("/disclosure/declared", "required"),
            ("/assurance", "unknown_value"),
        ];
        assert_eq!(told(&wrong), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }
}
