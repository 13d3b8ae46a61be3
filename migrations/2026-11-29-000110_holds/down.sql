drop table line_hold;
