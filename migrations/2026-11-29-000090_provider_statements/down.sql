drop index deal_by_provider_settled;
drop index commission_line_awaits_receipt;
drop table line_funding, provider_exception, write_off, provider_line_result, provider_line_step, provider_statement_line, provider_statement, statement_mapping;
