drop table stripe_recall;
