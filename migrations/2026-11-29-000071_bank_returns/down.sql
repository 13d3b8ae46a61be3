drop table bank_details_block, bank_return_item, bank_return;
