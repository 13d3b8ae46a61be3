//! What the log withstands: erasure of people without harm to anybody else's proof, and people with all rights over the
//! database, some with the log's key in hand, whom the audit names.

mod attacks;
mod erasure;
mod export;
mod guards;
mod people;
mod retention;
mod rewritten;
mod support;

#[expect(dead_code, reason = "the world of the handshake tests, of which these need a part")]
#[path = "../handshake/world.rs"]
mod handshakes;

#[expect(dead_code, reason = "the world of the payout tests, of which these need a part")]
#[path = "../payouts/world.rs"]
mod payouts;
