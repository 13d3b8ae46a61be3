drop table chain_checkpoint_note, chain_checkpoint, chain_head, chain_tile, chain_leaf, chain_pending, chain_secret, chain_lane;
drop function refuse_logged_twice();
