drop function forget_simulation_changes(date);
drop table simulation_change;
drop table simulation_report;
drop table simulation;
