drop table recovery_plan;
