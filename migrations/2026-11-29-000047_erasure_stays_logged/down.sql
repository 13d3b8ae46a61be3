drop trigger erasure_kept on chain_pending;
drop function refuse_losing_erasure();
drop trigger logged_at_last on chain_erasure;
drop function refuse_erasure_without_leaf();
drop function refuse_unlogged_erasure(uuid);
