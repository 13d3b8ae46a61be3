//! The first wall of authorisation, cell by cell: every operation × everybody who could ask × an object of one's
//! own, one of another partner, one that does not exist, one under a wrong name.
//!
//! What is expected stands in two tables that are written by hand and reviewed with each change, not worked out from
//! the code: `authorization.txt` says which roles an operation lets in, `objects.txt` how it answers them. Nothing is
//! left out. A new operation needs a line in both; if it takes a body or filters by an object, `tests/harness/requests.json`
//! says
//! with what it is asked. The failure prints what was seen: check it against the contract before it becomes a line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use api::policy::Operation;
use domain::access::Role;
use domain::access::ownership::{self, Reach};
use harness::asking::Asking;
use harness::partners::{Asker, Site};
use harness::server::Reply;
use serde_json::Value;

const LET_IN: &str = include_str!("authorization.txt");
const ANSWERS: &str = include_str!("objects.txt");

/// The kinds of callers that are answered alike, once they are let in.
const GROUPS: [&str; 6] = ["staff", "partner", "member", "embed", "investor", "public"];

fn lines(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let told = table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    told.map(|line| line.split_once(':').unwrap_or_else(|| panic!("no colon: {line}")))
}

/// Which roles each operation lets in.
fn let_in() -> BTreeMap<&'static str, BTreeSet<Role>> {
    let roles = |operation: &str, roles: &'static str| {
        let role = |text| Role::parse(text).unwrap_or_else(|| panic!("{operation}: there is no role {text}"));
        roles.split_whitespace().map(role).collect()
    };
    lines(LET_IN).map(|(operation, given)| (operation, roles(operation, given))).collect()
}

type Answers = BTreeMap<&'static str, BTreeMap<&'static str, Vec<u16>>>;

/// How each operation answers each kind of caller that it lets in.
fn answers() -> Answers {
    let of_group = |told: &'static str| {
        let mut words = told.split_whitespace();
        let group = words.next().expect("a kind of caller");
        assert!(GROUPS.contains(&group), "there is no kind of caller {group}");
        (group, words.map(|status| status.parse().expect("a status")).collect())
    };
    lines(ANSWERS).map(|(operation, told)| (operation, told.split('|').map(of_group).collect())).collect()
}

fn group(asker: Asker) -> &'static str {
    match asker {
        Asker::Nobody => "public",
        Asker::Embed => "embed",
        Asker::Has(Role::Member) => "member",
        Asker::Has(Role::Investor) => "investor",
        Asker::Has(role) if role.is_of_partner() => "partner",
        Asker::Has(_) => "staff",
    }
}

/// What the tables say, or why they say nothing.
fn expected(operation: &Operation, public: bool, asker: Asker, answers: &Answers, size: usize) -> Option<Vec<u16>> {
    let told = answers.get(operation.id)?.get(group(asker));
    match asker {
        Asker::Nobody if !public => Some(vec![401; size]),
        Asker::Has(role) if !public && !let_in().get(operation.id)?.contains(&role) => Some(vec![403; size]),
        Asker::Embed if told.is_none() => Some(vec![403; size]),
        _ => told.cloned(),
    }
}

/// A refusal without what names the request, or depends on how fast its body came.
fn said(reply: &Reply) -> (u16, Option<Value>, BTreeSet<String>) {
    let mut body = serde_json::from_slice::<Value>(&reply.body).ok();
    for member in ["instance", "request_id"] {
        let _ = body.as_mut().and_then(Value::as_object_mut).and_then(|problem| problem.remove(member));
    }
    let headers = reply.headers.keys().map(ToString::to_string).filter(|name| name != "connection");
    (reply.status, body, headers.collect())
}

/// Ids of the other partner in an answer to a question that did not name them.
fn told_of(site: &Site, asked: &str, reply: &Reply) -> Vec<String> {
    let body = String::from_utf8_lossy(&reply.body);
    site.theirs.own.iter().filter(|id| body.contains(id.as_str()) && !asked.contains(id.as_str())).cloned().collect()
}

#[test]
fn every_operation_answers_everybody_as_it_should_whosever_the_object() {
    let site = Site::open();
    let asking = Asking::of(&site);
    let (let_in, answers) = (let_in(), answers());
    let (mut faults, mut secured) = (String::new(), BTreeSet::new());
    for operation in site.service.app.policy.operations() {
        let public = asking.is_public(operation);
        if !public {
            let _ = secured.insert(operation.id);
        }
        let mut seen: BTreeMap<&str, BTreeSet<Vec<u16>>> = BTreeMap::new();
        let askers = if public { vec![Asker::Nobody] } else { Asker::all() };
        let mut wrong = !answers.contains_key(operation.id) || !(public || let_in.contains_key(operation.id));
        for asker in askers {
            let token = site.token(asker);
            let replies: Vec<(String, Reply)> =
                asking.objects(operation).map(|ids| asking.ask(operation, ids, token.as_deref())).collect();
            let statuses: Vec<u16> = replies.iter().map(|(_, reply)| reply.status).collect();
            if expected(operation, public, asker, &answers, statuses.len()).as_ref() != Some(&statuses) {
                wrong = true;
                let _ = writeln!(faults, "{} as {asker:?}: {statuses:?}", operation.id);
            }
            let as_if_nothing = |status| (400..500).contains(&status) && status != 403;
            if let [_, (_, foreign), (_, nothing), _] = replies.as_slice()
                && !asker.sees_everything()
                && as_if_nothing(foreign.status)
            {
                assert_eq!(said(foreign), said(nothing), "{} as {asker:?} tells what exists", operation.id);
            }
            for (asked, reply) in replies.iter().filter(|_| !asker.sees_everything()) {
                let told = told_of(&site, asked, reply);
                assert!(told.is_empty(), "{asked} as {asker:?} tells of another partner: {told:?}");
            }
            let _ = seen.entry(group(asker)).or_default().insert(statuses);
        }
        if wrong {
            let _ = writeln!(faults, "  seen: {}", line(operation.id, public, &seen));
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
    assert_eq!(secured, let_in.keys().copied().collect(), "authorization.txt and the operations that need a login");
    let all: BTreeSet<&str> = site.service.app.policy.operations().iter().map(|operation| operation.id).collect();
    assert_eq!(all, answers.keys().copied().collect(), "objects.txt and the operations");
}

/// What was seen, as a line of `objects.txt`.
fn line(operation: &str, public: bool, seen: &BTreeMap<&str, BTreeSet<Vec<u16>>>) -> String {
    let mut told = Vec::new();
    for group in GROUPS.into_iter().filter(|group| public || *group != "public") {
        let in_it = seen.get(group).into_iter().flatten().filter(|statuses| statuses.iter().any(|s| *s != 403));
        told.extend(in_it.map(|statuses| {
            let statuses: Vec<String> = statuses.iter().map(u16::to_string).collect();
            format!("{group} {}", statuses.join(" "))
        }));
    }
    format!("{operation}: {}", told.join(" | "))
}

/// The kinds of ids of which a path names one object; what is listed or made under it is another matter.
fn prefix(asking: &Asking<'_>, operation: &Operation) -> Option<String> {
    let mut named = asking.parameters(operation, "path").filter_map(|parameter| parameter["example"].as_str());
    let id = named.find_map(|example| example.split_once('_'));
    id.map(|(prefix, _)| prefix.to_owned())
}

#[test]
fn what_the_table_shows_to_strangers_is_what_the_domain_calls_everybodys() {
    let site = Site::open();
    let asking = Asking::of(&site);
    let answers = answers();
    let mut compared = 0;
    for operation in site.service.app.policy.operations() {
        // Of a provider's, and the partner who asks is an introducer, which has none.
        if operation.id == "get_statement_mapping" {
            continue;
        }
        let Some(prefix) = prefix(&asking, operation) else { continue };
        let Some(told) = answers.get(operation.id) else { continue };
        let Some(partner) = told.get("partner") else { continue };
        let shown = (200..300).contains(&partner[1]);
        assert_eq!(shown, ownership::reach(&prefix) == Reach::Everybody, "{}: {prefix}", operation.id);
        let own = partner[0] != 404;
        assert_eq!(own, ownership::reach(&prefix) != Reach::Operator, "{}: {prefix}", operation.id);
        if let Some(member) = told.get("member") {
            assert!(
                member[0] == 404 || member[0] == 403 || ownership::reach(&prefix) <= Reach::Parties,
                "{}: {prefix}",
                operation.id
            );
        }
        compared += 1;
    }
    assert!(compared > 40, "{compared} operations");
}
