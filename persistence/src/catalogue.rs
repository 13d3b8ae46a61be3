//! Verticals and products.

use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Text, Uuid as SqlUuid};
use domain::catalogue::repository::{CatalogueQueries, CatalogueRepository};
use domain::catalogue::{Product, ProductCode, Vertical, VerticalCode, reference};
use domain::kernel::ids::{ProductId, VerticalId};
use domain::kernel::{Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

type VerticalColumns = (SqlUuid, Text, Text, Nullable<Text>, Integer);
type VerticalRow = (Uuid, String, String, Option<String>, i32);
type ProductColumns = (SqlUuid, Text, Text, Text, Integer);
type ProductRow = (Uuid, String, String, String, i32);

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

    fn insert_vertical(&mut self, vertical: &Vertical) -> Result<(), StoreError> {
        command("insert into vertical (id, code, name, description, version) values ($1, $2, $3, $4, $5)")
            .bind::<SqlUuid, _>(vertical.id.uuid())
            .bind::<Text, _>(vertical.code.to_string())
            .bind::<Text, _>(vertical.name.as_str())
            .bind::<Nullable<Text>, _>(vertical.description.as_deref())
            .bind::<Integer, _>(vertical.version)
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn lock_vertical(&mut self, id: VerticalId) -> Result<Option<Vertical>, StoreError> {
        let row = query::<VerticalColumns>(
            "select id, code, name, description, version from vertical where id = $1 for update",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(vertical).transpose()
    }

    fn update_vertical(&mut self, vertical: &Vertical) -> Result<(), StoreError> {
        command("update vertical set name = $1, description = $2, version = $3 where id = $4")
            .bind::<Text, _>(vertical.name.as_str())
            .bind::<Nullable<Text>, _>(vertical.description.as_deref())
            .bind::<Integer, _>(vertical.version)
            .bind::<SqlUuid, _>(vertical.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn insert_product(&mut self, product: &Product) -> Result<(), StoreError> {
        command("insert into product (id, vertical_id, code, name, version) values ($1, $2, $3, $4, $5)")
            .bind::<SqlUuid, _>(product.id.uuid())
            .bind::<SqlUuid, _>(reference::vertical_id(product.vertical).uuid())
            .bind::<Text, _>(product.code.as_str())
            .bind::<Text, _>(product.name.as_str())
            .bind::<Integer, _>(product.version)
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn lock_product(&mut self, id: ProductId) -> Result<Option<Product>, StoreError> {
        let row = query::<ProductColumns>(
            "select p.id, v.code, p.code, p.name, p.version from product p join vertical v on v.id = p.vertical_id
             where p.id = $1 for update of p",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(product).transpose()
    }

    fn update_product(&mut self, product: &Product) -> Result<(), StoreError> {
        command("update product set name = $1, version = $2 where id = $3")
            .bind::<Text, _>(product.name.as_str())
            .bind::<Integer, _>(product.version)
            .bind::<SqlUuid, _>(product.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn find_products(&mut self, codes: &[ProductCode]) -> Result<Vec<Product>, StoreError> {
        let rows: Vec<ProductRow> = query::<ProductColumns>(
            "select p.id, v.code, p.code, p.name, p.version from product p join vertical v on v.id = p.vertical_id where p.code = any($1)",
        )
        .bind::<Array<Text>, _>(codes.iter().map(ProductCode::as_str).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(product).collect()
    }
}

fn product((id, vertical, code, name, version): ProductRow) -> Result<Product, StoreError> {
    Ok(Product {
        id: ProductId::new(id),
        vertical: VerticalCode::parse(&vertical).map_err(|_| unreadable("a vertical's code"))?,
        code: ProductCode::parse(&code).map_err(|_| unreadable("a product's code"))?,
        name,
        version,
    })
}

fn vertical((id, code, name, description, version): VerticalRow) -> Result<Vertical, StoreError> {
    let code = VerticalCode::parse(&code).map_err(|_| unreadable("a vertical's code"))?;
    Ok(Vertical { id: VerticalId::new(id), code, name, description, version })
}

impl CatalogueQueries for PgQueries<'_> {
    fn list_verticals(&mut self, page: &PageRequest) -> Result<Page<Vertical>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<VerticalRow> = query::<VerticalColumns>(listed!(
            paging.order,
            "select id, code, name, description, version from vertical where ",
            "id",
            ""
        ))
        .after_id(paging)?
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, vertical, |v| v.id.uuid())
    }

    fn find_vertical(&mut self, id: VerticalId) -> Result<Option<Vertical>, StoreError> {
        let row = query::<VerticalColumns>("select id, code, name, description, version from vertical where id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        row.map(vertical).transpose()
    }

    fn list_products(&mut self, vertical: Option<VerticalId>, page: &PageRequest) -> Result<Page<Product>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<ProductRow> = query::<ProductColumns>(listed!(
            paging.order,
            "select p.id, v.code, p.code, p.name, p.version from product p join vertical v on v.id = p.vertical_id where ",
            "p.id", " and coalesce(p.vertical_id = $2, true)"
        ))
        .after_id(paging)?
        .bind::<Nullable<SqlUuid>, _>(vertical.map(VerticalId::uuid))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, product, |p| p.id.uuid())
    }

    fn find_product(&mut self, id: ProductId) -> Result<Option<Product>, StoreError> {
        let row = query::<ProductColumns>(
            "select p.id, v.code, p.code, p.name, p.version from product p join vertical v on v.id = p.vertical_id where p.id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(product).transpose()
    }
}
