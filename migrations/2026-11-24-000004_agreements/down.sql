drop table calculation, agreement_version, agreement, product, vertical;
