drop table signing_key, member_payee, payee_bank_details, payee, member_upline, member, contact, organisation, personal_data;
