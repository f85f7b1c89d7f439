//! Every case. Generated from the cases by `cargo test -p anyio-conformance --test tidy`: do not edit.

/// Hands the list of all cases to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_case {
    ($then:ident $args:tt) => {
        $crate::$then! { $args
            cancel {
                a_cancelled_scope_cuts_its_body_short_at_the_next_suspension ["C1"] "Once a scope is cancelled, every further suspension inside ends in cancellation."
            }
        }
    };
}

/// All cases, family by family.
pub static CASES: &[crate::Case] = &[
    crate::Case {
        name: "cancel::a_cancelled_scope_cuts_its_body_short_at_the_next_suspension",
        laws: &["C1"],
        doc: "Once a scope is cancelled, every further suspension inside ends in cancellation.",
        body: || Box::pin(crate::cases::cancel::a_cancelled_scope_cuts_its_body_short_at_the_next_suspension()),
    },
];
