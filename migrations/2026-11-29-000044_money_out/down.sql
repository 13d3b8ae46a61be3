drop table payout_step;
drop index payout_open;
alter table payout
  drop constraint payout_amounts_agree, drop constraint payout_goes_somewhere, drop constraint payout_state_known,
  drop column stripe_account, drop column rail, drop column withheld_minor, drop column gst_minor,
  alter column bank_details_id set not null;
alter table payout
  add constraint payout_state_check check (state in ('in_transit', 'settled', 'returned')),
  add constraint payout_amounts_agree check (gross_minor - recovered_minor = amount_minor);
alter table commission_line drop column withheld_minor, drop column gst_minor;
