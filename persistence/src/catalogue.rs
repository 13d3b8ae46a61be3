//! Verticals and products.

use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use domain::catalogue::repository::CatalogueRepository;
use domain::catalogue::{Product, ProductCode, Vertical, VerticalCode, reference};
use domain::kernel::ids::ProductId;
use domain::store::StoreError;
use uuid::Uuid;

use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

impl CatalogueRepository for PgUnitOfWork<'_> {
    fn ship(&mut self, verticals: &[Vertical], products: &[Product]) -> Result<(), StoreError> {
        command("insert into vertical (id, code, name) select * from unnest($1::uuid[], $2::text[], $3::text[]) on conflict do nothing")
            .bind::<Array<SqlUuid>, _>(verticals.iter().map(|v| v.id.uuid()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(verticals.iter().map(|v| v.code.to_string()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(verticals.iter().map(|v| v.name.clone()).collect::<Vec<_>>())
            .execute(self.pg)
            .map_err(store_error)?;
        command("insert into product (id, vertical_id, code, name) select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) on conflict do nothing")
            .bind::<Array<SqlUuid>, _>(products.iter().map(|p| p.id.uuid()).collect::<Vec<_>>())
            .bind::<Array<SqlUuid>, _>(products.iter().map(|p| reference::vertical_id(p.vertical).uuid()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(products.iter().map(|p| p.code.as_str()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(products.iter().map(|p| p.name.clone()).collect::<Vec<_>>())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn find_products(&mut self, codes: &[ProductCode]) -> Result<Vec<Product>, StoreError> {
        let rows: Vec<(Uuid, String, String, String)> = query::<(SqlUuid, Text, Text, Text)>(
            "select p.id, v.code, p.code, p.name from product p join vertical v on v.id = p.vertical_id where p.code = any($1)",
        )
        .bind::<Array<Text>, _>(codes.iter().map(ProductCode::as_str).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(id, vertical, code, name)| {
                Ok(Product {
                    id: ProductId::new(id),
                    vertical: VerticalCode::parse(&vertical).map_err(|_| unreadable("a vertical's code"))?,
                    code: ProductCode::parse(&code).map_err(|_| unreadable("a product's code"))?,
                    name,
                })
            })
            .collect()
    }
}
