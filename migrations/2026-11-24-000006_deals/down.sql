drop table deal_import_row, deal_import_chunk, deal_import, handshake_statement, handshake, deal_fact, deal_transition, deal;
