drop index calculation_by_period;
drop index deal_by_version;
drop table trail_run_missing, trail_run;
