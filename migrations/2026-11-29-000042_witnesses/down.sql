drop table chain_published;
drop table chain_evidence;
drop table chain_cosignature;
