//! Which witnesses are trusted, and how many of them must have cosigned a checkpoint.
//!
//! A quorum of `n` is met by valid cosignatures of `n` of the trusted witnesses; 0 asks for none, and cosignatures are
//! judged and told all the same. Two witnesses have neither a name nor a key in common, so that nobody is counted twice.
//! Bound: [`MAX_WITNESSES`]. This is a group with a threshold as C2SP `tlog-policy` has it; groups of groups are not.

use super::cosignature::WitnessKey;
use super::note::{Note, NoteError};

/// Witnesses of one log, at most.
pub const MAX_WITNESSES: usize = 32;

/// Why witnesses and quorum do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A verifier key of a witness.
    #[error("a witness: {0}")]
    Key(#[from] NoteError),
    /// Two of one name, or of one key.
    #[error("the witness {0} is named twice, or has the key of another one")]
    Twice(String),
    /// More than [`MAX_WITNESSES`].
    #[error("there are more than {MAX_WITNESSES} witnesses")]
    TooMany,
    /// A quorum that can never be met.
    #[error("the quorum is {quorum}, and there are only {witnesses} witnesses")]
    Quorum {
        /// How many are asked for.
        quorum: usize,
        /// How many there are.
        witnesses: usize,
    },
}

/// Witnesses and quorum.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    witnesses: Vec<WitnessKey>,
    quorum: usize,
}

/// A witness that cosigned, and when by its own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cosigned<'p> {
    /// Who.
    pub witness: &'p WitnessKey,
    /// Seconds since 1970, a claim of the witness.
    pub time: u64,
}

impl Policy {
    /// Trusts these witnesses.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn try_new(witnesses: Vec<WitnessKey>, quorum: usize) -> Result<Self, PolicyError> {
        if witnesses.len() > MAX_WITNESSES {
            return Err(PolicyError::TooMany);
        }
        for (n, one) in witnesses.iter().enumerate() {
            if witnesses.iter().take(n).any(|other| other.name() == one.name() || other.key() == one.key()) {
                return Err(PolicyError::Twice(one.name().to_owned()));
            }
        }
        if quorum > witnesses.len() {
            return Err(PolicyError::Quorum { quorum, witnesses: witnesses.len() });
        }
        Ok(Self { witnesses, quorum })
    }

    /// Reads verifier keys.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn parse(keys: &[String], quorum: usize) -> Result<Self, PolicyError> {
        let witnesses = keys.iter().map(|key| WitnessKey::parse(key)).collect::<Result<Vec<_>, _>>()?;
        Self::try_new(witnesses, quorum)
    }

    /// The witnesses.
    #[must_use]
    pub fn witnesses(&self) -> &[WitnessKey] {
        &self.witnesses
    }

    /// How many of them must have cosigned.
    #[must_use]
    pub const fn quorum(&self) -> usize {
        self.quorum
    }

    /// Whether nobody is asked for and nobody is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.witnesses.is_empty()
    }

    /// What each witness says of a note: that it cosigned, or that a line in its name is not valid. Those that did not
    /// cosign are left out.
    pub fn judged<'p>(&'p self, note: &'p Note) -> impl Iterator<Item = Result<Cosigned<'p>, NoteError>> {
        let judge = |witness: &'p WitnessKey| {
            let time = witness.cosigned(note).transpose()?;
            Some(time.map(|time| Cosigned { witness, time }))
        };
        self.witnesses.iter().filter_map(judge)
    }

    /// Whether enough witnesses cosigned.
    #[must_use]
    pub fn is_met_by(&self, note: &Note) -> bool {
        self.judged(note).filter(Result::is_ok).count() >= self.quorum
    }
}
