//! The outside world behind the domain's ports.

pub mod bank_statements;
pub mod clock;
pub mod cursor_key;
pub mod durable;
pub mod export_lines;
pub mod high_water;
pub mod http_mirror;
pub mod ids;
pub mod key_file;
pub mod mirror_directory;
pub mod oidc;
pub mod one_time_code;
pub mod outbound;
pub mod paper;
pub mod password;
pub mod password_rules;
pub mod randomness;
pub mod sealing;
pub mod stripe;
pub mod token_keys;
pub mod turn;
pub mod webhook_signature;
pub mod witness_state;

#[cfg(test)]
mod tests {
    /// An empty directory for one test.
    pub fn scratch(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("flip360-integrations-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a directory");
        path
    }
}
