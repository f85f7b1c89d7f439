//! The macro that makes a test of every case.

/// Makes a `#[test]` of every case: see the [crate's documentation](crate).
#[macro_export]
macro_rules! conformance {
    ($flavour:ident, $recipe:expr) => {
        $crate::for_each_case! { __conformance_tests ($flavour, $recipe) }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    (($flavour:ident, $recipe:expr) $($family:ident { $($name:ident $laws:tt $doc:literal)* })*) => {
        mod $flavour {
            #[allow(unused_imports, reason = "the recipe may name things of the file around")]
            use super::*;

            fn recipe() -> $crate::Recipe {
                ::std::sync::Arc::new(|| ::std::boxed::Box::new($recipe))
            }

            $(mod $family {
                $(#[test]
                fn $name() {
                    $crate::check(
                        ::std::concat!(::std::stringify!($family), "::", ::std::stringify!($name)),
                        super::recipe(),
                    );
                })*
            })*
        }
    };
}
