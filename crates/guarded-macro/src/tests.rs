//! What cannot be, in the words in which it is told; and what the documentation says.
#![allow(clippy::unwrap_used, reason = "tests")]

use quote::quote;

use crate::expand::guarded;

fn refused(options: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> String {
    guarded(options, item).unwrap_err().to_string()
}

fn of(options: proc_macro2::TokenStream) -> String {
    refused(
        options,
        quote!(
            fn f(a: u8) -> Result<(), GuardError> {
                Ok(())
            }
        ),
    )
}

#[test]
fn options_that_cannot_be() {
    assert!(of(quote!()).starts_with("name the policy first"));
    assert!(of(quote!(operation = "delete")).starts_with("the policy comes first"));
    assert!(
        of(quote!("p", oepration = "delete"))
            .starts_with("there is no option `oepration`; there are `guardian`")
    );
    assert_eq!(of(quote!("p", user = "a", user = "b")), "`user` is said twice");
    assert_eq!(of(quote!("p", guardian = a, guardian = b)), "`guardian` is said twice");
    assert_eq!(of(quote!("p", skip(b))), "there is no argument `b`; there are `a`");
    assert_eq!(of(quote!("p", skip(a), secret(a))), "`a` is skipped, and so it is no secret");
    assert_eq!(of(quote!("p" "q")), "expected `,`");
}

#[test]
fn items_that_cannot_be() {
    let of = |item| refused(quote!("p"), item);
    assert!(
        of(quote!(
            struct S;
        ))
        .starts_with("`#[guarded]` stands before a function or a method")
    );
    assert!(
        of(quote!(
            fn f();
        ))
        .starts_with("a function without a body cannot be guarded")
    );
    assert!(
        of(quote!(
            fn f() {}
        ))
        .contains("or add `wrap`")
    );
    assert!(
        of(quote!(
            const fn f() -> R {
                r()
            }
        ))
        .starts_with("a `const fn` cannot be guarded")
    );
    assert!(
        refused(
            quote!("p", skip(x)),
            quote!(
                fn f(&self) -> R {
                    r()
                }
            )
        )
        .ends_with("there are none with a name")
    );
}

#[test]
fn the_documentation_lists_what_is_told_and_what_is_not() {
    let item = quote!(
        fn f(&self, a: u8, (b, c): (u8, u8), d: u8, e: u8) -> R {
            r()
        }
    );
    let text = guarded(quote!("p", skip(d), secret(e)), item).unwrap().to_string();
    let told = "**Guarded** by the policy `p`. The policy is told: `a`. Told, and shown to nobody: `e`. Not told: `self`, \
                argument 3 (a pattern), `d` (skipped).";
    assert!(text.contains(told), "{text}");
}
