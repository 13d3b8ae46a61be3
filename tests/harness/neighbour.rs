//! A second process of one service: the same database, a memory and a server of its own.

use std::path::PathBuf;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use api::app::App;
use api::config::EdgeArgs;
use domain::access::Environment;

use crate::documented;
use crate::server::{Reply, Service, listen};

/// How a service and its neighbours sign their tokens.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// Live or sandbox.
    pub environment: Environment,
    /// A directory with the keys of access tokens; without one there is a single key, in memory.
    pub keys: Option<PathBuf>,
}

/// A neighbour that is served until it is dropped.
pub struct Neighbour {
    /// The application behind the server.
    pub app: Data<App>,
    /// `http://127.0.0.1:port`.
    pub url: String,
    agent: ureq::Agent,
    stop: Option<(ServerHandle, JoinHandle<()>)>,
}

impl Neighbour {
    /// Serves an application on the database of a service.
    #[must_use]
    pub fn of(service: &Service) -> Self {
        Self::serving(service.neighbour())
    }

    /// Serves an application.
    #[must_use]
    pub fn serving(app: Data<App>) -> Self {
        let (url, stop) = listen(app.clone(), EdgeArgs::default());
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { app, url, agent, stop: Some(stop) }
    }

    /// Any request.
    #[must_use]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_vec()).expect("a request");
        let mut response = self.agent.run(request).expect("an answer");
        let body = response.body_mut().read_to_vec().expect("a body");
        let reply = Reply { status: response.status().as_u16(), headers: response.headers().clone(), body };
        documented::check(&self.app.policy, method, path, &reply);
        reply
    }

    /// A form.
    #[must_use]
    pub fn form(&self, path: &str, form: &str) -> Reply {
        self.send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], form.as_bytes())
    }

    /// GET.
    #[must_use]
    pub fn get(&self, path: &str, token: &str) -> Reply {
        self.send("GET", path, &[("authorization", &format!("Bearer {token}"))], b"")
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.app.stopping.send_replace(true);
        if let Some((handle, thread)) = self.stop.take() {
            actix_web::rt::System::new().block_on(handle.stop(false));
            let _ = thread.join();
        }
    }
}
