//! The verifier for browsers: the committed WebAssembly is built from the sources that stand here and says what the
//! command says; the page keeps to itself what it is given, in a real browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use domain::chain::receipt::Receipt;
use domain::chain::verify::{verdict, verify};
use harness::server::Service;
use harness::skip::{installed, skip, workspace};
use integrations::key_file::KeyFile;
use integrations::randomness::SystemRandomness;
use serde_json::{Value, json};

use crate::oracles::present;
use crate::support::{EXAMPLE, MEMBERS, example, receipts, scratch};

fn oracle(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles").join(name)
}

#[test]
fn the_committed_webassembly_is_built_from_these_sources() {
    let output = Command::new("bash").arg(workspace().join("scripts/wasm-sources.sh")).output().expect("bash runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed = std::fs::read_to_string(workspace().join("verifier/wasm/verifier.wasm.sources")).expect("the list");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        listed,
        "the verifier changed: build its WebAssembly again with scripts/wasm.sh"
    );
}

/// The bytes of a receipt with something else in each of a few places.
fn changed(bytes: &[u8]) -> Vec<Vec<u8>> {
    let places = (0..bytes.len()).step_by(bytes.len() / 40 + 1);
    places
        .map(|at| {
            let mut other = bytes.to_vec();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            other
        })
        .collect()
}

#[test]
fn the_webassembly_says_what_the_command_says() {
    if !present("node", "--version") {
        return;
    }
    let platform = example();
    let directory = scratch("wasm");
    let trust = platform.trust();
    std::fs::write(directory.join("trust.json"), trust.to_json().expect("JSON")).expect("written");
    let good: Vec<Vec<u8>> = receipts(&platform).iter().map(|r| r.to_bytes().expect("bytes")).collect();
    let mut all = good.clone();
    all.extend(changed(&good[0]));
    all.extend(changed(&good[good.len() - 1]));
    all.extend([b"{}".to_vec(), b"\xff".to_vec(), vec![b' '; 3_000_000]]);
    let mut expected = Vec::new();
    let mut command = Command::new("node");
    command.arg(oracle("verifier_wasm.mjs")).arg(workspace().join("verifier/wasm/verifier.wasm"));
    command.arg(directory.join("trust.json"));
    for (n, bytes) in all.iter().enumerate() {
        let path = directory.join(format!("{n}.json"));
        std::fs::write(&path, bytes).expect("written");
        command.arg(path);
        expected.push(Receipt::parse(bytes).map(|receipt| verdict(&verify(&trust, &receipt))).ok());
    }
    let output = command.output().expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).expect("text");
    let said: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(said.len(), expected.len());
    for (n, (said, expected)) in said.iter().zip(expected).enumerate() {
        match expected {
            Some(expected) => assert_eq!(*said, expected, "receipt {n}"),
            None => assert!(said["holds"] == false && said["error"].is_string(), "receipt {n}: {said}"),
        }
        assert_eq!(said["holds"] == true, n < good.len(), "receipt {n}: {said}");
    }
}

#[test]
fn a_browser_verifies_a_dropped_receipt_and_sends_nothing() {
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(on_path) else {
        skip("Chromium is not here: no browser walks /verify");
        return;
    };
    let modules = installed("node");
    if !modules.join("node_modules/playwright-core").is_dir() {
        skip("playwright-core is not installed: no browser walks /verify");
        return;
    }
    let service = Service::start();
    service.platform.onboard(MEMBERS);
    let _ = service.platform.import(EXAMPLE);
    service.sequence();
    let directory = scratch("page");
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.join(name), bytes).expect("written");
    let trust = service.send("GET", "/v1/chain/keys", &[], None).body;
    write("trust.json", &trust);
    let mut other: Value = serde_json::from_slice(&trust).expect("JSON");
    let stranger = KeyFile::open_or_create(&directory.join("stranger.pem"), &SystemRandomness).expect("a key");
    let key = domain::chain::signer::Signer::public_key(&stranger);
    other["platform_keys"] = json!([{"kid": key.kid(), "jwk": key.jwk()}]);
    write("other-trust.json", other.to_string().as_bytes());
    let receipts = receipts(&service.platform);
    let first = receipts[0].to_bytes().expect("bytes");
    write("good-1.json", &first);
    write("good-2.json", &receipts[receipts.len() - 1].to_bytes().expect("bytes"));
    write("changed.json", &changed(&first)[7]);
    let output = Command::new("node")
        .arg(oracle("verify_page.mjs"))
        .args([service.url.clone(), directory.display().to_string(), modules.display().to_string(), browser])
        .output()
        .expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for way in ["served", "fromFile"] {
        let (walk, holds) = (&said[way], |list: &Value| -> Vec<bool> {
            list.as_array().expect("a list").iter().map(|a| a["holds"] == true).collect()
        });
        assert_eq!(holds(&walk["honest"]), [true, true], "{way}: {walk}");
        assert_eq!(holds(&walk["changed"]), [false], "{way}: {walk}");
        assert_eq!(holds(&walk["dropped"]), [true], "{way}: {walk}");
        assert_eq!(holds(&walk["other"]), [false], "{way}: {walk}");
        let text = walk["honest"][0]["text"].as_str().expect("a text");
        assert!(text.contains(&receipts[0].id) && text.contains("What is not proved"), "{text}");
        assert_eq!((&walk["sent"], &walk["errors"]), (&json!("refused"), &json!([])), "{way}: {walk}");
    }
    // The page itself, once served and once from the file; the attempt to send was stopped before it left.
    let asked: Vec<&str> = said["asked"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let left = asked.iter().filter(|url| !url.ends_with("/verify") && !url.starts_with("file://")).count();
    assert_eq!(left, 0, "{asked:?}");
}

fn on_path(program: &str) -> Option<String> {
    let found = std::env::var_os("PATH")?;
    let path = std::env::split_paths(&found).map(|place| place.join(program)).find(|path| path.is_file())?;
    Some(path.display().to_string())
}
