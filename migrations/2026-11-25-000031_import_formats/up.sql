-- How the file of an import is written: all there were are CSV.
alter table deal_import add column format text not null default 'csv' check (format in ('csv', 'ndjson'));
