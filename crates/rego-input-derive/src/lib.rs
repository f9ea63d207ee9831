//! `#[derive(PolicyInput)]`, for `rego-engine`, which says what it does and what its attributes mean.
//!
//! Job: turn a struct with named fields, or an enum without data, into the two implementations. What cannot be derived
//! is an error at its place.

mod attributes;
mod names;

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, GenericParam, Generics, Lifetime, Path, Result, parse_quote};

use attributes::{OfField, OfType};

/// Lets values of a struct or of an enum without data be the input of a policy, or part of it: see the trait of the
/// same name.
#[proc_macro_derive(PolicyInput, attributes(policy))]
pub fn derive(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let expanded = syn::parse(item).and_then(|item| expand(&item));
    expanded.unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(item: &DeriveInput) -> Result<TokenStream> {
    let of_type = OfType::read(&item.attrs)?;
    let engine = of_type.engine.clone().unwrap_or_else(|| parse_quote!(::rego_engine));
    let (shape, write) = match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => of_struct(item, &of_type, fields.named.iter(), &engine)?,
            _ => {
                return Err(Error::new_spanned(
                    &item.ident,
                    "a policy's input has names: this struct's fields have none",
                ));
            }
        },
        Data::Enum(data) => of_enum(item, &of_type, data.variants.iter(), &engine)?,
        Data::Union(_) => return Err(Error::new_spanned(&item.ident, "a union cannot be a policy's input")),
    };
    let name = &item.ident;
    let (_, arguments, _) = item.generics.split_for_impl();
    let generics = bounded(&item.generics, &engine);
    let (parameters, _, conditions) = generics.split_for_impl();
    let fixed = fixed(&item.generics, &engine);
    Ok(quote! {
        #[automatically_derived]
        impl #parameters #engine::WriteInput for #name #arguments #conditions {
            #[inline]
            fn write(
                &self,
                plan: &#engine::InputPlan,
                out: &mut #engine::InputWriter<'_>,
            ) -> #engine::InputHandle {
                #write
            }
        }

        #[automatically_derived]
        impl #parameters #engine::PolicyInput for #name #arguments #conditions {
            type Static = #name #fixed;

            fn shape() -> #engine::InputShape {
                #shape
            }
        }
    })
}

/// What `shape` and `write` do.
type Bodies = (TokenStream, TokenStream);

fn of_struct<'f>(
    item: &DeriveInput,
    of_type: &OfType,
    fields: impl Iterator<Item = &'f syn::Field>,
    engine: &Path,
) -> Result<Bodies> {
    let (mut shapes, mut writes, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for field in fields {
        let attributes = OfField::read(&field.attrs)?;
        let (Some(ident), false) = (&field.ident, attributes.skip) else { continue };
        let key = match attributes.rename {
            Some(key) => key,
            None => of_type.rename_all.field(ident.to_string().trim_start_matches("r#")),
        };
        if !seen.insert(key.clone()) {
            return Err(Error::new_spanned(ident, format!("two fields are `{key}` to a policy")));
        }
        let (number, ty) = (shapes.len(), &field.ty);
        shapes.push(quote!(#engine::ShapeField { name: #key, shape: <#ty as #engine::PolicyInput>::shape }));
        writes.push(quote!(out.field(plan, &object, (#number, #key), &self.#ident);));
    }
    let name = item.ident.to_string();
    let shape = quote! {
        #engine::InputShape::Struct { name: #name, fields: const { &[#(#shapes),*] } }
    };
    let write = quote! {
        let object = out.begin(plan);
        #(#writes)*
        out.end(plan, object)
    };
    Ok((shape, write))
}

fn of_enum<'v>(
    item: &DeriveInput,
    of_type: &OfType,
    variants: impl Iterator<Item = &'v syn::Variant>,
    engine: &Path,
) -> Result<Bodies> {
    let mut arms = Vec::new();
    for variant in variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(
                variant,
                "only variants without data are a policy's input: they are strings",
            ));
        }
        let attributes = OfField::read(&variant.attrs)?;
        if attributes.skip {
            return Err(Error::new_spanned(variant, "a variant cannot be skipped"));
        }
        let ident = &variant.ident;
        let word = attributes.rename.unwrap_or_else(|| of_type.rename_all.variant(&ident.to_string()));
        arms.push(quote!(Self::#ident => #word,));
    }
    if arms.is_empty() {
        return Err(Error::new_spanned(&item.ident, "an enum without variants has no values"));
    }
    let shape = quote!(#engine::InputShape::Scalar("a string"));
    let write = quote! {
        let _ = plan;
        out.string(match self { #(#arms)* })
    };
    Ok((shape, write))
}

/// The generics with the traits that the parameters must have.
fn bounded(generics: &Generics, engine: &Path) -> Generics {
    let mut generics = generics.clone();
    for parameter in &mut generics.params {
        if let GenericParam::Type(parameter) = parameter {
            parameter.bounds.push(parse_quote!(#engine::PolicyInput));
        }
    }
    generics
}

/// The arguments of the type that stands for it with all lifetimes.
fn fixed(generics: &Generics, engine: &Path) -> TokenStream {
    if generics.params.is_empty() {
        return TokenStream::new();
    }
    let forever = Lifetime::new("'static", proc_macro2::Span::call_site());
    let arguments = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(_) => quote!(#forever),
        GenericParam::Type(parameter) => {
            let ident = format_ident!("{}", parameter.ident);
            quote!(<#ident as #engine::PolicyInput>::Static)
        }
        GenericParam::Const(parameter) => {
            let ident = &parameter.ident;
            quote!(#ident)
        }
    });
    quote!(<#(#arguments),*>)
}
