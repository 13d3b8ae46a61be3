//! What goes out: a status, a media type, bytes. Held as bytes so that the first answer to a request
//! can be kept and given again, byte for byte.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LINK, LOCATION};
use actix_web::{HttpRequest, HttpResponse, Responder};
use domain::access::audit::{Altered, Fields};
use domain::idempotency::FirstAnswer;
use domain::kernel::Page;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::extract::cursor::{Cursors, next_page};
use crate::problem::Problem;
use crate::views::PageView;

/// Where the wire calls JSON.
const JSON: &str = "application/json";

/// An answer, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: StatusCode,
    content_type: String,
    location: Option<String>,
    etag: Option<String>,
    next: Option<String>,
    replayed: bool,
    object: Option<Uuid>,
    object_name: Option<String>,
    altered: Option<Box<Altered<Fields>>>,
    private: bool,
    body: Vec<u8>,
}

impl Answer {
    fn new(status: StatusCode, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type: content_type.to_owned(),
            location: None,
            etag: None,
            next: None,
            replayed: false,
            object: None,
            object_name: None,
            altered: None,
            private: false,
            body,
        }
    }

    fn json(status: StatusCode, view: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(view).map_err(|error| Problem::internal(&error))?;
        Ok(Self::new(status, JSON, body))
    }

    /// 200 with a view.
    ///
    /// # Errors
    /// When the view does not serialise.
    pub fn ok(view: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::OK, view)
    }

    /// 200 with a text.
    #[must_use]
    pub fn text(text: String) -> Self {
        Self::new(StatusCode::OK, "text/plain; charset=utf-8", text.into_bytes())
    }

    /// 201 with a view, where it can be found from now on, and the object's id for the audit log.
    ///
    /// # Errors
    /// When the view does not serialise.
    pub fn created(location: String, object: Uuid, view: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self { location: Some(location), object: Some(object), ..Self::json(StatusCode::CREATED, view)? })
    }

    /// 202 with a view and where to follow the work.
    ///
    /// # Errors
    /// When the view does not serialise.
    pub fn accepted(location: String, object: Uuid, view: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self { location: Some(location), object: Some(object), ..Self::json(StatusCode::ACCEPTED, view)? })
    }

    /// 204.
    #[must_use]
    pub fn no_content(object: Uuid) -> Self {
        Self { object: Some(object), ..Self::new(StatusCode::NO_CONTENT, JSON, Vec::new()) }
    }

    /// 200 with bytes of another media type.
    #[must_use]
    pub fn bytes(content_type: &str, body: Vec<u8>) -> Self {
        Self::new(StatusCode::OK, content_type, body)
    }

    /// 200 with one page of a list: `{data, next_cursor}` and `Link: rel="next"`.
    ///
    /// # Errors
    /// When a view does not serialise.
    pub fn page<T, V: Serialize>(page: Page<T>, cursors: &Cursors, view: impl FnMut(T) -> V) -> Result<Self, Problem> {
        let next = page.next.as_deref().map(|key| cursors.write(key));
        let view = PageView { data: page.data.into_iter().map(view).collect(), next_cursor: next.clone() };
        Ok(Self { next, ..Self::ok(&view)? })
    }

    /// 200 with a list that has one page.
    ///
    /// # Errors
    /// When a view does not serialise.
    pub fn whole<T, V: Serialize>(rows: Vec<T>, view: impl FnMut(T) -> V) -> Result<Self, Problem> {
        Self::ok(&PageView { data: rows.into_iter().map(view).collect(), next_cursor: None })
    }

    /// With the address of the next page.
    #[must_use]
    pub fn with_next(mut self, cursor: Option<String>) -> Self {
        self.next = cursor;
        self
    }

    /// The strong `ETag` of a row's version.
    #[must_use]
    pub fn with_version(mut self, version: i32) -> Self {
        self.etag = Some(format!("\"{version}\""));
        self
    }

    /// A strong `ETag` that the caller made.
    #[must_use]
    pub fn with_etag(mut self, etag: &str) -> Self {
        self.etag = Some(format!("\"{etag}\""));
        self
    }

    /// Which object a change was made to, for the audit log.
    #[must_use]
    pub const fn about(mut self, object: Uuid) -> Self {
        self.object = Some(object);
        self
    }

    /// The id of that object as it is shown, where the answer does not show it.
    #[must_use]
    pub fn naming(mut self, id: &impl std::fmt::Display) -> Self {
        self.object_name = Some(id.to_string());
        self
    }

    /// What the object was and what it is, for the audit log.
    ///
    /// # Errors
    /// When a view does not serialise.
    pub fn altering<V: Serialize>(mut self, before: &V, after: &V) -> Result<Self, Problem> {
        let fields = |view| match serde_json::to_value(view) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(Problem::internal(&"a view that is no object")),
            Err(error) => Err(Problem::internal(&error)),
        };
        self.altered = Some(Box::new(Altered { before: fields(before)?, after: fields(after)? }));
        Ok(self)
    }

    /// What the object was and what it is, where that is known.
    #[must_use]
    pub fn altered(&self) -> Option<&Altered<Fields>> {
        self.altered.as_deref()
    }

    /// The id of the object as it is shown: as it was named, else where the new object is found.
    #[must_use]
    pub fn object_name(&self) -> Option<&str> {
        let found = self.location.as_deref().and_then(|path| path.rsplit('/').next());
        self.object_name.as_deref().or(found)
    }

    /// The object that it is about.
    #[must_use]
    pub const fn object(&self) -> Option<Uuid> {
        self.object
    }

    /// It carries a secret or personal data: what is kept of it is sealed.
    #[must_use]
    pub const fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// Whether it carries a secret or personal data.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        self.private
    }

    /// What is kept of it.
    #[must_use]
    pub fn first(&self) -> FirstAnswer {
        FirstAnswer {
            status: self.status.as_u16().try_into().unwrap_or(i16::MAX),
            content_type: self.content_type.clone(),
            location: self.location.clone(),
            etag: self.etag.clone(),
            body: self.body.clone(),
            sealed: false,
        }
    }

    /// The first answer again.
    #[must_use]
    pub fn replay(first: FirstAnswer) -> Self {
        let status = u16::try_from(first.status).ok().and_then(|s| StatusCode::from_u16(s).ok());
        let mut answer = Self::new(status.unwrap_or(StatusCode::OK), &first.content_type, first.body);
        answer.location = first.location;
        answer.etag = first.etag;
        answer.replayed = true;
        answer
    }

    /// A refusal that left something behind, such as an approval that became void: committed like a success.
    #[must_use]
    pub fn refusal(problem: FirstAnswer, object: Uuid) -> Self {
        Self { replayed: false, object: Some(object), ..Self::replay(problem) }
    }

    fn response(self, request: Option<&HttpRequest>) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((CONTENT_TYPE, self.content_type));
        response.insert_header((CACHE_CONTROL, "no-store"));
        if let Some(location) = self.location {
            response.insert_header((LOCATION, location));
        }
        if let Some(etag) = self.etag {
            response.insert_header((ETAG, etag));
        }
        if let (Some(next), Some(request)) = (self.next, request) {
            response.insert_header((LINK, format!("<{}>; rel=\"next\"", next_page(request, &next))));
        }
        if self.replayed {
            response.insert_header(("Idempotency-Replayed", "true"));
        }
        if self.status == StatusCode::NO_CONTENT { response.finish() } else { response.body(self.body) }
    }
}

impl Responder for Answer {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        self.response(Some(request))
    }
}
