drop table licence;
drop table cohort;
revoke update (name, description, version) on vertical from flip360_writer;
alter table vertical drop column description, drop column version;
