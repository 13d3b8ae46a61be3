drop table payout_line, payout, payout_run, bank_account;
