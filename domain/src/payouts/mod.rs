//! payouts
