//! The operator's file of witnesses: whom to ask where, and how many must have cosigned.
//!
//! Source: C2SP `tlog-policy`, as far as one threshold over witnesses goes: `witness NAME VKEY URL`, `group NAME K NAME…`
//! (`any` and `all` for K), `quorum NAME` or `quorum none`, `log VKEY`, blank lines and lines that begin with `#`. A group of groups is
//! refused, and so is a witness that the quorum leaves out: it would be asked for nothing. Every fault is named with its
//! line. Bound: [`MAX_BYTES`].

use std::collections::BTreeMap;

use super::super::cosignature::WitnessKey;
use super::super::note::VerifierKey;
use super::super::policy::{Policy, PolicyError};

/// The longest file, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// Why a file is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessFileError {
    /// A line cannot be read.
    #[error("line {line}: {what}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// Too long, or with control characters.
    #[error("not a file of witnesses: {0}")]
    Malformed(&'static str),
    /// A witness is in no way part of the quorum.
    #[error("the witness {0} is not in the group of the quorum: add it there, or take it out")]
    LeftOut(String),
    /// Witnesses and quorum do not go together.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// Whom to ask, where, and how many must have cosigned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Witnesses {
    /// Keys and quorum.
    pub policy: Policy,
    /// The submission prefix of each witness, in the order of the policy.
    pub urls: Vec<String>,
    /// The logs that the file names, if any: the log must be among them.
    pub logs: Vec<VerifierKey>,
}

#[derive(Default)]
struct Read<'f> {
    names: Vec<&'f str>,
    keys: Vec<WitnessKey>,
    urls: Vec<String>,
    logs: Vec<VerifierKey>,
    groups: BTreeMap<&'f str, (usize, Vec<&'f str>)>,
    quorum: Option<(usize, Vec<&'f str>)>,
}

impl Witnesses {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`WitnessFileError`].
    pub fn parse(text: &str) -> Result<Self, WitnessFileError> {
        if text.len() > MAX_BYTES {
            return Err(WitnessFileError::Malformed("it is too long"));
        }
        if text.chars().any(|c| c.is_ascii_control() && c != '\n' && c != '\t') {
            return Err(WitnessFileError::Malformed("it holds a control character"));
        }
        let mut read = Read::default();
        for (n, line) in text.split('\n').enumerate() {
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            read.take(&words).map_err(|what| WitnessFileError::Line { line: n + 1, what })?;
        }
        let Some((quorum, counted)) = read.quorum else {
            return Err(WitnessFileError::Malformed("there is no `quorum` line"));
        };
        if quorum > 0
            && let Some(left) = read.names.iter().find(|name| !counted.contains(name))
        {
            return Err(WitnessFileError::LeftOut((*left).to_owned()));
        }
        Ok(Self { policy: Policy::try_new(read.keys, quorum)?, urls: read.urls, logs: read.logs })
    }
}

impl<'f> Read<'f> {
    fn take(&mut self, words: &[&'f str]) -> Result<(), String> {
        match words {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] | ["log", key, _] => {
                self.logs.push(VerifierKey::parse(key).map_err(|error| error.to_string())?);
                Ok(())
            }
            ["witness", name, key, url] => {
                self.new_name(name)?;
                self.keys.push(WitnessKey::parse(key).map_err(|error| error.to_string())?);
                self.names.push(name);
                self.urls.push(url.trim_end_matches('/').to_owned());
                Ok(())
            }
            ["witness", name, _] => Err(format!("the witness {name} needs its URL: it is to be asked")),
            ["group", name, threshold, members @ ..] if !members.is_empty() => self.group(name, threshold, members),
            ["quorum", _] if self.quorum.is_some() => Err("there is a quorum already".to_owned()),
            ["quorum", "none"] => {
                self.quorum = Some((0, Vec::new()));
                Ok(())
            }
            ["quorum", name] => {
                let group = self.groups.get(name).cloned();
                let alone = self.names.contains(name).then(|| (1, vec![*name]));
                self.quorum = Some(group.or(alone).ok_or_else(|| format!("there is no {name} above"))?);
                Ok(())
            }
            [first, ..] => Err(format!("`{first}` is not understood here: see C2SP tlog-policy")),
        }
    }

    fn new_name(&self, name: &str) -> Result<(), String> {
        if name == "none" || self.names.contains(&name) || self.groups.contains_key(name) {
            return Err(format!("the name {name} is taken"));
        }
        Ok(())
    }

    fn group(&mut self, name: &'f str, threshold: &str, members: &[&'f str]) -> Result<(), String> {
        self.new_name(name)?;
        if let Some(group) = members.iter().find(|member| self.groups.contains_key(**member)) {
            return Err(format!("{group} is a group: groups of groups are not understood"));
        }
        if let Some(unknown) = members.iter().find(|member| !self.names.contains(member)) {
            return Err(format!("there is no witness {unknown} above"));
        }
        let in_a_group = |member: &&&str| self.groups.values().any(|(_, others)| others.contains(member));
        let twice = members.iter().enumerate().find(|(n, member)| members.iter().take(*n).any(|m| m == *member));
        if let Some(twice) = members.iter().find(in_a_group).or(twice.map(|(_, member)| member)) {
            return Err(format!("{twice} is in a group already"));
        }
        let threshold = match threshold {
            "any" => 1,
            "all" => members.len(),
            number => number
                .parse()
                .ok()
                .filter(|k| (1..=members.len()).contains(k))
                .ok_or_else(|| format!("expected any, all or a number from 1 to {}", members.len()))?,
        };
        self.groups.insert(name, (threshold, members.to_vec()));
        Ok(())
    }
}
