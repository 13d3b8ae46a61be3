//! What ends before its time: streams of revoked tokens, embed tokens of suspended members.

use domain::access::Role;
use domain::kernel::ids::MemberId;
use harness::server::Service;
use serde_json::json;

use crate::{client, text};

const MEMBERS: &str = "member_ref,upline_ref\nM001,\nM002,M001\n";

#[test]
fn a_stream_ends_when_its_token_is_revoked_and_others_go_on() {
    let service = Service::start();
    let (id, secret) = client(&service, &["auditor"]);
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let token = text(&service.form("/oauth/token", &form).expect(200), "access_token");
    let other = service.token(&[Role::Auditor], None, None);
    let (mut ending, mut staying) =
        (service.follow("/v1/events/stream", &token, &[]), service.follow("/v1/events/stream", &other, &[]));
    let revoked = service.form("/oauth/revoke", &format!("token={token}"));
    assert_eq!(revoked.status, 200);
    // It ends although nothing happens that it could tell.
    assert_eq!(ending.next(), None);
    let body = json!({"kind": "introducer", "name": "Somebody Pty Ltd"});
    let _ = service.post("/v1/organisations", &service.operator(), &body).expect(201);
    let _ = service.tell();
    let (_, event, _) = staying.next().expect("an event");
    assert_eq!(event, "organisation.created");
}

#[test]
fn an_embed_token_ends_when_its_member_is_suspended() {
    let service = {
        let platform = harness::platform::Platform::new();
        platform.onboard(MEMBERS);
        Service::over(platform)
    };
    let member = service.platform.ids_of("select id from member order by member_ref limit 1")[0];
    let member = MemberId::new(member).to_string();
    let partner = service.partner();
    let body = json!({"member_id": member, "scopes": ["deals:read"]});
    let token = text(&service.post("/v1/embed-tokens", &partner, &body).expect(200), "access_token");
    let _ = service.get("/v1/deals", &token).expect(200);
    let path = format!("/v1/members/{member}");
    let etag = service.get(&path, &partner).header("etag").expect("an ETag").to_owned();
    let _ = service.patch(&path, &partner, &etag, &json!({"status": "suspended"})).expect(200);
    let _ = service.get("/v1/deals", &token).problem(401, "unauthenticated");
    let etag = service.get(&path, &partner).header("etag").expect("an ETag").to_owned();
    let _ = service.patch(&path, &partner, &etag, &json!({"status": "active"})).expect(200);
    let _ = service.get("/v1/deals", &token).expect(200);
}
