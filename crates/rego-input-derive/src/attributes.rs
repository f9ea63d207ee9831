//! `#[policy(…)]`.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr, Path, Result};

use crate::names::Style;

/// What stands at the type.
#[derive(Default)]
pub(crate) struct OfType {
    pub(crate) rename_all: Style,
    /// The engine's path, where it is not `::rego_engine`.
    pub(crate) engine: Option<Path>,
}

/// What stands at a field or variant.
#[derive(Default)]
pub(crate) struct OfField {
    pub(crate) rename: Option<String>,
    pub(crate) skip: bool,
}

impl OfType {
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut found = Self::default();
        each(attributes, |meta| {
            if meta.path.is_ident("rename_all") {
                let style: LitStr = meta.value()?.parse()?;
                found.rename_all = Style::named(&style.value())
                    .ok_or_else(|| syn::Error::new(style.span(), "a style that is not known"))?;
                return Ok(());
            }
            if meta.path.is_ident("crate") {
                found.engine = Some(meta.value()?.parse::<LitStr>()?.parse()?);
                return Ok(());
            }
            Err(meta.error("a type has `rename_all = \"…\"` and `crate = \"…\"`"))
        })?;
        Ok(found)
    }
}

impl OfField {
    pub(crate) fn read(attributes: &[Attribute]) -> Result<Self> {
        let mut found = Self::default();
        each(attributes, |meta| {
            if meta.path.is_ident("rename") {
                found.rename = Some(meta.value()?.parse::<LitStr>()?.value());
                return Ok(());
            }
            if meta.path.is_ident("skip") {
                found.skip = true;
                return Ok(());
            }
            Err(meta.error("a field has `rename = \"…\"` and `skip`"))
        })?;
        Ok(found)
    }
}

fn each(attributes: &[Attribute], mut take: impl FnMut(&ParseNestedMeta<'_>) -> Result<()>) -> Result<()> {
    let ours = attributes.iter().filter(|attribute| attribute.path().is_ident("policy"));
    for attribute in ours {
        attribute.parse_nested_meta(|meta| take(&meta))?;
    }
    Ok(())
}
