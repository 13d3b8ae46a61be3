drop table payee_supplier_statement, rcti_agreement_end, rcti_agreement;
drop trigger gst_status_is_kept on payee;
drop function keep_gst_status;
drop table payee_gst_status;
