//! How easily a password is guessed: zxcvbn's estimate, which knows common passwords, words, names, dates and
//! patterns of keys. Bound: it reads at most [`MOST_READ`] characters, since its time grows with the square.

use domain::access::{Password, PasswordRules};
use zxcvbn::{Score, zxcvbn};

/// Longer passwords are judged by their beginning.
const MOST_READ: usize = 64;
/// Fewer guesses than 10^8 are too few (the library's "somewhat guessable" and worse).
const ENOUGH: Score = Score::Three;

/// Judges by zxcvbn.
#[derive(Debug, Clone, Copy, Default)]
pub struct Zxcvbn;

impl PasswordRules for Zxcvbn {
    fn is_guessable(&self, password: &Password, about: &[&str]) -> bool {
        let read: String = password.reveal().chars().take(MOST_READ).collect();
        zxcvbn(&read, about).score() < ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_and_patterns_are_refused_and_phrases_are_not() {
        let guessable = |text: &str| Zxcvbn.is_guessable(&Password::parse(text).expect("a password"), &["flip360"]);
        for weak in
            ["password1234", "qwertyuiop123", "aaaaaaaaaaaaaaaa", "abcdefghijkl", "flip360flip360", "123456789012"]
        {
            assert!(guessable(weak), "{weak}");
        }
        assert!(guessable(&"xq9 ".repeat(32)), "what is repeated adds little");
        for strong in ["correct horse battery", "gull lantern ochre tram", "rV7!kd02Lq_wz9"] {
            assert!(!guessable(strong), "{strong}");
        }
    }
}
