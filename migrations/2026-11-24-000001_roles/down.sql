drop function viewer_sees_all();
drop function viewer_parties();
drop procedure make_append_only(regclass);
drop function refuse_change();
revoke usage on schema public from flip360_writer, flip360_reader;
-- The roles belong to the cluster, not to this database, and stay.
